//===- Warnings.h - -Werror and -Wno-NAME -----------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_PIPELINE_WARNINGS_H
#define LOSSLANG_COMPILER_PIPELINE_WARNINGS_H

#include "lang/Diagnostic.h"

#include "llvm/Support/raw_ostream.h"

#include <set>
#include <string>
#include <vector>

namespace loss {

/// What -W options ask for.
struct WarningOptions {
  /// -Werror.
  bool areErrors = false;
  /// -Wno-NAME.
  std::set<std::string, std::less<>> disabled;
};

/// Adds what stands behind one -W: "error", "no-NAME", or NAME, which takes a "no-NAME" before it
/// back. Returns what is wrong with it, or nothing.
std::string addWarningOption(const std::string &text, WarningOptions &options);

/// The diagnostics that are to be shown, named. With -Werror a warning is an error.
std::vector<lang::Diagnostic> applyWarningOptions(const lang::DiagnosticEngine &engine,
                                                  const WarningOptions &options);

/// As text; the name of a warning stands behind its message. `engine` knows the texts.
std::string renderNamed(std::vector<lang::Diagnostic> diagnostics,
                        const lang::DiagnosticEngine &engine);

bool hasErrors(const std::vector<lang::Diagnostic> &diagnostics);

/// `lossc --list-warnings`.
void listWarnings(llvm::raw_ostream &out);

} // namespace loss

#endif // LOSSLANG_COMPILER_PIPELINE_WARNINGS_H
