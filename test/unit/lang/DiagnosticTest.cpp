#include "LangTesting.h"
#include "lang/Suggest.h"

using namespace loss::lang;

static Diagnostic at(uint32_t line, uint32_t begin, uint32_t end) {
  return {Severity::Error, "a.loss", {{line, begin}, {line, end}}, "expected more", {}, {}};
}

TEST(Diagnostic, ShowsTheLineAndTheRange) { // [LANG-10.1]
  EXPECT_EQ(render(at(2, 5, 8), "first\nlet abc = 1\nlast"),
            "a.loss:2:5: error: expected more\n  let abc = 1\n      ^~~\n");
}

TEST(Diagnostic, ShowsHintAndNotes) {
  Diagnostic diagnostic = at(1, 1, 2);
  diagnostic.hint = "write less";
  diagnostic.notes.push_back({{{2, 1}, {2, 3}}, "because of this"});
  EXPECT_EQ(render(diagnostic, "x\nyy\n"), "a.loss:1:1: error: expected more\n  x\n  ^\n"
                                           "  hint: write less\n"
                                           "a.loss:2:1: note: because of this\n  yy\n  ^~\n");
}

TEST(Diagnostic, WithoutAPlaceIsOneLine) {
  EXPECT_EQ(render(at(0, 0, 0), "x"), "a.loss: error: expected more\n");
}

TEST(Diagnostic, APlaceOutsideTheTextIsOneLine) {
  EXPECT_EQ(render(at(9, 1, 2), "x"), "a.loss:9:1: error: expected more\n");
  EXPECT_EQ(render(at(1, 9, 10), "x"), "a.loss:1:9: error: expected more\n");
}

TEST(Diagnostic, CountsCharactersNotBytes) {
  EXPECT_EQ(render(at(1, 3, 4), "\u00e4\u00f6x"),
            "a.loss:1:3: error: expected more\n  \u00e4\u00f6x\n    ^\n");
}

TEST(Diagnostic, ReplacesTabsAndControlCharacters) {
  EXPECT_EQ(render(at(1, 3, 4), "\t\x1bx\r\n"), "a.loss:1:3: error: expected more\n   ?x\n    ^\n");
}

TEST(Diagnostic, CutsLongLines) {
  std::string text = render(at(1, 5001, 5002), std::string(10000, 'x'));
  EXPECT_LT(text.size(), 400u);
  EXPECT_NE(text.find("..."), std::string::npos);
}

TEST(Suggest, EditDistance) {
  EXPECT_EQ(editDistance("", "abc"), 3u);
  EXPECT_EQ(editDistance("logits", "logits"), 0u);
  EXPECT_EQ(editDistance("logist", "logits"), 1u); // a swap
  EXPECT_EQ(editDistance("kitten", "sitting"), 3u);
}

TEST(Suggest, OffersLikelyTyposOnly) {
  EXPECT_EQ(didYouMean("logit", {"y", "logits", "gamma"}), "did you mean 'logits'?");
  EXPECT_EQ(didYouMean("Logits", {"logits"}), "did you mean 'logits'?");
  EXPECT_EQ(didYouMean("softmx", {"softplus", "softmax"}), "did you mean 'softmax'?");
  EXPECT_EQ(didYouMean("z", {"y"}), "");
  // Two letters of a short name make another name.
  for (const char *name : {"var", "prod", "median", "std", "size_of"})
    EXPECT_EQ(didYouMean(name, {"tan", "pow", "mean", "sin", "size"}), "") << name;
  EXPECT_EQ(didYouMean("lgo", {"log"}), "did you mean 'log'?");
  EXPECT_EQ(didYouMean("logsftmxa", {"log_softmax"}), "");
  EXPECT_EQ(didYouMean("log_sotfmx", {"log_softmax"}), "did you mean 'log_softmax'?");
  EXPECT_EQ(didYouMean("temperature", {"gamma"}), "");
  EXPECT_EQ(didYouMean(std::string(100000, 'a'), {"a"}), "");
}
