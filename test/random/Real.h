//===- Real.h - numbers of many bits ----------------------------*- C++ -*-===//
//
// A thin value type over MPFR: the scalar in which the reference interpreter computes what a
// program means "exactly", in 192 bits or as many as are asked for. Exponents are so wide that
// nothing overflows or underflows on the way.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_RANDOM_REAL_H
#define LOSSLANG_TEST_RANDOM_REAL_H

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <mpfr.h>

#include <cstdlib>

namespace loss::stress {

class Real {
public:
  /// Bits of numbers where nothing else is asked for.
  static constexpr mpfr_prec_t usual = 192;
  /// Bits of the numbers that this thread makes from now on; a copy has those of the original.
  static mpfr_prec_t precision() { return wanted; }
  /// While one lives, numbers have this many bits.
  class Precision {
  public:
    explicit Precision(mpfr_prec_t bits) : before(wanted) { wanted = bits; }
    ~Precision() { wanted = before; }
    Precision(const Precision &) = delete;
    Precision &operator=(const Precision &) = delete;

  private:
    mpfr_prec_t before;
  };

  Real() : Real(0.0) {}
  Real(double value) {
    init(wanted);
    mpfr_set_d(number, value, MPFR_RNDN);
  }
  Real(const Real &other) {
    init(mpfr_get_prec(other.number));
    mpfr_set(number, other.number, MPFR_RNDN);
  }
  Real(Real &&other) noexcept { take(other); }
  Real &operator=(const Real &other) {
    if (this == &other)
      return *this;
    if (mpfr_get_prec(number) != mpfr_get_prec(other.number)) {
      release();
      init(mpfr_get_prec(other.number));
    }
    mpfr_set(number, other.number, MPFR_RNDN);
    return *this;
  }
  Real &operator=(Real &&other) noexcept {
    if (this != &other) {
      release();
      take(other);
    }
    return *this;
  }
  ~Real() { release(); }

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
  void init(mpfr_prec_t bits) {
    size_t bytes = mpfr_custom_get_size(bits);
    mp_limb_t *limbs = bits <= usual ? few : static_cast<mp_limb_t *>(std::malloc(bytes));
    mpfr_custom_init(limbs, bits);
    mpfr_custom_init_set(number, MPFR_ZERO_KIND, 0, bits, limbs);
  }
  bool hasFew() const { return mpfr_custom_get_significand(number) == few; }
  void release() {
    if (!hasFew())
      std::free(mpfr_custom_get_significand(number));
  }
  /// Leaves a number to `other`, too.
  void take(Real &other) {
    if (other.hasFew()) {
      init(mpfr_get_prec(other.number));
      mpfr_set(number, other.number, MPFR_RNDN);
    } else {
      number[0] = other.number[0];
      other.init(usual);
    }
  }

  static thread_local mpfr_prec_t wanted;
  mpfr_t number;
  mp_limb_t few[usual / (8 * sizeof(mp_limb_t))];
};

double toDouble(const Real &x);

/// 2^exponent.
Real powerOfTwo(long exponent);

// What the interpreter needs beyond arithmetic: the names of compiler/Reference/Scalar.h and
// compiler/Reference/Functions.h.
#define LOSS_REAL_UNARY(NAME) Real NAME(const Real &x);
#define LOSS_REAL_BINARY(NAME) Real NAME(const Real &x, const Real &y);
#include "test/random/RealFunctions.def"

/// The derivative of stirlingError.
Real stirlingErrorSlope(const Real &x);

Real total(llvm::ArrayRef<Real> row);
Real compare(mlir::arith::CmpFPredicate predicate, const Real &x, const Real &y);
Real logicalAnd(const Real &x, const Real &y);
Real logicalOr(const Real &x, const Real &y);
Real logicalXor(const Real &x, const Real &y);
Real select(const Real &condition, const Real &x, const Real &y);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_REAL_H
