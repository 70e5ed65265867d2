#include "lang/VerifyDiagnostics.h"
#include "LangTesting.h"

using namespace loss::lang;

namespace {

/// The complaints about a text whose loss is compiled first.
std::vector<std::string> complaints(const std::string &text) {
  DiagnosticEngine diagnostics("test.loss");
  parseProgram(text, diagnostics);
  std::vector<std::string> result;
  for (const Diagnostic &diagnostic : verifyDiagnostics(text, diagnostics))
    result.push_back(std::to_string(diagnostic.range.begin.line) + ": " + diagnostic.message);
  return result;
}

using List = std::vector<std::string>;

TEST(VerifyDiagnostics, AcceptsWhatIsExpected) { // [LANG-10.3]
  EXPECT_EQ(
      complaints("loss f(x: [b, c]) {\n"
                 "  // expected-error@+1 {{unknown name 'abc'}} expected-hint@+1 {{did you}}\n"
                 "  let z = abc\n"
                 "  let abd = 1 // expected-note@-1 {{nothing}}\n"
                 "  return sum(x over c) }"),
      (List{"2: expected hint \"did you\" was not produced",
            "4: expected note \"nothing\" was not produced"}));
  EXPECT_EQ(
      complaints("loss f(x: [b, c], yy: [b, c]) { // expected-warning {{'yy' has no influence}}\n"
                 "  return sum(x over c) }"),
      List{});
  EXPECT_EQ(complaints("loss f(xx: [b, c]) {\n"
                       "  return sum(xy over c) }\n"
                       "// expected-error@above {{unknown name}} expected-hint@2 {{'xx'}}"),
            List{});
}

TEST(VerifyDiagnostics, ComplainsOfMissingAndUnexpected) {
  EXPECT_EQ(complaints("loss f(x: [b, c]) { // expected-error {{nothing of the kind}}\n"
                       "  return sum(z over c) }"),
            (List{"2: unexpected error: unknown name 'z'",
                  "1: expected error \"nothing of the kind\" was not produced"}));
}

TEST(VerifyDiagnostics, EachExpectationIsMetOnce) {
  EXPECT_EQ(complaints("loss f(x: [b, c]) {\n"
                       "  // expected-error@below {{unknown name}}\n"
                       "  return sum(p + q over c) }"),
            List{"3: unexpected error: unknown name 'q'"});
}

TEST(VerifyDiagnostics, ComplainsOfMalformedExpectations) {
  for (const char *text :
       {"// expected-error", "// expected-error {{x", "// expected-error@x {{y}}",
        "// expected-error@+ {{y}}", "// expected-error x {{y}}"})
    EXPECT_EQ(complaints("loss f(x: [b, c]) { return sum(x over c) }\n" + std::string(text)),
              List{"2: expected 'expected-error[@place] {{text}}', but found something else"})
        << text;
}

TEST(VerifyDiagnostics, UnknownPlace) {
  std::string text = "// expected-error@unknown {{no place}}";
  DiagnosticEngine diagnostics("test.loss");
  diagnostics.error({}, "an error at no place");
  EXPECT_TRUE(verifyDiagnostics(text, diagnostics).empty());
}

TEST(VerifyDiagnostics, ReadsImportedFiles) {
  DiagnosticEngine diagnostics("test.loss");
  uint32_t imported = diagnostics.addFile("imported.loss", "// expected-error@2 {{in line 2}}");
  diagnostics.error({{2, 1}, {2, 2}, imported}, "an error in line 2");
  EXPECT_TRUE(verifyDiagnostics("", diagnostics).empty());
  // Not the same line of another file.
  EXPECT_EQ(verifyDiagnostics("// expected-error@2 {{in line 2}}", diagnostics).size(), 1u);
}

} // namespace
