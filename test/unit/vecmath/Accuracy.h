//===- Accuracy.h - measures the error of the library's functions ----*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_VECMATH_ACCURACY_H
#define LOSSLANG_TEST_UNIT_VECMATH_ACCURACY_H

#include "compiler/Target/CPU/VecMath/VecMathHost.h"

#include <cstdint>

namespace loss::vecmath::test {

/// The largest error found, and where.
struct Worst {
  double ulp = 0;
  double x = 0, y = 0;
  double result = 0, expected = 0;
  uint64_t samples = 0;
};

/// One Worst a feature level (LOSS_X86_64_V2, ...), up to hostLevel().
struct WorstByLevel {
  Worst level[3];
};

/// Against MPFR, at samples of every exponent, `perExponent` in each binade and sign, and at
/// special values and the borders of the functions' intervals. The samples depend on nothing but
/// the arguments.
template <typename T> WorstByLevel measureSampled(Fn fn, int perExponent);

/// Over all f32 arguments with from <= |x| <= to (by default all there are, NaN included), against
/// the f64 function of the library, which measureSampled() has checked. For functions of one
/// operand.
Worst measureExhaustively(Fn fn, int level, float from = 0, float to = -1);

} // namespace loss::vecmath::test

#endif // LOSSLANG_TEST_UNIT_VECMATH_ACCURACY_H
