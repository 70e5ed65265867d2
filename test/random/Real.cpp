//===- Real.cpp - numbers of many bits ------------------------------------===//

#include "test/random/Real.h"

#include <cmath>
#include <limits>

namespace loss::stress {

thread_local mpfr_prec_t Real::wanted = Real::usual;

static Real notANumber() { return std::numeric_limits<double>::quiet_NaN(); }

double toDouble(const Real &x) { return mpfr_get_d(x.get(), MPFR_RNDN); }

Real powerOfTwo(long exponent) {
  Real result;
  mpfr_set_ui_2exp(result.get(), 1, exponent, MPFR_RNDN);
  return result;
}

Real operator-(const Real &x) {
  Real result;
  mpfr_neg(result.get(), x.get(), MPFR_RNDN);
  return result;
}

#define ARITHMETIC(OPERATOR, FUNCTION)                                                             \
  Real operator OPERATOR(const Real &x, const Real &y) {                                           \
    Real result;                                                                                   \
    FUNCTION(result.get(), x.get(), y.get(), MPFR_RNDN);                                           \
    return result;                                                                                 \
  }
ARITHMETIC(+, mpfr_add)
ARITHMETIC(-, mpfr_sub)
ARITHMETIC(*, mpfr_mul)
ARITHMETIC(/, mpfr_div)
#undef ARITHMETIC

#define UNARY(NAME, FUNCTION)                                                                      \
  Real NAME(const Real &x) {                                                                       \
    Real result;                                                                                   \
    FUNCTION(result.get(), x.get(), MPFR_RNDN);                                                    \
    return result;                                                                                 \
  }
UNARY(abs, mpfr_abs)
UNARY(exp, mpfr_exp)
UNARY(exp2, mpfr_exp2)
UNARY(expm1, mpfr_expm1)
UNARY(log, mpfr_log)
UNARY(log1p, mpfr_log1p)
UNARY(log2, mpfr_log2)
UNARY(log10, mpfr_log10)
UNARY(sqrt, mpfr_sqrt)
UNARY(sin, mpfr_sin)
UNARY(cos, mpfr_cos)
UNARY(tan, mpfr_tan)
UNARY(asin, mpfr_asin)
UNARY(acos, mpfr_acos)
UNARY(atan, mpfr_atan)
UNARY(sinh, mpfr_sinh)
UNARY(cosh, mpfr_cosh)
UNARY(tanh, mpfr_tanh)
UNARY(asinh, mpfr_asinh)
UNARY(acosh, mpfr_acosh)
UNARY(atanh, mpfr_atanh)
UNARY(erf, mpfr_erf)
UNARY(erfc, mpfr_erfc)
UNARY(digamma, mpfr_digamma)
#undef UNARY

#define BINARY(NAME, FUNCTION)                                                                     \
  Real NAME(const Real &x, const Real &y) {                                                        \
    Real result;                                                                                   \
    FUNCTION(result.get(), x.get(), y.get(), MPFR_RNDN);                                           \
    return result;                                                                                 \
  }
BINARY(pow, mpfr_pow)
BINARY(atan2, mpfr_atan2)
BINARY(hypot, mpfr_hypot)
BINARY(fmax, mpfr_max)
BINARY(fmin, mpfr_min)
#undef BINARY

Real maximum(const Real &x, const Real &y) { return x.isNaN() || x > y ? x : y; }
Real minimum(const Real &x, const Real &y) { return x.isNaN() || x < y ? x : y; }

Real floor(const Real &x) {
  Real result;
  mpfr_floor(result.get(), x.get());
  return result;
}
Real ceil(const Real &x) {
  Real result;
  mpfr_ceil(result.get(), x.get());
  return result;
}
Real roundHalfEven(const Real &x) {
  Real result;
  mpfr_rint(result.get(), x.get(), MPFR_RNDN);
  return result;
}

/// log |gamma(x)|.
Real lgamma(const Real &x) {
  Real result;
  int sign;
  mpfr_lgamma(result.get(), &sign, x.get(), MPFR_RNDN);
  return result;
}

/// The n-th derivative of digamma, n = 1, 2, 3: a central difference with many more digits than the
/// result has.
static Real polygamma(unsigned n, const Real &x) {
  const bool isEven = n % 2 == 0;
  if (x.isNaN() || (!x.isFinite() && x.sign() < 0))
    return notANumber();
  if (!x.isFinite())
    return Real(0);
  if (x.isZero())
    return isEven ? Real(-1) / x : Real(INFINITY);
  if (x.sign() < 0 && mpfr_integer_p(x.get()))
    return isEven ? notANumber() : Real(INFINITY);
  const long extra = Real::precision() / 2 + 16;
  mpfr_t h, at, term, sum;
  mpfr_inits2(4 * Real::precision(), h, at, term, sum, static_cast<mpfr_ptr>(nullptr));
  mpfr_set_ui_2exp(h, 1, mpfr_get_exp(x.get()) - extra, MPFR_RNDN);
  mpfr_set_zero(sum, 1);
  // sum_k (-1)^k (n over k) digamma(x + (n - 2k) h) / (2h)^n
  long binomial = 1;
  for (long k = 0; k <= n; ++k) {
    mpfr_mul_si(at, h, n - 2 * k, MPFR_RNDN);
    mpfr_add(at, at, x.get(), MPFR_RNDN);
    mpfr_digamma(term, at, MPFR_RNDN);
    mpfr_mul_si(term, term, binomial, MPFR_RNDN);
    mpfr_add(sum, sum, term, MPFR_RNDN);
    binomial = -binomial * (n - k) / (k + 1);
  }
  mpfr_mul_2ui(h, h, 1, MPFR_RNDN);
  mpfr_pow_ui(h, h, n, MPFR_RNDN);
  Real result;
  mpfr_div(result.get(), sum, h, MPFR_RNDN);
  mpfr_clears(h, at, term, sum, static_cast<mpfr_ptr>(nullptr));
  return result;
}
Real trigamma(const Real &x) { return polygamma(1, x); }
Real tetragamma(const Real &x) { return polygamma(2, x); }
Real pentagamma(const Real &x) { return polygamma(3, x); }

/// x log(y), and 0 at x = 0.
Real xlogy(const Real &x, const Real &y) { return x.isZero() && !y.isNaN() ? x : x * log(y); }

namespace {

/// A number of so many more bits that a difference of functions keeps enough: all of them for
/// increments down to 2^-precision of the argument.
struct Wide {
  Wide() { mpfr_init2(number, 2 * Real::precision()); }
  Wide(const Real &x) : Wide() { mpfr_set(number, x.get(), MPFR_RNDN); }
  ~Wide() { mpfr_clear(number); }
  Wide(const Wide &) = delete;
  Wide &operator=(const Wide &) = delete;
  operator mpfr_ptr() { return number; }

  mpfr_t number;
};

/// log |gamma(x)|, or digamma(x), in place.
void applyLgamma(mpfr_ptr x) {
  int sign;
  mpfr_lgamma(x, &sign, x, MPFR_RNDN);
}
void applyDigamma(mpfr_ptr x) { mpfr_digamma(x, x, MPFR_RNDN); }

Real difference(void (*apply)(mpfr_ptr), const Real &a, const Real &x) {
  Wide from(a), to;
  mpfr_add(to, from, x.get(), MPFR_RNDN);
  apply(from);
  apply(to);
  Real result;
  mpfr_sub(result.get(), to, from, MPFR_RNDN);
  return result;
}

} // namespace

Real logRisingFactorial(const Real &a, const Real &x) { return difference(applyLgamma, a, x); }
Real digammaDifference(const Real &a, const Real &x) { return difference(applyDigamma, a, x); }
Real trigammaDifference(const Real &a, const Real &x) { return trigamma(a + x) - trigamma(a); }
Real lbeta(const Real &a, const Real &b) {
  Wide x(a), y(b), sum;
  mpfr_add(sum, x, y, MPFR_RNDN);
  for (Wide *each : {&x, &y, &sum})
    applyLgamma(*each);
  mpfr_add(x, x, y, MPFR_RNDN);
  Real result;
  mpfr_sub(result.get(), x, sum, MPFR_RNDN);
  return result;
}

/// Newton's iteration on erf(y) - x, from the double nearby. erf's complement keeps the digits
/// where x is close to 1.
Real erfinv(const Real &x) {
  if (x.isNaN() || abs(x) > Real(1))
    return notANumber();
  if (abs(x) == Real(1))
    return x / Real(0);
  if (x.isZero())
    return x;
  if (x.sign() < 0)
    return -erfinv(-x);
  Real pi = atan2(Real(0), Real(-1)), factor = Real(2) / sqrt(pi);
  // Near 0 erf is concave, so steps from the left stay there; else log erfc, from the right.
  bool isSmall = x < Real(0.5);
  Real wanted = log1p(-x), y = isSmall ? x / factor : sqrt(-wanted);
  for (int i = 0; i < 60; ++i) {
    Real slope = factor * exp(-(y * y)), complement = erfc(y);
    Real step = isSmall ? (x - erf(y)) / slope : (log(complement) - wanted) * complement / slope;
    y = y + step;
    if (abs(step) < abs(y) * powerOfTwo(-Real::precision() + 8))
      break;
  }
  return y;
}

Real sigmoid(const Real &x) { return Real(1) / (Real(1) + exp(-x)); }
Real sigmoidSlope(const Real &x) {
  Real e = exp(-abs(x)), d = Real(1) + e;
  return e / (d * d);
}
Real log1mExp(const Real &x) { return x < Real(-0.5) ? log1p(-exp(x)) : log(-expm1(x)); }
Real softplus(const Real &x) { return x.sign() > 0 ? x + log1p(exp(-x)) : log1p(exp(x)); }
Real logSigmoid(const Real &x) { return -softplus(-x); }
Real sign(const Real &x) { return x.isNaN() ? x : Real(x.sign()); }

/// exp(-x) I_n(x) for x >= 0: the power series, or Hankel's expansion (DLMF 10.25.2 and 10.40.1),
/// whose least term, the one of k near 2x, is about exp(-2x).
static Real besselScaled(int n, const Real &x) {
  if (x.isInf())
    return 0.0;
  if (x < Real(0.5 * double(Real::precision()) + 4)) {
    Real half = x / Real(2), square = half * half, term = n ? half : Real(1), sum = term;
    for (int k = 1; !term.isZero() && term > sum * powerOfTwo(-Real::precision()); ++k) {
      term = term * square / Real(double(k) * (k + n));
      sum = sum + term;
    }
    return sum * exp(-x);
  }
  Real term = 1, sum = 1;
  for (int k = 1; k < Real::precision() && abs(term) > powerOfTwo(-Real::precision()); ++k) {
    term = term * Real((2.0 * k - 1) * (2.0 * k - 1) - 4.0 * n) / (Real(8.0 * k) * x);
    sum = sum + term;
  }
  Real pi = atan2(Real(0), Real(-1));
  return sum / sqrt(Real(2) * pi * x);
}

Real besselI0e(const Real &x) { return x.isNaN() ? x : besselScaled(0, abs(x)); }
Real besselI1e(const Real &x) {
  return x.isNaN() || x.isZero() ? x : Real(x.sign()) * besselScaled(1, abs(x));
}
Real besselI0(const Real &x) { return x.isInf() ? abs(x) : besselI0e(x) * exp(abs(x)); }
Real besselI1(const Real &x) { return x.isInf() ? x : besselI1e(x) * exp(abs(x)); }

Real total(llvm::ArrayRef<Real> row) {
  Real sum;
  for (const Real &x : row)
    sum = sum + x;
  return sum;
}

Real compare(mlir::arith::CmpFPredicate predicate, const Real &x, const Real &y) {
  using P = mlir::arith::CmpFPredicate;
  bool unordered = x.isNaN() || y.isNaN(), less = x < y, greater = y < x, equal = x == y;
  switch (predicate) {
  case P::AlwaysFalse:
    return 0.0;
  case P::OEQ:
    return equal;
  case P::OGT:
    return greater;
  case P::OGE:
    return greater || equal;
  case P::OLT:
    return less;
  case P::OLE:
    return less || equal;
  case P::ONE:
    return less || greater;
  case P::ORD:
    return !unordered;
  case P::UEQ:
    return equal || unordered;
  case P::UGT:
    return greater || unordered;
  case P::UGE:
    return greater || equal || unordered;
  case P::ULT:
    return less || unordered;
  case P::ULE:
    return less || equal || unordered;
  case P::UNE:
    return !equal;
  case P::UNO:
    return unordered;
  case P::AlwaysTrue:
    return 1.0;
  }
  return notANumber();
}

Real logicalAnd(const Real &x, const Real &y) { return !x.isZero() && !y.isZero(); }
Real logicalOr(const Real &x, const Real &y) { return !x.isZero() || !y.isZero(); }
Real logicalXor(const Real &x, const Real &y) { return x.isZero() != y.isZero(); }
Real select(const Real &condition, const Real &x, const Real &y) {
  return condition.isZero() ? y : x;
}

} // namespace loss::stress
