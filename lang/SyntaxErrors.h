//===- SyntaxErrors.h - the parser's errors in our own words ----*- C++ -*-===//
//
// Knows the grammar's tokens by name only, so that the messages are free of the parser generator.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_SYNTAXERRORS_H
#define LOSSLANG_LANG_SYNTAXERRORS_H

#include "lang/Diagnostic.h"

#include <set>
#include <string>
#include <vector>

namespace loss::lang {

/// One token as the errors see it.
struct SyntaxToken {
  /// The grammar's name of its kind: "'let'", "IDENT", "EOF".
  std::string kind;
  std::string text;
  SourceRange range;
};

/// Reports that none of the `expected` kinds stands at `tokens[at]`. `rule` is the grammar rule
/// that was being read.
void reportUnexpectedToken(const std::set<std::string> &expected, std::string_view rule,
                           const std::vector<SyntaxToken> &tokens, size_t at,
                           DiagnosticEngine &diagnostics);

/// Reports a token that belongs to no program. Returns the kind of the token that was probably
/// meant, or empty when it is best ignored.
std::string reportForeignToken(const SyntaxToken &token, DiagnosticEngine &diagnostics);

} // namespace loss::lang

#endif // LOSSLANG_LANG_SYNTAXERRORS_H
