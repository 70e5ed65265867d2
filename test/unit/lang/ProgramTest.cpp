// The typed program: types, inlining, constants, unused code.
#include "LangTesting.h"

#include <cmath>

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

/// The type of an expression, seen as the type of the first operand of a surrounding product.
std::string typeIn(const std::string &expr) {
  Outcome outcome =
      compile(lossWith("let z = " + expr + " return sum(z * x * y * w * k over class)"));
  EXPECT_TRUE(outcome.program) << outcome.firstError().message;
  if (!outcome.program)
    return "";
  const Program &program = *outcome.program;
  for (const Node &node : program.nodes)
    if (node.op == Op::Mul)
      return typeString(program.nodes[node.operands[0]].type, program.axes);
  return "";
}

TEST(Program, BroadcastsByName) { // [LANG-4.1], [LANG-4.4]
  EXPECT_EQ(typeIn("1"), "real []");
  EXPECT_EQ(typeIn("k"), "real []");
  EXPECT_EQ(typeIn("w"), "real [class]");
  EXPECT_EQ(typeIn("w + k"), "real [class]");
  EXPECT_EQ(typeIn("x * w"), "real [batch, class]");
  EXPECT_EQ(typeIn("sum(x over class) + w"), "real [batch, class]");
  EXPECT_EQ(typeIn("max(k, sum(x over class))"), "real [batch]");
  EXPECT_EQ(typeIn("if w > 0 then k else sum(x over class)"), "real [batch, class]");
  EXPECT_EQ(typeIn("exp(w)"), "real [class]");
}

TEST(Program, ReducesOneAxis) { // [LANG-6.3], [LANG-6.4]
  EXPECT_EQ(typeIn("sum(w over class)"), "real []");
  EXPECT_EQ(typeIn("max(x over class)"), "real [batch]");
  EXPECT_EQ(typeIn("softmax(x over class)"), "real [batch, class]");
  EXPECT_EQ(typeIn("size(class)"), "real []");
}

TEST(Program, IsAListInOrder) {
  Outcome outcome = compile("fn twice(a) = a + a\n"
                            "loss f(x: [batch, class], param k = 2) {\n"
                            "  let unusedButTyped = exp(x)\n"
                            "  return sum(twice(k * x) over class) / size(class)\n}");
  ASSERT_TRUE(outcome.program);
  EXPECT_EQ(dump(*outcome.program), "loss f [batch, class]\n"
                                    "%0 = input x : real [batch, class]\n"
                                    "%1 = param k = 2 : real []\n"
                                    "%2 = mul %1, %0 : real [batch, class]\n"
                                    "%3 = add %2, %2 : real [batch, class]\n"
                                    "%4 = reduce_sum %3 over class : real [batch]\n"
                                    "%5 = size over class : real []\n"
                                    "%6 = div %4, %5 : real [batch]\n"
                                    "return %6\n");
  EXPECT_EQ(outcome.messages(Severity::Warning),
            std::vector<std::string>{"the name 'unusedButTyped' is not used"});
}

TEST(Program, EvaluatesArgumentsOnce) { // [LANG-3.9]
  Outcome outcome = compile("fn square(a) = a * a\n"
                            "loss f(x: [b, c]) { return sum(square(exp(x)) over c) }");
  ASSERT_TRUE(outcome.program);
  int count = 0;
  for (const Node &node : outcome.program->nodes)
    count += node.op == Op::exp;
  EXPECT_EQ(count, 1);
}

TEST(Program, RemembersTheCallsOfAnOperation) {
  Outcome outcome = compile("fn inner(a) = exp(a)\n"
                            "fn outer(a) = inner(a) + 1\n"
                            "loss f(x: [b, c]) { return sum(outer(x) over c) }");
  ASSERT_TRUE(outcome.program);
  const Program &program = *outcome.program;
  for (const Node &node : program.nodes) {
    if (node.op != Op::exp)
      continue;
    ASSERT_GE(node.call, 0);
    const CallSite &site = program.calls[node.call];
    EXPECT_EQ(site.function, "inner");
    EXPECT_EQ(site.range.begin, (SourcePos{2, 15}));
    ASSERT_GE(site.parent, 0);
    EXPECT_EQ(program.calls[site.parent].function, "outer");
    EXPECT_EQ(program.calls[site.parent].parent, -1);
  }
}

TEST(Program, ParametersHaveConstantDefaults) { // [LANG-3.6]
  auto valueOf = [](const std::string &text) {
    Outcome outcome =
        compile("loss f(x: [b, c], param k = " + text + ") { return sum(x * k over c) }");
    return outcome.program ? outcome.program->params.at(0).defaultValue : NAN;
  };
  EXPECT_EQ(valueOf("2"), 2);
  EXPECT_EQ(valueOf("-2^2"), -4);
  EXPECT_EQ(valueOf("(1 + 2) * 3 - 4 / 8"), 8.5);
  EXPECT_EQ(valueOf("pi"), 3.141592653589793);
  EXPECT_EQ(valueOf("2^-1"), 0.5);
  EXPECT_TRUE(std::isnan(valueOf("1 / 0")));
}

TEST(Program, OverridesReplaceDefaults) {
  const std::string text = returning("sum(x * y * w * k over class)");
  Outcome outcome = compile(text, {{"k", 7.5}});
  ASSERT_TRUE(outcome.program);
  EXPECT_EQ(outcome.program->params.at(0).defaultValue, 7.5);
  Diagnostic error = compile(text, {{"kk", 1}}).firstError();
  EXPECT_EQ(error.message, "the loss 'f' has no parameter or option 'kk'");
  EXPECT_EQ(error.hint, "did you mean 'k'?");
  EXPECT_EQ(error.range.begin, (SourcePos{1, 6}));
}

TEST(Program, ReadsOverrides) {
  std::string error;
  std::optional<Override> result = parseOverride("gamma=-1.5e2", error);
  ASSERT_TRUE(result);
  EXPECT_EQ(result->name, "gamma");
  EXPECT_EQ(result->value, -150);
  EXPECT_FALSE(parseOverride("gamma", error));
  EXPECT_EQ(error, "expected param=value, but found 'gamma'");
  EXPECT_FALSE(parseOverride("=1", error));
  for (const char *bad : {"g=", "g=abc", "g=1x", "g=nan", "g=inf", "g=1e999"}) {
    EXPECT_FALSE(parseOverride(bad, error)) << bad;
    EXPECT_EQ(error.substr(0, 43), "expected a number as the value of 'g', but ") << bad;
  }
}

TEST(Program, AxesAndValuesHaveSeparateNames) { // [LANG-5.7], [LANG-3.7]
  EXPECT_TRUE(compile("loss f(class: [batch, class]) {"
                      " let max = max(class over class) return max * size(class) }")
                  .program);
}

TEST(Program, FunctionsComeInAnyOrder) { // [LANG-3.1]
  EXPECT_TRUE(
      compile("loss f(x: [b, c]) { return g(x) } fn g(a) = h(a) fn h(a) = sum(a over c)").program);
}

TEST(Program, WarnsOfWhatHasNoInfluence) { // [LANG-3.12], [LANG-10.4], [LANG-10.6]
  Outcome outcome = compile("fn g(a) = a\n" + lossWith("let z = y return sum(x over class)"));
  ASSERT_TRUE(outcome.program);
  EXPECT_EQ(outcome.messages(Severity::Warning),
            (std::vector<std::string>{"the function 'g' is not used", // in the order of the text
                                      "the input 'w' has no influence on the result",
                                      "the input 'y' has no influence on the result",
                                      "the parameter 'k' has no influence on the result",
                                      "the name 'z' is not used"}));
}

} // namespace
