//===- Lint.h - warnings about what a program computes ----------*- C++ -*-===//
#ifndef LOSSLANG_LANG_LINT_H
#define LOSSLANG_LANG_LINT_H

#include "lang/Program.h"

namespace loss::lang {

/// Warns of a loss without a gradient, of values that are never finite or are computed in a form
/// that is not, and of branches that are never taken.
void lint(const Program &program, DiagnosticEngine &diagnostics);

} // namespace loss::lang

#endif // LOSSLANG_LANG_LINT_H
