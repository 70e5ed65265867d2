//===- Pow.h - x^y -------------------------------------------------------------===//
//
// f32: 2^(y log2 x) in f64 arithmetic, so that the result is nearly correctly rounded.
// f64: e^(y log x) with the logarithm and the product kept as pairs of doubles.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_POW_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_POW_H

#include "compiler/Target/CPU/VecMath/Kernels/Exp.h"
#include "compiler/Target/CPU/VecMath/Kernels/Log.h"

namespace loss::vecmath {
namespace {

/// |x|^y for x finite and not 0, y not NaN.
template <int N> LOSS_VM_INLINE Vec<float, N> powMagnitude(Vec<float, N> x, Vec<float, N> y) {
  using D = Vec<double, N>;
  D a = __builtin_convertvector(abs(x), D);
  // An infinite exponent of 1 must give 1, not NaN.
  D b = __builtin_convertvector(atLeast(atMost(y, 0x1.fffffep127f), -0x1.fffffep127f), D);
  auto [k, f] = logReduceNormal(a);
  D t = b * madd(f, polynomial<table::PowLog2>(f), k);
  t = atLeast(atMost(t, 130.0), -160.0);
  D shifted = t + roundingMagic<D>;
  D r = t - (shifted - roundingMagic<D>);
  D p = madd(r, polynomial<table::PowExp2>(r), 1.0);
  D z = fromBits<D>(bits(p) + (bits(shifted) << 52));
  return __builtin_convertvector(z, Vec<float, N>);
}

/// log(2^k (1+f)) as a pair, right to some 67 bits.
template <typename V> LOSS_VM_INLINE Pair<V> logPair(V k, V f) {
  // s = f / (2 + f) = high + low, log(1+f) = 2 (s + s u), u = s^2/3 + s^4 P'(s^2).
  V dh = f + 2.0;
  V dl = f - (dh - 2.0);
  V inverse = 1.0 / dh;
  V sh = f * inverse;
  V sl = madd(-sh, dl, minusProduct(f, sh, dh)) * inverse;
  auto [zh, zl] = twoProduct(sh, sh);
  zl = madd(sh + sh, sl, zl);
  // The third is half of the two thirds in the table; so is P'.
  V w = zh * zh * polynomial<table::PowAtanh>(zh) * 0.5;
  auto [th, tl] = twoProduct(zh, splat<V>(table::TwoThirds::f64[0] * 0.5));
  tl = madd(zl, table::TwoThirds::f64[0] * 0.5, madd(zh, table::TwoThirds::f64[1] * 0.5, tl));
  auto [uh, ul] = fastTwoSum(th, w + tl);
  auto [qh, ql] = twoProduct(sh, uh);
  ql = madd(sh, ul, madd(sl, uh, ql)) + sl;
  auto [ah, al] = fastTwoSum(sh, qh);
  V lh = ah + ah, ll = 2.0 * (al + ql);
  auto [h, l] = fastTwoSum(k * part0<table::Ln2, V>, lh);
  return fastTwoSum(h, l + madd(k, part1<table::Ln2, V>, ll));
}

template <int N> LOSS_VM_INLINE Vec<double, N> powMagnitude(Vec<double, N> x, Vec<double, N> y) {
  using V = Vec<double, N>;
  auto [k, f] = logReduce(abs(x));
  auto [lh, ll] = logPair(k, f);
  // Beyond 2^66 every power other than of 1 is 0 or inf; so far the products below are finite.
  y = atLeast(atMost(y, 0x1p66), -0x1p66);
  auto [eh, el] = twoProduct(y, lh);
  el = madd(y, ll, el);
  V c = atLeast(atMost(eh, expHigh<V>), expLow<V>);
  el = select(c == eh, el, 0.0);
  auto [n, r] = expReduce(c);
  r = r + el;
  return scale(expm1Reduced(r) + 1.0, n);
}

/// C's pow: x^0 = 1^y = 1; a negative base needs an integral exponent.
template <typename V> LOSS_VM_INLINE V pow(V x, V y) {
  using T = Elem<V>;
  using S = Scalar<T>;
  V a = abs(x);
  V z = powMagnitude(x, y);
  // Base 0 or inf: the result is 0 or inf by the sign of the exponent.
  IntVec<V> zero = a == T(0), infinite = a == S::inf;
  IntVec<V> up = (y > T(0)) == infinite;
  z = select(zero | infinite, select(up, splat<V>(S::inf), splat<V>(T(0))), z);
  // Negative base: the sign of an odd power; NaN where no integral power.
  V half = y * T(0.5);
  IntVec<V> integral = __builtin_elementwise_trunc(y) == y;
  IntVec<V> odd = integral & (__builtin_elementwise_trunc(half) != half);
  UIntVec<V> sign = signOf(x) & __builtin_bit_cast(UIntVec<V>, odd);
  z = xorSign(z, sign);
  z = select((x < T(0)) & ~integral & ~infinite, splat<V>(S::nan), z);
  z = select((x != x) | (y != y), x + y, z);
  return select((y == T(0)) | (x == T(1)), splat<V>(T(1)), z);
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_POW_H
