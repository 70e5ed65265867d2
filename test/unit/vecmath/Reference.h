//===- Reference.h - correctly rounded references by MPFR ------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_VECMATH_REFERENCE_H
#define LOSSLANG_TEST_UNIT_VECMATH_REFERENCE_H

#include "compiler/Target/CPU/VecMath/VecMathHost.h"

#include <mpfr.h>

#include <vector>

namespace loss::vecmath::test {

/// Significand bits and least exponent of an element type, for units in the last place.
struct Format {
  int precision;   // 24 or 53
  int minExponent; // of the smallest normal number: -126 or -1022
  int maxExponent; // 127 or 1023
};
inline constexpr Format f32Format = {24, -126, 127};
inline constexpr Format f64Format = {53, -1022, 1023};

/// Evaluates one function in high precision and measures errors against it.
class Reference {
public:
  /// Of at least 160 bits: differences of nearby values need more.
  explicit Reference(mpfr_prec_t precision = 160);
  ~Reference();
  Reference(const Reference &) = delete;
  Reference &operator=(const Reference &) = delete;

  /// Sets the reference to fn(x) or fn(x, y).
  void evaluate(Fn fn, double x, double y = 0);

  /// The error of `result` in units in the last place of the reference; inf where it is no number
  /// and the reference is one, or the other way round, or where an exact zero has the wrong sign.
  /// Results beyond the range of the format count as the power of two just outside it.
  double ulpError(double result, const Format &format);

  /// The reference rounded to double.
  double value() const { return mpfr_get_d(ref, MPFR_RNDN); }

private:
  void bessel(int order, bool scaled);
  /// The n-th derivative of digamma at `in`, n = 1, 2, 3.
  void polygamma(unsigned long n);
  /// zeta(2 k), computed once.
  mpfr_srcptr zetaOfEven(unsigned long k);
  void erfinv();
  /// The n-th derivative of lgamma, n = 0 ... 3, at in + in2 less that at in; from its own
  /// derivative where in2 is far below in.
  void gammaDifference(unsigned long n);
  /// Errors count relative to `term`, where it is greater than the result.
  void countRelativeTo(mpfr_ptr term);

  mpfr_prec_t precision;
  std::vector<__mpfr_struct> zetas;
  mpfr_t ref, in, in2, t, u;
  mpfr_exp_t leastExponent;
};

} // namespace loss::vecmath::test

#endif // LOSSLANG_TEST_UNIT_VECMATH_REFERENCE_H
