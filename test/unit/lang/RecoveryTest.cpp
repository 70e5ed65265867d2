// Several errors in one run, each with one cause. [LANG-10.2], [LANG-10.4]
#include "LangTesting.h"

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

using List = std::vector<std::string>;

List errors(const std::string &text) {
  List result;
  for (const Diagnostic &diagnostic : compile(text).diagnostics)
    if (diagnostic.severity == Severity::Error)
      result.push_back(std::to_string(diagnostic.range.begin.line) + ": " + diagnostic.message);
  return result;
}

TEST(Recovery, FindsMistakesOfDifferentKinds) {
  EXPECT_EQ(errors("/// Five mistakes.\n"
                   "loss five(\n"
                   "  logits: [batch, class],\n"
                   "  y: target [batch, class],\n"
                   "  w: [class]\n"
                   "  param gamma = 2\n"
                   ") {\n"
                   "  let logp = log_softmax(logits over class)\n"
                   "  let p = exp(logp\n"
                   "  let m = modulation(logp, gama)\n"
                   "  let s = sum(logp * y over class)\n"
                   "  let t = sum(s * w over batch) + sum(s over class)\n"
                   "  let q = (logp > y) + logits\n"
                   "  return -sum(m * logp * p over class) * t + q\n"
                   "}\n"
                   "fn modulation(p, gamma) = (1 - p)^gamma\n"),
            (List{"6: expected ')' or ',', but found the keyword 'param'",
                  "10: expected ')', ',' or 'over', but found the keyword 'let'",
                  "10: unknown name 'gama'",
                  "12: expected an operand with the axis 'class' in 'sum', but found one of type "
                  "'real [batch]'",
                  "13: expected a real number, but found a truth value of type 'bool [batch, "
                  "class]'"}));
}

TEST(Recovery, GoesOnBetweenStatementsAndDefinitions) {
  EXPECT_EQ(
      errors("fun helper(x) = x\n"
             "loss two(x: [batch, class], y: target [batch class]) {\n"
             "  lett a = 1\n"
             "  let b = a + helper(x) + unknwn\n"
             "  b = 3\n"
             "  return sum(b over klass)\n"
             "}\n"),
      (List{"1: expected 'fn', 'import', 'loss' or the end of the file, but found 'fun'",
            "2: expected ',' or ']', but found 'class'",
            "3: expected 'axis', 'let' or 'return', but found 'lett'", "4: unknown name 'unknwn'",
            "5: expected 'let' or 'return', but found 'b'", "6: unknown axis 'klass'"}));
}

TEST(Recovery, AnErrorHasNoEchoes) {
  // A name, an argument, a function, an axis, a derivative that could not be read.
  for (const char *text :
       {"loss f(x: [b], y [b]) { return sum(x * y over b) }",
        "loss f(x: [b], y: [b c d) { return sum(x * y over d) }",
        "fn g(a) = a +\n derivative a = 1\nloss f(x: [b]) { return g(x) }",
        "loss f(x: [b]) { let a = x x\n return sum(a over b) + sum(a over b) }",
        "loss f(x: [b], param k = ) { return x * k }", "loss f(x: [b]) { axis = b\n return x }"})
    EXPECT_EQ(errors(text).size(), 1u) << text << "\n" << ::testing::PrintToString(errors(text));
  // Without syntax errors: one message for each cause.
  for (const char *text : {"loss f(x: [b]) { let a = z let c = a + 1 return sum(c over b) + a }",
                           "fn g(a) = g(a) loss f(x: [b]) { return g(x) + g(x) }",
                           "loss f(x: [b]) { axis c = d return sum(x[b -> c] over c) }",
                           "loss f(x: [b], param k = z) { return x * k }",
                           "loss f(x: [b], option k = z) { return if k then x else 1 }",
                           "loss f(x: [b]) { let a = 1 let a = x > 0 return a + x }",
                           "fn exp(a, b) = a loss f(x: [b]) { return exp(x, x) }"})
    EXPECT_EQ(errors(text).size(), 1u) << text << "\n" << ::testing::PrintToString(errors(text));
}

TEST(Recovery, MessagesComeInTheOrderOfTheText) {
  EXPECT_EQ(errors("loss f(x: [b, c]) {\n  return sum(k over c)\n}\nfn g(a) = h\nfn i(a) = )\n"),
            (List{"2: unknown name 'k'", "4: unknown name 'h'",
                  "5: expected an expression, but found ')'"}));
}

} // namespace
