//===- Parser.h - text to syntax tree ---------------------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_PARSER_H
#define LOSSLANG_LANG_PARSER_H

#include "lang/Ast.h"

namespace loss::lang {

/// The largest program text, in bytes.
inline constexpr size_t maxSourceSize = 1 << 20;
/// How deeply brackets, prefix operators, powers and conditionals may nest.
inline constexpr unsigned maxNesting = 200;
/// How deep an expression's tree may be; a chain of n sums has depth n.
inline constexpr unsigned maxExprDepth = 1000;

/// Parses one text: the program, or with `file` an import that `diagnostics` knows by that number.
/// Errors go to `diagnostics`; the result is then not `complete` and has what could be read. Never
/// throws for any text; thread-safe.
File parse(std::string_view text, DiagnosticEngine &diagnostics, uint32_t file = 0);

} // namespace loss::lang

#endif // LOSSLANG_LANG_PARSER_H
