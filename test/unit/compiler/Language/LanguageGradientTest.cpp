//===- LanguageGradientTest.cpp - gradients of what users write -----------===//
//
// Every builtin of the language, and every loss of the library, from text through simplification
// and differentiation, against finite differences of the reference interpreter.
//
//===----------------------------------------------------------------------===//

#include "../Support.h"

#include "compiler/Autodiff/Passes.h"
#include "compiler/MLIRGen/MLIRGen.h"
#include "lang/Imports.h"
#include "lang/Parser.h"
#include "lang/Sema.h"
#include "test/Paths.h"

#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <random>
#include <sstream>
#include <string_view>

using namespace loss::ir;
using namespace loss::ir::test;

namespace {

/// The module of a .loss text, as text of its own: each test has its own context. It may import
/// what the library does.
Module compile(const std::string &text) {
  loss::lang::DiagnosticEngine diagnostics(LOSSLANG_SOURCE_ROOT "/stdlib/test.loss");
  loss::lang::File file = loss::lang::parse(text, diagnostics);
  loss::lang::loadImports(file, diagnostics);
  auto program = loss::lang::analyze(file, diagnostics);
  EXPECT_TRUE(program) << loss::lang::render(diagnostics.diagnostics(), text);
  std::string printed;
  if (program) {
    mlir::MLIRContext context(mlir::MLIRContext::Threading::DISABLED);
    llvm::raw_string_ostream stream(printed);
    loss::generate(context, *program)->print(stream);
  }
  return Module(printed);
}

/// Compares first and second derivatives by `input`.
void checkGradients(const std::string &text, const std::string &name, const std::string &input,
                    const Arguments &arguments, bool second) {
  Module module = compile(text);
  module.run("loss.program(loss-simplify), loss-differentiate{wrt=" + input + "}");
  if (second)
    module.run("loss.program(loss-simplify), loss-differentiate{wrt=" + input + " of=" + input +
               "}");
  auto check = [&](const std::vector<double> &actual, const std::vector<double> &expected,
                   const char *what) {
    ASSERT_EQ(actual.size(), expected.size());
    for (size_t i = 0; i < actual.size(); ++i)
      EXPECT_NEAR(actual[i], expected[i], 5e-8 * (1 + std::abs(expected[i])))
          << what << " at " << i << " of\n"
          << text;
  };
  auto results = module.evaluate(name + "_grad", arguments);
  auto value = [&](const Arguments &at) { return total(module.value(name, at)); };
  check(results[1].data, differences(value, arguments, input), "gradient");
  if (!second)
    return;
  auto gradient = [&](const Arguments &at) {
    return total(module.evaluate(name + "_grad", at)[1]);
  };
  results = module.evaluate(name + "_grad_grad", arguments);
  check(results[2].data, differences(gradient, arguments, input), "second derivative");
}

const std::vector<double> kPositive = {0.3, 1.7, 0.9, 2.4, 0.6, 1.2};
const std::vector<double> kNegative = {-0.3, -1.7, -0.9, -2.4, -0.6, -1.2};
const std::vector<double> kMixed = {-0.6, 1.4, -2.1, 0.35, 0.8, -1.2};
const std::vector<double> kOther = {1.1, -0.4, 2.3, 0.7, -1.3, 0.2};

const std::vector<double> kUnit = {-0.6, 0.4, -0.9, 0.35, 0.8, -0.2};
/// Away from poles at whole numbers: near one, differences tell less.
const std::vector<double> kBetween = {-0.6, 1.4, -2.4, 0.35, 0.8, -1.6};
const std::vector<double> kAboveOne = {1.3, 2.7, 1.9, 3.4, 1.6, 1.1};

/// Points in a domain of Builtins.def, on all sides of what happens there.
std::vector<std::vector<double>> pointsOf(std::string_view domain) {
  if (domain.starts_with("-1 <"))
    return {kUnit};
  if (domain.find("-1, -2") != std::string_view::npos)
    return {kPositive, kBetween};
  if (domain.starts_with("x >= 1"))
    return {kAboveOne};
  if (domain.starts_with("x >"))
    return {kPositive};
  if (domain.starts_with("x <"))
    return {kNegative};
  return {kPositive, kMixed};
}

void checkFormulaAt(const std::string &formula, const std::vector<double> &x) {
  std::string text =
      "loss f(x: [batch, class], w: [batch, class]) {\n  return " + formula + "\n}\n";
  checkGradients(text, "f", "x", {{"x", matrix(3, x)}, {"w", matrix(3, kOther)}}, true);
}

void checkFormula(const std::string &formula, bool positive = true) {
  checkFormulaAt(formula, positive ? kPositive : kMixed);
}

void checkUnary(const std::string &name, std::string_view domain) {
  // By decree the derivative is not that of the value.
  if (name == "stop_gradient")
    return checkFormula("sum(x * stop_gradient(w) over class)");
  for (const std::vector<double> &x : pointsOf(domain))
    checkFormulaAt("sum(w * " + name + "(x) over class)", x);
}

/// One test for each row of the table of builtins, so that a new builtin cannot be forgotten.
#define LOSS_UNARY(NAME, DOC, DOMAIN)                                                              \
  TEST(Builtins, unary_##NAME) { checkUnary(#NAME, DOMAIN); }
#define LOSS_BINARY(NAME, DOC, DOMAIN)                                                             \
  TEST(Builtins, binary_##NAME) {                                                                  \
    checkFormula("sum(w * " #NAME "(x, abs(w) + 0.5) over class)");                                \
    checkFormula("sum(w * " #NAME "(abs(w) + 0.5, x) over class)");                                \
  }
#define LOSS_TERNARY(NAME, DOC, DOMAIN)                                                            \
  TEST(Builtins, ternary_##NAME) {                                                                 \
    checkFormula("sum(w * " #NAME "(x, -0.5, 1) over class)", false);                              \
    checkFormula("sum(w * " #NAME "(0.55, x, x + 0.5) over class)", false);                        \
    checkFormula("sum(w * " #NAME "(x^2, w, w + 1.05) over class)", false);                        \
  }
#define LOSS_REDUCTION(NAME, DOC, DOMAIN)                                                          \
  TEST(Builtins, reduction_##NAME) { checkFormula("exp(" #NAME "(x * w over class))", false); }
#define LOSS_AXISWISE(NAME, DOC, DOMAIN)                                                           \
  TEST(Builtins, axiswise_##NAME) { checkFormula("sum(w * " #NAME "(x over class) over class)"); }
#define LOSS_QUERY(NAME, OP, DOC, DOMAIN)                                                          \
  TEST(Builtins, query_##NAME) { checkFormula("sum(x^2 / (1 + " #NAME "(class)) over class)"); }
#define LOSS_CONSTANT(NAME, VALUE, DOC)                                                            \
  TEST(Builtins, constant_##NAME) { checkFormula("sum(sin(" #NAME " * x) over class)"); }
#include "lang/Builtins.def"

TEST(Operators, AllOfThem) {
  checkFormula("sum(x + w - x * w / (3 + x) over class)");
  checkFormula("sum(x^w + x^2 + x^-1 + x^0.5 + 2^x over class)");
  checkFormula("sum(if x > w and not (w == 0) then x * w else -x^3 over class)", false);
  checkFormula("sum(if x <= 1 or x >= 2 then log(x) else sqrt(x) over class)");
  checkFormula("sum(if x != w then x else w over class) + max(x over class)");
}

struct LibraryLoss {
  std::filesystem::path path;
};

/// Those of scores and a target alone.
std::vector<LibraryLoss> library() {
  std::vector<LibraryLoss> found;
  for (const char *name :
       {"brier", "cross_entropy", "focal", "generalized_cross_entropy", "logit_squared", "ngl",
        "poly1", "squared_hinge", "symmetric_cross_entropy", "taylor_cross_entropy"})
    found.push_back({std::filesystem::path(LOSSLANG_SOURCE_ROOT "/stdlib") / name += ".loss"});
  return found;
}

class Library : public testing::TestWithParam<LibraryLoss> {
protected:
  std::string text() const {
    std::ifstream file(GetParam().path);
    std::stringstream stream;
    stream << file.rdbuf();
    return stream.str();
  }
  std::string name() const { return GetParam().path.stem().string(); }

  /// The name of the only input and of the target, from the program itself.
  Arguments arguments(const std::vector<double> &logits, int64_t columns, int kind,
                      std::string &input) const {
    Module module = compile(text());
    ProgramOp program = module.program(name());
    Arguments result;
    for (unsigned i = 0; program && i < program.getNumArguments(); ++i) {
      std::string argument = program.getArgName(i).str();
      if (program.getArgKind(i) == "input") {
        input = argument;
        result[argument] = matrix(columns, logits);
      } else if (program.getArgKind(i) == "target") {
        std::vector<double> y(logits.size());
        for (size_t k = 0; k < y.size(); ++k) {
          size_t row = k / columns, column = k % columns;
          bool isClass = column == (row + 1) % columns;
          // One-hot, or smoothed by 0.1.
          y[k] = kind == 0 ? isClass : 0.9 * isClass + 0.1 / double(columns);
        }
        result[argument] = matrix(columns, y);
      }
    }
    return result;
  }
};

TEST_P(Library, GradientsMatchFiniteDifferences) {
  std::mt19937_64 random(11);
  std::normal_distribution<double> normal(0, 2);
  for (int64_t columns : {2, 3, 10})
    for (int kind : {0, 1}) {
      std::vector<double> logits(2 * columns);
      for (double &x : logits)
        x = normal(random);
      std::string input;
      Arguments at = arguments(logits, columns, kind, input);
      checkGradients(text(), name(), input, at, true);
    }
}

/// Logits of +-100, ties and all equal: finite and right, to first order.
TEST_P(Library, GradientsAtExtremeLogits) {
  for (const std::vector<double> &logits : {std::vector<double>{100, -100, 0, -100, 100, 0},
                                            {-100, 100, 100, 0, 0, 100},
                                            {0, 0, 0, 5, 5, 5},
                                            {2, 2, -4, -4, 3, 3}})
    for (int kind : {0, 1}) {
      std::string input;
      Arguments at = arguments(logits, 3, kind, input);
      Module module = compile(text());
      module.run("loss.program(loss-simplify), loss-differentiate, loss.program(loss-simplify)");
      auto results = module.evaluate(name() + "_grad", at);
      for (const Array &result : results)
        for (double element : result.data)
          EXPECT_TRUE(std::isfinite(element)) << module.text();
      checkGradients(text(), name(), input, at, false);
    }
}

INSTANTIATE_TEST_SUITE_P(Stdlib, Library, testing::ValuesIn(library()),
                         [](const testing::TestParamInfo<LibraryLoss> &info) {
                           return info.param.path.stem().string();
                         });

} // namespace
