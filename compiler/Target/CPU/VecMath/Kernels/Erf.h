//===- Erf.h - erf, erfc, erfinv --------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_ERF_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_ERF_H

#include "compiler/Target/CPU/VecMath/Kernels/Exp.h"
#include "compiler/Target/CPU/VecMath/Kernels/Log.h"

namespace loss::vecmath {
namespace {

/// erfc a for a >= 0: e^(-a^2) (1 + 2a) erfcx(a) / (1 + 2a), a^2 kept as a pair.
template <typename V> LOSS_VM_INLINE V erfcPositive(V a) {
  using T = Elem<V>;
  constexpr T c = isFloat<V> ? T(2) : T(4);
  a = atMost(a, isFloat<V> ? T(10.5) : T(28));
  V p = polynomial<table::Erfcx>((a - c) / (a + c));
  V d = madd(a, T(2), T(1));
  V g;
  if constexpr (isFloat<V>) {
    // The quotient with the roundings of the denominator and of itself put back.
    V inverse = T(1) / d;
    V low = madd(a, T(2), T(1) - d);
    g = p * inverse;
    g = madd(madd(-g, low, minusProduct(p, g, d)), inverse, g);
  } else {
    g = p / d;
  }
  auto [s, low] = twoProduct(a, a);
  auto [k, r] = expReduce(-s);
  V e = expm1Reduced(r - low);
  return scale(madd(e, g, g), k);
}

/// erf x for |x| <= 1.
template <typename V> LOSS_VM_INLINE V erfSmall(V x) {
  return madd(x, polynomial<table::Erf>(x * x), x);
}

template <typename V> LOSS_VM_INLINE V erfc(V x) {
  using T = Elem<V>;
  V y = erfcPositive(abs(x));
  y = select(x < T(0), T(2) - y, y);
  // Near 0 the rounding of t above counts most; this is more accurate.
  if constexpr (isFloat<V>)
    y = select(abs(x) < T(0.5), T(1) - erfSmall(x), y);
  return y;
}

template <typename V> LOSS_VM_INLINE V erf(V x) {
  using T = Elem<V>;
  V a = abs(x);
  return copySign(select(a < T(1), erfSmall(a), T(1) - erfcPositive(a)), x);
}

/// Beyond 1/2 polynomials in w = sqrt(-log(1 - |x|)): of 0.83 to 2.25, and of more, where few
/// arguments lie.
template <typename V> LOSS_VM_INLINE V erfinv(V x) {
  using T = Elem<V>;
  constexpr T c = isFloat<V> ? T(3.1875) : T(4.1875);
  V a = abs(x);
  V y = a * polynomial<table::ErfInvCentre>(a * a);
  IntVec<V> tail = ~(a <= T(0.5));
  if (any(tail)) {
    V w = sqrt(-log(T(1) - a));
    V p = polynomial<table::ErfInvTail>(w - T(1.54));
    IntVec<V> far = w > T(2.25);
    if (any(far))
      p = select(far, polynomial<table::ErfInvFar>(w - c), p);
    y = select(tail, select(w == Scalar<T>::inf, w, w + p), y);
  }
  return copySign(y, x);
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_ERF_H
