//===- Gamma.h - lgamma and its derivatives -------------------------------------===//
//
// Positive arguments: recurrence to the interval of a polynomial, or an asymptotic series. Negative
// ones by reflection, which is computed only where a lane needs it.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_GAMMA_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_GAMMA_H

#include "compiler/Target/CPU/VecMath/Kernels/Log.h"
#include "compiler/Target/CPU/VecMath/Kernels/Trig.h"

namespace loss::vecmath {
namespace {

/// Magnitudes below which the first term of the series at 0 is all of the result.
template <typename V>
inline constexpr Elem<V> gammaTiny = isFloat<V> ? Elem<V>(0x1p-30) : Elem<V>(0x1p-60);

/// |sin(pi x)| and |cos(pi x)|.
template <typename V> struct SinCos {
  V sin, cos;
};

template <typename V> LOSS_VM_INLINE SinCos<V> sinCosPi(V x) {
  using T = Elem<V>;
  // The distances to the nearest integer and to the nearest half, both exact.
  V r = abs(x - __builtin_elementwise_roundeven(x));
  IntVec<V> swapped = r > T(0.25);
  V u = select(swapped, T(0.5) - r, r);
  V a = madd(u, part0<table::Pi, V>, u * part1<table::Pi, V>);
  V s = sinUnit(a), c = cosUnit(a);
  return {select(swapped, c, s), select(swapped, s, c)};
}

/// lgamma of x > 0; right relative to the result also near the zeros 1 and 2.
template <typename V> LOSS_VM_INLINE V lgammaPositive(V x) {
  using T = Elem<V>;
  constexpr T bound = isFloat<V> ? T(4.5) : T(7.5);
  constexpr int steps = isFloat<V> ? 2 : 5;
  // lgamma(x) = lgamma(2 + t) -+ log z: up from below 3/2, z = x or x (x + 1), t = x - 1 or x;
  // down from above 5/2, z = (x-1) (x-2) ...
  IntVec<V> up = x < T(1.5), twice = x < T(0.5);
  V y = x, z = splat<V>(1);
#pragma unroll
  for (int i = 0; i < steps; ++i) {
    IntVec<V> more = y >= T(2.5);
    y = select(more, y - T(1), y);
    z = select(more, z * y, z);
  }
  V t = select(twice, x, select(up, x - T(1), y - T(2)));
  z = select(twice, madd(x, x, x), select(up, x, z));
  V l = log(z);
  V small = madd(t, polynomial<table::Lgamma>(t), select(up, -l, l));
  IntVec<V> large = x >= bound;
  if (!any(large))
    return small;
  // (x - 1/2) (log x - 1), with the logarithm less 1 in an exact part and the rest.
  auto [k, f] = logReduceNormal(x);
  V high = madd(k, part0<table::Ln2, V>, T(-1));
  V low = madd(k, part1<table::Ln2, V>, logReduced(f));
  V inverse = T(1) / x, h = x - T(0.5);
  V rest = madd(inverse, polynomial<table::LgammaLarge>(inverse * inverse),
                part0<table::LgammaConstant, V>);
  V stirling = madd(h, high, madd(h, low, rest));
  stirling = select(x < Scalar<T>::inf, stirling, x);
  return select(large, stirling, small);
}

/// log |Gamma(x)| = log(pi / |sin(pi x)|) - lgamma(1 - x) below 0.
template <typename V> LOSS_VM_INLINE V lgamma(V x) {
  using T = Elem<V>;
  IntVec<V> negative = x < T(0);
  V y = lgammaPositive(select(negative, T(1) - x, x));
  if (any(negative)) {
    V a = abs(x), s = sinCosPi(x).sin;
    // At a pole, and at -inf, both terms may be infinite.
    V reflected = select(s > T(0), log(part0<table::Pi, V> / s) - y, splat<V>(Scalar<T>::inf));
    y = select(negative, select(a < gammaTiny<V>, -log(a), reflected), y);
  }
  return y;
}

/// digamma(a), or digamma(1 + a) where the mask says so, of a > 0; right relative to the result
/// also near its zero.
template <typename V> LOSS_VM_INLINE V digammaPositive(V a, IntVec<V> ofNext) {
  using T = Elem<V>;
  constexpr T bound = isFloat<V> ? T(4) : T(7);
  constexpr int steps = isFloat<V> ? 2 : 5;
  // digamma(1 + w) + n / d: up from below 1, w = a, n / d = -1 / a; down from above 2, n / d =
  // 1 / (a-1) + 1 / (a-2) + ... The next one has 1 / a more.
  IntVec<V> up = a < T(1);
  V y = a, n = select(ofNext, splat<V>(1), splat<V>(0)), d = select(ofNext, a, splat<V>(1));
#pragma unroll
  for (int i = 0; i < steps; ++i) {
    IntVec<V> more = y >= T(2);
    y = select(more, y - T(1), y);
    n = select(more, madd(n, y, d), n);
    d = select(more, d * y, d);
  }
  n = select(up, select(ofNext, splat<V>(0), splat<V>(-1)), n);
  V w = select(up, a, y - T(1));
  V sum = n / select(up, a, d);
  V p = polynomial<table::Digamma>(w - T(0.5));
  V fromRoot = (w - part0<table::DigammaRoot, V>)-part1<table::DigammaRoot, V>;
  V small = madd(fromRoot, p, sum);
  IntVec<V> large = a >= bound;
  if (!any(large))
    return small;
  V inverse = T(1) / a;
  V q = inverse * inverse;
  V half = inverse * select(ofNext, splat<V>(T(-0.5)), splat<V>(T(0.5)));
  return select(large, log(a) - madd(q, polynomial<table::DigammaLarge>(q), half), small);
}

/// digamma(x) = digamma(1 + |x|) - pi cot(pi x) below 0.
template <typename V> LOSS_VM_INLINE V digamma(V x) {
  using T = Elem<V>;
  IntVec<V> negative = x < T(0);
  V a = abs(x);
  V y = digammaPositive(a, negative);
  if (any(negative)) {
    auto [s, c] = sinCosPi(x);
    V r = x - __builtin_elementwise_roundeven(x);
    V cotangent = copySign(c / s, r);
    V reflected = madd(cotangent, -part0<table::Pi, V>, y);
    y = select(negative, select(r == T(0), splat<V>(Scalar<T>::nan), reflected), y);
  }
  return select(a < gammaTiny<V>, T(-1) / x, y);
}

/// x^n.
template <int n, typename V> LOSS_VM_INLINE V power(V x) {
  V p = x;
#pragma unroll
  for (int i = 1; i < n; ++i)
    p *= x;
  return p;
}

/// The n-th derivative of digamma without its sign, for x > 0 and n = 1, 2, 3: n! times the sum of
/// 1 / (x + i)^(n + 1) to the bound, and from there the series
/// ((n - 1)! + n! / (2 y) + P(1 / y^2) / y^2) / y^n.
template <int n, typename Table, typename V> LOSS_VM_INLINE V polygammaPositive(V x) {
  using T = Elem<V>;
  constexpr int steps = isFloat<V> ? 4 : 8;
  constexpr T factorial = n == 1 ? T(1) : n == 2 ? T(2) : T(6);
  V y = x, sum = splat<V>(0);
#pragma unroll
  for (int i = 0; i < steps; ++i) {
    IntVec<V> more = y < T(steps);
    V inverse = T(1) / y;
    sum = select(more, madd(power<n>(inverse), inverse, sum), sum);
    y = select(more, y + T(1), y);
  }
  V inverse = T(1) / y;
  V rest = inverse * madd(inverse, polynomial<Table>(inverse * inverse), factorial / 2);
  V leading = power<n>(inverse);
  return madd(sum, factorial, madd(leading, rest, leading * (factorial / n)));
}

/// trigamma(x) = (pi / sin(pi x))^2 - trigamma(1 - x) below 0.
template <typename V> LOSS_VM_INLINE V trigamma(V x) {
  using T = Elem<V>;
  IntVec<V> negative = x < T(0);
  V y = polygammaPositive<1, table::TrigammaLarge>(select(negative, T(1) - x, x));
  if (any(negative)) {
    V a = abs(x);
    V ratio = part0<table::Pi, V> / sinCosPi(x).sin;
    V reflected = select(a < gammaTiny<V>, (T(1) / a) * (T(1) / a), madd(ratio, ratio, -y));
    y = select(negative, reflected, y);
  }
  return y;
}

/// tetragamma(x) = tetragamma(1 - x) - 2 cos(pi x) (pi / sin(pi x))^3 below 0.
template <typename V> LOSS_VM_INLINE V tetragamma(V x) {
  using T = Elem<V>;
  IntVec<V> negative = x < T(0);
  V y = -polygammaPositive<2, table::TetragammaLarge>(select(negative, T(1) - x, x));
  if (any(negative)) {
    auto [s, c] = sinCosPi(x);
    V r = x - __builtin_elementwise_roundeven(x);
    V ratio = part0<table::Pi, V> / s;
    V reflected = madd(copySign(c, r) * (ratio * ratio), ratio * T(-2), y);
    reflected = select(r == T(0), splat<V>(Scalar<T>::nan), reflected);
    reflected = select(abs(x) < gammaTiny<V>, power<3>(T(1) / x) * T(-2), reflected);
    y = select(negative, reflected, y);
  }
  return y;
}

/// pentagamma(x) = (2 + 4 cos(pi x)^2) (pi / sin(pi x))^4 - pentagamma(1 - x) below 0.
template <typename V> LOSS_VM_INLINE V pentagamma(V x) {
  using T = Elem<V>;
  IntVec<V> negative = x < T(0);
  V y = polygammaPositive<3, table::PentagammaLarge>(select(negative, T(1) - x, x));
  if (any(negative)) {
    auto [s, c] = sinCosPi(x);
    V ratio = part0<table::Pi, V> / s;
    V square = ratio * ratio;
    V reflected = madd(madd(c * T(4), c, T(2)) * square, square, -y);
    reflected = select(abs(x) < gammaTiny<V>, power<4>(T(1) / x) * T(6), reflected);
    y = select(negative, reflected, y);
  }
  return y;
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_GAMMA_H
