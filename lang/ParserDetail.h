//===- ParserDetail.h - what the steps of parsing share ---------*- C++ -*-===//
//
// Seen by Tokens.cpp, HiddenNumbers.cpp, Parser.cpp and AstBuilder.cpp only: the files that know
// ANTLR.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_PARSERDETAIL_H
#define LOSSLANG_LANG_PARSERDETAIL_H

#include "lang/Ast.h"
#include "lang/SyntaxErrors.h"

#include "LossLexer.h"
#include "LossParser.h"

namespace loss::lang::detail {

using grammar::LossLexer;
using grammar::LossParser;

/// Leaves the parser from any depth. Never leaves parse().
struct GiveUp {};

/// Places of tokens in one file.
struct Places {
  uint32_t file = 0;

  SourceRange range(const antlr4::Token *first, const antlr4::Token *last) const;
  SourceRange range(const antlr4::Token *token) const { return range(token, token); }
};

/// A token in words of SyntaxErrors.h.
SyntaxToken describe(antlr4::Token *token, Places places);
/// The grammar's name of a kind of token: "'let'", "IDENT", "EOF".
std::string kindName(size_t type);

/// Gives up after maxErrors.
void checkErrorLimit(SourceRange where, DiagnosticEngine &diagnostics);

/// The tokens of a text, where missing ones can be put in.
class Tokens : public antlr4::CommonTokenStream {
public:
  explicit Tokens(antlr4::TokenSource *source) : CommonTokenStream(source) {}

  /// A token of that kind in front of the next one.
  void insert(size_t type, std::string text);

  /// A line in which something was reported and taken away: what follows there is no news.
  void loseLine(size_t line) { lostLines.insert(line); }
  bool isLost(size_t line) const { return lostLines.count(line) != 0; }

private:
  std::set<size_t> lostLines;
};

/// Reports tokens that no rule uses, and replaces them by what was probably meant, so that the
/// parser goes on. Turns names into keywords where they are ones.
void prepareTokens(Tokens &tokens, Places places, DiagnosticEngine &diagnostics);

/// Warns of comments that are quotients elsewhere: `x // 2`.
void warnOfHiddenNumbers(Tokens &tokens, Places places, DiagnosticEngine &diagnostics);

/// The plain comments among the tokens.
std::vector<Comment> collectComments(Tokens &tokens, Places places);

/// Turns the tree into the AST; what has errors, which were reported, is left out of it.
File buildAst(LossParser::FileContext *tree, Tokens &tokens, Places places,
              DiagnosticEngine &diagnostics);

} // namespace loss::lang::detail

#endif // LOSSLANG_LANG_PARSERDETAIL_H
