//===- Gamma.cpp - gamma functions of many bits ---------------------------===//
//
// By Stirling's formula from where its series has all digits, and the recurrence below: quicker
// than MPFR's functions, and with derivatives of their own.
//
//===----------------------------------------------------------------------===//

#include "test/random/Real.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <vector>

namespace loss::stress {

namespace {

/// The bits of numbers now, so many more, and what sums of a few terms and the recurrence may lose.
/// Of few different sizes: each has a table of coefficients.
mpfr_prec_t withMore(long extra) {
  constexpr long guard = 64, step = 256;
  return (Real::precision() + guard + std::max(0L, extra) + step - 1) / step * step;
}

Real notANumber() { return std::numeric_limits<double>::quiet_NaN(); }
Real pi() {
  Real result;
  mpfr_const_pi(result.get(), MPFR_RNDN);
  return result;
}

/// `x`, rounded to the present precision.
Real rounded(const Real &x) {
  Real result;
  mpfr_set(result.get(), x.get(), MPFR_RNDN);
  return result;
}

/// The binary exponent of a number, least for 0.
long exponentOf(const Real &x) { return x.isZero() ? mpfr_get_emin() : mpfr_get_exp(x.get()); }

/// From here on the least term of the series, exp(-2 pi z), is below the last bit, and those before
/// shrink quickly.
double leastForSeries() { return 0.2 * double(Real::precision()) + 4; }

/// B_2k / (2k (2k - 1)) for k = 1, 2, ..., by B_2k = (-1)^(k+1) 2 (2k)! zeta(2k) / (2 pi)^(2k).
const std::vector<Real> &stirlingCoefficients() {
  static thread_local std::map<mpfr_prec_t, std::vector<Real>> known;
  std::vector<Real> &result = known[Real::precision()];
  if (!result.empty())
    return result;
  Real square = Real(4) * pi() * pi(), power = 2; // 2 (2k - 2)! / (2 pi)^(2k)
  power = power / square;
  for (unsigned k = 1; k < 0.4 * leastForSeries() * M_PI; ++k) {
    Real zeta;
    mpfr_zeta_ui(zeta.get(), 2 * k, MPFR_RNDN);
    result.push_back(k % 2 ? power * zeta : -(power * zeta));
    power = power * Real((2.0 * k - 1) * (2.0 * k)) / square;
  }
  return result;
}

/// The derivative of this order of z -> sum_k B_2k / (2k (2k - 1) z^(2k-1)), for large z.
Real stirlingSeries(unsigned order, const Real &z) {
  Real inverse = Real(1) / z, square = inverse * inverse, power = inverse, sum = 0;
  for (unsigned i = 0; i < order; ++i)
    power = -(power * inverse);
  unsigned n = 1; // z^-n becomes n (n + 1) ... z^-(n + order).
  for (const Real &c : stirlingCoefficients()) {
    double factor = 1;
    for (unsigned i = 0; i < order; ++i)
      factor *= n + i;
    Real term = c * power * Real(factor);
    sum = sum + term;
    if (term.isZero() || exponentOf(term) < exponentOf(sum) - Real::precision())
      break;
    power = power * square;
    n += 2;
  }
  return sum;
}

/// How many steps of the recurrence lead to the series.
unsigned stepsFrom(const Real &x) {
  return unsigned(std::max(0.0, std::ceil(leastForSeries() - toDouble(x))));
}

/// log gamma(x) for x > 0.
Real lgammaPositive(const Real &x) {
  unsigned steps = stepsFrom(x);
  Real y = x, product = 1;
  for (unsigned i = 0; i < steps; ++i, y = y + Real(1))
    product = product * y;
  return (y - Real(0.5)) * log(y) - y + log(Real(2) * pi()) / Real(2) + stirlingSeries(0, y) -
         log(product);
}

/// The n-th derivative of digamma for x > 0.
Real polygammaPositive(unsigned n, const Real &x) {
  unsigned steps = stepsFrom(x);
  Real y = x, sum = 0;
  for (unsigned i = 0; i < steps; ++i, y = y + Real(1)) {
    Real inverse = Real(1) / y, term = inverse;
    for (unsigned k = 0; k < n; ++k)
      term = term * inverse;
    sum = sum + term;
  }
  // n! (1/(n y^n) + 1/(2 y^(n+1)) + sum) with the sign (-1)^(n+1); the logarithm for n = 0.
  Real inverse = Real(1) / y, power = 1, factorial = 1;
  for (unsigned k = 1; k <= n; ++k)
    power = power * inverse, factorial = factorial * Real(k);
  sum = sum + power * inverse / Real(2);
  if (n)
    sum = sum + power / Real(n);
  Real main = n % 2 ? factorial * sum : -(factorial * sum);
  return (n ? main : log(y) + main) + stirlingSeries(n + 1, y);
}

/// The n-th derivative of pi cot(pi x), n up to 3, by which psi(1 - x) exceeds psi(x).
Real reflection(unsigned n, const Real &x) {
  Real angle = pi() * (x - roundHalfEven(x)), s = sin(angle), cot = cos(angle) / s;
  Real cosecant2 = Real(1) / (s * s), p = pi();
  switch (n) {
  case 0:
    return p * cot;
  case 1:
    return -(p * p * cosecant2);
  case 2:
    return Real(2) * p * p * p * cosecant2 * cot;
  default:
    return Real(-2) * p * p * p * p * cosecant2 * (Real(2) * cot * cot + cosecant2);
  }
}

Real polygamma(unsigned n, const Real &x) {
  const bool isEven = n % 2 == 0;
  if (x.isNaN() || (x.isInf() && x.sign() < 0))
    return notANumber();
  if (x.isInf())
    return n ? Real(0) : x;
  if (x.isZero())
    return isEven ? Real(-1) / x : Real(INFINITY);
  if (x.sign() < 0 && mpfr_integer_p(x.get()))
    return isEven ? notANumber() : Real(INFINITY);
  Real result;
  {
    Real::Precision more(withMore(0));
    if (x.sign() > 0)
      result = polygammaPositive(n, x);
    else // psi(x) = psi(1 - x) - pi cot(pi x)
      result = (isEven ? polygammaPositive(n, Real(1) - x) : -polygammaPositive(n, Real(1) - x)) -
               reflection(n, x);
  }
  return rounded(result);
}

} // namespace

/// log |gamma(x)|.
Real lgamma(const Real &x) {
  // Near its zeros the logarithm needs more digits; below 0 and beyond the numbers, too.
  if (!(x > Real(0)) || !x.isFinite() || x == Real(1) || x == Real(2)) {
    Real result;
    int sign;
    mpfr_lgamma(result.get(), &sign, x.get(), MPFR_RNDN);
    return result;
  }
  Real result;
  {
    long near = std::min(exponentOf(x - Real(1)), exponentOf(x - Real(2)));
    Real::Precision more(withMore(-near));
    result = lgammaPositive(x);
  }
  return rounded(result);
}

Real digamma(const Real &x) { return polygamma(0, x); }
Real trigamma(const Real &x) { return polygamma(1, x); }
Real tetragamma(const Real &x) { return polygamma(2, x); }
Real pentagamma(const Real &x) { return polygamma(3, x); }

/// lgamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2.
Real stirlingError(const Real &x) {
  if (!(x > Real(0)))
    return x.isZero() ? Real(INFINITY) : notANumber();
  if (x.isInf())
    return 0;
  Real result;
  {
    Real::Precision more(withMore(0));
    if (stepsFrom(x) == 0)
      result = stirlingSeries(0, x);
    else
      result = lgammaPositive(x) - (x - Real(0.5)) * log(x) + x - log(Real(2) * pi()) / Real(2);
  }
  return rounded(result);
}

Real stirlingErrorSlope(const Real &x) {
  Real result;
  {
    Real::Precision more(withMore(0));
    result =
        stepsFrom(x) == 0 ? stirlingSeries(1, x) : polygammaPositive(0, x) - log(x) + Real(0.5) / x;
  }
  return rounded(result);
}

/// x + lgamma(x) + (1 - x) digamma(x).
Real gammaEntropy(const Real &x) {
  if (!(x > Real(0)) || x.isInf())
    return notANumber();
  Real result;
  {
    // Its terms are greater by x log(x).
    Real::Precision more(withMore(exponentOf(x)));
    result = x + lgamma(x) + (Real(1) - x) * digamma(x);
  }
  return rounded(result);
}

/// f(a + x) - f(a), whose digits x is too small for.
static Real difference(Real (*f)(const Real &), const Real &a, const Real &x) {
  Real result;
  {
    long lost = x.isZero() || !x.isFinite() || !a.isFinite() ? 0 : exponentOf(a) - exponentOf(x);
    Real::Precision more(withMore(std::min(lost, long(Real::precision()))));
    result = f(a + x) - f(rounded(a));
  }
  return rounded(result);
}

Real logRisingFactorial(const Real &a, const Real &x) { return difference(lgamma, a, x); }
Real digammaDifference(const Real &a, const Real &x) { return difference(digamma, a, x); }
Real trigammaDifference(const Real &a, const Real &x) { return difference(trigamma, a, x); }

Real lbeta(const Real &a, const Real &b) {
  Real result;
  {
    Real::Precision more(withMore(Real::precision()));
    result = lgamma(rounded(a)) + lgamma(rounded(b)) - lgamma(a + b);
  }
  return rounded(result);
}

} // namespace loss::stress
