//===- GammaDifference.h - differences of gamma functions ------------------------===//
//
// lgamma(a + x) - lgamma(a), the same of digamma and trigamma, and the beta function's logarithm.
// For x >= 0 and large a these are differences of asymptotic series, each taken as x times what is
// left when it is divided out; for small a the recurrence leads there. A negative x exchanges the
// two ends. Outside of a > 0, a + x > 0 the functions are what their formulas say.
//
//===----------------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_GAMMADIFFERENCE_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_GAMMADIFFERENCE_H

#include "compiler/Target/CPU/VecMath/Kernels/Gamma.h"

namespace loss::vecmath {
namespace {

/// From here on the asymptotic series hold, and so many steps of the recurrence lead there.
template <typename V> inline constexpr int gammaSteps = isFloat<V> ? 5 : 8;

/// Two positive numbers, base <= top = base + length, and their reciprocals.
template <typename V> struct Span {
  V base, top, length, overBase, overTop;

  LOSS_VM_INLINE Span(V base, V top, V length)
      : base(base), top(top), length(length), overBase(Elem<V>(1) / base),
        overTop(Elem<V>(1) / top) {}
  /// 1 / base - 1 / top.
  LOSS_VM_INLINE V fall() const { return (length * overTop) * overBase; }
  LOSS_VM_INLINE Span shifted() const {
    constexpr Elem<V> n = gammaSteps<V>;
    IntVec<V> small = base < n;
    return {select(small, base + n, base), select(small, top + n, top), length};
  }
};

/// A polynomial at y, and its divided difference (p(z) - p(y)) / (z - y).
template <typename V> struct ValueAndSlope {
  V value, slope;
};
template <typename Table, typename V> LOSS_VM_INLINE ValueAndSlope<V> dividedDifference(V y, V z) {
  constexpr const auto &c = coefficients<Table, V>();
  constexpr int last = int(sizeof(c) / sizeof(c[0])) - 1;
  V value = splat<V>(c[last]), slope = splat<V>(0);
#pragma unroll
  for (int i = last - 1; i >= 0; --i) {
    slope = madd(slope, z, value);
    value = madd(value, y, c[i]);
  }
  return {value, slope};
}

/// log Gamma(top) - log Gamma(base) from Stirling's series
/// log Gamma(z) = (z - 1/2) log z - z + log(2 pi) / 2 + P(1 / z^2) / z.
template <typename V> LOSS_VM_INLINE V stirlingDifference(const Span<V> &s) {
  using T = Elem<V>;
  V ratio = s.length * s.overBase;
  // (base - 1/2) log(1 + ratio); the ratio itself may underflow.
  constexpr T tiny = isFloat<V> ? T(0x1p-26) : T(0x1p-55);
  V first = select(ratio < tiny, madd(ratio, T(-0.5), s.length), (s.base - T(0.5)) * log1p(ratio));
  V both = s.overTop + s.overBase;
  auto [p, slope] =
      dividedDifference<table::LgammaLarge>(s.overTop * s.overTop, s.overBase * s.overBase);
  V correction = s.fall() * madd(s.overBase * both, slope, p);
  return madd(s.length, log(s.top) - T(1), first) - correction;
}

/// log Gamma(top) - log Gamma(base).
template <typename V> LOSS_VM_INLINE V lgammaDifferencePositive(const Span<V> &s) {
  using T = Elem<V>;
  constexpr int n = gammaSteps<V>;
  IntVec<V> small = s.base < T(n);
  V y = stirlingDifference(s.shifted());
  if (!any(small))
    return y;
  // log of the quotient of top (top + 1) ... and base (base + 1) ..., as 1 + numerator /
  // denominator.
  V numerator = s.length, denominator = s.base;
#pragma unroll
  for (int i = 1; i < n; ++i) {
    numerator = madd(numerator, s.top + T(i), denominator * s.length);
    denominator *= s.base + T(i);
  }
  y = select(small, y - log1p(numerator / denominator), y);
  // Ends that lie apart: no digits are lost, and the quotient might overflow.
  IntVec<V> apart = small & (s.length >= T(0.75)) & ((s.base < T(3)) | (s.length >= T(4)));
  if (any(apart))
    y = select(apart, lgammaPositive(s.top) - lgammaPositive(s.base), y);
  constexpr T least = isFloat<V> ? T(0x1p-100) : T(0x1p-980);
  IntVec<V> tiny = (s.base < least) & ~apart;
  if (any(tiny)) {
    // log Gamma(1 + length) - log(top / base)
    V ratio = s.length / s.base;
    V quotient = select(ratio < Scalar<T>::inf, log1p(ratio), log(s.length) - log(s.base));
    y = select(tiny, lgammaPositive(s.length + T(1)) - quotient, y);
  }
  return y;
}

/// psi(top) - psi(base), with psi(z) = log z - 1 / (2 z) - P(1 / z^2) / z^2; every term is
/// positive.
template <typename V> LOSS_VM_INLINE V digammaDifferencePositive(const Span<V> &s) {
  using T = Elem<V>;
  constexpr int n = gammaSteps<V>;
  Span<V> l = s.shifted();
  V squareTop = l.overTop * l.overTop, squareBase = l.overBase * l.overBase;
  auto [p, slope] = dividedDifference<table::DigammaLarge>(squareBase, squareTop);
  V rest = madd(l.overTop + l.overBase, madd(squareTop, slope, p), T(0.5));
  V y = madd(l.fall(), rest, log1p(l.length * l.overBase));
  IntVec<V> small = s.base < T(n);
  if (!any(small))
    return y;
  // length / ((base + i) (top + i)), i from 0 on; all but the first as one quotient, in units of
  // the top, which may be large.
  V unit = select(s.top > T(1), s.overTop, splat<V>(1));
  V numerator = splat<V>(1), denominator = (s.base + T(1)) * ((s.top + T(1)) * unit);
#pragma unroll
  for (int i = 2; i < n; ++i) {
    V factor = (s.base + T(i)) * ((s.top + T(i)) * unit);
    numerator = madd(numerator, factor, denominator);
    denominator *= factor;
  }
  V sum = (s.length / s.top) / s.base;
  sum = madd(s.length * unit, numerator / denominator, sum);
  return select(small, y + sum, y);
}

/// psi'(base) - psi'(top), with psi'(z) = 1 / z + 1 / (2 z^2) + P(1 / z^2) / z^3; every term is
/// positive.
template <typename V> LOSS_VM_INLINE V trigammaDifferencePositive(const Span<V> &s) {
  using T = Elem<V>;
  constexpr int n = gammaSteps<V>;
  Span<V> l = s.shifted();
  V squareTop = l.overTop * l.overTop, squareBase = l.overBase * l.overBase;
  V both = l.overTop + l.overBase;
  auto [p, slope] = dividedDifference<table::TrigammaLarge>(squareBase, squareTop);
  V atTop = madd(squareTop - squareBase, slope, p);
  V rest = madd(l.overBase * both, madd(squareTop, slope, p), squareTop * atTop);
  V y = l.fall() * (madd(both, T(0.5), rest) + T(1));
  IntVec<V> small = s.base < T(n);
  if (!any(small))
    return y;
  V sum = splat<V>(0);
#pragma unroll
  for (int i = 0; i < n; ++i) {
    V overTop = T(1) / (s.top + T(i)), overBase = T(1) / (s.base + T(i));
    sum = madd((s.length * overTop) * overBase, overTop + overBase, sum);
  }
  return select(small, y + sum, y);
}

/// The ends a and a + x in their order, where both are positive numbers.
template <typename V> struct Ends {
  V end;
  IntVec<V> falls, regular;

  LOSS_VM_INLINE Ends(V a, V x) : end(a + x), falls(x < Elem<V>(0)) {
    constexpr Elem<V> inf = Scalar<Elem<V>>::inf;
    regular = (a > Elem<V>(0)) & (end > Elem<V>(0)) & (a < inf) & (end < inf);
  }
  /// 1 where it is not regular: the special cases stay out of the loops.
  LOSS_VM_INLINE Span<V> span(V a, V x) const {
    V one = splat<V>(1);
    return {select(regular, select(falls, end, a), one),
            select(regular, select(falls, a, end), one), select(regular, abs(x), splat<V>(0))};
  }
  /// The difference from a to its other end.
  LOSS_VM_INLINE V directed(V rise) const { return select(falls, -rise, rise); }
};

/// log (a)_x = lgamma(a + x) - lgamma(a).
template <typename V> LOSS_VM_INLINE V logRisingFactorial(V a, V x) {
  Ends<V> ends(a, x);
  V y = ends.directed(lgammaDifferencePositive(ends.span(a, x)));
  if (any(~ends.regular)) {
    // lgamma(a) may be infinite where a is not.
    constexpr Elem<V> inf = Scalar<Elem<V>>::inf;
    V special = select((ends.end == inf) & (a < inf), inf, lgamma(ends.end) - lgamma(a));
    y = select(ends.regular, y, special);
  }
  return select(ends.regular & (x == Elem<V>(0)), Elem<V>(0), y);
}

template <typename V> LOSS_VM_INLINE V digammaDifference(V a, V x) {
  Ends<V> ends(a, x);
  V y = ends.directed(digammaDifferencePositive(ends.span(a, x)));
  if (any(~ends.regular))
    y = select(ends.regular, y, digamma(ends.end) - digamma(a));
  return select(ends.regular & (x == Elem<V>(0)), Elem<V>(0), y);
}

template <typename V> LOSS_VM_INLINE V trigammaDifference(V a, V x) {
  Ends<V> ends(a, x);
  V y = ends.directed(-trigammaDifferencePositive(ends.span(a, x)));
  if (any(~ends.regular))
    y = select(ends.regular, y, trigamma(ends.end) - trigamma(a));
  return select(ends.regular & (x == Elem<V>(0)), Elem<V>(0), y);
}

/// log B(a, b) = lgamma(a) + lgamma(b) - lgamma(a + b).
template <typename V> LOSS_VM_INLINE V lbeta(V a, V b) {
  using T = Elem<V>;
  constexpr T bound = gammaSteps<V>;
  IntVec<V> regular = (a > T(0)) & (b > T(0)) & (a < Scalar<T>::inf) & (b < Scalar<T>::inf);
  V p = select(regular, select(a < b, a, b), splat<V>(1));
  V q = select(regular, select(a < b, b, a), splat<V>(1));
  IntVec<V> large = p >= bound;
  V y = splat<V>(0);
  if (any(~large))
    y = lgammaPositive(p) - lgammaDifferencePositive(Span<V>(q, q + p, p));
  if (any(large)) {
    // -p log(1 + q / p) - q log(1 + p / q) + (log(2 pi) + log(1 / p + 1 / q)) / 2 + corrections,
    // with log(1 + q / p) = log(1 + p / q) - log(p / q).
    V ratio = p / q, logP = log(p), l = log1p(ratio);
    V logRatio = select(ratio < Scalar<T>::minNormal, logP - log(q), log(ratio));
    constexpr T tiny = isFloat<V> ? T(0x1p-26) : T(0x1p-55);
    V main = madd(p, l - logRatio, select(ratio < tiny, p, q * l));
    V overP = T(1) / p, overQ = T(1) / q, overSum = T(1) / (p + q);
    auto correction = [](V over) { return over * polynomial<table::LgammaLarge>(over * over); };
    V half = madd(l - logP, T(0.5), part0<table::LgammaConstant, V> + T(0.5));
    V rest = half + (correction(overP) + (correction(overQ) - correction(overSum)));
    y = select(large, rest - main, y);
  }
  if (any(~regular))
    y = select(regular, y, lgamma(a) + lgamma(b) - lgamma(a + b));
  return y;
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_GAMMADIFFERENCE_H
