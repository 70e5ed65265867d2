// The formatter keeps comments and meaning, and formatting again changes nothing. [LANG-2.6]
#include "lang/Formatter.h"
#include "LangTesting.h"
#include "test/Paths.h"

#include <filesystem>
#include <random>

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

std::string formatted(const std::string &text) {
  DiagnosticEngine diagnostics("test.loss");
  std::optional<std::string> result = format(text, diagnostics);
  EXPECT_TRUE(result) << render(diagnostics) << text;
  return result.value_or("");
}

/// The comments of a text in order, and its program printed without them.
std::pair<std::vector<std::string>, std::string> contents(const std::string &text) {
  DiagnosticEngine diagnostics("test.loss");
  File file = parse(text, diagnostics);
  EXPECT_TRUE(file.complete) << render(diagnostics) << text;
  std::vector<std::string> comments;
  for (const Comment &comment : file.comments)
    comments.push_back(comment.text);
  return {comments, print(file)};
}

std::vector<std::string> libraryTexts() {
  std::vector<std::string> texts;
  for (const auto &entry :
       std::filesystem::directory_iterator(std::string(LOSSLANG_SOURCE_ROOT) + "/stdlib"))
    if (entry.path().extension() == ".loss")
      texts.push_back(readFile(entry.path()));
  return texts;
}

TEST(Formatter, PutsCommentsWhereTheyBelong) {
  const std::string text = "// License.\n"
                           "\n"
                           "// About the import.\n"
                           "import \"a.loss\"   // why\n"
                           "//// ruler\n"
                           "/// Doc.\n"
                           "// Between.\n"
                           "loss f(x:[b,c],// scores\n"
                           "  // Strength.\n"
                           "  param k:positive=1 // default\n"
                           "  // last\n"
                           ") { // start\n"
                           "axis d=b // copy\n"
                           "  let a = x // one\n"
                           "\n"
                           "\n"
                           "  // Above two.\n"
                           "  let z = a + // inside\n"
                           "     a[b->d]\n"
                           "  return (z) // result\n"
                           "  // end\n"
                           "} // f\n"
                           "fn g(a)=a // g\n"
                           "derivative a=1 // one\n"
                           "// The end.\n";
  const std::string expected = "// License.\n"
                               "\n"
                               "// About the import.\n"
                               "import \"a.loss\" // why\n"
                               "\n"
                               "//// ruler\n"
                               "// Between.\n"
                               "/// Doc.\n"
                               "loss f(\n"
                               "  x: [b, c], // scores\n"
                               "  // Strength.\n"
                               "  param k: positive = 1 // default\n"
                               "  // last\n"
                               ") {\n"
                               "  // start\n"
                               "  axis d = b // copy\n"
                               "  let a = x // one\n"
                               "\n"
                               "  // Above two.\n"
                               "  // inside\n"
                               "  let z = a + a[b -> d]\n"
                               "  return z // result\n"
                               "  // end\n"
                               "} // f\n"
                               "\n"
                               "fn g(a) = a // g\n"
                               "  derivative a = 1 // one\n"
                               "// The end.\n";
  EXPECT_EQ(formatted(text), expected);
  EXPECT_EQ(formatted(expected), expected);
}

TEST(Formatter, BreaksLongLines) {
  std::string sum = "alpha * beta";
  for (int i = 0; i < 10; ++i)
    sum += " + alpha * beta";
  std::string text = formatted("loss f(alpha: [batch, class], beta: [class]) {\n"
                               "  let a = if alpha > 0 then " +
                               sum + " else if alpha > 1 then beta else 1\n  return sum(" + sum +
                               " over class) + a\n}\n");
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    EXPECT_LE(end - at, formatWidth) << text.substr(at, end - at);
    at = end + 1;
  }
  EXPECT_EQ(formatted(text), text);
}

TEST(Formatter, KeepsTheLibrary) {
  for (const std::string &text : libraryTexts()) {
    std::string once = formatted(text);
    EXPECT_EQ(formatted(once), once);
    EXPECT_EQ(contents(once), contents(text));
  }
}

TEST(Formatter, LosesNoCommentAnywhere) {
  std::vector<std::string> texts = libraryTexts();
  std::mt19937 random(7);
  for (int round = 0; round < 300; ++round) {
    std::string text = texts[round % texts.size()];
    // Comments behind and between the words of the program.
    std::vector<size_t> blanks;
    bool inComment = false;
    for (size_t i = 0; i < text.size(); ++i) {
      inComment = text[i] != '\n' && (inComment || text.compare(i, 2, "//") == 0);
      if (!inComment && (text[i] == ' ' || text[i] == '\n'))
        blanks.push_back(i);
    }
    for (int count = 3; count > 0 && !blanks.empty(); --count) {
      size_t at = random() % blanks.size();
      text.insert(blanks[at], " // note " + std::to_string(count) + "\n");
      blanks.resize(at);
    }
    SCOPED_TRACE(text);
    std::string once = formatted(text);
    ASSERT_EQ(formatted(once), once);
    ASSERT_EQ(contents(once), contents(text));
  }
}

TEST(Formatter, RefusesBrokenPrograms) {
  DiagnosticEngine diagnostics("test.loss");
  EXPECT_FALSE(format("loss f(", diagnostics));
  EXPECT_TRUE(diagnostics.hasErrors());
}

} // namespace
