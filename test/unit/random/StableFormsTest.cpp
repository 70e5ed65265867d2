//===- StableFormsTest.cpp - values where formulas cancel or overflow -----===//
//
// Kernels of formulas that lose their digits as they are written, against the exact value and the
// exact derivatives of the formula: relative to each number, not to what the formula makes of
// rounding. Where the formula itself has no value (0 * inf), another one says what it is.
//
//===----------------------------------------------------------------------===//

#include "compiler/Reference/BasicInterpreter.h"
#include "lang/Parser.h"
#include "lang/Sema.h"
#include "test/random/Evaluate.h"
#include "test/random/Kernels.h"
#include "test/random/Options.h"
#include "test/random/Programs.h"

#include "gtest/gtest.h"

#include <cmath>

using namespace loss;
using namespace loss::stress;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
using Row = std::vector<double>;

struct Case {
  const char *name;
  /// The result, of x over the axis c and the target y.
  const char *formula;
  /// Values of x, a row of b each.
  std::vector<Row> rows;
  /// The same, where that one is not defined.
  const char *exact = nullptr;
  /// Of the target, as an index; y is not used without.
  int cls = -1;
  /// Nothing is promised of second derivatives.
  bool isFirstOrder = false;
  /// The exact value has too few digits for f64.
  bool isF32 = false;
};

void PrintTo(const Case &c, std::ostream *out) { *out << c.formula; }

class StableForms : public testing::TestWithParam<Case> {
protected:
  std::string text(const char *formula) const {
    std::string target = GetParam().cls >= 0 ? ", y: target [b, c]" : "";
    return "loss f(x: [b, c]" + target + ") {\n  return " + formula + "\n}\n";
  }

  lang::Program program(const char *formula) const {
    lang::DiagnosticEngine diagnostics("f.loss");
    std::optional<lang::Program> parsed = lang::parseProgram(text(formula), diagnostics);
    EXPECT_TRUE(parsed) << lang::render(diagnostics.diagnostics(), text(formula));
    return std::move(*parsed);
  }

  Data data(Row row) const {
    // f32 numbers, so that f32 and f64 see the same.
    for (double &x : row)
      x = double(float(x));
    Data data;
    auto classes = int64_t(row.size());
    data.sizes = {1, classes};
    data.arguments["x"] = ir::reference::Array({"b", "c"}, {1, classes}, row);
    if (GetParam().cls >= 0) {
      Row y(row.size(), 0);
      y[GetParam().cls] = 1;
      data.classes = {GetParam().cls};
      data.arguments["y"] = ir::reference::Array({"b", "c"}, {1, classes}, y);
    }
    return data;
  }

  /// What an exponential makes of a rounded argument, and some operations: relative to each number
  /// or, where elements have a part in each other, to the greatest of them.
  Errors allowed(double magnitude, const Row &row) const {
    double size = 0;
    for (double x : row)
      if (std::isfinite(x))
        size = std::max(size, std::abs(x));
    double ulps = 8 + size;
    return {ulps * (0x1p-24 * magnitude + 0x1p-149), ulps * (0x1p-53 * magnitude + 0x1p-1074), 0};
  }

  /// `scale`: the magnitude of what the numbers are sums of.
  std::vector<BoundedArray> bounded(const std::vector<ir::reference::BasicArray<Real>> &exact,
                                    const Row &row, double &scale) const {
    const bool areShared =
        std::string_view(GetParam().formula).find("softmax") != std::string::npos;
    std::vector<BoundedArray> result;
    for (const auto &array : exact)
      for (const Real &number : array.data)
        scale = std::max(scale, std::abs(toDouble(number)));
    for (const auto &array : exact) {
      BoundedArray &own = result.emplace_back(array.axes, array.sizes);
      for (size_t i = 0; i < array.data.size(); ++i) {
        double number = std::abs(toDouble(array.data[i]));
        EXPECT_TRUE(std::isfinite(number)) << "the exact value is " << number;
        own.data[i] = Bounded(array.data[i], allowed(areShared ? scale : number, row));
      }
    }
    return result;
  }
};

TEST_P(StableForms, KeepTheirDigits) {
  const Case &c = GetParam();
  lang::Program own = program(c.formula), other = program(c.exact ? c.exact : c.formula);
  Laboratory laboratory;
  Programs exact = laboratory.asWritten(other);
  ASSERT_TRUE(exact.gradient) << laboratory.messages();
  KernelRunner kernels;
  kernels.setText(text(c.formula));
  const unsigned target = c.cls >= 0 ? LOSS_TARGET_INDEX : LOSS_TARGET_NONE;
  std::optional<SecondOrderPrograms> second;
  if (!c.isFirstOrder) {
    second = laboratory.secondOrder(other, /*optimise=*/false, /*all=*/false, target);
    ASSERT_TRUE(second && second->tangent) << laboratory.messages();
  }
  for (const Row &row : c.rows) {
    Data at = data(row);
    auto first = ir::reference::evaluateIn<Real>(exact.gradient, converted<Real>(at.arguments));
    ASSERT_TRUE(mlir::succeeded(first));
    double scale = 0;
    std::vector<BoundedArray> expected = bounded(*first, row, scale), expectedSecond;
    CallOptions call;
    if (second) {
      // One direction for each element alone would be the Hessian; this one sees all of it.
      auto &v = call.tangents["x"] = at.arguments["x"];
      for (size_t i = 0; i < v.data.size(); ++i)
        v.data[i] = i == 0 ? 1 : 0.25 / double(i);
      Data seeded = at;
      seeded.arguments["seed"] = elementWeights(own, at, {});
      auto tangent = ir::reference::evaluateIn<Real>(
          second->tangent, converted<Real>(seeded.arguments), converted<Real>(call.tangents));
      ASSERT_TRUE(mlir::succeeded(tangent));
      expectedSecond = bounded(*tangent, row, scale);
      if (c.cls >= 0)
        expectedSecond.push_back(BoundedArray(at.arguments["y"].axes, at.arguments["y"].sizes));
    }
    Tally tally = {};
    for (unsigned element : {LOSS_F32, LOSS_F64}) {
      if (c.isF32 && element == LOSS_F64)
        continue;
      const char *name = element == LOSS_F32 ? "f32" : "f64";
      EXPECT_EQ(
          kernels.compare({element, LOSS_VALUE_AND_GRAD, true}, own, at, {}, expected, 1, tally),
          "")
          << name << " at " << at.text();
      if (second)
        EXPECT_EQ(
            kernels.compare({element, LOSS_TANGENT, true}, own, at, call, expectedSecond, 1, tally),
            "")
            << name << ", second order, at " << at.text();
    }
    EXPECT_GT(tally.compared, 0u);
    EXPECT_EQ(tally.skipped, 0u);
  }
}

const std::vector<Row> confident = {{20, 0, 0}, {0, 20, 0}, {0, 0, 0},    {3, 3, -1},
                                    {60, 0, 1}, {-9, 1, 2}, {0, -inf, 8}, {0.5, 0.25, -90}};
const std::vector<Row> masked = {{-inf, 0, 1}, {0.5, -inf, -inf}, {-inf, 3, 3}, {1, 2, 3}};

INSTANTIATE_TEST_SUITE_P(
    LogOfOneMinus, StableForms,
    testing::Values(
        Case{"softmax", "-sum(log(1 - softmax(x over c)) * (index(c) + 1) over c)", confident},
        Case{"log1p", "sum(log1p(-softmax(x over c)) / (index(c) + 1) over c)", confident},
        Case{"expm1", "-sum(log(-expm1(log_softmax(x over c))) over c)", confident},
        Case{"builtin", "-sum(log1mexp(log_softmax(x over c)) over c)", confident},
        Case{"exp", "-sum(log(1 - exp(log_softmax(x over c))) over c)", confident},
        Case{"log2", "-sum(log2(1 - softmax(x over c)) over c)", confident},
        Case{"ofClass", "-sum(y * log(1 - softmax(x over c)) over c)", confident, nullptr, 0},
        Case{"xlogy", "-sum(xlogy(y, 1 - softmax(x over c)) over c)", confident, nullptr, 0},
        Case{"gathered", "-log(1 - sum(y * softmax(x over c) over c))", confident, nullptr, 0},
        Case{"gatheredLog1p", "-log1p(-sum(softmax(x over c) * y over c))", confident, nullptr, 1},
        Case{"greatest",
             "-log(1 - max(softmax(x over c) over c))",
             {{20, 0, 0}, {0, 1, 20}, {60, 0, 1}, {1, 2, 3}}},
        Case{"odds",
             "sum(log(softmax(x over c) / (1 - softmax(x over c))) over c)",
             {{20, 0, 0}, {1, 2, 3}, {0, 0, 60}}},
        Case{"reciprocal", "sum(1 / (1 - softmax(x over c)) over c)", {{5, 0, 0}, {1, 2, 3}}},
        Case{"sigmoid",
             "-sum(log(1 - sigmoid(x)) over c)",
             {{20, -20, 60}, {0, 1, -1}},
             "sum(softplus(x) over c)"},
        Case{"sigmoidExpm1",
             "-sum(log(-expm1(log_sigmoid(x))) over c)",
             {{20, -20, 60}, {0, 1, -1}},
             "sum(softplus(x) over c)"},
        Case{"ofExp", "-sum(log(1 - exp(-x^2)) over c)", {{1e-3, 1, 5}, {0.8, 0.84, -0.01}}},
        Case{"underflow",
             "-sum(log(1 - softmax(x over c)) over c)",
             {{110, 0, 0}},
             nullptr,
             -1,
             false,
             true},
        Case{"gatheredUnderflow",
             "-log(1 - sum(y * softmax(x over c) over c))",
             {{110, 0, 0}},
             nullptr,
             0,
             false,
             true}),
    [](const testing::TestParamInfo<Case> &info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    MaskedClasses, StableForms,
    testing::Values(
        Case{"pLogP", "sum(exp(log_softmax(x over c)) * log_softmax(x over c) over c)", masked,
             "sum(if x < -1e9 then 0 else softmax(x over c) * log_softmax(x over c) over c)"},
        Case{"entropy", "-sum(softmax(x over c) * log(softmax(x over c)) over c)", masked,
             "-sum(if x < -1e9 then 0 else softmax(x over c) * log_softmax(x over c) over c)"},
        Case{"xlogy", "sum(xlogy(softmax(x over c), softmax(x over c)) over c)", masked,
             "sum(if x < -1e9 then 0 else softmax(x over c) * log_softmax(x over c) over c)"},
        Case{"divergence",
             "sum(softmax(x over c) * (log_softmax(x over c) - log_softmax(2 * x over c)) over c)",
             masked,
             "sum(if x < -1e9 then 0 else softmax(x over c) * (log_softmax(x over c) - "
             "log_softmax(2 * x over c)) over c)"},
        Case{"varentropy", "sum(softmax(x over c) * log_softmax(x over c)^2 over c)", masked,
             "sum(if x < -1e9 then 0 else softmax(x over c) * log_softmax(x over c)^2 over c)"},
        Case{"sigmoids",
             "sum(sigmoid(x) * log(sigmoid(x)) over c)",
             {{-inf, 1, -3}},
             "sum(if x < -1e9 then 0 else sigmoid(x) * log_sigmoid(x) over c)"}),
    [](const testing::TestParamInfo<Case> &info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Powers, StableForms,
    testing::Values(Case{"sigmoid", "sum(sigmoid(x)^0.1 over c)", {{-110, -60, 5}, {-300, 0, 100}}},
                    Case{"softmax", "sum(softmax(x over c)^0.3 over c)", {{0, -120, 3}, {1, 2, 3}}},
                    Case{"root", "sum(sqrt(softmax(x over c)) over c)", {{0, -150, 3}, {1, 2, 3}}},
                    Case{"complement",
                         "sum((1 - sigmoid(x))^0.2 over c)",
                         {{110, 60, -5}},
                         "sum(sigmoid(-x)^0.2 over c)"},
                    Case{"complementOfSoftmax",
                         "sum((1 - softmax(x over c))^0.5 over c)",
                         {{30, 0, 1}, {1, 2, 3}, {0, 0, 90}}},
                    Case{"gathered",
                         "(1 - sum(y * softmax(x over c) over c)^0.7) / 0.7",
                         {{0, 20, 3}, {1, 2, 3}},
                         nullptr,
                         0},
                    Case{"logOfShare",
                         "-log(exp(max(x over c)) / sum(exp(x) over c))",
                         {{200, 199, 198}, {1, 2, 3}, {-300, -299, -302}}},
                    Case{"logOfMean",
                         "log(mean(exp(x) over c))",
                         {{1e-4, -3e-5, 2e-5}, {100, 50, 99}, {-200, -201, -202}}},
                    Case{"logOfSum",
                         "sum(log(exp(x) + exp(2 * x)) over c)",
                         {{100, -100, 1}, {-0.2, -0.7, -0.5}}},
                    Case{"logOfMaskedSum",
                         "log(sum(if index(c) == 1 then 0 else exp(x) over c))",
                         {{-200, 5, -201}, {150, 300, 149}}},
                    Case{"logOfBessel",
                         "sum(log(3 * bessel_i0(x)) over c)",
                         {{200, -100, 1}},
                         nullptr,
                         -1,
                         true},
                    Case{"ownLogarithm",
                         "sum(x * log(x / 3) over c)",
                         {{0, 1, 2}, {1e-30, 0, 5}},
                         "sum(x * log((if x == 0 then 1 else x) / 3) over c)"},
                    Case{"quotient",
                         "sum(softmax(x over c)^1.5 / softmax(0.5 * x over c)^0.5 over c)",
                         {{0, -120, 3}, {1, 2, 3}}},
                    Case{"ofExp", "sum(exp(x)^0.25 over c)", {{-110, 3, 100}}}),
    [](const testing::TestParamInfo<Case> &info) { return info.param.name; });

INSTANTIATE_TEST_SUITE_P(
    Cancellation, StableForms,
    testing::Values(
        Case{"logCosh", "sum(log(cosh(x)) over c)", {{1e-4, -0.3, 2}, {1e-9, -40, 1}}},
        Case{"logCoshByExp", "sum(log((exp(x) + exp(-x)) / 2) over c)", {{1e-4, -0.3, 2}}},
        Case{"logCoshBySoftplus",
             "sum(x + softplus(-2 * x) - log(2) over c)",
             {{1e-4, -0.3, 2}, {1e-9, -40, 1}}},
        Case{"oneMinusCos", "sum(1 - cos(x) over c)", {{1e-4, -0.3, 2}}},
        Case{"coshMinusOne", "sum(cosh(x) - 1 over c)", {{1e-4, -0.3, 2}}},
        Case{"rootMinusOne",
             "sum(sqrt(1 + x^2) - 1 over c)",
             {{1e-4, -0.3, 2}, {1e3, 1, 1e-9}},
             nullptr,
             -1,
             true},
        Case{"oneMinusRoot",
             "sum(1 - sqrt(1 - x^2) over c)",
             {{1e-4, -0.3, 0.9}},
             nullptr,
             -1,
             true},
        Case{"powerMinusOne", "sum(x^1e-6 - 1 over c)", {{1.5, 0.01, 1e9}, {1.0001, 3, 20}}},
        Case{"oneMinusPower", "sum(1 - x^0.3 over c)", {{1.0001, 0.9999, 0.5}, {30, 1e-9, 2}}},
        Case{"expMinusOneMinusX",
             "sum(exp(x) - 1 - x over c)",
             {{1e-4, -0.3, 2}, {1e-9, -40, 1}, {0.12, -0.13, 30}}},
        Case{"gaussianDivergence",
             "-0.5 * sum(1 + x - index(c)^2 - exp(x) over c)",
             {{1e-4, -0.3, 2}, {1e-9, -40, 1}},
             "0.5 * sum(exp(x) - 1 - x + index(c)^2 over c)"},
        Case{"rootMinusItsPart",
             "sum(sqrt(x^2 + 0.25) - 0.5 over c)",
             {{1e-4, -0.3, 2}, {1e3, 1, 1e-9}},
             nullptr,
             -1,
             true},
        Case{
            "expMinusItsTangent", "sum(expm1(x) - x over c)", {{1e-4, -0.3, 2}, {1e-9, -40, 0.49}}},
        Case{"expMinusItsTangentByHand", "sum(exp(x) - x - 1 over c)", {{1e-4, -0.3, 2}}},
        Case{"expm1ByFactor", "sum(expm1(-7 * x) / x over c)", {{1e-4, -0.3, 2}, {1e-9, -4, 40}}},
        Case{"log1pByFactor", "sum(log1p(3 * x) / x over c)", {{1e-4, -0.3, 2}, {1e-9, 0.13, 1e6}}},
        Case{"factorTimesLog1p",
             "sum(exp(x) * log1p(2 / exp(x)) over c)",
             {{10, -0.3, 2}, {30, -40, 0.49}}},
        Case{"sinhByExp", "sum(exp(x) - exp(-x) over c)", {{1e-4, -0.3, 2}}},
        Case{"oneMinusErf", "sum(1 - erf(x) over c)", {{0.1, 3, 8}}},
        Case{"oneMinusTanhSquared", "sum(1 - tanh(x)^2 over c)", {{1e-3, 12, -30}}},
        Case{"sigmoidSlope", "sum(sigmoid(x) * (1 - sigmoid(x)) over c)", {{1e-3, 30, -30}}}),
    [](const testing::TestParamInfo<Case> &info) { return info.param.name; });

/// The derivative rules of functions, over the range of their arguments.
const std::vector<Row> everywhere = {
    {1e-6, -1e-3, 0.1}, {0.7, -1, 1.5}, {3, -9, 12}, {20, -30, 40}};
INSTANTIATE_TEST_SUITE_P(
    Derivatives, StableForms,
    testing::Values(
        Case{"tanh", "sum(tanh(x) over c)", everywhere},
        Case{"sigmoid", "sum(sigmoid(x) over c)", everywhere},
        Case{"softplus", "sum(softplus(x) over c)", everywhere},
        Case{"log_sigmoid", "sum(log_sigmoid(x) over c)", everywhere},
        Case{"erf",
             "sum(erf(x) over c)",
             {{1e-6, -1e-3, 0.1}, {0.7, -1, 1.5}, {3, -8.3, 9.1}, {1e4, -1e12, 3e18}}},
        Case{"erfc", "sum(erfc(x) over c)", {{1e-6, -1e-3, 0.1}, {0.7, -1, 1.5}, {3, -8, 9}}},
        Case{"atan", "sum(atan(x) over c)", {{1e-6, -1, 1e3}, {1e8, -1e12, 0.4}}},
        Case{"asinh", "sum(asinh(x) over c)", {{1e-6, -1, 1e3}, {1e8, -1e12, 0.4}}},
        Case{"asin", "sum(asin(x) over c)", {{1e-6, -0.5, 0.9}, {0.999, -0.99999, 0}}},
        Case{"acos", "sum(acos(x) over c)", {{1e-6, -0.5, 0.9}, {0.999, -0.99999, 0}}},
        Case{"atanh", "sum(atanh(x) over c)", {{1e-6, -0.5, 0.9}, {0.999, -0.99999, 0}}},
        Case{"acosh", "sum(acosh(x) over c)", {{1.0000001, 1.5, 3}, {1e3, 1e8, 1.001}}},
        Case{"tan", "sum(tan(x) over c)", {{1e-6, -1, 1.5}}},
        Case{"log1p", "sum(log1p(x) over c)", {{1e-6, -0.999, 1e5}}},
        Case{"expm1", "sum(expm1(x) over c)", {{1e-6, -20, 5}}},
        Case{"log1mexp", "sum(log1mexp(x) over c)", {{-1e-6, -0.7, -0.68}, {-20, -60, -3}}},
        Case{"exprel", "sum(exprel(x) over c)", everywhere},
        Case{"stirling_error",
             "sum(stirling_error(x) over c)",
             {{1e-3, 0.2, 0.99}, {1, 1.3, 1.99}, {2, 2.7, 7}, {30, 1e3, 1e6}}},
        Case{"gamma_entropy",
             "sum(gamma_entropy(x) over c)",
             {{1e-3, 0.1, 0.9}, {1, 1.3, 1.99}, {2, 2.7, 7}, {30, 1e3, 1e6}}},
        Case{"hypot", "sum(hypot(x, 3) over c)", {{1e-6, -1, 1e3}, {1e8, -2, 0.4}}}),
    [](const testing::TestParamInfo<Case> &info) { return info.param.name; });

} // namespace
