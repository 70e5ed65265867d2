#include "test/random/Bounded.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace loss::stress;

namespace {

using P = mlir::arith::CmpFPredicate;

Bounded inexact(double value, double error) { return {Real(value), {error, error, error}}; }

TEST(Bounded, ExactNumbersStayExact) {
  Bounded three = Bounded(1) + Bounded(2), product = three * Bounded(0.5);
  for (unsigned a : {F32, F64, Exact})
    EXPECT_EQ(product.error[a], 0);
  EXPECT_GT(Bounded(0.1).error[F32], 0);
  EXPECT_EQ(Bounded(0.1).error[F64], 0);
  EXPECT_GT((Bounded(1) / Bounded(3)).error[F64], 0);
}

/// The bound holds for what double computes of a cancelling formula.
TEST(Bounded, CoversRoundingOfDouble) {
  std::mt19937_64 random(3);
  std::uniform_real_distribution<double> uniform(-4, 4);
  for (int i = 0; i < 2000; ++i) {
    double x = uniform(random), y = uniform(random);
    auto formula = [](auto x, auto y) {
      using std::exp, std::log, std::sin, std::sqrt;
      return log(exp(x) + exp(y)) - sin(x * y) / sqrt(x * x + y * y);
    };
    Bounded bounded = formula(Bounded(x), Bounded(y));
    double distance = std::abs(toDouble(Real(formula(x, y)) - bounded.value));
    EXPECT_LE(distance, bounded.error[F64]);
    EXPECT_LT(bounded.error[F64], 1e-11);
  }
}

TEST(Bounded, JumpsAndPolesWithinTheErrorCount) {
  EXPECT_EQ(floor(inexact(2.5, 1e-3)).error[F64], 0);
  EXPECT_NEAR(floor(inexact(2.0, 1e-3)).error[F64], 1, 1e-9);
  EXPECT_TRUE(std::isinf((Bounded(1) / inexact(1e-4, 1e-3)).error[F64]));
  EXPECT_TRUE(std::isinf(log(inexact(1e-4, 1e-3)).error[F64]));
  EXPECT_TRUE(std::isinf(lgamma(inexact(-3.0001, 1e-3)).error[F64]));
}

/// The ends of an interval of two periods look harmless.
TEST(Bounded, WideArgumentsOfPeriodicFunctionsGiveAnything) {
  EXPECT_GE(sin(inexact(1.5, 6.28)).error[F64], 2);
  EXPECT_GE(cos(inexact(1e40, 1e25)).error[F64], 2);
  EXPECT_TRUE(std::isinf(tan(inexact(0, 3.2)).error[F64]));
  // It may be infinite, and the sine of that is no number.
  EXPECT_TRUE(std::isinf(sin(exp(Bounded(100))).error[F32]));
}

TEST(Bounded, OverflowOfAnArithmeticIsNoNumber) {
  Bounded large = exp(Bounded(100));
  EXPECT_TRUE(std::isinf(large.error[F32]));
  EXPECT_TRUE(std::isfinite(large.error[F64]));
  EXPECT_TRUE(std::isinf(exp(Bounded(800)).error[F64]));
}

TEST(Bounded, UncertainComparisonsReachBothBranches) {
  Bounded certain = compare(P::OLT, Bounded(1), Bounded(2));
  Bounded uncertain = compare(P::OLT, inexact(1, 0.5), inexact(1.2, 0.5));
  EXPECT_EQ(certain.error[F64], 0);
  EXPECT_EQ(uncertain.error[F64], 1);
  EXPECT_NEAR(select(uncertain, Bounded(3), Bounded(5)).error[F64], 2, 1e-9);
  EXPECT_EQ(select(certain, Bounded(3), Bounded(5)).error[F64], 0);
  EXPECT_EQ(logicalAnd(uncertain, Bounded(0)).error[F64], 0);
  EXPECT_EQ(logicalOr(uncertain, Bounded(0)).error[F64], 1);
}

TEST(Bounded, PolesWithoutASideAreUndefined) {
  EXPECT_TRUE((Bounded(1) / Bounded(0)).value.isNaN());
  EXPECT_TRUE(digamma(Bounded(0)).value.isNaN());
  EXPECT_TRUE(log(Bounded(0)).value.isInf());
  EXPECT_EQ(log(Bounded(0)).error[F64], 0);
}

TEST(Bounded, SumsInAnyOrder) {
  std::vector<Bounded> counts(100, Bounded(1));
  EXPECT_EQ(total(counts).error[F32], 0);
  std::vector<Bounded> parts(100, Bounded(0.1));
  EXPECT_GT(total(parts).error[F32], 50 * 0x1p-24);
}

} // namespace
