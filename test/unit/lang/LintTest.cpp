// Warnings about what a program computes, and the ranges behind them.
#include "LangTesting.h"
#include "lang/Ranges.h"

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// The names of the warnings about an expression of x: [b, c], y (a target) and positive k.
std::vector<std::string> warnings(const std::string &expr) {
  Outcome outcome = compile("loss f(x: [b, c], y: target [b, c], param k: positive = 1, param u: "
                            "unit = 1, option o = 1) {\n"
                            "  return sum(x * y * k * u * o + (" +
                            expr + ") over c)\n}");
  EXPECT_TRUE(outcome.program) << expr << ": " << outcome.firstError().message;
  std::vector<std::string> names;
  for (const Diagnostic &diagnostic : outcome.diagnostics) {
    EXPECT_EQ(diagnostic.severity, Severity::Warning);
    names.push_back(diagnostic.name);
  }
  return names;
}

using List = std::vector<std::string>;

TEST(Lint, NamesStableForms) { // [LANG-10.5], [LANG-10.9]
  for (const char *form :
       {"log(softmax(x over c))", "log2(softmax(x over c))", "log(sigmoid(x))",
        "log(1 - sigmoid(x))", "log(1 - softmax(x over c))", "log(1 + exp(x))", "log(exp(x) + 1)",
        "log(1 - exp(x))", "log1p(-softmax(x over c))", "log1p(-exp(x))", "log1p(exp(x))",
        "log1p(-sigmoid(x))", "log(exp(x))", "log(sum(exp(x) over c)) + 0 * x"})
    EXPECT_EQ(warnings(form), (List{"unstable-form"})) << form;
  for (const char *form :
       {"log_softmax(x over c)", "log(k)", "log(max(softmax(x over c), 1e-7))", "log(2 + exp(x))",
        "log1p(x)", "log1mexp(x)", "log(sum(x over c)) + x", "xlogy(y, x)"})
    EXPECT_EQ(warnings(form), List()) << form;
}

TEST(Lint, FindsValuesThatAreNeverFinite) { // [LANG-10.8]
  for (const char *form :
       {"log(-exp(x))", "sqrt(-1 - x^2)", "x / (k - k)", "x / 0", "x + 0 / 0", "log(0 * 1)",
        "asin(2 + x^2)", "acosh(-abs(x))", "(-1 - abs(x))^0.5", "log1p(-2 - exp(x))"})
    EXPECT_EQ(warnings(form), (List{"non-finite"})) << form;
  for (const char *form :
       {"log(x)", "sqrt(x)", "x / y", "1 / x", "x / exp(x)", "asin(x)", "(-1 - abs(x))^2",
        "log(relu(x))", "sqrt(relu(x))", "if abs(x) == 1 / 0 then -1 / 0 else x"})
    EXPECT_EQ(warnings(form), List()) << form;
}

TEST(Lint, FindsBranchesThatAreNeverTaken) { // [LANG-10.10], [LANG-3.17]
  for (const char *form :
       {"if 1 > 2 then x else y", "if k > 0 then x else y", "if sigmoid(x) > 1 then x else y",
        "if u >= 0 and u <= 1 then x else y", "if x^2 < 0 or false then x else y"})
    EXPECT_EQ(warnings(form), (List{"unreachable-branch"})) << form;
  for (const char *form :
       {"if o > 2 then x else y", "if exp(x) > 0 then x else y", "if x > 0 then x else y",
        "if u > 0 then x else y", "if size(c) > 1 then x else y"})
    EXPECT_EQ(warnings(form), List()) << form;
  // A function may be told what to do.
  Outcome outcome = compile("fn g(a, n) = if n == 2 then a^2 else a\n"
                            "loss f(x: [b]) { return g(x, 2) + g(x, 1) }");
  EXPECT_TRUE(outcome.diagnostics.empty());
}

TEST(Lint, FindsLossesWithoutAGradient) { // [LANG-10.7]
  auto name = [](const std::string &result) {
    Outcome outcome =
        compile("loss f(x: [b, c], y: fixed [b, c]) { return 0 * x * y * 0 + " + result + " }");
    return outcome.diagnostics.empty() ? "" : outcome.diagnostics[0].name;
  };
  EXPECT_EQ(name("x"), "");
  for (const char *result : {"floor(x)", "stop_gradient(x)", "argmax(x over c)", "y"}) {
    Outcome outcome = compile("loss f(x: [b, c], y: fixed [b, c]) { return (if x > 0 then 1 else "
                              "2) * y + " +
                              std::string(result) + " }");
    ASSERT_EQ(outcome.diagnostics.size(), 1u) << result;
    EXPECT_EQ(outcome.diagnostics[0].name, "constant-loss") << result;
  }
  // A given derivative is one.
  Outcome outcome = compile("fn straight(a) = round(a)\n derivative a = 1\n"
                            "loss f(x: [b]) { return straight(x) }");
  EXPECT_TRUE(outcome.diagnostics.empty());
}

Range rangeOf(const std::string &expr) {
  Outcome outcome = compile("loss f(x: [b, c], param k: positive = 1, param u: unit = 1) {\n"
                            "  let unused = x * k * u\n  return " +
                            expr + "\n}");
  EXPECT_TRUE(outcome.program) << expr << ": " << outcome.firstError().message;
  return outcome.program ? rangesOf(*outcome.program)[outcome.program->result] : Range();
}

TEST(Ranges, ContainTheValues) {
  EXPECT_EQ(rangeOf("x"), (Range{-inf, inf}));
  EXPECT_EQ(rangeOf("u"), (Range{0, 1}));
  EXPECT_EQ(rangeOf("relu(x)"), (Range{0, inf}));
  EXPECT_EQ(rangeOf("softmax(x over c)"), (Range{0, 1}));
  EXPECT_EQ(rangeOf("x * x"), (Range{0, inf}));
  EXPECT_EQ(rangeOf("x - x"), (Range{0, 0}));
  EXPECT_EQ(rangeOf("sum(x^2 over c)"), (Range{0, inf}));
  EXPECT_EQ(rangeOf("exp(x)"), (Range{0, inf}));
  EXPECT_EQ(rangeOf("log(u)").low, -inf);
  EXPECT_GE(rangeOf("log(u)").high, 0);
  EXPECT_LT(rangeOf("log(u)").high, 1e-5);
  EXPECT_GT(rangeOf("k").low, 0);
  EXPECT_EQ(rangeOf("clamp(x, 1, 2)"), (Range{1, 2}));
  EXPECT_EQ(rangeOf("if x > 0 then u else 3"), (Range{0, 3}));
  // What has no value there is not claimed to have one.
  EXPECT_EQ(rangeOf("1 / x"), (Range{-inf, inf}));
  EXPECT_EQ(rangeOf("x - exp(x)"), (Range{-inf, inf}));
}

} // namespace
