//===- Log.h - log, log1p, log1mexp, log2, log10, xlogy ----------------------------===//
//
// x = 2^k (1 + f) with 3/4 <= 1 + f < 3/2; log x = k ln2 + log(1 + f).
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_LOG_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_LOG_H

#include "compiler/Target/CPU/VecMath/Kernels/Base.h"
#include "compiler/Target/CPU/VecMath/Kernels/Exp.h"

namespace loss::vecmath {
namespace {

template <typename V> struct LogReduction {
  V k, f;
};

/// k and f of a positive normal number.
template <typename V> LOSS_VM_INLINE LogReduction<V> logReduceNormal(V x) {
  using S = Scalar<Elem<V>>;
  using U = typename S::UInt;
  constexpr U low = __builtin_bit_cast(U, Elem<V>(0.75));
  constexpr U one = __builtin_bit_cast(U, Elem<V>(1));
  UIntVec<V> shifted = bits(x) + (one - low);
  // The biased exponent, made a number by placing it in the fraction of 2^23 or 2^52.
  constexpr Elem<V> holder = Elem<V>(U(1) << S::fractionBits);
  UIntVec<V> exponent = (shifted >> S::fractionBits) | __builtin_bit_cast(U, holder);
  V k = fromBits<V>(exponent) - (holder + Elem<V>(S::bias));
  V m = fromBits<V>((shifted & ((U(1) << S::fractionBits) - 1)) + low);
  return {k, m - Elem<V>(1)};
}

/// k and f of a positive number, denormal ones included.
template <typename V> LOSS_VM_INLINE LogReduction<V> logReduce(V x) {
#if defined(__AVX512F__)
  if constexpr (isZmm<V> && isFloat<V>) {
    __m512 m = _mm512_getmant_ps((__m512)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    V k = (V)_mm512_getexp_ps((__m512)x) - (V)_mm512_getexp_ps(m);
    return {k, (V)m - 1.0f};
  } else if constexpr (isZmm<V>) {
    __m512d m = _mm512_getmant_pd((__m512d)x, _MM_MANT_NORM_p75_1p5, _MM_MANT_SIGN_src);
    V k = (V)_mm512_getexp_pd((__m512d)x) - (V)_mm512_getexp_pd(m);
    return {k, (V)m - 1.0};
  }
#endif
  using T = Elem<V>;
  constexpr T lift = isFloat<V> ? T(24) : T(54);
  constexpr T liftFactor = isFloat<V> ? T(0x1p24) : T(0x1p54);
  IntVec<V> tiny = x < Scalar<T>::minNormal;
  auto [k, f] = logReduceNormal(select(tiny, x * liftFactor, x));
  return {select(tiny, k - lift, k), f};
}

/// The special results of every logarithm, given its argument x: log 0 = -inf, log inf = inf, NaN
/// below 0.
template <typename V> LOSS_VM_INLINE V logSpecial(V x, V y) {
#if defined(__AVX512F__)
  // One nibble a class of x, lowest first: quiet and signalling NaN, 0, 1, -inf, inf, negative,
  // positive; 0 keeps y, 2 a quiet NaN of x, 3 the default NaN, 4 -inf, 5 inf.
  if constexpr (isZmm<V> && isFloat<V>)
    return (V)_mm512_fixupimm_ps((__m512)y, (__m512)x, _mm512_set1_epi32(0x03530422), 0);
  else if constexpr (isZmm<V>)
    return (V)_mm512_fixupimm_pd((__m512d)y, (__m512d)x, _mm512_set1_epi64(0x03530422), 0);
#endif
  using S = Scalar<Elem<V>>;
  V special = select(x == Elem<V>(0), -S::inf, splat<V>(S::nan));
  return select(x > Elem<V>(0), select(x < S::inf, y, x), special);
}

/// log(1 + f) for -1/4 <= f <= 1/2.
template <typename V> LOSS_VM_INLINE V logReduced(V f) {
  using T = Elem<V>;
  if constexpr (isFloat<V>) {
    V z = f * f;
    return madd(z, madd(f, polynomial<table::Log>(f, z), T(-0.5)), f);
  } else {
    // With s = f / (2 + f): log(1+f) = f - (f^2/2 - s (f^2/2 + s^2 P(s^2))).
    V s = f / (f + T(2));
    V z = s * s;
    V h = T(0.5) * f * f;
    return f - (h - s * madd(z, polynomial<table::LogAtanh>(z), h));
  }
}

/// k ln2 + l.
template <typename V> LOSS_VM_INLINE V addLn2(V k, V l) {
  return madd(k, part0<table::Ln2, V>, madd(k, part1<table::Ln2, V>, l));
}

template <typename V> LOSS_VM_INLINE V log(V x) {
  auto [k, f] = logReduce(x);
  return logSpecial(x, addLn2(k, logReduced(f)));
}

template <typename V> LOSS_VM_INLINE V log1p(V x) {
  using T = Elem<V>;
  using S = Scalar<T>;
  using U = typename S::UInt;
  // k from the rounded sum u, then f = 2^-k x + (2^-k - 1): the product is exact, so only the sum
  // rounds, and relative to f.
  V u = x + T(1);
  auto [k, fu] = logReduceNormal(u);
  constexpr U low = __builtin_bit_cast(U, T(0.75)), one = __builtin_bit_cast(U, T(1));
  UIntVec<V> exponent = (bits(u) + (one - low)) & ~((U(1) << S::fractionBits) - 1);
  V t = fromBits<V>((U(2 * S::bias) << S::fractionBits) - exponent);
  // Where the 1 is lost in x anyway, 2^-k may be denormal: take f of the sum.
  V f = select(x > T(0x1p60), fu, madd(x, t, t - T(1)));
  return copySign(logSpecial(u, addLn2(k, logReduced(f))), x);
}

/// log(1 + x) for 0 <= x <= 1.
template <typename V> LOSS_VM_INLINE V log1pUnit(V x) {
  using T = Elem<V>;
  // k is 0 or 1.
  IntVec<V> upper = x >= T(0.5);
  V l = logReduced(select(upper, madd(x, T(0.5), T(-0.5)), x));
  return select(upper, part0<table::Ln2, V> + (l + part1<table::Ln2, V>), l);
}

/// log(1 - e^x) for x <= 0 (Mächler 2012): the logarithm of -expm1(x) where that is below 1/2,
/// else log1p(-e^x).
template <typename V> LOSS_VM_INLINE V log1mExp(V x) {
  using T = Elem<V>;
  IntVec<V> far = x < T(-0.693147180559945309);
  V e = exp(x);
  V m = select(far, splat<V>(1), -expm1(x));
  auto [k, f] = logReduce(m);
  // 1 - e = (1 + (1 - 2 e)) / 2 down to 3/4.
  IntVec<V> half = e >= T(0.25);
  V fFar = select(half, madd(e, T(-2), T(1)), -e);
  V kFar = select(half, splat<V>(-1), splat<V>(0));
  V y = logSpecial(m, addLn2(select(far, kFar, k), logReduced(select(far, fFar, f))));
  return copySign(y, splat<V>(-1)); // The limit at -inf is -0.
}

/// x log y, and 0 where x is 0 and y a number.
template <typename V> LOSS_VM_INLINE V xlogy(V x, V y) {
  V product = x * log(y);
  return select((x == Elem<V>(0)) & (y == y), Elem<V>(0), product);
}

/// The product of f and a constant given as high + low: exact enough to be cancelled.
template <typename V> LOSS_VM_INLINE Pair<V> constantProduct(V f, Elem<V> high, Elem<V> low) {
  auto [h, l] = twoProduct(f, splat<V>(high));
  return {h, madd(f, low, l)};
}

template <typename V> LOSS_VM_INLINE V log2(V x) {
  auto [k, f] = logReduce(x);
  if constexpr (isFloat<V>) {
    auto [h, l] = constantProduct(f, part0<table::Log2E, V>, part1<table::Log2E, V>);
    V z = f * f;
    return logSpecial(x, (k + h) + madd(z, polynomial<table::Log2>(f, z), l));
  } else {
    return logSpecial(x, madd(logReduced(f), part0<table::Log2E, V>, k));
  }
}

template <typename V> LOSS_VM_INLINE V log10(V x) {
  auto [k, f] = logReduce(x);
  V high, low;
  if constexpr (isFloat<V>) {
    auto [h, l] = constantProduct(f, part0<table::Log10E, V>, part1<table::Log10E, V>);
    V z = f * f;
    high = h;
    low = madd(z, polynomial<table::Log10>(f, z), l);
  } else {
    high = logReduced(f) * part0<table::Log10E, V>;
    low = splat<V>(0);
  }
  high = madd(k, part0<table::Log10Of2, V>, high);
  return logSpecial(x, high + madd(k, part1<table::Log10Of2, V>, low));
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_LOG_H
