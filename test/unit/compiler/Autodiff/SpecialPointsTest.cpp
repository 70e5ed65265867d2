//===- SpecialPointsTest.cpp - gradients where care is needed -------------===//

#include "../Support.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace loss::ir::test;

namespace {

constexpr double kInf = std::numeric_limits<double>::infinity();
constexpr double kNaN = std::numeric_limits<double>::quiet_NaN();

/// The gradient of sum(e) by x at x, where y stands beside it.
double gradientAt(const std::string &body, double x, double y = 0, bool simplify = false) {
  Module module(
      programText({"x", "y"}, body + "\n%r = loss.reduce sum %e over \"class\" : T -> R"));
  if (simplify)
    module.run("loss.program(loss-simplify)");
  module.run("loss-differentiate");
  Arguments arguments{{"x", matrix(1, {x})}, {"y", matrix(1, {y})}};
  return module.evaluate("f_grad", arguments)[1].data[0];
}

TEST(SpecialPoints, Kinks) {
  EXPECT_EQ(gradientAt("%e = math.absf %x : T", 0), 0);
  EXPECT_EQ(gradientAt("%e = arith.maximumf %x, %y : T", 1, 1), 0.5);
  EXPECT_EQ(gradientAt("%e = arith.minimumf %x, %y : T", 1, 1), 0.5);
  EXPECT_EQ(gradientAt("%e = arith.maximumf %x, %y : T", 1, 2), 0);
  EXPECT_EQ(gradientAt("%e = arith.maximumf %x, %y : T", 2, 1), 1);
  EXPECT_EQ(gradientAt("%e = arith.maximumf %x, %y : T", kNaN, 1), 1);
  EXPECT_EQ(gradientAt("%e = arith.minimumf %x, %y : T", 1, kNaN), 1);
  // relu as the language writes it.
  std::string relu = "%z = arith.constant 0.0 : f64\n%zs = loss.broadcast %z : f64 to T\n"
                     "%c = arith.cmpf ole, %x, %zs : T\n%e = arith.select %c, %zs, %x : B, T";
  EXPECT_EQ(gradientAt(relu, 0), 0);
  EXPECT_EQ(gradientAt(relu, 1), 1);
  EXPECT_EQ(gradientAt(relu, -1), 0);
}

TEST(SpecialPoints, Poles) {
  EXPECT_EQ(gradientAt("%e = math.sqrt %x : T", 0), kInf);
  EXPECT_EQ(gradientAt("%e = math.log %x : T", 0), kInf);
  EXPECT_EQ(gradientAt("%l = math.log %x : T\n%e = arith.mulf %x, %l : T", 0), -kInf);
  EXPECT_EQ(gradientAt("%e = loss.bessel_i1 %x : T", 0), 0.5);
  EXPECT_EQ(gradientAt("%e = loss.bessel_i1e %x : T", 0), 0.5);
  EXPECT_EQ(gradientAt("%e = loss.bessel_i0 %x : T", 0), 0);
  EXPECT_EQ(gradientAt("%e = loss.bessel_i0e %x : T", 0), 0);
}

TEST(SpecialPoints, PowersOfZero) {
  std::string pow = "%e = math.powf %x, %y : T";
  EXPECT_EQ(gradientAt(pow, 0, 0), 0);
  EXPECT_EQ(gradientAt(pow, 0, 0.5), kInf);
  EXPECT_EQ(gradientAt(pow, 0, 1), 1);
  EXPECT_EQ(gradientAt(pow, 0, 2), 0);
  EXPECT_EQ(gradientAt(pow, -2, 3), 12);
  // By the exponent: 0, not 0 * log(0).
  std::string exponent = "%e = math.powf %y, %x : T";
  EXPECT_EQ(gradientAt(exponent, 2, 0), 0);
  EXPECT_EQ(gradientAt(exponent, 0, 0), 0);
}

/// As LibTorch has them.
TEST(SpecialPoints, PolesOfInverseFunctions) {
  EXPECT_EQ(gradientAt("%e = math.asin %x : T", 1), kInf);
  EXPECT_EQ(gradientAt("%e = math.acos %x : T", -1), -kInf);
  EXPECT_EQ(gradientAt("%e = math.acosh %x : T", 1), kInf);
  EXPECT_EQ(gradientAt("%e = math.atanh %x : T", 1), kInf);
  EXPECT_EQ(gradientAt("%e = loss.erfinv %x : T", -1), kInf);
  // [LANG-8.13]
  EXPECT_EQ(gradientAt("%e = loss.lgamma %x : T", 0), -kInf);
  EXPECT_EQ(gradientAt("%e = loss.lgamma %x : T", kInf), kInf);
  EXPECT_TRUE(std::isnan(gradientAt("%e = loss.lgamma %x : T", -1)));
  EXPECT_EQ(gradientAt("%e = loss.digamma %x : T", 0), kInf);
  EXPECT_TRUE(std::isnan(gradientAt("%e = math.acosh %x : T", 0.5)));
  for (const char *step : {"math.floor", "math.ceil", "math.roundeven"})
    EXPECT_EQ(gradientAt(std::string("%e = ") + step + " %x : T", 2), 0);
}

TEST(SpecialPoints, Origin) {
  EXPECT_EQ(gradientAt("%e = math.atan2 %x, %y : T", 0, 0), 0);
  EXPECT_EQ(gradientAt("%e = math.atan2 %y, %x : T", 0, 0), 0);
  EXPECT_EQ(gradientAt("%e = math.atan2 %x, %y : T", 1e200, -1e200), -0.5e-200);
  EXPECT_EQ(gradientAt("%e = loss.hypot %x, %y : T", 0, 0), 0);
  EXPECT_EQ(gradientAt("%e = loss.hypot %x, %y : T", 3, 4), 0.6);
  std::string first = "%e = loss.xlogy %x, %y : T", second = "%e = loss.xlogy %y, %x : T";
  EXPECT_EQ(gradientAt(first, 0, 0), 0);
  EXPECT_EQ(gradientAt(first, 0, -1), 0);
  EXPECT_EQ(gradientAt(first, 0, 1), 0);
  EXPECT_EQ(gradientAt(first, 1, 0), -kInf);
  EXPECT_EQ(gradientAt(first, 0, kInf), kInf);
  EXPECT_TRUE(std::isnan(gradientAt(first, 0, kNaN)));
  EXPECT_EQ(gradientAt(second, 0, 1), kInf);
  EXPECT_EQ(gradientAt(second, 2, 0), 0);
  EXPECT_TRUE(std::isnan(gradientAt(second, 0, 0)));
}

/// What the branch not taken would give stays out, be it infinite or NaN.
TEST(SpecialPoints, BranchNotTaken) {
  auto guarded = [](const std::string &branch) {
    return "%z = arith.constant 1.0 : f64\n%zs = loss.broadcast %z : f64 to T\n"
           "%c = arith.cmpf ogt, %y, %zs : T\n" +
           branch + "\n%e = arith.select %c, %b, %x : B, T";
  };
  EXPECT_EQ(gradientAt(guarded("%b = math.log %x : T"), 0), 1);
  EXPECT_EQ(gradientAt(guarded("%b = math.sqrt %x : T"), 0), 1);
  EXPECT_EQ(gradientAt(guarded("%b = math.sqrt %x : T"), -1), 1);
  EXPECT_EQ(gradientAt(guarded("%b = math.exp %x : T"), 1000), 1);
  EXPECT_EQ(gradientAt(guarded("%b = arith.divf %y, %x : T"), 0), 1);
  EXPECT_EQ(gradientAt(guarded("%a = math.exp %x : T\n%b = arith.mulf %a, %x : T"), 1000), 1);
  EXPECT_EQ(gradientAt(guarded("%a = arith.mulf %x, %x : T\n%b = math.log %a : T"), 0), 1);
  EXPECT_EQ(gradientAt(guarded("%b = math.powf %x, %y : T"), 0, 0.5), 1);
  EXPECT_EQ(gradientAt(guarded("%b = math.log %x : T"), 0, 2), kInf);
  // Products overflow, and inputs may be infinite or NaN.
  std::string cube = "%a = arith.mulf %x, %x : T\n%b = arith.mulf %a, %x : T";
  for (double x : {1e200, kInf, kNaN})
    EXPECT_EQ(gradientAt(guarded(cube), x), 1);
  EXPECT_EQ(gradientAt(guarded("%b = math.sin %x : T"), kInf), 1);
  EXPECT_EQ(gradientAt(guarded(cube), 3, 2), 27);
  // Through what works on rows.
  std::string ofRow = cube;
  ofRow.replace(ofRow.find("%b"), 2, "%d");
  ofRow += "\n%s = loss.reduce sum %d over \"class\" : T -> R\n%b = loss.broadcast %s : R to T";
  EXPECT_EQ(gradientAt(guarded(ofRow), 1e200), 1);
  EXPECT_EQ(gradientAt(guarded(ofRow), 3, 2), 27);
  for (const char *name : {"softmax", "log_softmax"})
    for (double x : {kInf, kNaN})
      EXPECT_EQ(gradientAt(guarded("%b = loss." + std::string(name) + " %x over \"class\" : T"), x),
                1);
}

/// [LANG-8.8] for derivatives of the second order.
TEST(SpecialPoints, BranchNotTakenTwice) {
  Module module(programText({"x", "y"},
                            "%z = arith.constant 0.0 : f64\n%zs = loss.broadcast %z : f64 to T\n"
                            "%c = arith.cmpf ogt, %x, %zs : T\n%i = arith.divf %y, %x : T\n"
                            "%b = math.exp %i : T\n%e = arith.select %c, %b, %x : B, T\n"
                            "%r = loss.reduce sum %e over \"class\" : T -> R"));
  module.run("loss-differentiate, loss-differentiate{of=x}");
  auto second = [&](double x) {
    return module.evaluate("f_grad_grad", {{"x", matrix(1, {x})}, {"y", matrix(1, {-1})}})[3];
  };
  for (double x : {-1e-30, -1e-300, 0.0, -kInf})
    EXPECT_EQ(second(x).data[0], 0) << x;
  EXPECT_DOUBLE_EQ(second(1).data[0], -std::exp(-1));
}

TEST(SpecialPoints, NaNIsNotHidden) {
  EXPECT_TRUE(std::isnan(gradientAt("%e = math.exp %x : T", kNaN)));
  EXPECT_TRUE(std::isnan(gradientAt("%e = math.absf %x : T", kNaN)));
  EXPECT_TRUE(std::isnan(gradientAt("%e = math.powf %x, %y : T", kNaN, 2)));
  EXPECT_TRUE(std::isnan(gradientAt("%e = loss.softmax %x over \"class\" : T", kNaN)));
}

TEST(SpecialPoints, TiesOverAnAxisShareEvenly) {
  Module module(programText({"x"}, "%r = loss.reduce max %x over \"class\" : T -> R"));
  module.run("loss-differentiate");
  auto gradient = module.evaluate("f_grad", {{"x", matrix(4, {1, 3, 3, 0, 2, 2, 2, 2})}})[1].data;
  EXPECT_EQ(gradient, (std::vector<double>{0, 0.5, 0.5, 0, 0.25, 0.25, 0.25, 0.25}));
  auto poisoned = module.evaluate("f_grad", {{"x", matrix(2, {1, kNaN})}})[1].data;
  EXPECT_TRUE(std::isnan(poisoned[0]) && std::isnan(poisoned[1]));
}

/// Focal loss (Lin et al. 2017, eq. 5): finite for every gamma and every logit.
/// As LibTorch's amax over several dimensions. [LANG-8.4]
TEST(SpecialPoints, TiesOverSeveralAxesShareEvenly) {
  for (const char *kind : {"max", "min"}) {
    Module module(programText({"x"}, "%e = loss.reduce " + std::string(kind) +
                                         " %x over \"class\" : T -> R\n"
                                         "%s = loss.reduce " +
                                         kind +
                                         " %e over \"batch\" : R -> f64\n"
                                         "%r = loss.broadcast %s : f64 to R"));
    module.run("loss-differentiate");
    double other = kind[1] == 'a' ? 0 : 2;
    Arguments arguments{{"x", matrix(3, {1, 1, other, 1, other, other})}};
    EXPECT_EQ(module.evaluate("f_grad", arguments)[1].data,
              (std::vector<double>{2. / 3, 2. / 3, 0, 2. / 3, 0, 0}));
  }
}

TEST(SpecialPoints, FocalLossIsFinite) {
  std::string text = programText({"x", "y"}, R"(
    %l = loss.log_softmax %x over "class" : T
    %p = math.exp %l : T
    %one = arith.constant 1.0 : f64
    %ones = loss.broadcast %one : f64 to T
    %q = arith.subf %ones, %p : T
    %g = loss.broadcast %gamma : f64 to T
    %m = math.powf %q, %g : T
    %ym = arith.mulf %y, %m : T
    %t = arith.mulf %ym, %l : T
    %s = loss.reduce sum %t over "class" : T -> R
    %r = arith.negf %s : R)");
  text.replace(text.find(") -> "), 5,
               ", %gamma: f64 {loss.kind = \"param\", loss.name = \"gamma\", "
               "loss.default = 2.0 : f64}) -> ");
  Module module(text);
  module.run("loss.program(loss-simplify), loss-differentiate, "
             "loss.program(loss-simplify)");
  for (double gamma : {0.0, 0.3, 0.5, 1.0, 2.0, 5.0})
    for (double logit : {0.0, 1.0, 30.0, 100.0, 1000.0, -1000.0})
      for (double label : {1.0, 0.0}) {
        Arguments arguments{{"x", matrix(2, {logit, 0})},
                            {"y", matrix(2, {label, 1 - label})},
                            {"gamma", Array(gamma)}};
        for (const Array &result : module.evaluate("f_grad", arguments))
          for (double element : result.data)
            EXPECT_TRUE(std::isfinite(element))
                << element << " at gamma " << gamma << ", logit " << logit << ", label " << label;
      }
}

} // namespace
