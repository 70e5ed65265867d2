#include "LangTesting.h"

using namespace loss::lang;
using namespace loss::lang::testing;

TEST(Printer, KeepsOnlyNeededParentheses) { // [LANG-2.1] to [LANG-2.4]
  const std::pair<const char *, const char *> cases[] = {
      {"(x)", "x"},
      {"(x + y) + k", "x + y + k"},
      {"x + (y + k)", "x + (y + k)"},
      {"x - (y - k)", "x - (y - k)"},
      {"(x * y) / k", "x * y / k"},
      {"x * (y / k)", "x * (y / k)"},
      {"x+y*k", "x + y * k"},
      {"(x + y) * k", "(x + y) * k"},
      {"-(x^2)", "-x^2"},
      {"(-x)^2", "(-x)^2"},
      {"2^(3^k)", "2^3^k"},
      {"(2^3)^k", "(2^3)^k"},
      {"x^(-1)", "x^-1"},
      {"x^(y * k)", "x^(y * k)"},
      {"-(-x)", "--x"},
      {"-(x * y)", "-(x * y)"},
      {"(-x) * y", "-x * y"},
      {"x - (-y)", "x - -y"},
      {"sum((x) over class)", "sum(x over class)"},
      {"max((x), (if k > 1 then x else y))", "max(x, if k > 1 then x else y)"},
      {"(if k > 1 then x else y) + 1", "(if k > 1 then x else y) + 1"},
      {"if (k > 1) then (x) else (if k > 0 then y else k)",
       "if k > 1 then x else if k > 0 then y else k"},
      {"if (k > 1 and k < 2) or not (k == 3) then 1 else 2",
       "if k > 1 and k < 2 or not k == 3 then 1 else 2"},
      {"if k > 1 and (k < 2 or k == 3) then 1 else 2",
       "if k > 1 and (k < 2 or k == 3) then 1 else 2"},
      {"if (not k > 1) == (k < 2) then 1 else 2", "if (not k > 1) == (k < 2) then 1 else 2"},
      {"if not not k > 1 then 1 else 2", "if not not k > 1 then 1 else 2"},
      {"1.50", "1.50"},
      {"size( class )", "size(class)"},
      {"f()", "f()"},
  };
  for (auto [text, expected] : cases) {
    EXPECT_EQ(reprint(text), expected);
    EXPECT_EQ(reprint(expected), expected);
  }
}

TEST(Printer, WritesTheWholeFile) { // [LANG-2.5]
  const std::string canonical = "/// A helper.\n"
                                "fn f(a: [class], b) {\n"
                                "  let c = a + b\n"
                                "  return c\n"
                                "}\n"
                                "\n"
                                "fn g() = 1\n"
                                "\n"
                                "/// Doc.\n"
                                "///\n"
                                "///   indented\n"
                                "loss h(\n"
                                "  /// In.\n"
                                "  x: [batch, class],\n"
                                "  y: target [batch, class],\n"
                                "  param k = 1e-3\n"
                                ") {\n"
                                "  let z = x * y\n"
                                "  return sum(z over class)\n"
                                "}\n";
  DiagnosticEngine diagnostics("test.loss");
  File file = parse(canonical, diagnostics);
  ASSERT_TRUE(file.complete);
  EXPECT_EQ(print(file), canonical);
}

TEST(Printer, PrintsBuiltTrees) {
  std::vector<ExprPtr> operands;
  operands.push_back(makeBinary(BinaryOp::Mul, makeNumber(-0.1), makeName("x")));
  ExprPtr call = makeCall("sum", std::move(operands), {"class"});
  ExprPtr test = makeBinary(BinaryOp::Less, makeName("k"), makeNumber(1e300));
  ExprPtr expr = makeIf(makeUnary(UnaryOp::Not, std::move(test)), std::move(call), makeNumber(2));
  EXPECT_EQ(print(*expr), "if not k < 1e+300 then sum(-0.1 * x over class) else 2");
  EXPECT_EQ(reprint(print(*expr)), print(*expr));
}

TEST(Printer, NumbersReadBackExactly) {
  for (double value :
       {0.1, 1.0 / 3, 5e-324, 1.7976931348623157e308, 123456789012345680.0, 1e22, 0.0}) {
    std::string text = print(*makeNumber(value));
    EXPECT_EQ(std::strtod(text.c_str(), nullptr), value);
    EXPECT_EQ(reprint(text), text);
  }
}
