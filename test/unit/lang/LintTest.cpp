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
        "log1p(-sigmoid(x))", "log(exp(x))", "log(sum(exp(x) over c)) + 0 * x",
        "log(cumsum(exp(x) over c))", "log(cumsum(exp(x) over c by x))"})
    EXPECT_EQ(warnings(form), (List{"unstable-form"})) << form;
  for (const char *form : {"log_softmax(x over c)", "log(k)", "log(max(softmax(x over c), 1e-7))",
                           "log(2 + exp(x))", "log1p(x)", "log1mexp(x)", "log(sum(x over c)) + x",
                           "xlogy(y, x)", "log(cumsum(x over c))", "logcumsumexp(x over c by y)"})
    EXPECT_EQ(warnings(form), List()) << form;
}

// A clamp keeps the value finite, but has no gradient where a probability is wrong.
TEST(Lint, NamesStableFormsBehindBounds) { // [LANG-10.9]
  for (const char *form :
       {"log(1 - clamp(softmax(x over c), 1e-7, 1 - 1e-7))", "log(1 - min(sigmoid(x), 0.9999))",
        "log1p(-clamp(softmax(x over c), 0, 0.999))", "log2(1 - clamp(exp(x), 0, 0.5))"})
    EXPECT_EQ(warnings(form), (List{"unstable-form"})) << form;
  EXPECT_EQ(warnings("log(1 - clamp(x, 0, 0.9))"), List());
}

TEST(Lint, FindsConstantsThatF32Rounds) { // [LANG-10.13]
  for (const char *form : {"clamp(x, 1e-8, 1 - 1e-8)", "min(x, 1 - 1e-9)", "clamp(x, -1 + 1e-8, 1)",
                           "clamp(x, 0, 0.99999999)", "max(x, -0.99999999)", "x / (1 + 1e-10)",
                           "log(1 + 1e-8 - y) * x", "x * (1000 + 1e-6)", "x * (1e-8 + 1)"})
    EXPECT_EQ(warnings(form), (List{"rounded-constant"})) << form;
  for (const char *form :
       {"clamp(x, 1e-7, 1 - 1e-7)", "clamp(x, 0, 0.9999999)", "x + 1e-8", "x / (y + 1e-12)",
        "min(x, 1)", "max(x, -1)", "x * (1 - 0.1)", "x * (1 - 0)", "x * (0.1 - 0.2)", "k - 1 + x",
        "x * (2 - 1)", "x * (1 - 2)", "x * 0.99999999"})
    EXPECT_EQ(warnings(form), List()) << form;
  EXPECT_EQ(warnings("acos(clamp(x, -0.5, 1 - 1e-8))"), (List{"root-at-zero", "rounded-constant"}));
  Outcome outcome = compile("loss f(x: [b], param eps = 1e-8) { return clamp(x, eps, 1 - eps) }");
  ASSERT_EQ(outcome.diagnostics.size(), 1u);
  EXPECT_EQ(outcome.diagnostics[0].message, "0.99999999 is 1 in f32");
  EXPECT_EQ(outcome.diagnostics[0].hint,
            "the next number of f32 is 0.99999994: write 1e-7 or more for the distance to 1");
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

TEST(Lint, FindsRootsWhoseGradientIsInfiniteAtZero) { // [LANG-10.11]
  for (const char *form :
       {"sqrt(sum(x^2 over c))", "sqrt(sum(x * x over c))", "sqrt(mean((x - y)^2 over c))",
        "sum(x^2 over c)^0.5", "sum(x^2 over c)^(1 / 2)", "mean(x * x over b, c)^0.5", "sqrt(x^2)",
        "sqrt(x * x)", "sqrt(x^2 + k * x^4)", "(x^2 + (x - y)^2)^0.25", "sqrt(abs(x))",
        "abs(x)^0.3", "abs(x)^(u / 2)", "sum(abs(x)^3 over c)^(1 / 3)", "sqrt(max(x, 0))",
        "sqrt(max(0, x - k))", "sqrt(clamp(x, 0, 1))", "sqrt(-log_softmax(x over c))",
        "sqrt(1 - softmax(x over c))", "(1 - sigmoid(x))^0.5", "sqrt(k * sum(x^2 over c))",
        "1 / sqrt(sum(x^2 over c))", "relu(1 - sqrt(sum(x^2 over c)))", "sqrt(norm(x over c))",
        "max(sqrt(x^2), 0)", "sqrt(max(x^2 over c))", "sqrt(relu(x) + x^2)", "sqrt(min(x^2, 1))",
        "(sqrt(sum(x^2 over c)) - 1)^2", "relu(1 - sqrt(sum(x^2 over c)))^2",
        "max(1 - sqrt(sum(x^2 over c)), 0.1)", "sqrt(sum(y * x^2 over c))", "sqrt(1 - tanh(x)^2)",
        "sqrt(1 - clamp(x, -1, 1)^2)", "sqrt(cosh(x) - 1)", "sqrt(sum(x^2 over c) / size(c))",
        "sqrt(hypot(x, x - y))", "if y > 0 then sqrt(sum(x^2 over c)) else 0", "sqrt(exp(x) * x^2)",
        "sqrt(x^2 / k)", "sqrt(sum(stop_gradient(x) * x over c)^2)", "sqrt(expm1(x)^2)",
        "sqrt(1 - cos(x))",
        // Squares of what is written twice.
        "sqrt(sum((x - y) * (x - y) over c))", "sqrt(mean((x-y)*(x-y) over c))",
        "sqrt((x - 2 * y + 1) * (x - 2 * y + 1))", "sqrt(-sum((x - y) * (y - x) over c))",
        "sqrt(sum((x - mean(x over c)) * (x - mean(x over c)) over c))",
        "sqrt(x^2 - 2 * x * y + y^2)",
        "sqrt(sum(x^2 over c) + sum(y * y over c) - 2 * sum(x * y over c))",
        "sqrt(sum(x^2 over c) - 2 * sum(x * y over c) + sum(y^2 over c))",
        // Cosines.
        "sqrt(2 - 2 * sum(x * y over c))", "sqrt(2 * (1 - sum(x * y over c)))",
        "sqrt(1 - sum(x * y over c)^2)", "(1 - sum(x * y over c))^0.3",
        "sqrt(1 - sum(x * y over c) / (norm(x over c) * norm(y over c)))",
        "sqrt(1 - sum(x * y over c) / max(norm(x over c) * norm(y over c), 1e-8))",
        "sqrt(2 - 2 * sum(x / norm(x over c) * (y / norm(y over c)) over c))",
        "sqrt(1 - sum(x * y over c) / sqrt(sum(x^2 over c) * sum(y^2 over c) + "
        "1e-8))",
        // Variances, distributions, other differences.
        "sqrt(mean(x^2 over c) - mean(x over c)^2)",
        "sqrt(mean(x * x over c) - mean(x over c) * mean(x over c))",
        "sqrt(sum(x^2 over c) / size(c) - (sum(x over c) / size(c))^2)",
        "sqrt(sum(y * x^2 over c) - sum(y * x over c)^2)",
        "(mean((x - y)^2 over c) - mean(x - y over c)^2)^0.5",
        "sqrt(1 - sum(softmax(x over c)^2 over c))",
        "sqrt(1 - sum(softmax(x over c) * softmax(x over c) over c))",
        "sqrt(1 - sum(sqrt(softmax(x over c) * softmax(2 * x over c)) over c))",
        "sqrt(sum(x^2 over c) - sum(x over c)^2 / size(c))",
        "sqrt(size(c) * sum(x^2 over c) - sum(x over c)^2)",
        "sqrt(sum(xlogy(y, y) - y * log_softmax(x over c) over c))", "sqrt(max(x over c) - x)",
        "sqrt(abs(x) - x)", "sqrt(x - min(x over c))", "sqrt(exp(x) - 1 - x)", "sqrt(expm1(x) - x)",
        "sqrt(x - 1 - log(x))", "sqrt(sum(softmax(x over c) * log(softmax(x over c) / y) over c))",
        // Other functions whose slope is infinite.
        "acos(sum(x * y over c))", "asin(sum(x * y over c) / 2)",
        "acos(clamp(sum(x * y over c), -1, 1))",
        "acos(sum(x * y over c) / (norm(x over c) * norm(y over c)))",
        "acos((sum(x over c) - 1) / 2)", "acos(sum(softmax(x over c) * y over c))",
        "acosh(1 + sum((x - y)^2 over c))", "acosh(max(x, 1))",
        "clamp(acos(clamp(x, -1, 1)), 0, 3)", "exp(0.5 * log(sum(x^2 over c)))",
        "exp(log(sum(x^2 over c)) / 2)", "exp(0.3*log(x^2))", "exp2(0.5 * log2(abs(x)))"})
    EXPECT_EQ(warnings(form), (List{"root-at-zero"})) << form;
  for (const char *form :
       {// Something positive is added, or 0 is kept away.
        "sqrt(sum(x^2 over c) + 1e-8)", "(x^2 + k)^0.5", "sqrt(max(sum(x^2 over c), 1e-12))",
        "sqrt(1 + x^2)", "sqrt(clamp(x, 1e-6, 1))", "if x^2 > 0 then sqrt(x^2) else 0",
        "if x == 0 then 0 else sqrt(x^2)",
        "if sum(x^2 over c) > 0 then sqrt(sum(x^2 over c)) else 0",
        "sqrt(if x^2 > 0 then x^2 else 1)", "if x == y then 0 else sqrt((x - y)^2)",
        "if not (abs(x) <= 0) and y > 0 then sqrt(abs(x)) else 0",
        // At 0 its gradient is not asked for.
        "max(sqrt(sum(x^2 over c)), 1e-6)", "max(1e-6, sqrt(x^2))", "clamp(sqrt(x^2), 0.1, 1)",
        "sqrt(x^2)^2", "stop_gradient(sqrt(x^2))", "if sqrt(x^2) > 1 then x else y",
        // A choice stops the gradient at 0.
        "sqrt(relu(x))", "sqrt(relu(x)^2)", "sqrt(sum(k * relu(x) over c))",
        "sqrt(if x > 0 then x else 0)",
        // Nothing varies under the root.
        "sqrt(y)", "sqrt(sum(y^2 over c))", "sqrt(k)", "sqrt(u)", "sqrt(size(c))",
        "sqrt(stop_gradient(x)^2)", "sqrt(sum(if x > 0 then 1 else 0 over c))",
        // Whoever takes the root of an input knows it to be positive.
        "sqrt(x)", "x^0.5", "sqrt(x - y)", "sqrt(sum(x over c))",
        // 0 only by underflow.
        "sqrt(exp(x))", "sqrt(softmax(x over c))", "sigmoid(x)^0.5", "sqrt(softplus(x))",
        // No root, or one that is right.
        "sqrt(2 - 2 * sum(x * y over c) + 1e-6)",
        "sqrt(mean(x^2 over c) - mean(x over c)^2 + 1e-5)",
        "sqrt(max(1 - sum(x * y over c), 1e-6))", "sqrt(max(sum(x^2 over c), k))",
        "acos(clamp(sum(x * y over c), -1 + 1e-6, 1 - 1e-6))",
        "acos(clamp(x, -0.9999999, 0.9999999))", "acosh(1 + x^2 + 1e-6)",
        "if abs(x) < 1 then acos(clamp(x, -1, 1)) else 0", "clamp(acos(clamp(x, -1, 1)), 0.1, 3)",
        "clamp(asin(clamp(x, -1, 1)), -1.5, 1.5)", "max(acosh(1 + x^2), 0.1)",
        "clamp(acos(clamp(x, -1, 1)), asin(k), pi - asin(k))", "exp(0.5 * log(x^2 + 1e-6))",
        "sqrt(1 + 1e-6 - sum(x * y over c) / (norm(x over c) * norm(y over c)))",
        // Nothing says that it reaches 0.
        "sqrt(mean(x^2 over c) - mean(y over c)^2)", "sqrt(3 - sum(x * y over c))", "sqrt(1 - x^2)",
        "sqrt(sum(x^2 over c) - sum(x over c)^2)", "sqrt(1 - x)", "acos(x)", "asin(x / 2)",
        "acosh(x)", "exp(0.5 * log(x))", "sqrt(x * y)", "sqrt((x - y) * (x + y))",
        "sqrt(sum(x * y over c))", "exp(2 * x)", "sqrt(1 - sum(x over c))",
        "sqrt(max(x over c) - y)", "norm(x over c)", "hypot(x, y)", "abs(x)", "(x^2)^1.5",
        "abs(x)^k", "(x^2)^-0.5", "norm(x - y over c) / sqrt(size(c))"})
    EXPECT_EQ(warnings(form), List()) << form;
}

TEST(Lint, SaysWhatToWriteForARoot) {
  auto hint = [](const std::string &body) {
    Outcome outcome = compile("loss f(x: [b, c, d], y: fixed [b, c, d], param p = 3) {\n"
                              "  let unused = p * y\n" +
                              body + "\n}");
    for (const Diagnostic &diagnostic : outcome.diagnostics)
      if (diagnostic.name == "root-at-zero")
        return diagnostic.hint;
    return std::string();
  };
  EXPECT_EQ(hint("return sqrt(sum((x - y)^2 over c))"),
            "write 'norm(x over c)', whose gradient is 0 there");
  EXPECT_EQ(hint("let d = x - y\n let s = sum(d * d over c)\n return s^0.5"),
            "write 'norm(x over c)', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(mean((x - y)^2 over c))"),
            "write 'norm(x over c) / sqrt(size(c))', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(sum(x^2 over c, d))"),
            "write 'norm(x over c, d)', whose gradient is 0 there");
  EXPECT_EQ(hint("return mean(mean(x^2 over d) over c)^0.5"),
            "write 'norm(x over c, d) / sqrt(size(c) * size(d))', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(x^2)"), "write 'abs(x)', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(x^2 + (x - y)^2)"), "write 'hypot(x, y)', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(abs(x))"), "keep the operand above 0, as in 'sqrt(... + 1e-12)'");
  EXPECT_EQ(hint("return sqrt(sum(abs(x) over c))"),
            "keep the operand above 0, as in 'sqrt(... + 1e-12)'; the root of a sum of squares is "
            "'norm(x over c)'");
  EXPECT_EQ(hint("return sqrt(sum(y * x^2 over c))"),
            "write 'norm(sqrt(w) * x over c)', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(sum(x^2 over c) / 4)"),
            "write 'norm(x over c) / sqrt(4)', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(sum((x - y) * (x - y) over c) / size(c))"),
            "write 'norm(x over c) / sqrt(size(c))', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(p * sum(x^2 over c))"),
            "write 'sqrt(p) * norm(x over c)', whose gradient is 0 there");
  // A quotient by it is infinite all the same.
  EXPECT_EQ(hint("return 1 / sqrt(sum(x^2 over c))"),
            "write 'max(norm(x over c), 1e-12)', whose gradient is 0 there");
  EXPECT_EQ(hint("return x / (2 * sqrt(sum(x^2 over c)))"),
            "write 'max(norm(x over c), 1e-12)', whose gradient is 0 there");
  EXPECT_EQ(hint("return acos(sum(x * y over c))"),
            "keep the operand between, as in 'acos(clamp(..., -0.999999, 0.999999))'; the angle "
            "between vectors of length 1 is '2 * atan2(norm(x - y over c), norm(x + y over c))'");
  EXPECT_EQ(hint("return sqrt(mean(x^2 over c) - mean(x over c)^2)"),
            "write 'norm(x - mean(x over c) over c) / sqrt(size(c))', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(2 - 2 * sum(x * y over c))"),
            "write the distance, 'norm(x - y over c)', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(1 - sum(y * sigmoid(x) over c))"),
            "keep the operand above 0, as in 'sqrt(... + 1e-12)'");
  EXPECT_EQ(hint("return acosh(1 + x^2)"), "keep the operand above 1, as in 'acosh(... + 1e-6)'");
  EXPECT_EQ(hint("return exp(0.5 * log(sum(x^2 over c)))"),
            "write 'norm(x over c)', whose gradient is 0 there");
  EXPECT_EQ(hint("return exp(2 * log(abs(x)))"),
            "write it as a power, 'x^c', whose gradient is 0 there");
  EXPECT_EQ(hint("return sqrt(sum(x^2 over c) * sum((x - y)^2 over c))"),
            "write 'norm(x over c) * norm(y over c)', whose gradient is 0 there");
  EXPECT_EQ(hint("return sum(abs(x)^p over c)^(1 / p)"),
            "keep the operand above 0, as in '(... + 1e-12)^p'; the root of a sum of squares is "
            "'norm(x over c)'");
  // Once for each place, with the call.
  Outcome outcome = compile("fn dist(a, b) = sqrt(sum((a - b)^2 over c))\n"
                            "loss f(x: [b, c], y: [b, c], z: [b, c]) {\n"
                            "  return dist(x, y) - dist(x, z)\n}");
  ASSERT_EQ(outcome.diagnostics.size(), 1u);
  EXPECT_EQ(outcome.diagnostics[0].range.begin.line, 1u);
  EXPECT_EQ(outcome.diagnostics[0].notes.size(), 1u);
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
