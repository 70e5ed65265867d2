//===- Sema.h - semantic analysis -------------------------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_SEMA_H
#define LOSSLANG_LANG_SEMA_H

#include "lang/Ast.h"
#include "lang/Program.h"

namespace loss::lang {

/// How many operations and calls a program may have after inlining.
inline constexpr size_t maxProgramSize = 100000;
/// How deep calls of functions may nest.
inline constexpr unsigned maxCallDepth = 100;
/// How many axes a loss may have, copies included.
inline constexpr size_t maxAxes = 16;
/// How deep the tree of an expression may be after inlining.
inline constexpr unsigned maxInlinedDepth = 2000;

/// `-D name=value`: replaces the default of a parameter, or the value of an option.
struct Override {
  std::string name;
  double value = 0;
  /// Written true or false.
  bool isBool = false;
};

/// Reads "name=value". On failure returns nothing and says why in `error`.
std::optional<Override> parseOverride(std::string_view text, std::string &error);

/// Checks a file and returns its loss, typed and inlined; nothing when there were errors, in the
/// syntax or here. Warnings do not prevent a result.
std::optional<Program> analyze(const File &file, DiagnosticEngine &diagnostics,
                               const std::vector<Override> &overrides = {});

/// parse() and analyze().
std::optional<Program> parseProgram(std::string_view text, DiagnosticEngine &diagnostics,
                                    const std::vector<Override> &overrides = {});

} // namespace loss::lang

#endif // LOSSLANG_LANG_SEMA_H
