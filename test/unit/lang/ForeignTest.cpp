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
  EXPECT_EQ(hint("var(x over class)"), "write 'mean((x - mean(x over class))^2 over class)'");
  EXPECT_EQ(hint("var(w)"), "write 'mean((w - mean(w over class))^2 over class)'");
  EXPECT_EQ(hint("var(w, batch)"), "write 'mean((w - mean(w over batch))^2 over batch)'");
  EXPECT_EQ(hint("std(x over batch)"),
            "write 'norm(x - mean(x over batch) over batch) / sqrt(size(batch))'");
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

TEST(Foreign, NamesOfTheFileComeFirst) {
  Outcome outcome = compile("fn stdx(x) = x\nloss f(x: [b]) { return stdx(x) + std(x) }");
  EXPECT_EQ(outcome.firstError().hint, "did you mean 'stdx'?");
}

} // namespace
