//===- Base.h - vector types and the primitives of the vector math library -----===//
//
// Every kernel is a template over a clang vector type V. The same text is compiled once a feature
// level, to bitcode for the compiler and to objects for the host. Contraction is off: where a fused
// multiply-add is wanted it is written madd(), which is two operations on a level without FMA, so
// nothing here ever becomes a library call.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_BASE_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_BASE_H

#include "compiler/Target/CPU/VecMath/Kernels/Coefficients.h"

#if defined(__AVX512F__)
#include <immintrin.h>
#endif

namespace loss::vecmath {
// Internal linkage: each feature level is a translation unit of its own in one program.
namespace {

#define LOSS_VM_INLINE [[gnu::always_inline]] inline

#if defined(__FMA__)
inline constexpr bool hasFma = true;
#else
inline constexpr bool hasFma = false;
#endif

template <typename T, int N> using Vec = T __attribute__((ext_vector_type(N)));

template <typename T> struct Scalar;
/// Facts about float: integer types of its size, significand bits, exponent bias.
template <> struct Scalar<float> {
  using Int = int;
  using UInt = unsigned;
  static constexpr int fractionBits = 23;
  static constexpr int bias = 127;
  static constexpr float minNormal = 0x1p-126f;
  static constexpr float inf = __builtin_inff();
  static constexpr float nan = __builtin_nanf("");
};
/// Facts about double.
template <> struct Scalar<double> {
  using Int = long;
  using UInt = unsigned long;
  static constexpr int fractionBits = 52;
  static constexpr int bias = 1023;
  static constexpr double minNormal = 0x1p-1022;
  static constexpr double inf = __builtin_inf();
  static constexpr double nan = __builtin_nan("");
};

template <typename T> struct RemoveReference {
  using Type = T;
};
template <typename T> struct RemoveReference<T &> {
  using Type = T;
};

template <typename V> V declareValue();
/// float or double.
template <typename V> using Elem = typename RemoveReference<decltype(declareValue<V &>()[0])>::Type;
template <typename V> inline constexpr int lanes = sizeof(V) / sizeof(Elem<V>);
template <typename V> inline constexpr bool isFloat = sizeof(Elem<V>) == 4;
/// Signed and unsigned integer vectors of the same shape; a comparison yields an IntVec of 0 and
/// -1.
template <typename V> using IntVec = Vec<typename Scalar<Elem<V>>::Int, lanes<V>>;
template <typename V> using UIntVec = Vec<typename Scalar<Elem<V>>::UInt, lanes<V>>;
/// A whole 512-bit register: the instructions that exist only in AVX-512 apply.
#if defined(__AVX512F__)
template <typename V> inline constexpr bool isZmm = sizeof(V) == 64;
#else
template <typename V> inline constexpr bool isZmm = false;
#endif

template <typename V> LOSS_VM_INLINE UIntVec<V> bits(V x) {
  return __builtin_bit_cast(UIntVec<V>, x);
}
template <typename V> LOSS_VM_INLINE V fromBits(UIntVec<V> x) { return __builtin_bit_cast(V, x); }

/// The coefficients of a table in the element type of V.
template <typename Table, typename V> LOSS_VM_INLINE constexpr const auto &coefficients() {
  if constexpr (isFloat<V>)
    return Table::f32;
  else
    return Table::f64;
}
template <typename Table, typename V> inline constexpr Elem<V> part0 = coefficients<Table, V>()[0];
template <typename Table, typename V> inline constexpr Elem<V> part1 = coefficients<Table, V>()[1];
template <typename Table, typename V> inline constexpr Elem<V> part2 = coefficients<Table, V>()[2];

template <typename V> LOSS_VM_INLINE V splat(Elem<V> x) { return V(x); }

/// a * b + c, fused where the level has FMA.
template <typename V> LOSS_VM_INLINE V madd(V a, V b, V c) {
  if constexpr (hasFma)
    return __builtin_elementwise_fma(a, b, c);
  else
    return a * b + c;
}
template <typename V> LOSS_VM_INLINE V madd(V a, V b, Elem<V> c) { return madd(a, b, splat<V>(c)); }
template <typename V> LOSS_VM_INLINE V madd(V a, Elem<V> b, V c) { return madd(a, splat<V>(b), c); }
template <typename V> LOSS_VM_INLINE V madd(V a, Elem<V> b, Elem<V> c) {
  return madd(a, splat<V>(b), splat<V>(c));
}

template <typename V> LOSS_VM_INLINE V select(IntVec<V> mask, V a, V b) { return mask ? a : b; }
template <typename V> LOSS_VM_INLINE V select(IntVec<V> mask, Elem<V> a, V b) {
  return mask ? splat<V>(a) : b;
}
template <typename V> LOSS_VM_INLINE V select(IntVec<V> mask, V a, Elem<V> b) {
  return mask ? a : splat<V>(b);
}

template <typename M> LOSS_VM_INLINE bool any(M mask) { return __builtin_reduce_or(mask) != 0; }

template <typename V>
inline constexpr typename Scalar<Elem<V>>::UInt signBit =
    typename Scalar<Elem<V>>::UInt(1) << (sizeof(Elem<V>) * 8 - 1);

template <typename V> LOSS_VM_INLINE V abs(V x) { return __builtin_elementwise_abs(x); }
/// The sign bit of x, alone.
template <typename V> LOSS_VM_INLINE UIntVec<V> signOf(V x) { return bits(x) & signBit<V>; }
template <typename V> LOSS_VM_INLINE V xorSign(V x, UIntVec<V> sign) {
  return fromBits<V>(bits(x) ^ sign);
}
/// Magnitude of x, sign of s.
template <typename V> LOSS_VM_INLINE V copySign(V x, V s) {
  return fromBits<V>((bits(x) & ~signBit<V>) | signOf(s));
}
template <typename V> LOSS_VM_INLINE V sqrt(V x) { return __builtin_elementwise_sqrt(x); }

/// The larger and the smaller; x where it is NaN.
template <typename V> LOSS_VM_INLINE V atLeast(V x, Elem<V> low) { return select(x < low, low, x); }
template <typename V> LOSS_VM_INLINE V atMost(V x, Elem<V> high) {
  return select(x > high, high, x);
}

/// Adding it rounds to an integer, which the low bits of the sum then hold (two's complement).
template <typename V>
inline constexpr Elem<V> roundingMagic = isFloat<V> ? Elem<V>(0x1.8p23) : Elem<V>(0x1.8p52);

/// 2^k for an integral k with a normal result.
template <typename V> LOSS_VM_INLINE V powerOfTwo(V k) {
  using S = Scalar<Elem<V>>;
  return fromBits<V>((bits(k + roundingMagic<V>) + S::bias) << S::fractionBits);
}

/// x * 2^k, right also where the result is denormal, 0 or inf. k is integral and below twice the
/// exponent range.
template <typename V> LOSS_VM_INLINE V scale(V x, V k) {
#if defined(__AVX512F__)
  if constexpr (isZmm<V>) {
    if constexpr (isFloat<V>)
      return (V)_mm512_scalef_ps((__m512)x, (__m512)k);
    else
      return (V)_mm512_scalef_pd((__m512d)x, (__m512d)k);
  }
#endif
  V half = madd(k, Elem<V>(0.5), roundingMagic<V>) - roundingMagic<V>;
  return x * powerOfTwo(half) * powerOfTwo(k - half);
}

/// The terms first, first + stride, ... of a polynomial, in x^stride.
template <int first, int stride, typename V, unsigned Count>
LOSS_VM_INLINE V chain(V power, const Elem<V> (&c)[Count]) {
  constexpr int last = (int(Count) - 1 - first) / stride * stride + first;
  V p = splat<V>(c[last]);
#pragma unroll
  for (int i = last - stride; i >= first; i -= stride)
    p = madd(p, power, c[i]);
  return p;
}

/// c[0] + c[1] x + c[2] x^2 + ..., z = x^2. Horner's rule in two or four chains: a loop over
/// vectors is bound by the latency of one long chain.
template <typename V, unsigned Count>
LOSS_VM_INLINE V polynomial(V x, V z, const Elem<V> (&c)[Count]) {
  if constexpr (Count > 12) {
    V w = z * z;
    V low = madd(chain<1, 4>(w, c), x, chain<0, 4>(w, c));
    V high = madd(chain<3, 4>(w, c), x, chain<2, 4>(w, c));
    return madd(high, z, low);
  } else {
    return madd(chain<1, 2>(z, c), x, chain<0, 2>(z, c));
  }
}
template <typename Table, typename V> LOSS_VM_INLINE V polynomial(V x, V z) {
  return polynomial(x, z, coefficients<Table, V>());
}
/// The same where the square is not at hand; short ones in one chain.
template <typename Table, typename V> LOSS_VM_INLINE V polynomial(V x) {
  constexpr const auto &c = coefficients<Table, V>();
  if constexpr (sizeof(c) / sizeof(c[0]) <= 5)
    return chain<0, 1>(x, c);
  else
    return polynomial(x, x * x, c);
}

/// An unevaluated sum, the low part at most half an ULP of the high one.
template <typename V> struct Pair {
  V hi, lo;
};

/// a + b exactly, for |a| >= |b| or a = 0.
template <typename V> LOSS_VM_INLINE Pair<V> fastTwoSum(V a, V b) {
  V s = a + b;
  return {s, b - (s - a)};
}

/// a * b exactly (away from overflow and underflow).
template <typename V> LOSS_VM_INLINE Pair<V> twoProduct(V a, V b) {
  V p = a * b;
  if constexpr (hasFma) {
    return {p, __builtin_elementwise_fma(a, b, -p)};
  } else {
    // Veltkamp's split and Dekker's product.
    constexpr Elem<V> splitter = isFloat<V> ? Elem<V>(0x1p12 + 1) : Elem<V>(0x1p27 + 1);
    V ca = a * splitter, cb = b * splitter;
    V ah = ca - (ca - a), bh = cb - (cb - b);
    V al = a - ah, bl = b - bh;
    return {p, ((ah * bh - p) + ah * bl + al * bh) + al * bl};
  }
}

/// c - a * b with one rounding, where it is small against c.
template <typename V> LOSS_VM_INLINE V minusProduct(V c, V a, V b) {
  if constexpr (hasFma) {
    return __builtin_elementwise_fma(-a, b, c);
  } else {
    auto [p, e] = twoProduct(a, b);
    return (c - p) - e;
  }
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_BASE_H
