//===- GradientTest.cpp - gradients against finite differences ------------===//
//
// Each operation's first and second derivatives, as the program computes them and the interpreter
// evaluates them, against central differences of the program's own value.
//
//===----------------------------------------------------------------------===//

#include "../Support.h"

#include "compiler/Autodiff/Rules.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace loss::ir;
using namespace loss::ir::test;

namespace {

/// An operation or a small formula of x (and y, z), and where to look at it.
struct Case {
  const char *name;
  const char *body; // defines %e: T, or %r: R
  std::vector<double> x;
  std::vector<double> y = {};
};

std::vector<std::string> inputsOf(const Case &c) {
  return c.y.empty() ? std::vector<std::string>{"x"} : std::vector<std::string>{"x", "y"};
}

std::string textOf(const Case &c) {
  bool isElementwise = std::string(c.body).find("%e =") != std::string::npos;
  return isElementwise ? elementwiseText(inputsOf(c), c.body) : programText(inputsOf(c), c.body);
}

Arguments argumentsOf(const Case &c, bool weighted) {
  Arguments arguments{{"x", matrix(3, c.x)}};
  if (!c.y.empty())
    arguments["y"] = matrix(3, c.y);
  if (weighted) {
    std::vector<double> w;
    for (size_t i = 0; i < c.x.size(); ++i)
      w.push_back(i % 2 ? -0.75 + 0.1 * double(i) : 1.25 - 0.2 * double(i));
    arguments["w"] = matrix(3, w);
  }
  return arguments;
}

void expectClose(const std::vector<double> &actual, const std::vector<double> &expected,
                 const std::string &what, const Module &module) {
  ASSERT_EQ(actual.size(), expected.size()) << what;
  for (size_t i = 0; i < actual.size(); ++i)
    EXPECT_NEAR(actual[i], expected[i], 2e-8 * (1 + std::abs(expected[i])))
        << what << " at element " << i << " in\n"
        << module.text();
}

/// An operation of this kind.
template <typename Op> mlir::Operation *findOp(ProgramOp program) {
  mlir::Operation *found = nullptr;
  program.walk([&](Op op) { found = op; });
  return found;
}

class Gradient : public testing::TestWithParam<Case> {};

TEST_P(Gradient, MatchesFiniteDifferences) {
  const Case &c = GetParam();
  Module module(textOf(c));
  bool weighted = std::string(c.body).find("%e =") != std::string::npos;
  Arguments arguments = argumentsOf(c, weighted);
  module.run("loss-differentiate");
  auto results = module.evaluate("f_grad", arguments);
  auto value = [&](const Arguments &at) { return total(module.value("f", at)); };
  std::vector<std::string> names = inputsOf(c);
  if (weighted)
    names.push_back("w");
  ASSERT_EQ(results.size(), 1 + names.size());
  for (size_t i = 0; i < names.size(); ++i)
    expectClose(results[1 + i].data, differences(value, arguments, names[i]),
                "gradient for " + names[i], module);
}

TEST_P(Gradient, OfTheGradientMatchesFiniteDifferences) {
  const Case &c = GetParam();
  Module module(textOf(c));
  bool weighted = std::string(c.body).find("%e =") != std::string::npos;
  Arguments arguments = argumentsOf(c, weighted);
  module.run("loss-differentiate, loss-differentiate{of=x}");
  auto results = module.evaluate("f_grad_grad", arguments);
  auto gradient = [&](const Arguments &at) { return total(module.evaluate("f_grad", at)[1]); };
  std::vector<std::string> names = inputsOf(c);
  if (weighted)
    names.push_back("w");
  size_t first = 1 + names.size();
  ASSERT_EQ(results.size(), first + names.size());
  for (size_t i = 0; i < names.size(); ++i)
    expectClose(results[first + i].data, differences(gradient, arguments, names[i]),
                "second derivative by x and " + names[i], module);
}

const std::vector<double> kAll = {-2.3, -0.7, -0.05, 0.11, 0.9, 3.2};
const std::vector<double> kPositive = {0.02, 0.4, 0.97, 1.5, 3.3, 40};
const std::vector<double> kOther = {0.6, -1.4, 2.1, -0.3, -1.7, 0.25};

const std::vector<double> kUnit = {-0.7, -0.6, -0.05, 0.2, 0.5, 0.65};

std::string nameOf(const testing::TestParamInfo<Case> &info) { return info.param.name; }

INSTANTIATE_TEST_SUITE_P(
    Arithmetic, Gradient,
    testing::Values(
        Case{"add", "%e = arith.addf %x, %y : T", kAll, kOther},
        Case{"sub", "%e = arith.subf %x, %y : T", kAll, kOther},
        Case{"mul", "%e = arith.mulf %x, %y : T", kAll, kOther},
        Case{"square", "%e = arith.mulf %x, %x : T", kAll},
        Case{"div", "%e = arith.divf %x, %y : T", kAll, kOther},
        Case{"neg", "%e = arith.negf %x : T", kAll},
        Case{"maximum", "%e = arith.maximumf %x, %y : T", kAll, kOther},
        Case{"minimum", "%e = arith.minimumf %x, %y : T", kAll, kOther},
        Case{"maxnum", "%e = arith.maxnumf %x, %y : T", kAll, kOther},
        Case{"minnum", "%e = arith.minnumf %x, %y : T", kAll, kOther},
        Case{"select",
             "%c = arith.cmpf ogt, %x, %y : T\n%a = math.exp %x : T\n%b = math.sin %y : T\n"
             "%e = arith.select %c, %a, %b : B, T",
             kAll, kOther},
        Case{"sharedOperand",
             "%a = math.sin %x : T\n%b = arith.mulf %a, %x : T\n%e = arith.addf %b, %a : T", kAll}),
    nameOf);

INSTANTIATE_TEST_SUITE_P(
    Functions, Gradient,
    testing::Values(
        Case{"absf", "%e = math.absf %x : T", kAll}, Case{"exp", "%e = math.exp %x : T", kAll},
        Case{"exp2", "%e = math.exp2 %x : T", kAll}, Case{"expm1", "%e = math.expm1 %x : T", kAll},
        Case{"log", "%e = math.log %x : T", kPositive},
        Case{"log1p", "%e = math.log1p %x : T", kPositive},
        Case{"log2", "%e = math.log2 %x : T", kPositive},
        Case{"log10", "%e = math.log10 %x : T", kPositive},
        Case{"sqrt", "%e = math.sqrt %x : T", kPositive},
        Case{"rsqrt", "%e = math.rsqrt %x : T", {0.1, 0.4, 0.97, 1.5, 3.3, 40}},
        Case{"pow", "%e = math.powf %x, %y : T", kPositive, kOther},
        Case{"sin", "%e = math.sin %x : T", kAll}, Case{"cos", "%e = math.cos %x : T", kAll},
        Case{"tan", "%e = math.tan %x : T", {-1.1, -0.4, -0.05, 0.11, 0.9, 2.6}},
        Case{"sinh", "%e = math.sinh %x : T", kAll}, Case{"cosh", "%e = math.cosh %x : T", kAll},
        Case{"tanh", "%e = math.tanh %x : T", kAll}, Case{"asinh", "%e = math.asinh %x : T", kAll},
        Case{"atan", "%e = math.atan %x : T", kAll}, Case{"erf", "%e = math.erf %x : T", kAll},
        Case{"erfc", "%e = math.erfc %x : T", kAll},
        Case{"acosh", "%e = math.acosh %x : T", {1.1, 1.4, 2, 3.7, 9, 40}},
        Case{"atanh", "%e = math.atanh %x : T", kUnit},
        Case{"asin", "%e = math.asin %x : T", kUnit}, Case{"acos", "%e = math.acos %x : T", kUnit},
        Case{"atan2", "%e = math.atan2 %x, %y : T", kAll, kOther},
        Case{"hypot", "%e = loss.hypot %x, %y : T", kAll, kOther},
        Case{"xlogy", "%e = loss.xlogy %x, %y : T", kAll, {0.3, 0.8, 1, 1.4, 2.5, 30}},
        Case{"lbeta", "%e = loss.lbeta %x, %y : T", {0.3, 0.8, 1, 1.4, 2.5, 30}, kPositive},
        // [LANG-8.18]
        Case{"log_rising_factorial",
             "%e = loss.log_rising_factorial %x, %y : T",
             {0.3, 0.8, 1, 1.4, 2.5, 30},
             kPositive},
        Case{"digamma_difference",
             "%e = loss.digamma_difference %x, %y : T",
             {0.3, 0.8, 1, 1.4, 2.5, 30},
             kPositive},
        Case{"trigamma_difference",
             "%e = loss.trigamma_difference %x, %y : T",
             {0.3, 0.8, 1, 1.4, 2.5, 30},
             kPositive},
        // [LANG-8.20]
        Case{"exprel", "%e = loss.exprel %x : T", {-9, -0.9, 0.02, 0.97, 1.5, 6}},
        Case{"stirling_error", "%e = loss.stirling_error %x : T", {0.02, 0.4, 0.97, 1.5, 3.3, 40}},
        Case{"gamma_entropy", "%e = loss.gamma_entropy %x : T", {0.02, 0.4, 0.97, 1.5, 3.3, 40}},
        Case{"erfinv", "%e = loss.erfinv %x : T", kUnit},
        Case{"lgamma", "%e = loss.lgamma %x : T", kOther},
        Case{"floor", "%e = math.floor %x : T", kAll}, Case{"ceil", "%e = math.ceil %x : T", kAll},
        Case{"roundeven", "%e = math.roundeven %x : T", kAll},
        Case{"sigmoid", "%e = loss.sigmoid %x : T", kAll},
        Case{"log_sigmoid", "%e = loss.log_sigmoid %x : T", kAll},
        Case{"sigmoid_slope", "%e = loss.sigmoid_slope %x : T", kAll},
        Case{"log1mexp", "%e = loss.log1mexp %x : T", {-1.1, -0.4, -0.05, -0.69, -0.9, -12}},
        Case{"softplus", "%e = loss.softplus %x : T", kAll},
        Case{"sign", "%e = loss.sign %x : T", kAll},
        Case{"bessel_i0", "%e = loss.bessel_i0 %x : T", kAll},
        Case{"bessel_i1", "%e = loss.bessel_i1 %x : T", kAll},
        Case{"bessel_i0e", "%e = loss.bessel_i0e %x : T", kAll},
        Case{"bessel_i1e", "%e = loss.bessel_i1e %x : T", kAll}),
    nameOf);

INSTANTIATE_TEST_SUITE_P(
    Axes, Gradient,
    testing::Values(
        Case{"broadcast",
             "%s = loss.reduce sum %x over \"class\" : T -> R\n%q = arith.mulf %s, %s : R\n"
             "%e = loss.broadcast %q : R to T",
             kAll},
        Case{"sum", "%s = loss.reduce sum %x over \"class\" : T -> R\n%r = math.sin %s : R", kAll},
        Case{"max", "%s = loss.reduce max %x over \"class\" : T -> R\n%r = math.exp %s : R", kAll},
        Case{"min", "%s = loss.reduce min %x over \"class\" : T -> R\n%r = math.exp %s : R", kAll},
        Case{"softmax", "%e = loss.softmax %x over \"class\" : T", kAll},
        Case{"log_softmax", "%e = loss.log_softmax %x over \"class\" : T", kAll},
        Case{"logsumexp",
             "%s = loss.logsumexp %x over \"class\" : T -> R\n%r = arith.mulf %s, %s : R", kAll},
        Case{"overRows", "%s = loss.softmax %x over \"batch\" : T\n%e = arith.mulf %s, %x : T",
             kAll},
        Case{
            "axisSize",
            "%s = loss.reduce sum %x over \"class\" : T -> R\n%n = loss.axis_size \"class\" : f64\n"
            "%m = loss.broadcast %n : f64 to R\n%d = arith.divf %s, %m : R\n%r = math.exp %d : R",
            kAll},
        Case{"unused", "%r = loss.reduce sum %y over \"class\" : T -> R", kAll, kOther}),
    nameOf);

/// The derivative of tetragamma has none of its own: an error at the operation, not a zero.
TEST(GammaGradient, EndsAtPentagamma) {
  Module module(elementwiseText({"x"}, "%e = loss.tetragamma %x : T"));
  module.run("loss-differentiate");
  Arguments arguments = argumentsOf(Case{"tetragamma", "%e =", kOther}, true);
  auto value = [&](const Arguments &at) { return total(module.value("f", at)); };
  expectClose(module.evaluate("f_grad", arguments)[1].data, differences(value, arguments, "x"),
              "gradient", module);
  EXPECT_TRUE(autodiff::derivativeRule(findOp<PentagammaOp>(module.program("f_grad"))).empty());
}

/// Class indices enter as an argument of their own type.
TEST(GatherGradient, PicksTheElementOfTheClass) {
  std::string text = programText({"x"}, R"(
    %p = loss.softmax %x over "class" : T
    %g = loss.gather %p at %t over "class" : T, tensor<?xi64, #loss.axes<batch>> -> R
    %h = loss.one_hot %t over "class" : tensor<?xi64, #loss.axes<batch>> -> T
    %hp = arith.mulf %h, %p : T
    %q = loss.reduce max %hp over "class" : T -> R
    %l = math.log %g : R
    %r = arith.mulf %l, %q : R)");
  std::string index =
      ", %t: tensor<?xi64, #loss.axes<batch>> {loss.kind = \"target\", loss.name = \"t\"}) -> ";
  text.replace(text.find(") -> "), 5, index);
  Module module(text);
  module.run("loss-differentiate, loss-differentiate{of=x}");
  Arguments arguments{{"x", matrix(3, kAll)}, {"t", Array({"batch"}, {2}, {2.0, 0.0})}};
  auto value = [&](const Arguments &at) { return total(module.value("f", at)); };
  auto gradient = [&](const Arguments &at) { return total(module.evaluate("f_grad", at)[1]); };
  auto results = module.evaluate("f_grad_grad", arguments);
  expectClose(results[1].data, differences(value, arguments, "x"), "gradient", module);
  expectClose(results[2].data, differences(gradient, arguments, "x"), "second", module);
}

/// A parameter gets the sum over everything it was spread to; only what is asked for is computed.
TEST(ParameterGradient, SumsOverTheBatch) {
  std::string text = programText({"x"}, R"(
    %w = loss.broadcast %c : f64 to T
    %m = math.powf %x, %w : T
    %r = loss.reduce sum %m over "class" : T -> R)");
  text.replace(
      text.find(") -> "), 5,
      ", %c: f64 {loss.kind = \"param\", loss.name = \"c\", loss.default = 2.0 : f64}) -> ");
  Module module(text);
  module.run("loss-differentiate{wrt=c}");
  Arguments arguments{{"x", matrix(3, kPositive)}, {"c", Array(1.7)}};
  auto value = [&](const Arguments &at) { return total(module.value("f", at)); };
  auto results = module.evaluate("f_grad", arguments);
  ASSERT_EQ(results.size(), 2u);
  expectClose(results[1].data, differences(value, arguments, "c"), "gradient for c", module);
}

} // namespace
