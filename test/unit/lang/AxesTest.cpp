// Axes: their order, copies of them, operations over several.
#include "LangTesting.h"

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

using Names = std::vector<std::string>;

Names axesOf(const std::string &inputs) {
  Outcome outcome = compile("loss f(" + inputs + ") { return x }");
  EXPECT_TRUE(outcome.program) << outcome.firstError().message;
  return outcome.program ? outcome.program->axes : Names();
}

/// The operations of a program over [batch, class, position] with a copy of the first.
std::string body(const std::string &result) {
  Outcome outcome = compile("loss f(x: [batch, class, position], w: [class], param k = 1) {\n"
                            "axis other = batch\nreturn " +
                            result + "\n}");
  if (!outcome.program)
    return "error: " + outcome.firstError().message;
  std::string text = dump(*outcome.program);
  size_t at = text.find("%3 = ");
  return at == std::string::npos ? "" : text.substr(at);
}

TEST(Axes, StandInAnOrderThatEveryInputKeeps) { // [LANG-4.9], [LANG-4.10]
  EXPECT_EQ(axesOf("x: [b]"), (Names{"b"}));
  EXPECT_EQ(axesOf("w: [c], x: [b, c]"), (Names{"b", "c"}));
  EXPECT_EQ(axesOf("w: [c], m: [b], x: [b, c], s: []"), (Names{"b", "c"}));
  EXPECT_EQ(axesOf("x: [b, d], y: target [b, c]"), (Names{"b", "d", "c"}));
  EXPECT_EQ(axesOf("y: [c], z: [a], x: [a, b]"), (Names{"c", "a", "b"}));
  EXPECT_EQ(axesOf("x: [a, c], y: [b, c], z: [a, b]"), (Names{"a", "b", "c"}));
}

TEST(Axes, ContradictionsNameTheInputs) { // [LANG-4.10]
  Diagnostic error =
      compile("loss f(x: [a, b], y: [b, c],\n z: [c, a]) { return x * y * z }").firstError();
  EXPECT_EQ(error.message, "expected an order of the axes that every input keeps, but 'z' has 'c' "
                           "before 'a'");
  EXPECT_EQ(error.range.begin, (SourcePos{2, 9}));
  ASSERT_EQ(error.notes.size(), 2u);
  std::set<std::string> notes = {error.notes[0].message, error.notes[1].message};
  EXPECT_EQ(notes, (std::set<std::string>{"'x' has 'a' before 'b'", "'y' has 'b' before 'c'"}));
}

TEST(Axes, AreAtMostSixteen) { // [LANG-4.9]
  std::string list;
  for (int i = 0; i < 16; ++i)
    list += (i ? ", a" : "a") + std::to_string(i);
  EXPECT_TRUE(compile("loss f(x: [" + list + "]) { return x }").program);
  EXPECT_EQ(compile("loss f(x: [" + list + ", b]) { return x }").firstError().message,
            "expected at most 16 axes of a loss, but 'b' is another");
  EXPECT_EQ(compile("loss f(x: [" + list + "]) { axis b = a0 return sum(x[a0 -> b] over b) }")
                .firstError()
                .message,
            "expected at most 16 axes of a loss, but 'b' is another");
}

TEST(Axes, TargetsKnowTheirClasses) { // [LANG-3.13], [LANG-3.14]
  Outcome outcome = compile("loss f(x: [b, c, p], y: target over c [b, c, p], z: fixed [b]) {\n"
                            " return x * y * z }");
  ASSERT_TRUE(outcome.program);
  const Program &program = *outcome.program;
  EXPECT_EQ(program.inputs[0].kind, InputKind::Value);
  EXPECT_EQ(program.inputs[1].kind, InputKind::Target);
  EXPECT_EQ(program.inputs[1].classAxis, 1);
  EXPECT_EQ(program.inputs[2].kind, InputKind::Fixed);
  EXPECT_EQ(program.copyOf, (std::vector<int>{-1, -1, -1}));
  outcome = compile("loss f(x: [b, c, p], y: target [b, c]) { return x * y }");
  ASSERT_TRUE(outcome.program);
  EXPECT_EQ(outcome.program->inputs[1].classAxis, 1);
}

TEST(Axes, ReductionsTakeSeveral) { // [LANG-4.15], the innermost first
  EXPECT_EQ(body("sum(x over class, position) + w * k"),
            "%3 = reduce_sum %0 over position : real [batch, class]\n"
            "%4 = reduce_sum %3 over class : real [batch]\n"
            "%5 = mul %1, %2 : real [class]\n"
            "%6 = add %4, %5 : real [batch, class]\n"
            "return %6\n");
  EXPECT_EQ(body("softmax(x over position, class)"),
            "%3 = reduce_logsumexp %0 over position : real [batch, class]\n"
            "%4 = reduce_logsumexp %3 over class : real [batch]\n"
            "%5 = sub %0, %4 : real [batch, class, position]\n"
            "%6 = exp %5 : real [batch, class, position]\n"
            "return %6\n");
  EXPECT_EQ(body("argmax(x over class, position)"),
            "error: expected one axis of 'argmax', but found 2");
  EXPECT_EQ(body("rank(x over class, position)"),
            "error: expected one axis of 'rank', but found 2");
  EXPECT_EQ(body("sum(x over class, class)"), "error: the axis 'class' is listed twice");
  EXPECT_EQ(body("sum(w over class, position)"),
            "error: expected an operand with the axis 'position' in 'sum', but found one of type "
            "'real [class]'");
}

TEST(Axes, SumsCumulateByAKey) { // [LANG-5.10], [LANG-5.11]
  EXPECT_EQ(body("cumsum(w over class by x)"),
            "%3 = cumsum %1, %0 over class : real [batch, class, position]\nreturn %3\n");
  EXPECT_EQ(body("cumsum(x over position) * index(class)"),
            "%3 = cumsum %0 over position : real [batch, class, position]\n"
            "%4 = index over class : real [class]\n"
            "%5 = mul %3, %4 : real [batch, class, position]\nreturn %5\n");
  EXPECT_EQ(body("cumsum(x over class by k)"),
            "error: expected an operand with the axis 'class' in 'by', but found one of type "
            "'real []'");
  EXPECT_EQ(body("sum(x over class by x)"), "error: 'sum' takes no key to sort by");
}

TEST(Axes, CopiesMakePairs) { // [LANG-4.13], [LANG-4.14]
  EXPECT_EQ(body("sum(x * x[batch -> other] over other)"),
            "%3 = rename %0 batch -> other : real [class, position, other]\n"
            "%4 = mul %0, %3 : real [batch, class, position, other]\n"
            "%5 = reduce_sum %4 over other : real [batch, class, position]\n"
            "return %5\n");
  EXPECT_EQ(body("x[batch -> other][other -> batch]").substr(0, 8), "%3 = ren");
  EXPECT_EQ(body("w[batch -> other]"), "error: expected an axis of the value, which is of type "
                                       "'real [class]', but found 'batch'");
  EXPECT_EQ(body("x[class -> other]"),
            "error: expected a copy of the axis 'class', but found 'other'");
  EXPECT_EQ(body("x[class -> class]"), "error: expected another axis than 'class' behind '->'");
  EXPECT_EQ(body("(x * x[batch -> other])[batch -> other]"),
            "error: expected an axis that the value lacks, but it has 'other' already: it is of "
            "type 'real [batch, class, position, other]'");
  // A copy of a copy is one of the original; functions see copies.
  Outcome outcome = compile("fn far(a) = sum(a[other -> third] over third)\n"
                            "loss f(x: [b]) { axis other = b axis third = other "
                            "return x + far(x[b -> other]) }");
  ASSERT_TRUE(outcome.program) << outcome.firstError().message;
  EXPECT_EQ(outcome.program->axes, (Names{"b", "other", "third"}));
  EXPECT_EQ(outcome.program->copyOf, (std::vector<int>{-1, 0, 0}));
}

TEST(Axes, CopiesAreDeclaredInTheLossOnly) { // [LANG-4.13]
  EXPECT_EQ(compile("fn g(a) { axis c = b return a } loss f(x: [b]) { return g(x) }")
                .firstError()
                .message,
            "an axis is declared in the loss, not in a function");
  EXPECT_EQ(compile("loss f(x: [b]) { axis b = b return x }").firstError().message,
            "the axis 'b' is already defined");
  Diagnostic error = compile("loss f(x: [b]) { let a = x axis c = b return a }").firstError();
  EXPECT_EQ(error.message, "expected 'let' or 'return', but found the keyword 'axis'");
  EXPECT_EQ(error.hint, "axes are declared at the start of a block, before 'let'");
}

TEST(Axes, WordsOfTheGrammarAreNamesElsewhere) { // [LANG-1.9]
  Outcome outcome =
      compile("fn derivative(by) = by\n"
              "loss import(fixed: fixed [option, axis], index: [option, axis],\n"
              "            param option: positive = 1, option by = 2) {\n"
              "  axis import = axis\n"
              "  let axis = fixed\n"
              "  let derivative = index * axis * option * by\n"
              "  let positive = cumsum(axis over axis by axis)\n"
              "  return sum(derivative(derivative) * positive * positive[axis -> import] over "
              "axis, import)\n}");
  EXPECT_TRUE(outcome.program) << outcome.firstError().message;
}

} // namespace
