// Functions of other files.
#include "lang/Imports.h"
#include "LangTesting.h"

#include <map>

using namespace loss::lang;

namespace {

/// Files that exist in the test only.
class Imports : public ::testing::Test {
protected:
  std::optional<Program> load(const std::string &text) {
    engine.emplace("dir/main.loss");
    File file = parse(text, *engine);
    ImportOptions options;
    options.folders = {"lib"};
    options.read = [this](const std::string &path) {
      auto found = files.find(path);
      return found == files.end() ? std::nullopt : std::optional(found->second);
    };
    loadImports(file, *engine, options);
    std::optional<Program> program = analyze(file, *engine);
    if (program)
      expanded = selfContained(file, text);
    return program;
  }

  std::string rendered() { return render(*engine); }

  std::map<std::string, std::string> files;
  std::optional<DiagnosticEngine> engine;
  std::string expanded;
};

TEST_F(Imports, AreSearchedBesideTheFileThenInTheLibrary) { // [LANG-3.18]
  files = {{"dir/a.loss", "import \"sub/b.loss\"\nfn a(t) = b(t) + c(t)"},
           {"dir/sub/b.loss", "import \"c.loss\"\nfn b(t) = c(t)"},
           {"lib/c.loss", "fn c(t) = t\nfn spare(t) = t"},
           {"lib/a.loss", "not this one"}};
  EXPECT_TRUE(load("import \"a.loss\"\nimport \"c.loss\"\nloss f(x: [b]) { return a(x) + c(x) }"))
      << rendered();
  EXPECT_EQ(rendered(), "");
}

TEST_F(Imports, MayHaveOtherAxesWhereTheyAreNotCalled) { // [LANG-3.18]
  files = {{"lib/c.loss", "fn c(t: [dim]) = d(t) * size(dim)\nfn d(t) = sum(t over dim)\n"
                          "fn e(t) = 2 * t"}};
  EXPECT_TRUE(load("import \"c.loss\"\nloss f(x: [b]) { return e(x) }")) << rendered();
  EXPECT_EQ(rendered(), "");
  EXPECT_FALSE(load("import \"c.loss\"\nloss f(x: [b]) { return d(x) }"));
  EXPECT_EQ(rendered(), "lib/c.loss:2:22: error: unknown axis 'dim'\n"
                        "  fn d(t) = sum(t over dim)\n"
                        "                       ^~~\n"
                        "  hint: this loss has the axes [b]\n");
}

TEST_F(Imports, AreWrittenIntoTheText) { // [LANG-3.19]
  files = {{"dir/a.loss", "/// Doc.\nfn a(t) = b(t)\n  derivative t = 1\nfn spare(t) = t"},
           {"lib/b.loss", "fn b(t) { let c = t return c }"}};
  ASSERT_TRUE(load("// ä\nimport \"b.loss\" import \"a.loss\"\n\nloss f(x: [b]) { return a(x) }"));
  EXPECT_EQ(expanded, "// ä\n" + std::string(31, ' ') +
                          "\n\nloss f(x: [b]) { return a(x) }\n\n"
                          "fn b(t) {\n  let c = t\n  return c\n}\n\n"
                          "/// Doc.\nfn a(t) = b(t)\n  derivative t = 1\n");
  DiagnosticEngine again("again.loss");
  EXPECT_TRUE(parseProgram(expanded, again)) << render(again);
}

TEST_F(Imports, AreWrittenIntoTheTextWithTheValuesOfDefines) { // [LANG-3.19]
  files = {{"dir/a.loss", "fn a(t) = t"}};
  const std::string text =
      "import \"a.loss\"\nloss f(x: [b],\n  param p: positive = 2 * 3, // p\n"
      "  option q = -(1), option r = false) { return if r then a(p * x) else q * x }";
  ASSERT_TRUE(load(text));
  DiagnosticEngine diagnostics("dir/main.loss");
  const File file = parse(text, diagnostics);
  auto with = [&](const std::vector<Override> &overrides) {
    return selfContained(file, text, overrides);
  };
  EXPECT_EQ(with({}).substr(15), text.substr(15));
  EXPECT_EQ(with({{"r", 1, true}, {"p", 0.1}, {"q", -2.5}, {"p", 1e-300}}),
            std::string(15, ' ') +
                "\nloss f(x: [b],\n  param p: positive = 1e-300, // p\n"
                "  option q = -2.5, option r = true) { return if r then a(p * x) else q * x }");
}

TEST_F(Imports, ErrorsShowTheLineOfTheirFile) { // [LANG-10.1]
  files = {{"dir/a.loss", "\nfn a(t) = t + zz\n"}, {"dir/b.loss", "fn b(t) = sum(t over b)"}};
  EXPECT_FALSE(load("import \"a.loss\"\nimport \"b.loss\"\nloss f(x: [b]) { return a(x) + b(1) }"));
  EXPECT_EQ(rendered(),
            "dir/a.loss:2:15: error: unknown name 'zz'\n"
            "  fn a(t) = t + zz\n"
            "                ^~\n"
            "dir/b.loss:1:15: error: expected an operand with the axis 'b' in 'sum', but found one "
            "of type 'real []'\n"
            "  fn b(t) = sum(t over b)\n"
            "                ^\n"
            "  hint: the sum of a constant is 'size(b)' times the constant\n"
            "dir/main.loss:3:32: note: in this call of 'b'\n"
            "  loss f(x: [b]) { return a(x) + b(1) }\n"
            "                                 ^~~~\n");
}

TEST_F(Imports, MissingFilesAndCyclesAreErrors) { // [LANG-3.18]
  files = {{"dir/a.loss", "import \"b.loss\"\nfn a(t) = t"},
           {"dir/b.loss", "import \"a.loss\"\nfn b(t) = t"},
           {"dir/l.loss", "loss g(x: [b]) { return x }"},
           {"dir/f.loss", "fn own(t) = t"}};
  auto messages = [&](const std::string &text) {
    EXPECT_FALSE(load(text));
    std::string result;
    for (const Diagnostic &diagnostic : engine->diagnostics())
      result += diagnostic.file + ": " + diagnostic.message + "\n";
    return result;
  };
  const std::string loss = "\nloss f(x: [b]) { return a(x) }\nfn own(t) = t";
  EXPECT_EQ(messages("import \"no.loss\"" + loss),
            "dir/main.loss: cannot read the file 'no.loss'\n");
  EXPECT_EQ(messages("import \"a.loss\"" + loss), "dir/b.loss: the file 'a.loss' imports itself\n");
  EXPECT_EQ(messages("import \"a.loss\"\nimport \"main.loss\"" + loss).substr(0, 32),
            "dir/main.loss: cannot read the f");
  EXPECT_EQ(messages("import \"l.loss\"" + loss),
            "dir/main.loss: unknown function 'a'\n"
            "dir/l.loss: expected only functions in an imported file, but found the loss 'g'\n");
  files["dir/a.loss"] = "fn a(t) = t";
  EXPECT_EQ(messages("import \"a.loss\"\nimport \"f.loss\"" + loss),
            "dir/f.loss: the function 'own' is already defined\n");
}

TEST_F(Imports, AreLimited) { // [LANG-9.4]
  for (int i = 0; i < 200; ++i)
    files["dir/f" + std::to_string(i) + ".loss"] =
        "import \"f" + std::to_string(i + 1) + ".loss\"\nfn f" + std::to_string(i) + "(t) = t";
  EXPECT_FALSE(load("import \"f0.loss\"\nloss f(x: [b]) { return f0(x) }"));
  EXPECT_NE(rendered().find("expected at most 100 imported files, but found more"),
            std::string::npos);
}

} // namespace
