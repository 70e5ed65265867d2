// Names of other languages: what the hints for them say is a program.
#include "lang/Foreign.h"
#include "LangTesting.h"
#include "lang/Builtins.h"

#include <map>

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

/// A loss that calls a function with this body as the table says it is called.
std::string program(const Foreign &row, bool isTruth) {
  static const std::map<char, std::string> operands = {{'c', "x > 0"}, {'d', "y > 0"}, {'x', "x"},
                                                       {'y', "y"},     {'z', "x * y"}, {'p', "p"},
                                                       {'q', "q"},     {'n', "5"},     {'k', "2"}};
  std::string arguments;
  for (char name : row.arguments)
    if (auto operand = operands.find(name); operand != operands.end())
      arguments += (arguments.empty() ? "" : ", ") + operand->second;
  std::string form = foreignForm(row, {});
  bool isOfPairs = form.find("other") != std::string::npos;
  std::string call = "foreign(" + arguments + ")";
  if (isTruth)
    call = "if " + call + " then 1 else 0";
  return "fn foreign(" + std::string(row.arguments) + ") = " + form +
         "\nloss f(x: [batch, class], y: target [batch, class]) {\n  axis other = batch\n"
         "  let p = softmax(x over class)\n  let q = softmax(2 * x over class)\n"
         "  return mean(x * y + p + q over class) + " +
         (isOfPairs ? "sum(" + call + " over other)" : "(" + call + ")") + "\n}";
}

TEST(Foreign, EveryFormIsAProgram) { // [LANG-10.12]
  for (auto rows : {foreignFunctions(), foreignValues()})
    for (const Foreign &row : rows) {
      ASSERT_TRUE(!row.form.empty() || !row.note.empty()) << row.name;
      if (row.form.empty())
        continue;
      // A truth value is wanted where a number is not.
      Outcome outcome = compile(program(row, false));
      if (!outcome.program)
        outcome = compile(program(row, true));
      EXPECT_TRUE(outcome.program)
          << row.name << ": " << row.form << ": " << outcome.firstError().message;
      for (const Diagnostic &diagnostic : outcome.diagnostics)
        EXPECT_TRUE(diagnostic.name == "unused-axis" || diagnostic.name == "non-finite")
            << row.name << ": " << row.form << ": " << diagnostic.message;
    }
}

TEST(Foreign, NoRowHidesAnotherOrABuiltin) {
  std::map<std::pair<std::string_view, size_t>, int> seen;
  for (const Foreign &row : foreignFunctions()) {
    EXPECT_EQ(++seen[std::pair(row.name, row.argumentCount())], 1) << row.name;
    const Builtin *builtin = findBuiltin(row.name, false);
    EXPECT_FALSE(builtin && arityOf(builtin->kind) == row.argumentCount()) << row.name;
  }
  for (const Foreign &row : foreignValues()) {
    EXPECT_EQ(++seen[std::pair(row.name, size_t(-1))], 1) << row.name;
    EXPECT_FALSE(findBuiltin(row.name, false) || findBuiltinConstant(row.name)) << row.name;
  }
}

std::string hint(const std::string &expr) {
  Outcome outcome =
      compile("loss f(x: [batch, class], w: [batch, class], y: target [batch, class], "
              "param k = 1) { return sum(x * w * y * k + (" +
              expr + ") over class) }");
  EXPECT_FALSE(outcome.program) << expr;
  return outcome.firstError().hint;
}

TEST(Foreign, HintsSayWhatToWrite) {
  EXPECT_EQ(hint("mse(x, w)"), "write 'mean((x - w)^2 over class)'");
  EXPECT_EQ(hint("rms(w, batch)"), "write 'norm(w over batch) / sqrt(size(batch))'");
  EXPECT_EQ(hint("prod(x over class)"), "write 'exp(sum(log(x) over class))', for positive x");
  EXPECT_TRUE(hint("sort(x over class)").starts_with("write 'rank(x over class)'"));
  EXPECT_NE(hint("sort(x over class)").find("'cumsum(x over class by x)'"), std::string::npos);
  EXPECT_NE(hint("median(x over class)").find("rank(x over class)"), std::string::npos);
  EXPECT_NE(hint("quantile(x, 0.9)").find("(1 - 0.9)"), std::string::npos);
  EXPECT_EQ(hint("if isnan(w) then 0 else x"), "write 'w != w'");
  EXPECT_EQ(hint("clip(x, 0, 1)"), "write 'clamp(x, 0, 1)'");
  EXPECT_EQ(hint("Clip(x, 0, 1)"), "write 'clamp(x, 0, 1)'");
  // Longer operands keep their short names.
  EXPECT_EQ(hint("where(x > 0, x, w)"), "write 'if c then x else y'");
  EXPECT_EQ(hint("maximum(w, 2 * x)"), "write 'max(x, y)'");
  // Builtins that take another number of arguments elsewhere.
  EXPECT_EQ(hint("log(x, 2)"), "write 'log(x) / log(2)'");
  EXPECT_EQ(hint("max(x, w, k)"), "write 'max(max(x, w), k)'");
  EXPECT_EQ(hint("atan(w, x)"), "write 'atan2(w, x)'");
  EXPECT_EQ(hint("sin(x, w)"), "");
  // Names that are not called.
  EXPECT_EQ(hint("inf"), "write '1 / 0'");
  EXPECT_EQ(hint("NaN"), "write '0 / 0'");
  EXPECT_EQ(hint("num_classes"), "write 'size(class)'");
  EXPECT_EQ(hint("e^x"), "write 'exp(1)', if Euler's number is meant");
}

// The unbiased variance is the default of some libraries, and not of others.
TEST(Foreign, HintsSayHowDefinitionsDiffer) {
  for (const char *name : {"var", "variance"})
    EXPECT_EQ(hint(std::string(name) + "(w, batch)"),
              "write 'mean((w - mean(w over batch))^2 over batch)', which divides by the size, as "
              "NumPy and TensorFlow do; PyTorch, R, MATLAB and Julia divide by one less: 'sum((w - "
              "mean(w over batch))^2 over batch) / (size(batch) - 1)'");
  EXPECT_TRUE(hint("std(x over batch)")
                  .starts_with("write 'norm(x - mean(x over batch) over batch) / "
                               "sqrt(size(batch))', which divides by the size"));
  for (const char *name : {"sd", "stdev"})
    EXPECT_EQ(hint(std::string(name) + "(x)"),
              "write 'norm(x - mean(x over class) over class) / sqrt(size(class) - 1)', which "
              "divides by one less than the size");
  EXPECT_NE(hint("cov(x, w)").find("/ (size(class) - 1)'"), std::string::npos);
  EXPECT_EQ(hint("reduce_variance(x)"), "write 'mean((x - mean(x over class))^2 over class)'");
  EXPECT_EQ(hint("idxmax(x)"), "write 'argmax(x over class)', which counts from 0");
}

TEST(Foreign, HintsKeepTheValue) {
  for (auto [expr, form] : {std::pair("log1p_exp(x)", "softplus(x)"),
                            {"logsubexp(x, w)", "x + log1mexp(w - x)"},
                            {"cumlogsumexp(x)", "logcumsumexp(x over class)"},
                            {"abs2(x)", "x^2"},
                            {"sigm(x)", "sigmoid(x)"},
                            {"xlogx(x)", "xlogy(x, x)"},
                            {"betaln(x, w)", "lbeta(x, w)"},
                            {"beta(x, w)", "exp(lbeta(x, w))"},
                            {"choose(x, w)", "exp(-lbeta(x - w + 1, w + 1)) / (x + 1)"},
                            {"lchoose(x, w)", "-lbeta(x - w + 1, w + 1) - log(x + 1)"},
                            {"copysign(x, w)", "if w < 0 then -abs(x) else abs(x)"},
                            {"cumall(x > 0)", "cumsum(if c then 0 else 1 over class) == 0"},
                            {"nthroot(x, 3)", "x^(1 / 3)"},
                            {"nanmax(x)", "max(if x == x then x else -1 / 0 over class)"},
                            {"ptp(x)", "max(x over class) - min(x over class)"},
                            {"plogis(x)", "sigmoid(x)"},
                            {"qlogis(x)", "log(x) - log1p(-x)"},
                            {"hardswish(x)", "x * clamp(x / 6 + 0.5, 0, 1)"},
                            {"vecnorm(x)", "norm(x over class)"},
                            {"ssq(x)", "sum(x^2 over class)"},
                            {"isclose(x, w)", "abs(x - w) <= 1e-8 + 1e-5 * abs(w)"},
                            {"logaddexp(x, w)", "if x == w then (x + w) / 2 + log(2) else max(x, "
                                                "w) + softplus(-abs(x - w))"},
                            {"cosine_similarity(x, w)",
                             "sum(x * w over class) / (max(norm(x over class), 1e-8) * max(norm(w "
                             "over class), 1e-8))"}})
    EXPECT_EQ(hint(expr).substr(0, std::string(form).size() + 8),
              "write '" + std::string(form) + "'")
        << expr;
  for (const char *name : {"glu", "mad", "sem", "selu", "erfcx", "log_ndtr", "trapz", "skew",
                           "allclose", "reverse", "rev"})
    EXPECT_FALSE(hint(std::string(name) + "(x, w)").empty()) << name;
  for (const char *name : {"glu", "mad", "sem", "abs2", "sigm", "selu", "xlogx", "log1p_exp"})
    EXPECT_EQ(hint(std::string(name) + "(x)").find("did you mean"), std::string::npos) << name;
}

TEST(Foreign, HintsHaveTheAxesOfTheLoss) {
  auto hint = [](const std::string &expr) {
    return compile("loss f(x: [b, c]) { return sum(x over c) + sum(" + expr + " over c) }")
        .firstError()
        .hint;
  };
  EXPECT_NE(hint("sort(x over c)").find("'cumsum(x over c by x)'"), std::string::npos);
  EXPECT_NE(hint("var(2 * x)").find("mean(x over c)"), std::string::npos);
  // Names of axes are not those of values.
  EXPECT_EQ(hint("any(x > 0)"), "write 'max(if condition then 1 else 0 over c) > 0'");
  EXPECT_EQ(hint("count(x > 0)"), "write 'sum(if condition then 1 else 0 over c)'");
  EXPECT_EQ(hint("xor(x > 0, x < 1)"), "write 'condition and not d or d and not condition'");
  EXPECT_EQ(hint("where(x > 0, x, 0)"), "write 'if condition then x else y'");
  EXPECT_EQ(compile("loss f(u: [d, x]) { return max(u over x) + rsqrt(2 * u) }").firstError().hint,
            "write '1 / sqrt(x_value)'");
}

TEST(Foreign, NamesOfTheFileComeFirst) {
  Outcome outcome = compile("fn stdx(x) = x\nloss f(x: [b]) { return stdx(x) + std(x) }");
  EXPECT_EQ(outcome.firstError().hint, "did you mean 'stdx'?");
}

} // namespace
