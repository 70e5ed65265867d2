//===- Real.h - numbers of 192 bits -----------------------------*- C++ -*-===//
//
// A thin value type over MPFR: the scalar in which the reference interpreter computes what a
// program means "exactly". Exponents are so wide that nothing overflows or underflows on the way.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_RANDOM_REAL_H
#define LOSSLANG_TEST_RANDOM_REAL_H

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <mpfr.h>

namespace loss::stress {

class Real {
public:
  static constexpr mpfr_prec_t precision = 192;

  Real() : Real(0.0) {}
  Real(double value) {
    init();
    mpfr_set_d(number, value, MPFR_RNDN);
  }
  Real(const Real &other) {
    init();
    mpfr_set(number, other.number, MPFR_RNDN);
  }
  Real &operator=(const Real &other) {
    mpfr_set(number, other.number, MPFR_RNDN);
    return *this;
  }

  mpfr_ptr get() { return number; }
  mpfr_srcptr get() const { return number; }

  bool isNaN() const { return mpfr_nan_p(number); }
  bool isInf() const { return mpfr_inf_p(number); }
  bool isFinite() const { return mpfr_number_p(number); }
  bool isZero() const { return mpfr_zero_p(number); }
  int sign() const { return isNaN() ? 0 : mpfr_sgn(number); }

  friend Real operator-(const Real &x);
  friend Real operator+(const Real &x, const Real &y);
  friend Real operator-(const Real &x, const Real &y);
  friend Real operator*(const Real &x, const Real &y);
  friend Real operator/(const Real &x, const Real &y);
  friend bool operator<(const Real &x, const Real &y) { return mpfr_less_p(x.number, y.number); }
  friend bool operator>(const Real &x, const Real &y) { return y < x; }
  friend bool operator==(const Real &x, const Real &y) { return mpfr_equal_p(x.number, y.number); }

private:
  void init() {
    mpfr_custom_init(limbs, precision);
    mpfr_custom_init_set(number, MPFR_ZERO_KIND, 0, precision, limbs);
  }

  mpfr_t number;
  mp_limb_t limbs[precision / (8 * sizeof(mp_limb_t))];
};

double toDouble(const Real &x);

/// 2^exponent.
Real powerOfTwo(long exponent);

// What the interpreter needs beyond arithmetic: the names of compiler/Reference/Scalar.h and
// compiler/Reference/Functions.h.
#define LOSS_REAL_UNARY(NAME) Real NAME(const Real &x);
#define LOSS_REAL_BINARY(NAME) Real NAME(const Real &x, const Real &y);
#include "test/random/RealFunctions.def"

Real total(llvm::ArrayRef<Real> row);
Real compare(mlir::arith::CmpFPredicate predicate, const Real &x, const Real &y);
Real logicalAnd(const Real &x, const Real &y);
Real logicalOr(const Real &x, const Real &y);
Real logicalXor(const Real &x, const Real &y);
Real select(const Real &condition, const Real &x, const Real &y);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_REAL_H
