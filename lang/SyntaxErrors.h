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
  /// Behind it in its line stands a comment that closes a bracket: code that `//` has hidden.
  bool hidesCode = false;
};

/// Reports that none of the `expected` kinds stands at `tokens[at]`. `rule` is the grammar rule
/// that was being read.
void reportUnexpectedToken(const std::set<std::string> &expected, std::string_view rule,
                           const std::vector<SyntaxToken> &tokens, size_t at,
                           DiagnosticEngine &diagnostics);

/// A token that belongs to no program.
struct ForeignToken {
  std::string hint;
  /// The kind of the token that was probably meant. Empty: nothing can stand in its place. A
  /// blank: none is needed there.
  std::string meant;
};
ForeignToken foreignToken(const std::string &text);
/// The same for `tokens[at]`, where a dot may be part of an operator: `x .* y`.
std::string meantBy(const std::vector<SyntaxToken> &tokens, size_t at);
/// Reports `tokens[at]`.
void reportForeignToken(const std::vector<SyntaxToken> &tokens, size_t at,
                        DiagnosticEngine &diagnostics);
/// Reports what starts like a number and is none.
void reportBadNumber(const SyntaxToken &token, DiagnosticEngine &diagnostics);

/// Whether a word begins a condition in other languages, as in `sum(x over c where x > 0)`.
bool isConditionWord(std::string_view word);

/// Reports that a keyword stands where a definition has its name.
void reportKeywordAsName(const SyntaxToken &token, DiagnosticEngine &diagnostics);

} // namespace loss::lang

#endif // LOSSLANG_LANG_SYNTAXERRORS_H
