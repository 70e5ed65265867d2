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

/// x log(y), and 0 at x = 0.
Real xlogy(const Real &x, const Real &y) { return x.isZero() && !y.isNaN() ? x : x * log(y); }

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

Real exprel(const Real &x) { return x.isZero() ? Real(1) : expm1(x) / x; }
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
