//===- Exp.h - exp, exp2, expm1 --------------------------------------------===//
//
// x = k ln2 + r with |r| <= ln2/2; e^x = 2^k e^r.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_EXP_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_EXP_H

#include "compiler/Target/CPU/VecMath/Kernels/Base.h"

namespace loss::vecmath {
namespace {

/// Arguments beyond which e^x is inf, and 0. exp(expHigh) overflows and k stays small.
template <typename V> inline constexpr Elem<V> expHigh = isFloat<V> ? Elem<V>(89) : Elem<V>(710);
template <typename V> inline constexpr Elem<V> expLow = isFloat<V> ? Elem<V>(-105) : Elem<V>(-747);

template <typename V> struct ExpReduction {
  V k, r;
};

template <typename V> LOSS_VM_INLINE ExpReduction<V> expReduce(V x) {
  V k = madd(x, part0<table::Log2E, V>, roundingMagic<V>) - roundingMagic<V>;
  V r = madd(k, -part0<table::Ln2, V>, x);
  return {k, madd(k, -part1<table::Ln2, V>, r)};
}

/// e^r - 1 for |r| <= ln2/2.
template <typename V> LOSS_VM_INLINE V expm1Reduced(V r) {
  V z = r * r;
  return madd(z, polynomial<table::Exp>(r, z), r);
}

/// e^x for x in a range whose results are normal numbers.
template <typename V> LOSS_VM_INLINE V expNormal(V x) {
  auto [k, r] = expReduce(x);
  return (expm1Reduced(r) + Elem<V>(1)) * powerOfTwo(k);
}

/// e^x / 2, which does not overflow before sinh and cosh do. x >= 0.
template <typename V> LOSS_VM_INLINE V halfExp(V x) {
  auto [k, r] = expReduce(atMost(x, Elem<V>(expHigh<V> + 1)));
  return scale(expm1Reduced(r) + Elem<V>(1), k - Elem<V>(1));
}

template <typename V> LOSS_VM_INLINE V exp(V x) {
  auto [k, r] = expReduce(atLeast(atMost(x, expHigh<V>), expLow<V>));
  return scale(expm1Reduced(r) + Elem<V>(1), k);
}

template <typename V> LOSS_VM_INLINE V exp2(V x) {
  x = atLeast(atMost(x, isFloat<V> ? Elem<V>(130) : Elem<V>(1025)),
              isFloat<V> ? Elem<V>(-151) : Elem<V>(-1076));
  V k = (x + roundingMagic<V>)-roundingMagic<V>;
  V r = (x - k) * part0<table::Ln2Full, V>;
  return scale(expm1Reduced(r) + Elem<V>(1), k);
}

template <typename V> LOSS_VM_INLINE V expm1(V x) {
  // 2^k (e^r - 1) + (2^k - 1), halved and doubled again so that 2^128 never appears.
  using T = Elem<V>;
  V c = atLeast(atMost(x, expHigh<V>), isFloat<V> ? T(-20) : T(-40));
  auto [k, r] = expReduce(c);
  V t = powerOfTwo(k - T(1));
  V y = madd(expm1Reduced(r), t, t - T(0.5));
  // The sign of zero, and denormals, which halving would round.
  return select(abs(x) < (isFloat<V> ? T(0x1p-30) : T(0x1p-60)), x, y + y);
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_EXP_H
