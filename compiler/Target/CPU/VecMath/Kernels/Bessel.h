//===- Bessel.h - modified Bessel functions of the first kind -------------------===//
//
// Up to a bound a polynomial in (x/2)^2, beyond it e^x sqrt(1/x) times a polynomial in 1/x. The
// second part is computed only where a lane needs it: losses rarely get there.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_BESSEL_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_BESSEL_H

#include "compiler/Target/CPU/VecMath/Kernels/Exp.h"

namespace loss::vecmath {
namespace {

template <typename V> inline constexpr Elem<V> besselBound = isFloat<V> ? Elem<V>(5) : Elem<V>(12);

template <int order, typename V> LOSS_VM_INLINE V besselSmall(V a) {
  using T = Elem<V>;
  V h = a * T(0.5);
  V u = h * h;
  if constexpr (order == 0)
    return madd(u, polynomial<table::BesselI0Small>(u), T(1));
  else
    return madd(h * u, polynomial<table::BesselI1Small>(u), h);
}

/// e^-a I(a)
template <int order, typename V> LOSS_VM_INLINE V besselLarge(V a) {
  V v = Elem<V>(1) / a;
  if constexpr (order == 0)
    return sqrt(v) * polynomial<table::BesselI0Large>(v);
  else
    return sqrt(v) * polynomial<table::BesselI1Large>(v);
}

template <int order, bool scaled, typename V> LOSS_VM_INLINE V bessel(V x) {
  using T = Elem<V>;
  V a = abs(x);
  V bounded = atMost(a, besselBound<V>);
  V y = besselSmall<order>(bounded);
  if constexpr (scaled) {
    auto [k, r] = expReduce(-bounded);
    y = madd(expm1Reduced(r), y, y) * powerOfTwo(k);
  }
  IntVec<V> large = a > besselBound<V>;
  if (any(large)) {
    if constexpr (scaled) {
      y = select(large, besselLarge<order>(a), y);
    } else {
      V c = atMost(a, isFloat<V> ? T(93) : T(715));
      V g = besselLarge<order>(c);
      auto [k, r] = expReduce(c);
      y = select(large, scale(madd(expm1Reduced(r), g, g), k), y);
    }
  }
  return order == 1 ? copySign(y, x) : y;
}

template <typename V> LOSS_VM_INLINE V besselI0(V x) { return bessel<0, false>(x); }
template <typename V> LOSS_VM_INLINE V besselI0e(V x) { return bessel<0, true>(x); }
template <typename V> LOSS_VM_INLINE V besselI1(V x) { return bessel<1, false>(x); }
template <typename V> LOSS_VM_INLINE V besselI1e(V x) { return bessel<1, true>(x); }

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_BESSEL_H
