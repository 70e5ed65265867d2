//===- SpecialFunctions.cpp - gamma functions, inverse error function -----===//
//
// In long double, so that the result is right to an ulp or two of double wherever the argument is
// not within rounding of a zero.
//
//===----------------------------------------------------------------------===//

#include "compiler/Reference/Functions.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <numbers>

namespace loss::ir {
namespace {

using Real = long double;

constexpr Real kPi = std::numbers::pi_v<long double>;
constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// From here on the asymptotic series below are exact to long double precision.
constexpr Real kLarge = 30;

/// B_2k / (2k) for k = 1, 2, ...: psi(x) ~ log x - 1/(2x) - sum_k B_2k / (2k x^2k) (DLMF 5.11.2).
constexpr Real kDigammaTerms[] = {1.0L / 12,  -1.0L / 120,     1.0L / 252, -1.0L / 240,
                                  5.0L / 660, -691.0L / 32760, 1.0L / 12};
/// B_2k: psi'(x) ~ 1/x + 1/(2x^2) + sum_k B_2k / x^(2k+1) (DLMF 5.15.8).
constexpr Real kTrigammaTerms[] = {1.0L / 6,  -1.0L / 30,     1.0L / 42, -1.0L / 30,
                                   5.0L / 66, -691.0L / 2730, 7.0L / 6};

/// Differentiated term by term: -(2k+1) B_2k and (2k+1) (2k+2) B_2k, the sign taken out.
constexpr Real kTetragammaTerms[] = {1.0L / 2, -1.0L / 6,     1.0L / 6, -3.0L / 10,
                                     5.0L / 6, -691.0L / 210, 35.0L / 2};
constexpr Real kPentagammaTerms[] = {2, -1, 4.0L / 3, -3, 10, -691.0L / 15, 280};

template <size_t N> Real evenSeries(const Real (&terms)[N], Real x) {
  Real sum = 0;
  for (size_t k = N; k-- > 0;)
    sum = (sum + terms[k]) / (x * x);
  return sum;
}

/// psi(x) = psi(x + 1) - 1/x, for x > 0.
Real digammaPositive(Real x) {
  Real sum = 0;
  for (; x < kLarge; x += 1)
    sum -= 1 / x;
  return sum + (std::log(x) - 1 / (2 * x) - evenSeries(kDigammaTerms, x));
}

/// psi'(x) = psi'(x + 1) + 1/x^2, for x > 0.
Real trigammaPositive(Real x) {
  Real sum = 0;
  for (; x < kLarge; x += 1)
    sum += 1 / (x * x);
  return sum + (1 + 1 / (2 * x) + evenSeries(kTrigammaTerms, x)) / x;
}

/// psi''(x) = psi''(x + 1) - 2/x^3, for x > 0.
Real tetragammaPositive(Real x) {
  Real sum = 0;
  for (; x < kLarge; x += 1)
    sum -= 2 / (x * x * x);
  return sum - (1 + 1 / x + evenSeries(kTetragammaTerms, x)) / (x * x);
}

/// psi'''(x) = psi'''(x + 1) + 6/x^4, for x > 0.
Real pentagammaPositive(Real x) {
  Real sum = 0;
  for (; x < kLarge; x += 1)
    sum += 6 / (x * x * x * x);
  return sum + (2 + 3 / x + evenSeries(kPentagammaTerms, x)) / (x * x * x);
}

/// x less the nearest whole number, exactly: tan(pi x) and |sin(pi x)| are those of the rest.
Real distanceToInteger(double x) { return Real(x) - Real(std::nearbyint(x)); }

bool isWhole(double x) { return std::trunc(x) == x; }

} // namespace

double reference::lgamma(double x) { return std::lgamma(x); }

double reference::digamma(double x) {
  if (std::isnan(x) || x == kInf)
    return x;
  if (x == 0)
    return std::copysign(kInf, -x);
  if (x > 0)
    return double(digammaPositive(x));
  if (isWhole(x))
    return kNaN;
  // psi(x) = psi(1 - x) - pi cot(pi x)
  return double(digammaPositive(1 - Real(x)) - kPi / std::tan(kPi * distanceToInteger(x)));
}

double reference::trigamma(double x) {
  if (std::isnan(x))
    return x;
  if (x == kInf)
    return 0;
  if (x > 0)
    return double(trigammaPositive(x));
  if (isWhole(x))
    return std::isinf(x) ? kNaN : kInf;
  // psi'(x) = (pi / sin(pi x))^2 - psi'(1 - x)
  Real ratio = kPi / std::sin(kPi * distanceToInteger(x));
  return double(ratio * ratio - trigammaPositive(1 - Real(x)));
}

double reference::tetragamma(double x) {
  if (std::isnan(x))
    return x;
  if (x == 0)
    return std::copysign(kInf, -x);
  if (x > 0)
    return double(tetragammaPositive(x));
  if (isWhole(x))
    return kNaN;
  // psi''(x) = psi''(1 - x) - 2 cos(pi x) (pi / sin(pi x))^3
  Real angle = kPi * distanceToInteger(x), ratio = kPi / std::sin(angle);
  return double(tetragammaPositive(1 - Real(x)) - 2 * std::cos(angle) * ratio * ratio * ratio);
}

double reference::pentagamma(double x) {
  if (std::isnan(x))
    return x;
  if (x > 0)
    return double(pentagammaPositive(x));
  if (isWhole(x))
    return std::isinf(x) ? kNaN : kInf;
  // psi'''(x) = (2 + 4 cos(pi x)^2) (pi / sin(pi x))^4 - psi'''(1 - x)
  Real angle = kPi * distanceToInteger(x), ratio = kPi / std::sin(angle), c = std::cos(angle);
  Real square = ratio * ratio;
  return double((2 + 4 * c * c) * square * square - pentagammaPositive(1 - Real(x)));
}

namespace {

/// 1/u^n - 1/a^n, for u = a exp(l).
Real powerDifference(Real a, Real l, int n) { return std::expm1(-n * l) / std::pow(a, Real(n)); }

/// What f says of a, x > 0 where the series hold, and what the recurrence adds to it on the way
/// there: both get a and l = log(1 + x / a).
template <typename Series, typename Step> Real byRecurrence(Real a, Real x, Series f, Step step) {
  Real sum = 0;
  for (; a < kLarge; a += 1)
    sum += step(a, std::log1p(x / a));
  return f(a, std::log1p(x / a)) + sum;
}

/// The series whose terms of even powers are `terms`, divided by a^less.
template <size_t N> Real seriesDifference(const Real (&terms)[N], Real a, Real l, int less) {
  Real sum = 0;
  for (size_t k = N; k-- > 0;)
    sum += terms[k] * powerDifference(a, l, 2 * int(k + 1) + less);
  return sum;
}

Real lgammaRise(Real a, Real x) {
  return byRecurrence(
      a, x,
      [&](Real a, Real l) {
        Real correction = 0;
        for (int k = int(std::size(kDigammaTerms)); k-- > 0;)
          correction += kDigammaTerms[k] / (2 * k + 1) * powerDifference(a, l, 2 * k + 1);
        return (a - 0.5L) * l + x * (std::log(a + x) - 1) + correction;
      },
      [](Real, Real l) { return -l; });
}

Real digammaRise(Real a, Real x) {
  return byRecurrence(
      a, x,
      [](Real a, Real l) {
        return l - powerDifference(a, l, 1) / 2 - seriesDifference(kDigammaTerms, a, l, 0);
      },
      [](Real a, Real l) { return -powerDifference(a, l, 1); });
}

Real trigammaRise(Real a, Real x) {
  return byRecurrence(
      a, x,
      [](Real a, Real l) {
        return powerDifference(a, l, 1) + powerDifference(a, l, 2) / 2 +
               seriesDifference(kTrigammaTerms, a, l, 1);
      },
      [](Real a, Real l) { return powerDifference(a, l, 2); });
}

/// From a to a + x, either of which may be the lower end.
template <typename Rise> double difference(double (*f)(double), Rise rise, double a, double x) {
  if (!(a > 0 && a < kInf && a + x > 0 && a + x < kInf))
    return f(a + x) - f(a);
  if (x == 0)
    return 0;
  return double(x < 0 ? -rise(Real(a) + Real(x), -Real(x)) : rise(a, x));
}

} // namespace

double reference::stirlingError(double x) {
  if (!(x > 0))
    return x == 0 ? kInf : kNaN;
  Real sum = 0, z = x;
  for (; z < kLarge; z += 1)
    sum += (z + 0.5L) * std::log1p(1 / z) - 1;
  Real correction = 0;
  for (int k = int(std::size(kDigammaTerms)); k-- > 0;)
    correction = correction / (z * z) + kDigammaTerms[k] / (2 * k + 1);
  return double(sum + correction / z);
}

double reference::gammaEntropy(double x) {
  if (!(x > 0 && x < kInf))
    return kNaN;
  Real z = x;
  if (z < kLarge)
    return double(z + std::lgamma(z) + (1 - z) * digammaPositive(z));
  // lgamma and digamma by their series: what has log(z) as a factor joins.
  Real slope = -evenSeries(kDigammaTerms, z);
  return double((std::log(2 * kPi * z) + 1 - 1 / z) / 2 + stirlingError(x) - (z - 1) * slope);
}

double reference::logRisingFactorial(double a, double x) {
  return difference(lgamma, lgammaRise, a, x);
}
double reference::digammaDifference(double a, double x) {
  return difference(digamma, digammaRise, a, x);
}
double reference::trigammaDifference(double a, double x) {
  return difference(trigamma, trigammaRise, a, x);
}

double reference::lbeta(double a, double b) {
  if (!(a > 0 && a < kInf && b > 0 && b < kInf))
    return lgamma(a) + lgamma(b) - lgamma(a + b);
  Real least = std::min(a, b), greatest = std::max(a, b);
  return double(std::lgamma(least) - lgammaRise(greatest, least));
}

double reference::erfinv(double x) {
  Real a = std::abs(Real(x));
  if (!(a <= 1))
    return kNaN;
  if (a == 1)
    return std::copysign(kInf, x);
  // A start with two digits (Winitzki 2008), or the series' first term; then Halley's method, on
  // the complement where 1 - erf would cancel.
  Real y = a * std::sqrt(kPi) / 2;
  if (a > 0.1L) {
    Real l = std::log((1 - a) * (1 + a)), b = 2 / (kPi * 0.147L) + l / 2;
    y = std::sqrt(std::sqrt(b * b - l / 0.147L) - b);
  }
  for (int i = 0; i < 4; ++i) {
    Real error = a < 0.5L ? std::erf(y) - a : (1 - a) - std::erfc(y);
    Real step = error * std::sqrt(kPi) / 2 * std::exp(y * y);
    y -= step / (1 + y * step);
  }
  return std::copysign(double(y), x);
}

double reference::xlogy(double x, double y) {
  return x == 0 && !std::isnan(y) ? 0 : x * std::log(y);
}

double reference::roundHalfEven(double x) { return std::nearbyint(x); }

} // namespace loss::ir
