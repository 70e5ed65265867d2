// Every file of the library is correct, documented and printed stably.
#include "LangTesting.h"

#include "lang/Imports.h"
#include "test/Paths.h"

#include <filesystem>

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

std::vector<std::filesystem::path> libraryFiles() {
  std::vector<std::filesystem::path> files;
  for (const auto &entry :
       std::filesystem::directory_iterator(std::string(LOSSLANG_SOURCE_ROOT) + "/stdlib"))
    if (entry.path().extension() == ".loss")
      files.push_back(entry.path());
  return files;
}

Outcome compileFile(const std::filesystem::path &path) {
  DiagnosticEngine diagnostics(path);
  File file = parse(readFile(path), diagnostics);
  loadImports(file, diagnostics);
  std::optional<Program> program = analyze(file, diagnostics);
  return {std::move(program), diagnostics.diagnostics()};
}

TEST(Stdlib, HasTheLosses) {
  std::vector<std::string> names;
  for (const auto &path : libraryFiles())
    names.push_back(path.stem());
  for (const char *name :
       {"cross_entropy", "focal", "ngl", "mse", "brier", "generalized_cross_entropy",
        "taylor_cross_entropy", "poly1", "symmetric_cross_entropy", "squared_hinge"})
    EXPECT_NE(std::find(names.begin(), names.end(), name), names.end()) << name;
}

TEST(Stdlib, CompilesWithoutAWarning) {
  for (const auto &path : libraryFiles()) {
    Outcome outcome = compileFile(path);
    ASSERT_TRUE(outcome.program) << path << outcome.firstError().message;
    EXPECT_TRUE(outcome.diagnostics.empty()) << path;
    EXPECT_EQ(outcome.program->name, path.stem());
  }
}

TEST(Stdlib, IsDocumented) {
  for (const auto &path : libraryFiles()) {
    Outcome outcome = compileFile(path);
    ASSERT_TRUE(outcome.program);
    EXPECT_NE(outcome.program->doc.find("\nFormula: "), std::string::npos) << path;
    EXPECT_NE(outcome.program->doc.find("\nSource: "), std::string::npos) << path;
    for (const ProgramInput &input : outcome.program->inputs)
      EXPECT_FALSE(input.doc.empty()) << path << input.name;
    for (const ProgramParam &param : outcome.program->params)
      EXPECT_FALSE(param.doc.empty()) << path << param.name;
  }
}

TEST(Stdlib, PrintingIsTheIdentityAfterTheFirstTime) { // [LANG-2.5]
  for (const auto &path : libraryFiles()) {
    DiagnosticEngine diagnostics(path);
    File file = parse(readFile(path), diagnostics);
    loadImports(file, diagnostics);
    ASSERT_TRUE(file.complete);
    std::string once = print(file);
    File again = parse(once, diagnostics);
    loadImports(again, diagnostics);
    ASSERT_TRUE(again.complete) << once;
    EXPECT_EQ(print(again), once);
    // The meaning stays, too.
    std::optional<Program> before = analyze(file, diagnostics), after = analyze(again, diagnostics);
    ASSERT_TRUE(before && after);
    EXPECT_EQ(dump(*before), dump(*after));
  }
}

} // namespace
