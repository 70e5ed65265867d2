//===- SemaDetail.h - what the steps of semantic analysis share -*- C++ -*-===//
//
// Analysis has two steps. Resolve.cpp checks each definition once: names, arities, axes, recursion.
// Inline.cpp then follows the body of the loss through its calls, gives every operation a type, and
// writes the flat program. The second step relies on the first having found nothing.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_SEMADETAIL_H
#define LOSSLANG_LANG_SEMADETAIL_H

#include "lang/Ast.h"
#include "lang/Program.h"

#include <unordered_map>

namespace loss::lang::detail {

/// The definitions of a file, by name.
struct Definitions {
  const LossDef *loss = nullptr;
  std::unordered_map<std::string_view, const FnDef *> functions;
  /// Axes of the loss in order: rows first, classes last.
  std::vector<std::string> axes;
  /// Warnings of unused definitions: for a program that has no errors.
  std::vector<DiagnosticNote> unused;

  /// Index of an axis, or -1.
  int axisIndex(std::string_view name) const {
    for (size_t i = 0; i < axes.size(); ++i)
      if (axes[i] == name)
        return static_cast<int>(i);
    return -1;
  }
};

/// Step 1. False when there were errors.
bool resolve(const File &file, Definitions &definitions, DiagnosticEngine &diagnostics);

/// Step 2.
std::optional<Program> inlineAndType(const Definitions &definitions, DiagnosticEngine &diagnostics);

/// The value of a constant expression (numbers, pi, arithmetic), or nothing.
std::optional<double> evaluateConstant(const Expr &expr);

/// "1 argument", "3 arguments".
std::string countOf(size_t count, std::string_view noun);

} // namespace loss::lang::detail

#endif // LOSSLANG_LANG_SEMADETAIL_H
