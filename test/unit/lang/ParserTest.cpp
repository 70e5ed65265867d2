#include "LangTesting.h"
#include "test/Paths.h"

#include <fstream>
#include <thread>

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

struct Case {
  std::string text, message, hint;
};

/// Each text must give this first error, and hint at this when a hint is named.
void expectErrors(const std::vector<Case> &cases) {
  for (const Case &c : cases) {
    Diagnostic error = compile(c.text).firstError();
    EXPECT_EQ(error.message, c.message) << c.text;
    if (!c.hint.empty())
      EXPECT_EQ(error.hint, c.hint) << c.text;
  }
}

std::string repeat(std::string_view text, size_t count) {
  std::string result;
  for (size_t i = 0; i < count; ++i)
    result += text;
  return result;
}

TEST(Parser, ReadsALoss) {
  DiagnosticEngine diagnostics("test.loss");
  File file = parse("/// Two\n///  lines.\n///\nloss f(\n  /// In.\n  x: [b, c],\n"
                    "  y: target [b, c], param k = -1e-3) {\n"
                    "  let a = x\n  return sum(a over c)\n}",
                    diagnostics);
  ASSERT_TRUE(file.complete);
  const auto &loss = std::get<LossDef>(file.items.at(0));
  EXPECT_EQ(loss.doc, "Two\n lines.\n"); // [LANG-1.4]
  EXPECT_EQ(loss.name.name, "f");
  ASSERT_EQ(loss.args.size(), 3u);
  EXPECT_EQ(loss.args[0].doc, "In.");
  EXPECT_EQ(loss.args[0].axes[1].name, "c");
  EXPECT_EQ(loss.args[1].kind, LossArg::Kind::Target);
  EXPECT_EQ(loss.args[2].kind, LossArg::Kind::Param);
  EXPECT_EQ(loss.body.lets.size(), 1u);
  EXPECT_EQ(loss.body.result->axes.at(0).name, "c");
  EXPECT_EQ(loss.body.result->range.begin, (SourcePos{9, 10}));
  EXPECT_EQ(loss.body.result->range.end, (SourcePos{9, 23}));
}

TEST(Parser, SaysWhatWasExpected) { // [LANG-10.2]
  expectErrors({
      {"", "expected a loss, but found none in this file", ""},
      {"// nothing", "expected a loss, but found none in this file", ""},
      {"/// only documentation", "expected 'fn' or 'loss', but found the end of the file", ""},
      {"los f() {}", "expected 'fn', 'import', 'loss' or the end of the file, but found 'los'",
       "did you mean 'loss'?"},
      {"loss f(", "expected an input, a parameter, an option or ')', but found the end of the file",
       ""},
      {"loss f(x [b, c]) { return x }", "expected ':', but found '['", ""},
      {"loss f(x: batch) { return x }", "expected '[', 'fixed' or 'target', but found 'batch'",
       "axes are written in brackets: '[batch, class]'"},
      {"loss f(x: [1]) { return x }", "expected the name of an axis or ']', but found '1'", ""},
      {"loss f(x: [b, c],) { return x }",
       "expected an input, a parameter or an option, but found ')'", "remove the comma"},
      {"loss f(x: [b], option p: = 1) { return x }", "expected a constraint, but found '='", ""},
      {"loss f(x: [b], option p: [1] = 1) { return x }", "expected ',', but found ']'", ""},
      {"loss f(x: [b], option p: integer (1, 2) = 1) { return x }", "expected '=', but found '('",
       ""},
      {"loss f(x: [b], option p) { return x }", "expected ':' or '=', but found ')'",
       "an option has a default: 'option p = 1'"},
      {"loss f(target: [b, c]) { return 1 }", "expected a name, but found the keyword 'target'",
       "'target' is a keyword and cannot be a name"},
      {lossWith("let a = 1 return a; "), "unexpected ';'", "statements need no semicolon"},
      {lossWith("let let = 1 return 1"), "expected a name, but found the keyword 'let'", ""},
      {lossWith("lett a = 1 return 1"), "expected 'axis', 'let' or 'return', but found 'lett'",
       "did you mean 'let'?"},
      {lossWith("x"), "expected 'axis', 'let' or 'return', but found 'x'", ""},
      {lossWith(""), "expected 'axis', 'let' or 'return', but found '}'", ""},
      {lossWith("return x") + " }",
       "expected 'fn', 'import', 'loss' or the end of the file, but found '}'", ""},
      {"fn f(x) { return x", "expected '}', but found the end of the file", ""},
      {"fn f(x) let a = 1", "expected '=' or '{', but found the keyword 'let'",
       "statements go into a block: 'fn f(x) { let ... return ... }'"},
      {returning("sum(x over 3)"), "expected the name of an axis, but found '3'", ""},
  });
}

TEST(Parser, SaysWhatWasExpectedInExpressions) {
  expectErrors({
      {returning("x +"), "expected an expression, but found '}'", ""},
      {returning("(x"), "expected ')', but found '}'", ""},
      {returning("max(x, )"), "expected an expression, but found ')'", "remove the comma"},
      {returning("1 + if k > 1 then 2 else 3"),
       "expected an expression, but found the keyword 'if'", "put the conditional in parentheses"},
      {returning("if k > 1 then 2"), "expected 'else', but found '}'",
       "every 'if' needs an 'else'"},
      {returning("2 x"), "expected '}', but found 'x'", "is an operator missing here?"},
      {returning("+x"), "expected an expression, but found '+'", "there is no unary '+'"},
      {returning("k < 1 < 2"), "expected one comparison, but found another: '<'", // [LANG-2.3]
       "comparisons do not chain; write 'a < b and b < c'"},
      {returning("if k = 1 then 1 else 2"), "expected 'then', but found '='",
       "equality is written '=='"},
      {lossWith("/// doc\nreturn x"), "expected 'axis', 'let' or 'return', but found a doc comment",
       "'///' belongs before a loss, a function, an input or a parameter; use '//' here"},
  });
}

TEST(Parser, NamesTokensOfOtherLanguages) {
  expectErrors({
      {lossWith("let a = k > 1 && k < 2 return 1"), "unexpected '&&'",
       "conjunction is written 'and'"},
      {lossWith("let a = k > 1 || k < 2 return 1"), "unexpected '||'",
       "disjunction is written 'or', a norm 'norm(x over class)'"},
      {returning("!(k > 1)"), "unexpected '!'", "negation is written 'not'"},
      {returning("x ** 2"), "unexpected '**'", "powers are written x^y"},
      {returning("k > 1 ? 1 : 2"), "unexpected '?'",
       "conditionals are written 'if c then a else b'"},
      {"# comment", "unexpected '#'", "comments start with '//'"},
      {"/* comment */", "unexpected '/*'", "comments start with '//' and end with the line"},
      {returning("x @ y"), "unexpected '@'", ""},
      {returning("\u03b3"), "unexpected '\u03b3'", ""}, // [LANG-1.8]
  });
}

TEST(Parser, ReadsNumbers) { // [LANG-1.7]
  for (const char *good :
       {"0", "12", "0.5", "1e-7", "2.5E3", "1e+2", "1.7976931348623157e308", "5e-324"})
    EXPECT_EQ(reprint(good), good);
  expectErrors({
      {returning(".5"), "expected a number, but found '.5'", "write 0.5"},
      {returning("1."), "expected a number, but found '1.'", "write 1.0"},
      {returning("1e"), "expected a number, but found '1e'", ""},
      {returning("1.2.3"), "expected a number, but found '1.2.3'", ""},
      {returning("2x"), "expected a number, but found '2x'",
       "names do not start with a digit; a product needs '*'"},
      {returning("1e999"), "expected a number that a 64-bit float can hold, but found '1e999'", ""},
      {returning("1e-999"), "expected a number that a 64-bit float can hold, but found '1e-999'",
       ""},
  });
  std::string digits(100000, '9');
  EXPECT_EQ(compile(returning(digits)).firstError().message.substr(0, 40),
            "expected a number that a 64-bit float ca");
}

TEST(Parser, ReadsBlanksCommentsAndNames) { // [LANG-1.2], [LANG-1.3], [LANG-1.5], [LANG-1.6]
  // Layout means nothing; a ruler of slashes is a comment.
  Outcome one = compile("loss f(x:[b,c]){let _a1=x return sum(_a1 over c)}");
  Outcome two =
      compile("//////// ruler\r\n\tloss f ( x : [ b , c ] ) // comment\n{\n\n let _a1\n = x\r\n"
              "return sum ( _a1 // more\n over c ) }");
  ASSERT_TRUE(one.program && two.program);
  EXPECT_EQ(dump(*one.program), dump(*two.program));
  // Upper and lower case differ.
  EXPECT_TRUE(compile("loss f(x: [b, c], X: [b, c]) { return sum(x * X over c) }").program);
  for (const char *keyword : {"and", "else", "fn", "if", "let", "loss", "not", "or", "over",
                              "param", "return", "target", "then"})
    EXPECT_EQ(
        compile(lossWith("let " + std::string(keyword) + " = 1 return 1")).firstError().message,
        "expected a name, but found the keyword '" + std::string(keyword) + "'");
}

TEST(Parser, ChecksTheEncoding) { // [LANG-1.1]
  for (std::string bad :
       {"\xff", "\xc0\xaf", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82", "\x80"}) {
    Diagnostic error = compile("// ok \u00e4\n// " + bad).firstError();
    EXPECT_EQ(error.message.substr(0, 40), "expected UTF-8 text, but found the byte ");
    EXPECT_EQ(error.range.begin, (SourcePos{2, 4}));
  }
  EXPECT_TRUE(compile("\xef\xbb\xbf" + returning("sum(x * w * y * k over class)")).program);
  EXPECT_EQ(compile(std::string("loss\0f", 6)).firstError().message.substr(0, 10), "unexpected");
  EXPECT_EQ(compile(std::string(maxSourceSize + 1, ' ')).firstError().message,
            "expected a file of at most 1048576 bytes, but found 1048577");
}

TEST(Parser, ReportsSeveralErrors) { // [LANG-10.2]
  Outcome outcome = compile("fn f(x = 1\nfn g(y) = )\nloss h(x: [b, c]) { return }");
  EXPECT_GE(outcome.messages(Severity::Error).size(), 3u);
}

TEST(Parser, GivesUpAfterManyErrors) { // [LANG-9.3]
  Outcome outcome = compile(repeat("fn f( = \n", 1000));
  std::vector<std::string> errors = outcome.messages(Severity::Error);
  EXPECT_EQ(errors.size(), maxErrors + 1);
  EXPECT_EQ(errors.back(), "too many errors; giving up on this file");
}

TEST(Parser, NotesTheOpenBracket) {
  Diagnostic error = compile("loss f(x: [b, c]) {\n  return sum(\n    x over c\n}").firstError();
  EXPECT_EQ(error.message, "expected ')', but found '}'");
  ASSERT_EQ(error.notes.size(), 1u);
  EXPECT_EQ(error.notes[0].message, "to match this '('");
  EXPECT_EQ(error.notes[0].range.begin, (SourcePos{2, 13}));
}

TEST(Parser, PutsTheEndOfTheFileBehindTheLastToken) {
  Diagnostic error = compile("fn f(x) {\n  return x\n\n\n").firstError();
  EXPECT_EQ(error.range.begin, (SourcePos{2, 11}));
}

TEST(Parser, LimitsNesting) { // [LANG-9.1]
  const std::string tooDeep = "expected at most 200 nested expressions, but found more";
  for (size_t count : {size_t(1000), size_t(10000), size_t(200000)}) {
    for (const char *opening : {"(", "-", "- ", "x^", "not ", "exp(", "if ", "x^-"})
      EXPECT_EQ(compile(returning(repeat(opening, count))).firstError().message, tooDeep)
          << opening;
    EXPECT_EQ(compile(returning(repeat("if k > 1 then 1 else ", count)))
                  .firstError()
                  .message.substr(0, 20),
              count > 50000 ? "expected a file of a" : "expected at most 200");
  }
  EXPECT_EQ(reprint(repeat("(", 150) + "x" + repeat(")", 150)), "x");
  EXPECT_EQ(reprint(repeat("-", 150) + "x"), repeat("-", 150) + "x");
  // Width is not depth.
  EXPECT_EQ(compile(returning("sum(x * y * w * k over class)" + repeat(" - k", 900)))
                .firstError()
                .message,
            "");
  EXPECT_EQ(compile(returning("k" + repeat(" + k", 10000))).firstError().message,
            "expected an expression of at most 1000 levels, but found more");
}

TEST(Parser, SurvivesUnterminatedThings) {
  for (const char *text : {"loss",
                           "loss f",
                           "loss f(",
                           "loss f()",
                           "loss f() {",
                           "loss f() { let",
                           "loss f() { let a",
                           "loss f() { let a =",
                           "loss f() { return",
                           "fn",
                           "fn f",
                           "fn f(",
                           "fn f(a",
                           "fn f(a:",
                           "fn f(a: [",
                           "fn f(a) =",
                           "///",
                           "//",
                           "/",
                           "loss f(x: [a, b], y: target",
                           "loss f(param",
                           "loss f(param a",
                           "loss f(param a ="})
    EXPECT_FALSE(compile(text).program) << text;
}

long residentKilobytes() {
  std::ifstream status("/proc/self/statm");
  long total = 0, resident = 0;
  status >> total >> resident;
  return resident * 4;
}

TEST(Parser, UsesFlatMemory) {
  std::string text =
      readFile(std::string(LOSSLANG_SOURCE_ROOT) + "/stdlib/symmetric_cross_entropy.loss");
  auto parseMany = [&](int count) {
    for (int i = 0; i < count; ++i)
      ASSERT_TRUE(compile(text).program);
  };
  parseMany(500);
  long before = residentKilobytes();
  parseMany(5000);
  EXPECT_LT(residentKilobytes() - before, 1024);
}

TEST(Parser, IsThreadSafe) {
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([] {
      for (int j = 0; j < 200; ++j) {
        DiagnosticEngine diagnostics("test.loss");
        EXPECT_TRUE(parseProgram(returning("sum(x * y * w * k over class)"), diagnostics));
        EXPECT_FALSE(parseProgram(returning("sum(x over "), diagnostics));
      }
    });
  for (std::thread &thread : threads)
    thread.join();
}

// [LANG-1.3]
TEST(Parser, FindsQuotientsThatAreComments) {
  auto warnings = [](const std::string &line) {
    Outcome outcome =
        compile("loss f(x: [b, c], param n = 2) {\n" + line + "\n  return sum(n * x over c)\n}");
    EXPECT_TRUE(outcome.program) << line;
    std::vector<std::string> found;
    for (const Diagnostic &diagnostic : outcome.diagnostics)
      if (diagnostic.name == "hidden-number")
        found.push_back(diagnostic.message.substr(diagnostic.message.find('\'')) + " " +
                        diagnostic.hint.substr(diagnostic.hint.find('\'')));
    return found;
  };
  using List = std::vector<std::string>;
  EXPECT_EQ(warnings("let a = x // 2"), (List{"'2' 'floor(x / 2)'"}));
  EXPECT_EQ(warnings("let a = x//2"), (List{"'2' 'floor(x / 2)'"}));
  EXPECT_EQ(warnings("let a = x // n"), (List{"'n' 'floor(x / n)'"}));
  EXPECT_EQ(warnings("let a = x // size(c)"), (List{"'size(c)' 'floor(x / size(c))'"}));
  EXPECT_EQ(warnings("let a = x // 2 + 1"), (List{"'2 + 1' 'floor(x / 2)'"}));
  EXPECT_EQ(warnings("let a = sum(x over c) // (2)"), (List{"'(2)' 'floor(x / (2))'"}));
  EXPECT_EQ(warnings("let a = size(c) // 2"), (List{"'2' 'floor(x / 2)'"}));
  EXPECT_EQ(warnings("let a = x // (n + 1) * 3"), (List{"'(n + 1) * 3' 'floor(x / (n+1))'"}));
  EXPECT_EQ(warnings("let a = x // max(x over c)"),
            (List{"'max(x over c)' 'floor(x / max(x over c))'"}));
  for (const char *line :
       {"let z = log(2)  // 0.693", "let z = 1e-3 // 0.001", "let z = sum(x over c)   // 2023",
        "let z = 1 / 2 // 0.5", "let z = log(2) // 0.693", "let z = 2 * pi // 6.28",
        "let z = x // scores", "let z = x // n samples", "let z = x // see 2",
        "let z = x // [b, c]", "let z = softmax(x over c) // z", "let z = x // 2 of 3",
        "let z = x // c", "let z = x * // 2\n 3", "let z = x // 2)", "let z = x  // n",
        "let z = x // not n"})
    EXPECT_EQ(warnings(line), List()) << line;
  EXPECT_TRUE(
      compile("loss f(x: [b, c], param a = 2 // 2\n) { return a * x }").diagnostics.empty());
  EXPECT_TRUE(compile("loss f(x: [b, c] // 2\n) { return x }").diagnostics.empty());
}

} // namespace
