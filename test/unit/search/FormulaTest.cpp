// Formulas: reading, printing with the fewest parentheses, simplification.

#include "search/spaces/Formula.h"

#include <gtest/gtest.h>

using namespace loss::search;

namespace {
std::string reprint(const char *text) { return print(parseFormula(text)); }
std::string simple(const char *text) {
  return print(simplify(substitute(
      parseFormula(text),
      {{"y", makeName("y", true)}, {"m", makeNumber("-1")}, {"p", makeName("p", true)}})));
}
} // namespace

TEST(Formula, printsWhatItRead) {
  for (const char *text : {"a - (b - c)", "a - b - c", "a / (b * c)", "a / b * c", "-x^2", "(-x)^2",
                           "-(a + b)", "-(a * b)", "(a + b) * c", "a + b * c", "f(a + b, -c)",
                           "(a^b)^c", "a^b^c", "1e-7", "x / (1 + abs(x))", "a^-b"})
    EXPECT_EQ(reprint(text), text);
}

TEST(Formula, dropsNeedlessParentheses) {
  EXPECT_EQ(reprint("(a * b) + (c)"), "a * b + c");
  EXPECT_EQ(reprint("f((a))"), "f(a)");
}

TEST(Formula, rejectsMalformedText) {
  for (const char *text : {"", "a +", "f(a", "a)", "a b", "+"})
    EXPECT_THROW(parseFormula(text), std::logic_error) << text;
}

TEST(Formula, simplifies) {
  EXPECT_EQ(simple("-(-x)"), "x");
  EXPECT_EQ(simple("-m"), "1");
  EXPECT_EQ(simple("1 * x"), "x");
  EXPECT_EQ(simple("x * m"), "-x");
  EXPECT_EQ(simple("x + m"), "x - 1");
  EXPECT_EQ(simple("x - m"), "x + 1");
  EXPECT_EQ(simple("m + x"), "x - 1");
  EXPECT_EQ(simple("-x + y"), "y - x");
  EXPECT_EQ(simple("-(x - y)"), "y - x");
  EXPECT_EQ(simple("-x * -y"), "x * y");
  EXPECT_EQ(simple("-x * y"), "-(x * y)");
  EXPECT_EQ(simple("m^2"), "1");
  EXPECT_EQ(simple("(-x)^2"), "x^2");
  EXPECT_EQ(simple("abs(p)"), "p");
  EXPECT_EQ(simple("abs(-p)"), "p");
  EXPECT_EQ(simple("abs(x)"), "abs(x)");
  EXPECT_EQ(simple("abs(1 + exp(x))"), "1 + exp(x)");
  EXPECT_EQ(simple("max(y, 0)"), "y");
  EXPECT_EQ(simple("min(p, 0)"), "0");
  EXPECT_EQ(simple("max(x, 0)"), "max(x, 0)");
}
