#include "test/unit/vecmath/Reference.h"

#include <algorithm>
#include <cmath>
#include <limits>

namespace loss::vecmath::test {

Reference::Reference(mpfr_prec_t precision) : precision(precision) {
  mpfr_inits2(precision, ref, in, in2, t, u, static_cast<mpfr_ptr>(nullptr));
}
Reference::~Reference() {
  mpfr_clears(ref, in, in2, t, u, static_cast<mpfr_ptr>(nullptr));
  for (auto &zeta : zetas)
    mpfr_clear(&zeta);
}

/// I_n(x) for order 0 and 1: the power series, or Hankel's asymptotic expansion where it is exact
/// enough (DLMF 10.25.2 and 10.40.1).
void Reference::bessel(int order, bool scaled) {
  if (mpfr_nan_p(in)) {
    mpfr_set_nan(ref);
    return;
  }
  bool negative = mpfr_signbit(in);
  mpfr_abs(in, in, MPFR_RNDN);
  if (mpfr_inf_p(in)) {
    if (scaled)
      mpfr_set_zero(ref, 1);
    else
      mpfr_set_inf(ref, 1);
  } else if (mpfr_cmp_d(in, 100) < 0) {
    // term_k = (x/2)^(2k+n) / (k! (k+n)!)
    mpfr_div_2ui(t, in, 1, MPFR_RNDN);
    mpfr_sqr(u, t, MPFR_RNDN);
    if (order == 0)
      mpfr_set_ui(t, 1, MPFR_RNDN);
    mpfr_set(ref, t, MPFR_RNDN);
    for (unsigned long k = 1; k < 1000; ++k) {
      mpfr_mul(t, t, u, MPFR_RNDN);
      mpfr_div_ui(t, t, k * (k + order), MPFR_RNDN);
      if (mpfr_zero_p(t) || mpfr_get_exp(t) < mpfr_get_exp(ref) - precision)
        break;
      mpfr_add(ref, ref, t, MPFR_RNDN);
    }
    if (scaled) {
      mpfr_neg(t, in, MPFR_RNDN);
      mpfr_exp(t, t, MPFR_RNDN);
      mpfr_mul(ref, ref, t, MPFR_RNDN);
    }
  } else {
    // term_k = term_{k-1} * -(4 n^2 - (2k-1)^2) / (8 k x)
    mpfr_set_ui(t, 1, MPFR_RNDN);
    mpfr_set_ui(ref, 1, MPFR_RNDN);
    for (long k = 1; k < 150; ++k) {
      mpfr_mul_si(t, t, (2 * k - 1) * (2 * k - 1) - 4 * order, MPFR_RNDN);
      mpfr_div_ui(t, t, 8 * k, MPFR_RNDN);
      mpfr_div(t, t, in, MPFR_RNDN);
      if (mpfr_zero_p(t) || mpfr_get_exp(t) < -precision)
        break;
      mpfr_add(ref, ref, t, MPFR_RNDN);
    }
    mpfr_const_pi(t, MPFR_RNDN);
    mpfr_mul_2ui(t, t, 1, MPFR_RNDN);
    mpfr_mul(t, t, in, MPFR_RNDN);
    mpfr_sqrt(t, t, MPFR_RNDN);
    mpfr_div(ref, ref, t, MPFR_RNDN);
    if (!scaled) {
      mpfr_exp(t, in, MPFR_RNDN);
      mpfr_mul(ref, ref, t, MPFR_RNDN);
    }
  }
  if (order == 1 && negative)
    mpfr_neg(ref, ref, MPFR_RNDN);
}

mpfr_srcptr Reference::zetaOfEven(unsigned long k) {
  while (zetas.size() < k) {
    mpfr_init2(&zetas.emplace_back(), precision);
    mpfr_zeta_ui(&zetas.back(), 2 * zetas.size(), MPFR_RNDN);
  }
  return &zetas[k - 1];
}

/// Without the sign (-1)^(n+1), the n-th derivative of psi is the sum of n! / (x+i)^(n+1), and of
/// (n-1)! / y^n + n! / (2 y^(n+1)) + sum_k B_2k (2k+n-1)! / (2k)! / y^(2k+n), y = x + m (DLMF
/// 5.15.8), where B_2k = (-1)^(k+1) 2 (2k)! zeta(2k) / (2 pi)^2k. Below 0 psi^(n)(x) is
/// (-1)^n psi^(n)(1 - x) less pi times the n-th derivative of cot(pi x).
void Reference::polygamma(unsigned long n) {
  const unsigned long factorial = n == 1 ? 1 : n == 2 ? 2 : 6;
  bool negative = mpfr_sgn(in) < 0;
  if (negative && n == 2 && mpfr_integer_p(in))
    return mpfr_set_nan(ref);
  if (negative) {
    // The derivative of -pi cot(pi x): (pi / sin)^2, -2 cos (pi / sin)^3, (2 + 4 cos^2) (pi /
    // sin)^4.
    mpfr_sinpi(in2, in, MPFR_RNDN);
    mpfr_const_pi(t, MPFR_RNDN);
    mpfr_div(in2, t, in2, MPFR_RNDN);
    mpfr_pow_ui(in2, in2, n + 1, MPFR_RNDN);
    mpfr_cospi(t, in, MPFR_RNDN);
    if (n == 2) {
      mpfr_mul_si(t, t, -2, MPFR_RNDN);
    } else if (n == 3) {
      mpfr_sqr(t, t, MPFR_RNDN);
      mpfr_mul_ui(t, t, 4, MPFR_RNDN);
      mpfr_add_ui(t, t, 2, MPFR_RNDN);
    } else {
      mpfr_set_ui(t, 1, MPFR_RNDN);
    }
    mpfr_mul(in2, in2, t, MPFR_RNDN);
    mpfr_ui_sub(in, 1, in, MPFR_RNDN);
  }
  mpfr_set_zero(ref, 1);
  for (; mpfr_cmp_ui(in, 50) < 0; mpfr_add_ui(in, in, 1, MPFR_RNDN)) {
    mpfr_pow_ui(t, in, n + 1, MPFR_RNDN);
    mpfr_ui_div(t, factorial, t, MPFR_RNDN);
    mpfr_add(ref, ref, t, MPFR_RNDN);
  }
  // t = 1 / y^n
  mpfr_pow_ui(t, in, n, MPFR_RNDN);
  mpfr_ui_div(t, 1, t, MPFR_RNDN);
  mpfr_mul_ui(u, t, factorial / n, MPFR_RNDN);
  mpfr_add(ref, ref, u, MPFR_RNDN);
  mpfr_mul_ui(u, t, factorial, MPFR_RNDN);
  mpfr_div(u, u, in, MPFR_RNDN);
  mpfr_div_2ui(u, u, 1, MPFR_RNDN);
  mpfr_add(ref, ref, u, MPFR_RNDN);
  // t = +-2 (2k)! / (2 pi)^2k / y^(2k+n)
  mpfr_mul_2ui(t, t, 1, MPFR_RNDN);
  for (unsigned long k = 1; k < 150 && mpfr_regular_p(t); ++k) {
    mpfr_const_pi(u, MPFR_RNDN);
    mpfr_mul_2ui(u, u, 1, MPFR_RNDN);
    mpfr_mul(u, u, in, MPFR_RNDN);
    mpfr_sqr(u, u, MPFR_RNDN);
    mpfr_mul_ui(t, t, 2 * k * (2 * k - 1), MPFR_RNDN);
    mpfr_div(t, t, u, MPFR_RNDN);
    if (k > 1)
      mpfr_neg(t, t, MPFR_RNDN);
    mpfr_mul(u, zetaOfEven(k), t, MPFR_RNDN);
    for (unsigned long factor = 2 * k + 1; factor < 2 * k + n; ++factor)
      mpfr_mul_ui(u, u, factor, MPFR_RNDN);
    mpfr_add(ref, ref, u, MPFR_RNDN);
    if (mpfr_get_exp(u) < mpfr_get_exp(ref) - precision)
      break;
  }
  if (negative && n == 2)
    countRelativeTo(ref);
  if (n == 2 || negative)
    mpfr_neg(ref, ref, MPFR_RNDN);
  if (negative)
    mpfr_add(ref, ref, in2, MPFR_RNDN);
}

/// Halley's method for erf(y) = x, on the complement where x is above 1/2.
void Reference::erfinv() {
  bool negative = mpfr_signbit(in);
  mpfr_abs(in, in, MPFR_RNDN);
  double a = mpfr_get_d(in, MPFR_RNDN);
  if (!(a < 1) || a == 0) {
    if (a == 1)
      mpfr_set_inf(ref, 1);
    else if (a == 0)
      mpfr_set_zero(ref, 1);
    else
      mpfr_set_nan(ref);
  } else {
    // A start with two digits (Winitzki 2008).
    double l = std::log((1 - a) * (1 + a)), b = 2 / (3.14159 * 0.147) + l / 2;
    mpfr_set_d(ref, a < 0.1 ? 0 : std::sqrt(std::sqrt(b * b - l / 0.147) - b), MPFR_RNDN);
    if (a < 0.1)
      mpfr_mul_d(ref, in, 0.886, MPFR_RNDN);
    for (int i = 0; i < 8; ++i) {
      if (a < 0.5) {
        mpfr_erf(t, ref, MPFR_RNDN);
        mpfr_sub(t, t, in, MPFR_RNDN);
      } else {
        mpfr_ui_sub(u, 1, in, MPFR_RNDN);
        mpfr_erfc(t, ref, MPFR_RNDN);
        mpfr_sub(t, u, t, MPFR_RNDN);
      }
      mpfr_const_pi(u, MPFR_RNDN);
      mpfr_sqrt(u, u, MPFR_RNDN);
      mpfr_mul(t, t, u, MPFR_RNDN);
      mpfr_div_2ui(t, t, 1, MPFR_RNDN);
      mpfr_sqr(u, ref, MPFR_RNDN);
      mpfr_exp(u, u, MPFR_RNDN);
      mpfr_mul(t, t, u, MPFR_RNDN);
      mpfr_mul(u, ref, t, MPFR_RNDN);
      mpfr_add_ui(u, u, 1, MPFR_RNDN);
      mpfr_div(t, t, u, MPFR_RNDN);
      mpfr_sub(ref, ref, t, MPFR_RNDN);
    }
  }
  if (negative)
    mpfr_neg(ref, ref, MPFR_RNDN);
}

void Reference::gammaDifference(unsigned long n) {
  // The derivative of lgamma at `at`, of an order: in ref. Uses all but in2.
  auto derivative = [&](mpfr_srcptr at, unsigned long order) {
    mpfr_set(in, at, MPFR_RNDN);
    if (order == 0)
      mpfr_lngamma(ref, in, MPFR_RNDN);
    else if (order == 1)
      mpfr_digamma(ref, in, MPFR_RNDN);
    else
      polygamma(order - 1);
  };
  mpfr_t a, x, first;
  mpfr_inits2(precision, a, x, first, static_cast<mpfr_ptr>(nullptr));
  mpfr_set(a, in, MPFR_RNDN);
  mpfr_set(x, in2, MPFR_RNDN);
  mpfr_add(t, a, x, MPFR_RNDN);
  if (!mpfr_regular_p(a) || !mpfr_number_p(x) || mpfr_sgn(a) < 0 || mpfr_sgn(t) <= 0) {
    // What the formula gives; such samples are not near each other.
    mpfr_set(first, t, MPFR_RNDN);
    derivative(first, n);
    mpfr_set(first, ref, MPFR_RNDN);
    derivative(a, n);
    mpfr_sub(ref, first, ref, MPFR_RNDN);
  } else if (mpfr_zero_p(x)) {
    mpfr_set_zero(ref, 1);
  } else if (mpfr_get_exp(x) < mpfr_get_exp(a) - 200) {
    derivative(a, n + 1);
    mpfr_mul(ref, ref, x, MPFR_RNDN);
  } else {
    derivative(a, n);
    mpfr_set(first, ref, MPFR_RNDN);
    mpfr_add(a, a, x, MPFR_RNDN);
    derivative(a, n);
    mpfr_sub(ref, ref, first, MPFR_RNDN);
  }
  if (n == 0)
    countRelativeTo(x);
  mpfr_clears(a, x, first, static_cast<mpfr_ptr>(nullptr));
}

void Reference::countRelativeTo(mpfr_ptr term) {
  if (mpfr_regular_p(term))
    leastExponent = mpfr_get_exp(term) - 1;
}

void Reference::evaluate(Fn fn, double x, double y) {
  leastExponent = mpfr_get_emin();
  mpfr_set_d(in, x, MPFR_RNDN);
  mpfr_set_d(in2, y, MPFR_RNDN);
  // log(1 + e^a) of a number a, with log(1 + e^a) = a where e^-a is far below any precision here.
  auto softplusOf = [&](mpfr_ptr a) {
    if (mpfr_cmp_d(a, 1000) > 0 || mpfr_nan_p(a)) {
      mpfr_set(ref, a, MPFR_RNDN);
    } else {
      mpfr_exp(ref, a, MPFR_RNDN);
      mpfr_log1p(ref, ref, MPFR_RNDN);
    }
  };
  switch (fn) {
  case Fn::exp:
    mpfr_exp(ref, in, MPFR_RNDN);
    return;
  case Fn::exp2:
    mpfr_exp2(ref, in, MPFR_RNDN);
    return;
  case Fn::expm1:
    mpfr_expm1(ref, in, MPFR_RNDN);
    return;
  case Fn::log:
    mpfr_log(ref, in, MPFR_RNDN);
    return;
  case Fn::log1p:
    mpfr_log1p(ref, in, MPFR_RNDN);
    return;
  case Fn::log2:
    mpfr_log2(ref, in, MPFR_RNDN);
    return;
  case Fn::log10:
    mpfr_log10(ref, in, MPFR_RNDN);
    return;
  case Fn::sin:
  case Fn::sin_unit:
    mpfr_sin(ref, in, MPFR_RNDN);
    return;
  case Fn::cos:
  case Fn::cos_unit:
    mpfr_cos(ref, in, MPFR_RNDN);
    return;
  case Fn::tan:
    mpfr_tan(ref, in, MPFR_RNDN);
    return;
  case Fn::sinh:
    mpfr_sinh(ref, in, MPFR_RNDN);
    return;
  case Fn::cosh:
    mpfr_cosh(ref, in, MPFR_RNDN);
    return;
  case Fn::tanh:
    mpfr_tanh(ref, in, MPFR_RNDN);
    return;
  case Fn::asinh:
    mpfr_asinh(ref, in, MPFR_RNDN);
    return;
  case Fn::acosh:
    mpfr_acosh(ref, in, MPFR_RNDN);
    return;
  case Fn::atanh:
    mpfr_atanh(ref, in, MPFR_RNDN);
    return;
  case Fn::asin:
    mpfr_asin(ref, in, MPFR_RNDN);
    return;
  case Fn::acos:
    mpfr_acos(ref, in, MPFR_RNDN);
    return;
  case Fn::atan2:
    mpfr_atan2(ref, in, in2, MPFR_RNDN);
    return;
  case Fn::hypot:
    mpfr_hypot(ref, in, in2, MPFR_RNDN);
    return;
  case Fn::xlogy:
    mpfr_log(t, in2, MPFR_RNDN);
    if (mpfr_zero_p(in) && !mpfr_nan_p(in2))
      mpfr_set_zero(ref, 1);
    else
      mpfr_mul(ref, in, t, MPFR_RNDN);
    return;
  case Fn::lbeta: {
    // The sum of both may be far above the smaller one, the difference of its lgamma and the
    // other's near the latter.
    if (mpfr_less_p(in, in2))
      mpfr_swap(in, in2);
    if (mpfr_regular_p(in2) && mpfr_sgn(in2) > 0 && mpfr_number_p(in)) {
      mpfr_set(u, in2, MPFR_RNDN);
      mpfr_t least;
      mpfr_init2(least, precision);
      mpfr_lngamma(least, in2, MPFR_RNDN);
      gammaDifference(0);
      mpfr_sub(ref, least, ref, MPFR_RNDN);
      if (mpfr_cmpabs(u, least) < 0)
        countRelativeTo(least);
      else
        countRelativeTo(u);
      mpfr_clear(least);
      return;
    }
    mpfr_add(t, in, in2, MPFR_RNDN);
    int sign;
    mpfr_lgamma(ref, &sign, in, MPFR_RNDN);
    mpfr_lgamma(u, &sign, in2, MPFR_RNDN);
    mpfr_add(ref, ref, u, MPFR_RNDN);
    mpfr_lgamma(u, &sign, t, MPFR_RNDN);
    mpfr_sub(ref, ref, u, MPFR_RNDN);
    return;
  }
  case Fn::log_rising_factorial:
    gammaDifference(0);
    return;
  case Fn::digamma_difference:
    gammaDifference(1);
    return;
  case Fn::trigamma_difference:
    gammaDifference(2);
    return;
  case Fn::erfinv:
    erfinv();
    return;
  case Fn::lgamma: {
    int sign;
    if (x < 0) {
      mpfr_ui_sub(t, 1, in, MPFR_RNDN);
      mpfr_lngamma(t, t, MPFR_RNDN);
      countRelativeTo(t);
    }
    mpfr_lgamma(ref, &sign, in, MPFR_RNDN);
    return;
  }
  case Fn::digamma:
    if (x < 0) {
      mpfr_ui_sub(t, 1, in, MPFR_RNDN);
      mpfr_digamma(t, t, MPFR_RNDN);
      countRelativeTo(t);
    }
    mpfr_digamma(ref, in, MPFR_RNDN);
    return;
  case Fn::trigamma:
    polygamma(1);
    return;
  case Fn::tetragamma:
    polygamma(2);
    return;
  case Fn::pentagamma:
    polygamma(3);
    return;
  case Fn::atan:
    mpfr_atan(ref, in, MPFR_RNDN);
    return;
  case Fn::erf:
    mpfr_erf(ref, in, MPFR_RNDN);
    return;
  case Fn::erfc:
    mpfr_erfc(ref, in, MPFR_RNDN);
    return;
  case Fn::sigmoid:
    mpfr_neg(t, in, MPFR_RNDN);
    mpfr_exp(t, t, MPFR_RNDN);
    mpfr_add_ui(t, t, 1, MPFR_RNDN);
    mpfr_ui_div(ref, 1, t, MPFR_RNDN);
    return;
  case Fn::sigmoid_slope:
    mpfr_abs(t, in, MPFR_RNDN);
    mpfr_neg(t, t, MPFR_RNDN);
    mpfr_exp(ref, t, MPFR_RNDN);
    mpfr_add_ui(t, ref, 1, MPFR_RNDN);
    mpfr_sqr(t, t, MPFR_RNDN);
    mpfr_div(ref, ref, t, MPFR_RNDN);
    return;
  case Fn::log1mexp:
    if (x < -0.5) {
      mpfr_exp(t, in, MPFR_RNDN);
      mpfr_neg(t, t, MPFR_RNDN);
      mpfr_log1p(ref, t, MPFR_RNDN);
    } else {
      mpfr_expm1(t, in, MPFR_RNDN);
      mpfr_neg(t, t, MPFR_RNDN);
      mpfr_log(ref, t, MPFR_RNDN);
    }
    return;
  case Fn::softplus:
    softplusOf(in);
    return;
  case Fn::log_sigmoid:
    mpfr_neg(in, in, MPFR_RNDN);
    softplusOf(in);
    mpfr_neg(ref, ref, MPFR_RNDN);
    return;
  case Fn::bessel_i0:
    bessel(0, false);
    return;
  case Fn::bessel_i0e:
    bessel(0, true);
    return;
  case Fn::bessel_i1:
    bessel(1, false);
    return;
  case Fn::bessel_i1e:
    bessel(1, true);
    return;
  case Fn::pow:
    mpfr_pow(ref, in, in2, MPFR_RNDN);
    return;
  }
}

double Reference::ulpError(double result, const Format &format) {
  constexpr double wrong = std::numeric_limits<double>::infinity();
  if (mpfr_nan_p(ref) || std::isnan(result))
    return mpfr_nan_p(ref) && std::isnan(result) ? 0 : wrong;
  if (mpfr_zero_p(ref))
    return result == 0 && std::signbit(result) == bool(mpfr_signbit(ref)) ? 0 : wrong;
  // Everything outside the range becomes the power of two just outside.
  auto bound = [&](mpfr_ptr v) {
    if (mpfr_inf_p(v) || mpfr_get_exp(v) > format.maxExponent + 1)
      mpfr_set_si_2exp(v, mpfr_signbit(v) ? -1 : 1, format.maxExponent + 1, MPFR_RNDN);
  };
  mpfr_set_d(t, result, MPFR_RNDN);
  if (!mpfr_zero_p(t))
    bound(t);
  bound(ref);
  mpfr_exp_t exponent = std::max(mpfr_get_exp(ref) - 1, leastExponent);
  exponent = std::clamp<mpfr_exp_t>(exponent, format.minExponent, format.maxExponent);
  mpfr_sub(t, t, ref, MPFR_RNDN);
  mpfr_div_2si(t, t, exponent - format.precision + 1, MPFR_RNDN);
  return std::fabs(mpfr_get_d(t, MPFR_RNDN));
}

} // namespace loss::vecmath::test
