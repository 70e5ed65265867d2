// Errors of meaning, each with its hint.
#include "LangTesting.h"

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

struct Case {
  std::string text, message, hint;
};

void expectErrors(const std::vector<Case> &cases) {
  for (const Case &c : cases) {
    Diagnostic error = compile(c.text).firstError();
    EXPECT_EQ(error.message, c.message) << c.text;
    if (!c.hint.empty())
      EXPECT_EQ(error.hint, c.hint) << c.text;
    if (error.severity == Severity::Error && !error.message.empty())
      EXPECT_TRUE(error.range.begin.isValid()) << c.text;
  }
}

TEST(Sema, UnknownNames) { // [LANG-3.8]
  expectErrors({
      {"loss f(logits: [b, c]) { return sum(logit over c) }", "unknown name 'logit'",
       "did you mean 'logits'?"},
      {returning("sum(exp * x over class)"), "unknown name 'exp'",
       "'exp' is a function; call it: 'exp(...)'"},
      {returning("class"), "unknown name 'class'",
       "'class' is an axis; its number of elements is 'size(class)'"},
      {returning("softmx(x over class)"), "unknown function 'softmx'", "did you mean 'softmax'?"},
      {returning("ln(x)"), "unknown function 'ln'", "write 'log(x)'"},
      {returning("x(2)"), "'x' is not a function", "a product is written with '*'"},
      {returning("f(x)"), "unknown function 'f'", "'f' is the loss itself and cannot be called"},
      {"fn g(a) = a * k " + returning("g(x)"), "unknown name 'k'",
       "a function sees its own arguments only; pass 'k' as one"},
      {"fn square(a) = a * a " + returning("sqare(x)"), "unknown function 'sqare'",
       "did you mean 'square'?"},
  });
}

TEST(Sema, UseBeforeDefinition) {
  Diagnostic error = compile(lossWith("let a = b\nlet b = 1\nreturn a")).firstError();
  EXPECT_EQ(error.message, "unknown name 'b'");
  ASSERT_EQ(error.notes.size(), 1u);
  EXPECT_EQ(error.notes[0].message, "it is defined here, after this use");
  EXPECT_EQ(error.notes[0].range.begin.line, 2u);
}

TEST(Sema, Arity) {
  expectErrors({
      {returning("exp(x, x)"), "expected 1 argument of 'exp', but found 2", ""},
      {returning("exp()"), "expected 1 argument of 'exp', but found 0", ""},
      {returning("pow(x)"), "expected 2 arguments of 'pow', but found 1", ""},
      {returning("max(x)"), "expected an axis of 'max', but found none",
       "write 'max(x over class)'"},
      {returning("sum(x)"), "expected an axis of 'sum', but found none",
       "write 'sum(x over class)'"},
      {returning("softmax(x, y)"), "expected an axis of 'softmax', but found none", ""},
      {returning("max(x, y over class)"), "expected 1 argument of 'max' over an axis, but found 2",
       ""},
      {returning("exp(x over class)"), "'exp' works elementwise and takes no axis", ""},
      {returning("size(x + 1)"), "expected one axis as the argument of 'size'",
       "write 'size(class)'"},
      {returning("size()"), "expected one axis as the argument of 'size'", ""},
      {"fn g(a) = a " + returning("g(x over class)"), "the function 'g' does not take an axis",
       "name the axis inside the function"},
  });
  Diagnostic error = compile("fn g(a, b) = a + b\n" + returning("g(x)")).firstError();
  EXPECT_EQ(error.message, "expected 2 arguments of 'g', but found 1");
  ASSERT_EQ(error.notes.size(), 1u);
  EXPECT_EQ(error.notes[0].message, "the function is defined here");
}

TEST(Sema, Axes) { // [LANG-4.7], [LANG-4.12]
  expectErrors({
      {returning("sum(x over clas)"), "unknown axis 'clas'", "did you mean 'class'?"},
      {returning("sum(x over height)"), "unknown axis 'height'",
       "this loss has the axes [batch, class]"},
      {returning("sum(k over class)"),
       "expected an operand with the axis 'class' in 'sum', but found one of type 'real []'",
       "the sum of a constant is 'size(class)' times the constant"},
      {returning("max(sum(x over class) over class)"),
       "expected an operand with the axis 'class' in 'max', but found one of type 'real [batch]'",
       ""},
      {returning("sum(x over batch) / size(batch)"), "", ""},
      {"fn g(a: [klass]) = a " + returning("g(x)"), "unknown axis 'klass'",
       "did you mean 'class'?"},
  });
}

TEST(Sema, AnnotatedArguments) { // [LANG-3.11]
  const std::string fn = "fn g(a: [class]) = sum(a over class)\n";
  EXPECT_TRUE(compile(fn + returning("g(x * y * k) + g(w)")).program);
  Diagnostic error = compile(fn + returning("g(k)")).firstError();
  EXPECT_EQ(error.message,
            "expected an argument 'a' with the axis 'class', but found one of type 'real []'");
  ASSERT_EQ(error.notes.size(), 1u);
  EXPECT_EQ(error.notes[0].message, "the function demands the axis here");
}

TEST(Sema, ElementTypes) { // [LANG-4.8]
  const std::string hint = "write 'if c then 1 else 0' to make a number of it";
  expectErrors({
      {returning("sum(x > 0 over class)"),
       "expected a real number, but found a truth value of type 'bool [batch, class]'", hint},
      {returning("x + (k > 1)"),
       "expected a real number, but found a truth value of type 'bool []'", hint},
      {returning("if k > 1 then k > 2 else 1"),
       "expected a real number, but found a truth value of type 'bool []'", ""},
      {returning("-(k > 1)"), "expected a real number, but found a truth value of type 'bool []'",
       ""},
      {returning("(k > 1) == (k > 2)"),
       "expected a real number, but found a truth value of type 'bool []'", ""},
      {returning("if w then 1 else 2"),
       "expected a truth value, but found a number of type 'real [class]'",
       "compare it, as in 'x > 0'"},
      {returning("not x"),
       "expected a truth value, but found a number of type 'real [batch, class]'", ""},
      {returning("if k > 1 and k then 1 else 2"),
       "expected a truth value, but found a number of type 'real []'", ""},
  });
}

TEST(Sema, ResultType) { // [LANG-4.11]
  expectErrors({
      {returning("x"), "", ""},
      {returning("k"), "", ""},
      {returning("w"), "", ""},
      {returning("sum(x over class) > 0"),
       "expected a real number, but found a truth value of type 'bool [batch]'",
       "write 'if c then 1 else 0' to make a number of it"},
      {lossWith("axis other = class return sum(x * w[class -> other] over batch)"),
       "expected a result without copies of axes, but found one of type 'real [class, other]'",
       "reduce it, as in 'mean(... over other)'"},
  });
}

TEST(Sema, Definitions) { // [LANG-3.1], [LANG-3.2], [LANG-3.7]
  expectErrors({
      {"fn f(a) = a", "expected a loss, but found none in this file",
       "a file defines one loss: 'loss name(...) { return ... }'"},
      {"loss f(x: [b, c]) { return sum(x over c) } loss g(x: [b, c]) { return sum(x over c) }",
       "expected one loss in a file, but found another", ""},
      {"fn exp(a) = a " + returning("x"), "'exp' is a builtin function", "choose another name"},
      {"fn g(a) = a fn g(b) = b " + returning("x"), "the function 'g' is already defined", ""},
      {"fn g(a, a) = a " + returning("x"), "the argument 'a' is already defined", ""},
      {lossWith("let a = 1 let a = 2 return a"), "the name 'a' is already defined", ""},
      {lossWith("let x = 1 return x"), "the name 'x' is already defined", ""},
      {lossWith("let pi = 3 return pi"), "'pi' is a builtin constant", ""},
      {"loss f(x: [b, c], x: [b, c]) { return sum(x over c) }", "the input 'x' is already defined",
       ""},
      {"loss f(x: [b, c], param x = 1) { return sum(x over c) }",
       "the parameter 'x' is already defined", ""},
  });
}

TEST(Sema, Recursion) { // [LANG-3.10]
  expectErrors({
      {"fn g(a) = g(a) " + returning("g(x)"), "the function 'g' calls itself",
       "functions are not recursive"},
      {"fn unused(a) = unused(a) " + returning("x"), "the function 'unused' calls itself", ""},
  });
  Diagnostic error =
      compile("fn a(t) = b(t)\nfn b(t) = c(t)\nfn c(t) = a(t)\n" + returning("a(x)")).firstError();
  EXPECT_EQ(error.message, "the function 'a' calls itself");
  ASSERT_EQ(error.notes.size(), 2u);
  EXPECT_EQ(error.notes[0].message, "by way of 'b' here");
  EXPECT_EQ(error.notes[1].message, "by way of 'c' here");
}

TEST(Sema,
     Signatures) { // [LANG-3.3], [LANG-3.13], [LANG-3.14], [LANG-4.3], [LANG-4.9], [LANG-4.10]
  expectErrors({
      {"loss f() { return 1 }", "expected a loss with an input, but found none",
       "write 'logits: [batch, class]'"},
      {"loss f(param k = 1) { return k }", "expected a loss with an input, but found none", ""},
      {"loss f(x: []) { return x }", "expected an input with an axis, but 'x' has none",
       "write 'x: [batch]'"},
      {"loss f(x: [b]) { return x }", "", ""},
      {"loss f(x: [b, b]) { return x }", "the axis 'b' is listed twice", ""},
      {"loss f(x: [a, b, c], y: target [c], z: fixed [d]) { return x * y * z }", "", ""},
      {"loss f(x: [b, c], y: target [c, b]) { return x }",
       "expected an order of the axes that every input keeps, but 'y' has 'c' before 'b'", ""},
      {"loss f(x: [b], y: target []) { return x * y }",
       "expected the target 'y' to have an axis, the classes", ""},
      {"loss f(x: [b, c], y: target [b, c], z: target [b, c]) { return x }",
       "expected at most one target, but 'z' is another", "declare further labels as 'fixed'"},
      {"loss f(x: [b, c], y: target over b [b, c]) { return x * y }", "", ""},
      {"loss f(x: [batch, d], y: target over clas [batch, class]) { return x * y }",
       "expected an axis of the target 'y', but found 'clas'", "did you mean 'class'?"},
      {"loss f(y: target [b, c], z: fixed [b]) { return sum(y over c) }",
       "expected an input that gradients flow to, but found only targets and fixed ones",
       "declare the prediction without 'target' and 'fixed'"},
  });
}

TEST(Sema, Defaults) { // [LANG-3.6]
  auto text = [](const std::string &value) {
    return "loss f(x: [b, c], param j = 1, param k = " + value +
           ") { return sum(x * j * k over c) }";
  };
  const std::string hint = "a default consists of numbers, pi and + - * / ^";
  expectErrors({
      {text("j"), "expected a constant as the default of 'k'", hint},
      {text("sqrt(2)"), "expected a constant as the default of 'k'", hint},
      {text("1 < 2"), "expected a constant as the default of 'k'", hint},
      {text("1 / 0"), "the default of 'k' is not a finite number", ""},
      {text("(-1)^0.5"), "the default of 'k' is not a finite number", ""},
  });
}

TEST(Sema, ErrorsInAFunctionShowTheCalls) {
  Outcome outcome = compile("fn inner(a) = sum(a over class)\n"
                            "fn outer(a) = inner(a) + 1\n" +
                            returning("outer(x) +\n  outer(k)"));
  Diagnostic error = outcome.firstError();
  EXPECT_EQ(error.range.begin, (SourcePos{1, 19}));
  ASSERT_EQ(error.notes.size(), 2u);
  EXPECT_EQ(error.notes[0].message, "in this call of 'inner'");
  EXPECT_EQ(error.notes[0].range.begin, (SourcePos{2, 15}));
  EXPECT_EQ(error.notes[1].message, "in this call of 'outer'");
  EXPECT_EQ(error.notes[1].range.begin, (SourcePos{4, 3}));
}

TEST(Sema, SaysTheSameThingOnce) {
  Outcome outcome = compile("fn g(a) = sum(a over class)\n" +
                            returning("g(k) + g(k) + g(k) + sum(x over class)"));
  EXPECT_EQ(outcome.messages(Severity::Error).size(), 1u);
}

TEST(Sema, ReportsEveryIndependentError) {
  Outcome outcome =
      compile(lossWith("let a = nonsense\nlet b = sum(x over zzz)\nreturn exp(x, x)"));
  EXPECT_EQ(outcome.messages(Severity::Error).size(), 3u);
  // One cause, one error.
  outcome = compile(lossWith("let a = sum(k over class) + 1\nlet b = exp(a) * a\nreturn b"));
  EXPECT_EQ(outcome.messages(Severity::Error).size(), 1u);
}

TEST(Sema, LimitsTheProgram) { // [LANG-9.2]
  std::string doubling = "fn f0(a) = a\n", adding = "fn f0(a) = a + 1\n", chain = "fn f0(a) = a\n";
  for (int i = 1; i <= 300; ++i) {
    std::string name = "fn f" + std::to_string(i), inner = "f" + std::to_string(i - 1);
    chain += name + "(a) = " + inner + "(a)\n";
    if (i > 60)
      continue;
    doubling += name + "(a) = " + inner + "(" + inner + "(a))\n";
    adding += name + "(a) = " + inner + "(a) + " + inner + "(a)\n";
  }
  const std::string tooLarge = "expected at most 100000 operations after inlining, but found more";
  expectErrors({
      {doubling + returning("f60(x)"), tooLarge, ""},
      {adding + returning("f60(x)"), tooLarge, ""},
      {chain + returning("f300(x)"),
       "expected at most 100 nested calls of functions, but found more", ""},
  });
}

TEST(Sema, DeepTreesInDeepCalls) { // [LANG-9.2]
  // What the other limits allow together must not overflow the stack.
  std::string terms;
  for (int i = 0; i < 990; ++i)
    terms += " + 1";
  std::string text = "fn f0(a) = a" + terms + "\n";
  for (int i = 1; i < 99; ++i)
    text += "fn f" + std::to_string(i) + "(a) = f" + std::to_string(i - 1) + "(a)" + terms + "\n";
  EXPECT_TRUE(compile(text + lossWith("return sum(f1(x) * y * w * k over class)")).program);
  EXPECT_EQ(compile(text + returning("sum(f98(x) * y * w * k over class)")).firstError().message,
            "expected an expression of at most 2000 levels after inlining, but found more");
}

} // namespace
