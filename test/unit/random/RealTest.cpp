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

TEST(Real, GammaFunctionsAreThoseOfMpfr) {
  for (double x : {-3.3, -0.2, 1e-30, 0.5, 1.0 + 1e-9, 2.0, 7.25, 38.5, 300.0, 1e30}) {
    Real psi, logarithm;
    int sign;
    mpfr_digamma(psi.get(), Real(x).get(), MPFR_RNDN);
    mpfr_lgamma(logarithm.get(), &sign, Real(x).get(), MPFR_RNDN);
    expectSame(digamma(Real(x)), psi);
    expectSame(lgamma(Real(x)), logarithm);
  }
}

TEST(Real, WhatStirlingLeavesIsWhatItSays) {
  for (double x : {1e-3, 0.5, 1.0, 7.25, 38.5, 300.0}) {
    Real z = x, plain = lgamma(z) - (z - Real(0.5)) * log(z) + z -
                        log(Real(2) * atan2(Real(0), Real(-1))) / Real(2);
    EXPECT_TRUE(abs(stirlingError(z) - plain) < powerOfTwo(-175)) << x;
    EXPECT_TRUE(abs(stirlingErrorSlope(z) - (digamma(z) - log(z) + Real(0.5) / z)) <
                powerOfTwo(-170))
        << x;
  }
  // 1 / (12 z) - 1 / (360 z^3), where the terms of the difference have 100 more digits.
  Real z = powerOfTwo(300), first = Real(1) / (Real(12) * z);
  EXPECT_TRUE(abs(stirlingError(z) - first) < first * powerOfTwo(-180));
  EXPECT_TRUE(abs(stirlingErrorSlope(z) + first / z) < first / z * powerOfTwo(-180));
}

TEST(Real, DifferencesOfGammaFunctionsKeepTheirDigits) {
  // Of small increments: the derivative.
  for (double a : {0.3, 1.0, 12.5, 1e20}) {
    Real x = powerOfTwo(-180) * Real(a);
    EXPECT_TRUE(abs(logRisingFactorial(Real(a), x) / x / digamma(Real(a)) - Real(1)) <
                powerOfTwo(-170));
    EXPECT_TRUE(abs(digammaDifference(Real(a), x) / x / trigamma(Real(a)) - Real(1)) <
                powerOfTwo(-170));
  }
  EXPECT_TRUE(logRisingFactorial(Real(3), Real(0)).isZero());
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
