//===- Trig.h - sin, cos, tan and their inverses
//-----------------------------------------------===//
//
// sin: x = n pi + r, |r| <= pi/2, sin x = (-1)^n sin r. cos: the same with n + 1/2 for n, so that a
// zero of the cosine is a zero of r. One polynomial, no selection. Beyond a limit that losses never
// reach a cold function reduces lane by lane and exactly.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_TRIG_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_TRIG_H

#include "compiler/Target/CPU/VecMath/Kernels/HugeReduction.h"

namespace loss::vecmath {
namespace {

/// Magnitude up to which the parts of pi subtracted in sequence are exact enough.
template <typename V>
inline constexpr Elem<V> trigLimit = isFloat<V> ? Elem<V>(0x1p13) : Elem<V>(0x1p22);

/// x - k c, c given in three parts (with FMA) or in four whose products with k are exact.
template <typename Fma, typename Split, typename V> LOSS_VM_INLINE V subtractMultiple(V x, V k) {
  if constexpr (hasFma) {
    x = madd(k, -part0<Fma, V>, x);
    x = madd(k, -part1<Fma, V>, x);
    return madd(k, -part2<Fma, V>, x);
  } else {
    // The last two steps together, so that only one rounding counts.
    constexpr const auto &c = coefficients<Split, V>();
    x = (x - k * c[0]) - k * c[1];
    V t = k * c[2];
    V y = x - t;
    return y + (((x - y) - t) - k * c[3]);
  }
}

/// An angle in [-pi/2, pi/2], and the sign bit of the result.
template <typename V> struct Angle {
  V r;
  UIntVec<V> sign;
};

template <typename V> LOSS_VM_INLINE V sinReduced(Angle<V> angle) {
  V z = angle.r * angle.r;
  V y = madd(angle.r * z, polynomial<table::Sin>(z), angle.r);
  // Rounding may carry the sum beyond 1.
  y = atLeast(atMost(y, Elem<V>(1)), Elem<V>(-1));
  return xorSign(y, angle.sign);
}

template <typename V> LOSS_VM_INLINE Angle<V> sinReduce(V x) {
  V a = abs(x);
  V shifted = madd(a, part0<table::InvPi, V>, roundingMagic<V>);
  UIntVec<V> parity = bits(shifted) << (sizeof(Elem<V>) * 8 - 1);
  V r = subtractMultiple<table::PiFma, table::PiSplit>(a, shifted - roundingMagic<V>);
  return {r, parity ^ signOf(x)};
}

template <typename V> LOSS_VM_INLINE Angle<V> cosReduce(V x) {
  using T = Elem<V>;
  V a = abs(x);
  V shifted = madd(a, part0<table::InvPi, V>, T(-0.5)) + roundingMagic<V>;
  UIntVec<V> parity = ~bits(shifted) << (sizeof(T) * 8 - 1);
  V n = (shifted - roundingMagic<V>)+T(0.5);
  return {subtractMultiple<table::PiFma, table::PiSplit>(a, n), parity};
}

/// Replaces the lanes whose argument is beyond the limit. shift = 0 for the sine; 1 turns the
/// argument by pi/2, for the cosine.
template <int shift, typename V> [[gnu::noinline, gnu::cold]] V sinHuge(V x, V y) {
  using T = Elem<V>;
  using U = typename Scalar<T>::UInt;
  T xs[lanes<V>], rs[lanes<V>];
  U signs[lanes<V>];
  __builtin_memcpy(xs, &x, sizeof x);
  for (int i = 0; i < lanes<V>; ++i) {
    T a = __builtin_elementwise_abs(xs[i]);
    Quadrant q = reduceHuge(a > trigLimit<V> ? double(a) : 8.0);
    q.index += shift;
    // In odd quadrants the sine of the complement, which is not near zero.
    double r = q.index & 1 ? table::HalfPi::f64[0] - __builtin_elementwise_abs(q.r) : q.r;
    bool negative = (q.index & 2) != 0;
    if (shift == 0)
      negative ^= xs[i] < 0;
    rs[i] = T(r);
    signs[i] = U(negative) << (sizeof(T) * 8 - 1);
  }
  Angle<V> angle;
  __builtin_memcpy(&angle.r, rs, sizeof rs);
  __builtin_memcpy(&angle.sign, signs, sizeof signs);
  return select(abs(x) > trigLimit<V>, sinReduced(angle), y);
}

template <typename V> LOSS_VM_INLINE V sin(V x) {
  V y = sinReduced(sinReduce(x));
  if (__builtin_expect(any(abs(x) > trigLimit<V>), 0))
    return sinHuge<0>(x, y);
  return y;
}

template <typename V> LOSS_VM_INLINE V cos(V x) {
  V y = sinReduced(cosReduce(x));
  if (__builtin_expect(any(abs(x) > trigLimit<V>), 0))
    return sinHuge<1>(x, y);
  return y;
}

/// sin x for |x| <= 1, without reduction.
template <typename V> LOSS_VM_INLINE V sinUnit(V x) {
  V z = x * x;
  V y = madd(x * z, polynomial<table::SinUnit>(z), x);
  return copySign(y, x);
}

/// cos x for |x| <= 1, without reduction.
template <typename V> LOSS_VM_INLINE V cosUnit(V x) {
  V z = x * x;
  return madd(z, madd(z, polynomial<table::CosUnit>(z), Elem<V>(-0.5)), Elem<V>(1));
}

/// tan of r + an odd or even multiple of pi/2, |r| <= pi/4 and a little; odd is a mask.
template <typename V> LOSS_VM_INLINE V tanReduced(V r, IntVec<V> odd) {
  V s = sinUnit(r), c = cosUnit(r);
  return select(odd, -c, s) / select(odd, s, c);
}

template <typename V> [[gnu::noinline, gnu::cold]] V tanHuge(V x, V y) {
  using T = Elem<V>;
  T xs[lanes<V>], rs[lanes<V>];
  typename Scalar<T>::Int odd[lanes<V>];
  __builtin_memcpy(xs, &x, sizeof x);
  for (int i = 0; i < lanes<V>; ++i) {
    T a = __builtin_elementwise_abs(xs[i]);
    Quadrant q = reduceHuge(a > trigLimit<V> ? double(a) : 8.0);
    rs[i] = T(q.r);
    odd[i] = -typename Scalar<T>::Int(q.index & 1);
  }
  V r;
  IntVec<V> mask;
  __builtin_memcpy(&r, rs, sizeof rs);
  __builtin_memcpy(&mask, odd, sizeof odd);
  return select(abs(x) > trigLimit<V>, xorSign(tanReduced(r, mask), signOf(x)), y);
}

template <typename V> LOSS_VM_INLINE V tan(V x) {
  using T = Elem<V>;
  V a = abs(x);
  V shifted = madd(a, part0<table::TwoOverPi, V>, roundingMagic<V>);
  UIntVec<V> parity = bits(shifted) << (sizeof(T) * 8 - 1);
  V r = subtractMultiple<table::HalfPiFma, table::HalfPiSplit>(a, shifted - roundingMagic<V>);
  V y = xorSign(tanReduced(r, parity != 0), signOf(x));
  if (__builtin_expect(any(a > trigLimit<V>), 0))
    return tanHuge(x, y);
  return y;
}

/// pi/2 - (t + p), where p is small against t.
template <typename V> LOSS_VM_INLINE V halfPiMinus(V t, V p) {
  return part0<table::HalfPi, V> - (t + (p - part1<table::HalfPi, V>));
}

/// Above 1: pi/2 - atan(1/|x|).
template <typename V> LOSS_VM_INLINE V atan(V x) {
  using T = Elem<V>;
  V a = abs(x);
  IntVec<V> inverted = a > T(1);
  V t = select(inverted, T(1) / a, a);
  V z = t * t;
  V p = t * z * polynomial<table::Atan>(z);
  V y = select(inverted, halfPiMinus(t, p), t + p);
  return copySign(y, x);
}

/// The angle of the point (x, y), from atan of the lesser coordinate over the greater.
template <typename V> LOSS_VM_INLINE V atan2(V y, V x) {
  using T = Elem<V>;
  V a = abs(y), b = abs(x);
  IntVec<V> steep = a > b;
  V t = select(steep, b, a) / select(steep, a, b);
  // 0/0 and inf/inf.
  t = select((b == T(0)) & (a == T(0)), T(0), select((b == Scalar<T>::inf) & (a == b), T(1), t));
  V z = t * t;
  V p = t * z * polynomial<table::Atan>(z);
  V angle = select(steep, halfPiMinus(t, p), t + p);
  // The sign of a zero counts, too.
  IntVec<V> left = __builtin_bit_cast(IntVec<V>, bits(x)) < 0;
  V turned = part0<table::Pi, V> - (angle - part1<table::Pi, V>);
  angle = copySign(select(left, turned, angle), y);
  return select((x != x) | (y != y), x + y, angle);
}

/// asin x = pi/2 - 2 asin(sqrt((1 - x) / 2)) above 1/2. The root is NaN beyond 1.
template <typename V> LOSS_VM_INLINE V asin(V x) {
  using T = Elem<V>;
  V a = abs(x);
  IntVec<V> outer = a > T(0.5);
  V z = select(outer, (T(1) - a) * T(0.5), a * a);
  V t = select(outer, sqrt(z), a);
  V p = t * z * polynomial<table::Asin>(z);
  V y = select(outer, halfPiMinus(t + t, p + p), t + p);
  return copySign(y, x);
}

/// acos x = pi/2 - asin x, or 2 asin(sqrt((1 - x) / 2)) above 1/2, or pi less that of -x.
template <typename V> LOSS_VM_INLINE V acos(V x) {
  using T = Elem<V>;
  V a = abs(x);
  IntVec<V> outer = a > T(0.5), left = x < T(0);
  V z = select(outer, (T(1) - a) * T(0.5), a * a);
  V t = select(outer, sqrt(z), x);
  V p = t * z * polynomial<table::Asin>(z);
  V t2 = t + t, p2 = p + p;
  V mirrored = part0<table::Pi, V> - (t2 + (p2 - part1<table::Pi, V>));
  return select(outer, select(left, mirrored, t2 + p2), halfPiMinus(t, p));
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_TRIG_H
