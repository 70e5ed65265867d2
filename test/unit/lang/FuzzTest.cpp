// Random damage to the library's files: never a crash, and always either a program or an error.
#include "LangTesting.h"
#include "test/Paths.h"

#include <filesystem>
#include <random>

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

class Mutator {
public:
  explicit Mutator(uint32_t seed) : random(seed) {}

  std::string mutate(std::string text, const std::vector<std::string> &others) {
    static const char *const pieces[] = {
        "(",       ")",    "[",        "]",     "{",     "}",           ",",    ":",     "=",
        "+",       "-",    "*",        "/",     "^",     "<",           "==",   "let ",  "return ",
        "over ",   "if ",  "then ",    "else ", "not ",  "and ",        "fn ",  "loss ", "param ",
        "target ", "sum(", "x",        "class", "batch", "1e",          "0.5",  "///",   "//",
        "\n",      "\xff", "\xc3\xa4", ";",     "!",     "size(class)", "max(", "f(f("};
    for (size_t count = 1 + pick(4); count-- > 0;) {
      size_t at = pick(text.size() + 1), length = std::min(pick(12), text.size() - at);
      switch (pick(5)) {
      case 0:
        text.erase(at, length);
        break;
      case 1:
        text.insert(at, pieces[pick(std::size(pieces))]);
        break;
      case 2:
        text.replace(at, length, pieces[pick(std::size(pieces))]);
        break;
      case 3:
        text.insert(at, text.substr(pick(text.size() + 1), 1 + pick(40)));
        break;
      default: {
        const std::string &other = others[pick(others.size())];
        text.insert(at, other.substr(pick(other.size()), 1 + pick(60)));
      }
      }
    }
    return text;
  }

private:
  size_t pick(size_t count) { return std::uniform_int_distribution<size_t>(0, count - 1)(random); }

  std::mt19937 random;
};

TEST(Fuzz, DamagedLibraryFiles) {
  std::vector<std::string> texts;
  for (const auto &entry :
       std::filesystem::directory_iterator(std::string(LOSSLANG_SOURCE_ROOT) + "/stdlib"))
    if (entry.path().extension() == ".loss")
      texts.push_back(readFile(entry.path()));
  ASSERT_FALSE(texts.empty());

  // LOSSLANG_FUZZ_ROUNDS and LOSSLANG_FUZZ_SEED make it longer, or repeat a failure.
  const char *roundsText = std::getenv("LOSSLANG_FUZZ_ROUNDS");
  const char *seedText = std::getenv("LOSSLANG_FUZZ_SEED");
  uint32_t rounds = roundsText ? std::stoul(roundsText) : 2000;
  uint32_t firstSeed = seedText ? std::stoul(seedText) : 1;
  for (uint32_t seed = firstSeed; seed < firstSeed + rounds; ++seed) {
    std::string text = Mutator(seed).mutate(texts[seed % texts.size()], texts);
    SCOPED_TRACE("seed " + std::to_string(seed) + ":\n" + text);
    DiagnosticEngine diagnostics("fuzz.loss");
    File file = parse(text, diagnostics);
    ASSERT_EQ(file.complete, !diagnostics.hasErrors());
    // Analysis takes broken files, too.
    std::optional<Program> program = analyze(file, diagnostics);
    ASSERT_EQ(program.has_value(), !diagnostics.hasErrors());
    if (file.complete) {
      std::string once = print(file);
      DiagnosticEngine again("again.loss");
      File reparsed = parse(once, again);
      ASSERT_TRUE(reparsed.complete) << once << render(again.diagnostics(), once);
      ASSERT_EQ(print(reparsed), once);
    }
    for (const Diagnostic &diagnostic : diagnostics.diagnostics()) {
      ASSERT_EQ(diagnostic.message.find("internal"), std::string::npos) << diagnostic.message;
      ASSERT_LT(diagnostic.message.size(), 300u);
    }
    ASSERT_LT(render(diagnostics.diagnostics(), text).size(), 60000u);
  }
}

} // namespace
