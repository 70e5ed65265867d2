#include "test/random/Real.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace loss::stress;

namespace {

/// Equal to 180 of the 192 bits.
void expectSame(const Real &actual, const Real &expected) {
  EXPECT_TRUE(actual == expected ||
              abs(actual - expected) < abs(expected) * powerOfTwo(-180) + powerOfTwo(-300))
      << toDouble(actual) << " " << toDouble(expected);
}

TEST(Real, PolygammaFunctionsHaveTheirRecurrence) {
  for (double x : {-3.3, -0.2, 1e-3, 0.5, 1.0, 7.25, 300.0})
    expectSame(trigamma(Real(x)), trigamma(Real(x) + Real(1)) + Real(1) / (Real(x) * Real(x)));
  Real pi = atan2(Real(0), Real(-1));
  expectSame(trigamma(Real(1)), pi * pi / Real(6));
  expectSame(pentagamma(Real(1)), pi * pi * pi * pi / Real(15));
  for (double x : {-3.3, -0.2, 1e-3, 0.5, 1.0, 7.25, 300.0}) {
    Real inverse = Real(1) / Real(x), cube = inverse * inverse * inverse;
    expectSame(tetragamma(Real(x)), tetragamma(Real(x) + Real(1)) - Real(2) * cube);
    expectSame(pentagamma(Real(x)), pentagamma(Real(x) + Real(1)) + Real(6) * cube * inverse);
  }
  EXPECT_TRUE(trigamma(Real(-2)).isInf());
  EXPECT_TRUE(tetragamma(Real(-2)).isNaN());
  EXPECT_TRUE(pentagamma(Real(-2)).isInf());
}

TEST(Real, ErfinvInvertsErf) {
  for (double x : {-0.999, -0.5, -1e-9, 0.0, 1e-30, 0.25, 0.75, 0.9999999})
    expectSame(erf(erfinv(Real(x))), Real(x));
  EXPECT_TRUE(erfinv(Real(1)).isInf());
  EXPECT_TRUE(erfinv(Real(1.5)).isNaN());
}

TEST(Real, BesselFunctionsHaveTheirRecurrenceAndSeriesMeet) {
  // I0' = I1, by central differences across the place where the methods change.
  for (double x : {0.3, 4.0, 60.0, 99.99, 100.0, 100.01, 400.0}) {
    Real h = powerOfTwo(-50), slope = (besselI0(Real(x) + h) - besselI0(Real(x) - h)) / (h + h);
    EXPECT_TRUE(abs(slope / besselI1(Real(x)) - Real(1)) < powerOfTwo(-90)) << x;
  }
  expectSame(besselI1(Real(-2)), -besselI1(Real(2)));
  EXPECT_NEAR(toDouble(besselI0e(Real(700))), 0.01508129, 1e-8);
}

TEST(Real, SoftplusAndLogSigmoidKeepTheirDigits) {
  expectSame(softplus(Real(-1000)), exp(Real(-1000)));
  expectSame(logSigmoid(Real(3)), log(sigmoid(Real(3))));
}

} // namespace
