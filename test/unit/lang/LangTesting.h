//===- LangTesting.h - what the tests of lang share -------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_LANG_LANGTESTING_H
#define LOSSLANG_TEST_UNIT_LANG_LANGTESTING_H

#include "lang/AstPrinter.h"
#include "lang/Parser.h"
#include "lang/Sema.h"

#include <fstream>
#include <gtest/gtest.h>
#include <iterator>

namespace loss::lang::testing {

/// What came of a text.
struct Outcome {
  std::optional<Program> program;
  std::vector<Diagnostic> diagnostics;

  /// The first error, or an empty diagnostic.
  Diagnostic firstError() const {
    for (const Diagnostic &diagnostic : diagnostics)
      if (diagnostic.severity == Severity::Error)
        return diagnostic;
    return {};
  }
  std::vector<std::string> messages(Severity severity) const {
    std::vector<std::string> result;
    for (const Diagnostic &diagnostic : diagnostics)
      if (diagnostic.severity == severity)
        result.push_back(diagnostic.message);
    return result;
  }
};

inline Outcome compile(std::string_view text, const std::vector<Override> &overrides = {}) {
  DiagnosticEngine diagnostics("test.loss");
  std::optional<Program> program = parseProgram(text, diagnostics, overrides);
  EXPECT_EQ(program.has_value(), !diagnostics.hasErrors());
  return {std::move(program), diagnostics.diagnostics()};
}

/// A loss with two inputs `x` and `w`, a target `y`, a parameter `k`, and this body; line 1.
inline std::string lossWith(const std::string &body) {
  return "loss f(x: [batch, class], w: [class], y: target [batch, class], param k = 1) {" + body +
         "}";
}

/// The same for a body that is one expression.
inline std::string returning(const std::string &expr) { return lossWith(" return " + expr + " "); }

/// Prints the expression after parsing it in a loss; "error: ..." when that fails.
inline std::string reprint(const std::string &expr) {
  DiagnosticEngine diagnostics("test.loss");
  File file = parse(returning(expr), diagnostics);
  if (!file.complete)
    return "error: " + diagnostics.diagnostics().at(0).message;
  return print(*std::get<LossDef>(file.items[0]).body.result);
}

inline std::string readFile(const std::string &path) {
  std::ifstream stream(path, std::ios::binary);
  EXPECT_TRUE(stream) << path;
  return {std::istreambuf_iterator<char>(stream), {}};
}

} // namespace loss::lang::testing

#endif // LOSSLANG_TEST_UNIT_LANG_LANGTESTING_H
