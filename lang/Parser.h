//===- Parser.h - text to syntax tree ---------------------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_PARSER_H
#define LOSSLANG_LANG_PARSER_H

#include "lang/Ast.h"

#include <optional>

namespace loss::lang {

/// The largest program text, in bytes.
inline constexpr size_t maxSourceSize = 1 << 20;
/// How deeply brackets, prefix operators, powers and conditionals may nest.
inline constexpr unsigned maxNesting = 200;
/// How deep an expression's tree may be; a chain of n sums has depth n.
inline constexpr unsigned maxExprDepth = 1000;
/// Errors after which a file is given up.
inline constexpr unsigned maxErrors = 20;

/// Parses one file. Errors go to `diagnostics`; with any, the result is empty. Never throws for any
/// text; thread-safe.
std::optional<File> parse(std::string_view text, DiagnosticEngine &diagnostics);

} // namespace loss::lang

#endif // LOSSLANG_LANG_PARSER_H
