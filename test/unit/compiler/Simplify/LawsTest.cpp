//===- LawsTest.cpp - simplification keeps the value ----------------------===//

#include "../Support.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace loss::ir::test;

namespace {

/// A formula of x and y, and a number that its simplified form must not contain more of.
struct Law {
  const char *name;
  const char *body;
  /// An operation that the simplified program must have.
  const char *expected;
};

class Laws : public testing::TestWithParam<Law> {};

const std::string kConstants = R"(
    %c1 = arith.constant 1.0 : f64
    %one = loss.broadcast %c1 : f64 to T
    %c2 = arith.constant 2.0 : f64
    %two = loss.broadcast %c2 : f64 to T
    %c0 = arith.constant 0.0 : f64
    %zero = loss.broadcast %c0 : f64 to T
)";

TEST_P(Laws, KeepTheValue) {
  const Law &law = GetParam();
  Module module(elementwiseText({"x", "y"}, kConstants + law.body));
  std::mt19937_64 random(7);
  std::uniform_real_distribution<double> uniform(-3, 3);
  std::vector<Arguments> points;
  std::vector<Array> before;
  for (int i = 0; i < 20; ++i) {
    auto draw = [&] {
      std::vector<double> elements(12);
      for (double &e : elements)
        e = uniform(random);
      return matrix(4, elements);
    };
    points.push_back({{"x", draw()}, {"y", draw()}, {"w", draw()}});
    before.push_back(module.value("f", points.back()));
  }
  module.run("loss.program(loss-simplify)");
  EXPECT_NE(module.text().find(law.expected), std::string::npos) << module.text();
  for (size_t i = 0; i < points.size(); ++i) {
    std::vector<double> after = module.value("f", points[i]).data;
    for (size_t k = 0; k < after.size(); ++k)
      if (!std::isnan(before[i].data[k])) {
        EXPECT_NEAR(after[k], before[i].data[k], 1e-11 * (1 + std::abs(before[i].data[k])))
            << module.text();
      }
  }
}

INSTANTIATE_TEST_SUITE_P(
    Simplify, Laws,
    testing::Values(
        Law{"logOfSoftmax", "%p = loss.softmax %x over \"class\" : T\n%e = math.log %p : T",
            "loss.log_softmax"},
        Law{"expOfLogSoftmax", "%p = loss.log_softmax %x over \"class\" : T\n%e = math.exp %p : T",
            "loss.softmax"},
        Law{"softmaxByHand",
            "%a = math.exp %x : T\n%s = loss.reduce sum %a over \"class\" : T -> R\n"
            "%b = loss.broadcast %s : R to T\n%c = math.exp %x : T\n%e = arith.divf %c, %b : T",
            "loss.softmax"},
        Law{"shiftedSoftmaxByHand",
            "%m = loss.reduce max %x over \"class\" : T -> R\n%mb = loss.broadcast %m : R to T\n"
            "%d = arith.subf %x, %mb : T\n%a = math.exp %d : T\n"
            "%s = loss.reduce sum %a over \"class\" : T -> R\n%l = math.log %s : R\n"
            "%lb = loss.broadcast %l : R to T\n%e = arith.subf %d, %lb : T",
            "loss.log_softmax %arg0"},
        Law{"logSoftmaxByHand",
            "%a = math.exp %x : T\n%s = loss.reduce sum %a over \"class\" : T -> R\n"
            "%l = math.log %s : R\n%b = loss.broadcast %l : R to T\n%e = arith.subf %x, %b : T",
            "loss.log_softmax"},
        Law{"logSumExpByHand",
            "%m = loss.reduce max %x over \"class\" : T -> R\n%mb = loss.broadcast %m : R to T\n"
            "%d = arith.subf %x, %mb : T\n%a = math.exp %d : T\n"
            "%s = loss.reduce sum %a over \"class\" : T -> R\n%l = math.log %s : R\n"
            "%t = arith.addf %m, %l : R\n%e = loss.broadcast %t : R to T",
            "loss.logsumexp %arg0"},
        Law{"softplus", "%a = math.exp %x : T\n%b = arith.addf %one, %a : T\n%e = math.log %b : T",
            "loss.softplus"},
        Law{"logSigmoid", "%a = loss.sigmoid %x : T\n%e = math.log %a : T", "loss.log_sigmoid"},
        Law{"logSigmoidByHand",
            "%n = arith.negf %x : T\n%a = math.exp %n : T\n%b = arith.addf %a, %one : T\n"
            "%c = arith.divf %one, %b : T\n%e = math.log %c : T",
            "loss.log_sigmoid"},
        Law{"sigmoidByHand",
            "%a = math.exp %x : T\n%b = arith.addf %a, %one : T\n%e = arith.divf %a, %b : T",
            "loss.sigmoid"},
        Law{"expm1", "%a = math.exp %x : T\n%e = arith.subf %a, %one : T", "math.expm1"},
        Law{"oneMinusExp", "%a = math.exp %x : T\n%e = arith.subf %one, %a : T", "math.expm1"},
        Law{"log1p", "%a = math.absf %x : T\n%b = arith.addf %a, %one : T\n%e = math.log %b : T",
            "math.log1p"},
        Law{"logOfOneMinusSoftmax",
            "%p = loss.softmax %x over \"class\" : T\n%q = arith.subf %one, %p : T\n"
            "%e = math.log %q : T",
            "loss.log_sigmoid"},
        Law{"log1pOfMinusSoftmax",
            "%p = loss.softmax %x over \"class\" : T\n%q = arith.negf %p : T\n"
            "%e = math.log1p %q : T",
            "loss.log_sigmoid"},
        Law{"log1mexpOfLogSoftmax",
            "%p = loss.log_softmax %x over \"class\" : T\n%e = loss.log1mexp %p : T",
            "loss.log_sigmoid"},
        Law{"divisorOneMinusSoftmax",
            "%p = loss.softmax %x over \"class\" : T\n%q = arith.subf %one, %p : T\n"
            "%e = arith.divf %y, %q : T",
            "loss.sigmoid"},
        Law{"logOfWeightedProbability",
            "%p = loss.softmax %x over \"class\" : T\n%a = math.absf %y : T\n"
            "%m = arith.mulf %a, %p : T\n%s = loss.reduce sum %m over \"class\" : T -> R\n"
            "%l = math.log %s : R\n%e = loss.broadcast %l : R to T",
            "loss.reduce  max"},
        Law{"logOfOneMinusExp",
            "%m = arith.mulf %x, %x : T\n%n = arith.negf %m : T\n%a = math.exp %n : T\n"
            "%q = arith.subf %one, %a : T\n%e = math.log %q : T",
            "loss.log1mexp"},
        Law{"powerOfSigmoid",
            "%c = arith.constant 0.3 : f64\n%cb = loss.broadcast %c : f64 to T\n"
            "%p = loss.sigmoid %x : T\n%e = math.powf %p, %cb : T",
            "math.exp"},
        Law{"openPowerOfSoftmax",
            "%p = loss.softmax %x over \"class\" : T\n%e = math.powf %p, %y : T",
            "loss.log_softmax"},
        Law{"rootOfSoftmax", "%p = loss.softmax %x over \"class\" : T\n%e = math.sqrt %p : T",
            "loss.log_softmax"},
        Law{"quotientOfProbabilities",
            "%p = loss.softmax %x over \"class\" : T\n%q = loss.softmax %y over \"class\" : T\n"
            "%e = arith.divf %p, %q : T",
            "loss.log_softmax"},
        Law{"pLogP",
            "%p = loss.softmax %x over \"class\" : T\n%l = math.log %p : T\n"
            "%e = arith.mulf %p, %l : T",
            "arith.select"},
        Law{"logCosh", "%a = math.cosh %x : T\n%e = math.log %a : T", "loss.custom_gradient"},
        Law{"logCoshByExp",
            "%n = arith.negf %x : T\n%a = math.exp %x : T\n%b = math.exp %n : T\n"
            "%s = arith.addf %a, %b : T\n%h = arith.divf %s, %two : T\n%e = math.log %h : T",
            "loss.custom_gradient"},
        Law{"oneMinusCos", "%a = math.cos %x : T\n%e = arith.subf %one, %a : T", "math.sin"},
        Law{"coshMinusOne", "%a = math.cosh %x : T\n%e = arith.subf %a, %one : T", "math.sinh"},
        Law{"rootMinusOne",
            "%s = arith.mulf %x, %x : T\n%a = arith.addf %one, %s : T\n%q = math.sqrt %a : T\n"
            "%e = arith.subf %q, %one : T",
            "arith.divf"},
        Law{"expMinusItsTangent", "%a = math.expm1 %x : T\n%e = arith.subf %x, %a : T",
            "loss.custom_gradient"},
        Law{"expMinusItsTangentByHand",
            "%a = math.exp %x : T\n%b = arith.subf %a, %x : T\n%e = arith.subf %b, %one : T",
            "loss.custom_gradient"},
        Law{"expm1ByFactor",
            "%m = arith.mulf %x, %y : T\n%a = math.expm1 %m : T\n%e = arith.divf %a, %y : T",
            "loss.exprel"},
        Law{"expm1ByProduct",
            "%h = arith.divf %y, %two : T\n%m = arith.mulf %x, %h : T\n%a = math.expm1 %m : T\n"
            "%b = arith.mulf %a, %x : T\n%e = arith.divf %b, %h : T",
            "loss.exprel"},
        Law{"expm1ByItsArgument", "%a = math.expm1 %x : T\n%e = arith.divf %a, %x : T",
            "loss.exprel"},
        Law{"log1pByFactor",
            "%p = arith.mulf %x, %x : T\n%q = arith.mulf %y, %y : T\n%m = arith.mulf %p, %q : T\n"
            "%a = math.log1p %m : T\n%e = arith.divf %a, %p : T",
            "loss.custom_gradient"},
        Law{"factorTimesLog1p",
            "%q = math.exp %x : T\n%p = arith.mulf %y, %y : T\n%d = arith.divf %p, %q : T\n"
            "%a = math.log1p %d : T\n%e = arith.mulf %a, %q : T",
            "loss.custom_gradient"},
        Law{"sigmoidSlope",
            "%p = loss.sigmoid %x : T\n%q = arith.subf %one, %p : T\n%e = arith.mulf %p, %q : T",
            "loss.sigmoid_slope"},
        Law{"oneMinusTanhSquared",
            "%t = math.tanh %x : T\n%q = arith.mulf %t, %t : T\n%e = arith.subf %one, %q : T",
            "loss.sigmoid_slope"},
        Law{"tanhByExp",
            "%n = arith.negf %x : T\n%a = math.exp %x : T\n%b = math.exp %n : T\n"
            "%s = arith.subf %a, %b : T\n%h = arith.addf %a, %b : T\n%e = arith.divf %s, %h : T",
            "math.tanh"},
        Law{"oneMinusErf", "%a = math.erf %x : T\n%e = arith.subf %one, %a : T", "math.erfc"},
        Law{"logOfOneMinusSigmoid",
            "%p = loss.sigmoid %x : T\n%q = arith.subf %one, %p : T\n%e = math.log %q : T",
            "loss.log_sigmoid"},
        Law{"logOfExp", "%a = math.exp %x : T\n%e = math.log %a : T", "arith.mulf %arg0, %arg2"},
        Law{"square", "%e = math.powf %x, %two : T", "arith.mulf %arg0, %arg0"},
        Law{"powerOfTwo", "%e = math.powf %two, %x : T", "math.exp2"},
        Law{"signs",
            "%n = arith.negf %x : T\n%m = arith.negf %y : T\n%p = arith.mulf %n, %m : T\n"
            "%q = arith.subf %p, %m : T\n%e = arith.addf %q, %zero : T",
            "arith.addf"},
        Law{"half", "%e = arith.divf %x, %two : T", "5.000000e-01"},
        Law{"logOfRatioToSum",
            "%a = arith.addf %x, %y : T\n%q = arith.divf %x, %a : T\n%e = math.log %q : T",
            "math.log1p"},
        Law{"logOfCumulativeSum",
            "%a = math.exp %x : T\n%s = loss.cumsum %a over \"class\" : T -> T\n"
            "%e = math.log %s : T",
            "loss.logcumsumexp %arg0"},
        Law{"logOfCumulativeSumByKey",
            "%a = math.exp %x : T\n%s = loss.cumsum %a by %y over \"class\" : T by T -> T\n"
            "%e = math.log %s : T",
            "loss.logcumsumexp %arg0 by %arg1"},
        Law{"lgammaDifference",
            "%a = arith.addf %x, %y : T\n%l = loss.lgamma %a : T\n%m = loss.lgamma %x : T\n"
            "%e = arith.subf %l, %m : T",
            "loss.log_rising_factorial %arg0, %arg1"},
        Law{"lgammaDifferenceInSum",
            "%a = arith.addf %y, %x : T\n%l = loss.lgamma %a : T\n%m = loss.lgamma %x : T\n"
            "%n = arith.negf %m : T\n%s = arith.addf %y, %n : T\n%t = arith.subf %one, %s : T\n"
            "%e = arith.subf %t, %l : T",
            "loss.log_rising_factorial"},
        Law{"beta",
            "%a = arith.addf %y, %x : T\n%l = loss.lgamma %a : T\n%m = loss.lgamma %x : T\n"
            "%n = loss.lgamma %y : T\n%s = arith.subf %m, %l : T\n%e = arith.addf %s, %n : T",
            "loss.lbeta %arg0, %arg1"},
        Law{"binomial",
            "%a = arith.addf %x, %one : T\n%l = loss.lgamma %a : T\n%b = arith.addf %y, %one : T\n"
            "%m = loss.lgamma %b : T\n%c = arith.subf %a, %y : T\n%n = loss.lgamma %c : T\n"
            "%s = arith.subf %l, %m : T\n%e = arith.subf %s, %n : T",
            "loss.log_rising_factorial"},
        Law{"lgammaDifferenceOfSums",
            "%a = arith.addf %x, %y : T\n%l = loss.lgamma %a : T\n%m = loss.lgamma %x : T\n"
            "%s = loss.reduce sum %l over \"class\" : T -> R\n"
            "%t = loss.reduce sum %m over \"class\" : T -> R\n%d = arith.subf %s, %t : R\n"
            "%e = loss.broadcast %d : R to T",
            "loss.log_rising_factorial %arg0, %arg1"},
        Law{"digammaDifference",
            "%a = arith.addf %x, %one : T\n%l = loss.digamma %a : T\n%m = loss.digamma %x : T\n"
            "%e = arith.subf %m, %l : T",
            "loss.digamma_difference"},
        Law{"sumOfScaled",
            "%s = loss.reduce max %y over \"class\" : T -> R\n%b = loss.broadcast %s : R to T\n"
            "%m = arith.mulf %b, %x : T\n%t = loss.reduce sum %m over \"class\" : T -> R\n"
            "%e = loss.broadcast %t : R to T",
            "loss.reduce  sum %arg0"}),
    [](const testing::TestParamInfo<Law> &info) { return std::string(info.param.name); });

/// Constant exponents of every kind, at negative x too.
TEST(Powers, KeepTheValue) {
  for (double exponent :
       {0.0, 1.0, 2.0, 3.0, 4.0, 5.0, 7.0, 8.0, 9.0, -1.0, -2.0, -3.0, 0.5, -0.5, 1.5, 2.5, -1.5}) {
    std::string constant = "%c = arith.constant " + std::to_string(exponent) + " : f64\n";
    Module module(elementwiseText(
        {"x"}, constant + "%b = loss.broadcast %c : f64 to T\n%e = math.powf %x, %b : T"));
    Arguments arguments{{"x", matrix(1, {-3, -0.5, 0.25, 1, 4, 10})},
                        {"w", matrix(1, {1, 1, 1, 1, 1, 1})}};
    std::vector<double> before = module.value("f", arguments).data;
    module.run("loss.program(loss-simplify)");
    std::vector<double> after = module.value("f", arguments).data;
    for (size_t k = 0; k < after.size(); ++k)
      if (std::isnan(before[k]))
        EXPECT_TRUE(std::isnan(after[k])) << exponent;
      else
        EXPECT_NEAR(after[k], before[k], 1e-14 * std::abs(before[k])) << exponent;
  }
}

/// NaN and infinity are never simplified away.
TEST(Laws, HideNothing) {
  for (const char *body : {"%e = arith.mulf %x, %zero : T", "%e = arith.subf %x, %x : T",
                           "%e = arith.divf %x, %x : T"}) {
    Module module(elementwiseText({"x"}, kConstants + body));
    module.run("loss.program(loss-simplify, canonicalize)");
    Arguments arguments{{"x", matrix(1, {std::nan(""), HUGE_VAL})}, {"w", matrix(1, {1, 1})}};
    for (double element : module.value("f", arguments).data)
      EXPECT_TRUE(std::isnan(element)) << module.text();
  }
}

} // namespace
