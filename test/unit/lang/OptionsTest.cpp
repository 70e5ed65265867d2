// Options, constraints of parameters, and derivatives that a function gives itself.
#include "LangTesting.h"

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

std::string firstError(const std::string &text, const std::vector<Override> &overrides = {}) {
  return compile(text, overrides).firstError().message;
}

TEST(Options, ChooseABranch) { // [LANG-3.16], [LANG-3.17]
  const std::string text = "loss f(x: [b, c], w: fixed [c], option order = 1, option squared = "
                           "false) {\n"
                           "  let a = if squared and order > 0 then x^2 else abs(x)\n"
                           "  return if order == 2 then a * w else a\n}";
  auto opsOf = [&](const std::vector<Override> &overrides) {
    Outcome outcome = compile(text, overrides);
    EXPECT_TRUE(outcome.program) << outcome.firstError().message;
    // What an option switches off is no reason for a warning.
    EXPECT_TRUE(outcome.diagnostics.empty()) << outcome.diagnostics[0].message;
    std::string ops;
    for (const Node &node : outcome.program->nodes)
      ops += std::string(opName(node.op)) + " ";
    return ops;
  };
  EXPECT_EQ(opsOf({}), "input input abs ");
  EXPECT_EQ(opsOf({{"squared", 1, true}}), "input input constant pow ");
  EXPECT_EQ(opsOf({{"order", 2}}), "input input abs mul ");
  // Both branches are checked.
  EXPECT_EQ(firstError("loss f(x: [b], option o = false) { return if o then x > 0 else x }"),
            "expected a real number, but found a truth value of type 'bool [b]'");
  Outcome outcome = compile(text, {{"order", 2}});
  ASSERT_EQ(outcome.program->options.size(), 2u);
  EXPECT_EQ(outcome.program->options[0].name, "order");
  EXPECT_EQ(outcome.program->options[0].value, 2);
  EXPECT_TRUE(outcome.program->options[1].isBool);
}

TEST(Options, ChangeNoType) { // [LANG-3.17], [LANG-5.5]
  for (const char *condition : {"o", "not o", "1 <= pi", "1 > pi", "x > 0", "false and x > 0"}) {
    Outcome outcome = compile("loss f(x: [b, c], z: [b], option o = true) {\n"
                              "  let v = if " +
                              std::string(condition) + " then z else x\n  return sum(v over c)\n}");
    ASSERT_TRUE(outcome.program) << condition << ": " << outcome.firstError().message;
    const Program &program = *outcome.program;
    EXPECT_EQ(typeString(program.nodes[program.result].type, program.axes), "real [b]");
  }
  auto resultOf = [](const std::string &expr) {
    Outcome outcome = compile("loss f(x: [b, c], z: [b], option o = true) { return " + expr + " }");
    return outcome.program
               ? typeString(outcome.program->nodes[outcome.program->result].type, {"b", "c"})
               : "";
  };
  EXPECT_EQ(resultOf("if o then z else x"), "real [b, c]");
  EXPECT_EQ(resultOf("if o then 1 else z"), "real [b]");
  EXPECT_EQ(resultOf("if false and x > 0 then 1 else 2"), "real [b, c]");
}

TEST(Options, KeepTheKindOfTheirDefault) { // [LANG-3.16], [LANG-5.9]
  const std::string text = "loss f(x: [b], option o = true, option n = 3) {\n"
                           "  return if o and not false then x * n else x\n}";
  EXPECT_EQ(firstError(text, {{"o", 2}}),
            "expected true or false as the value of the option 'o', but found 2");
  EXPECT_EQ(firstError(text, {{"n", 1, true}}),
            "expected a number as the value of the option 'n', but found true");
  EXPECT_EQ(firstError("loss f(x: [b], option o = x) { return x * o }"),
            "expected a constant as the default of 'o'");
  std::string error;
  std::optional<Override> override = parseOverride("o=false", error);
  ASSERT_TRUE(override);
  EXPECT_TRUE(override->isBool);
  EXPECT_EQ(override->value, 0);
}

TEST(Options, ParametersHaveConstraints) { // [LANG-3.15]
  auto text = [](const std::string &constraint, const std::string &value) {
    return "loss f(x: [b], param k: " + constraint + " = " + value + ") { return x * k }";
  };
  for (const auto &[constraint, good] :
       {std::pair("positive", "0.5"), std::pair("nonnegative", "0"), std::pair("unit", "1"),
        std::pair("integer", "-2")})
    EXPECT_EQ(firstError(text(constraint, good)), "") << constraint;
  EXPECT_EQ(firstError(text("positive", "0")),
            "expected a positive number as the default of 'k', but found 0");
  EXPECT_EQ(firstError(text("nonnegative", "-1")),
            "expected a number of 0 or more as the default of 'k', but found -1");
  EXPECT_EQ(firstError(text("unit", "1.5")),
            "expected a number from 0 to 1 as the default of 'k', but found 1.5");
  EXPECT_EQ(firstError(text("integer", "0.5")),
            "expected a whole number as the default of 'k', but found 0.5");
  EXPECT_EQ(firstError(text("unit", "1"), {{"k", 2}}),
            "expected a number from 0 to 1 as the value of the parameter 'k', but found 2");
  Diagnostic error = compile(text("postive", "1")).firstError();
  EXPECT_EQ(error.message, "unknown constraint 'postive'");
  EXPECT_EQ(error.hint, "did you mean 'positive'?");
}

TEST(Options, HaveConstraints) { // [LANG-3.21]
  auto text = [](const std::string &constraint) {
    return "loss f(x: [b], option k: " + constraint + " = 2) { return x * k }";
  };
  auto refused = [&](const std::string &constraint, double value) {
    return firstError(text(constraint), {{"k", value}});
  };
  const std::string end = " as the value of the option 'k', but found ";
  for (double value : {1.0, 2.0, 6.0})
    EXPECT_EQ(refused("integer [1, 6]", value), "");
  EXPECT_EQ(refused("integer [1, 6]", 7), "expected a whole number from 1 to 6" + end + "7");
  EXPECT_EQ(refused("integer [1, 6]", 2.5), "expected a whole number from 1 to 6" + end + "2.5");
  EXPECT_EQ(refused("[-1 / 2, 2]", -0.5), "");
  EXPECT_EQ(refused("[-1 / 2, 2]", -1), "expected a number from -0.5 to 2" + end + "-1");
  EXPECT_EQ(refused("positive integer", 0), "expected a positive whole number" + end + "0");
  EXPECT_EQ(refused("integer nonnegative", -1),
            "expected a whole number of 0 or more" + end + "-1");
  EXPECT_EQ(firstError(text("integer"), {{"k", 1, true}}),
            "expected a whole number" + end + "true");
  EXPECT_EQ(firstError(text("unit")),
            "expected a number from 0 to 1 as the default of 'k', but found 2");
  for (const char *range : {"[2, 1]", "[1, x]", "[true, 2]", "[1, 0 / 0]"})
    EXPECT_TRUE(firstError(text(range)).starts_with("expected the least and the greatest value"))
        << range;
}

TEST(Options, FunctionsGiveDerivatives) { // [LANG-3.20]
  Outcome outcome = compile("fn g(a, b) { let c = a * b return c }\n"
                            "  derivative a = b\n  derivative b = stop_gradient(a)\n"
                            "loss f(x: [b], y: fixed [b]) { return g(x, y) }");
  ASSERT_TRUE(outcome.program) << outcome.firstError().message;
  EXPECT_EQ(dump(*outcome.program), "loss f [b]\n"
                                    "%0 = input x : real [b]\n"
                                    "%1 = input y : real [b]\n"
                                    "%2 = mul %0, %1 : real [b]\n"
                                    "%3 = stop_gradient %2 : real [b]\n"
                                    "%4 = custom_gradient %3, %0, %1 : real [b]\n"
                                    "%5 = stop_gradient %0 : real [b]\n"
                                    "%6 = custom_gradient %4, %1, %5 : real [b]\n"
                                    "return %6\n");
}

TEST(Options, DerivativesFitTheirFunction) { // [LANG-3.20]
  auto text = [](const std::string &derivative) {
    return "fn g(a) { let c = sum(a over d) return c }\n derivative " + derivative +
           "\nloss f(x: [b, d], z: fixed [b, e]) { return g(x) * sum(z over e) }";
  };
  EXPECT_EQ(firstError(text("a = 2 * a")), "");
  EXPECT_EQ(firstError(text("c = 1")), "expected an argument of 'g', but found 'c'");
  EXPECT_EQ(firstError(text("a = c")), "unknown name 'c'");
  EXPECT_EQ(firstError(text("a = 1 derivative a = 2")), "the derivative by 'a' is already defined");
  EXPECT_EQ(firstError(text("a = a > 0")),
            "expected a real number, but found a truth value of type 'bool [b, d]'");
  EXPECT_EQ(firstError(text("a = index(e)")),
            "expected a derivative with axes of the value or of 'a', but found one of type "
            "'real [e]'");
}

} // namespace
