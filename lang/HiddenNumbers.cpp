//===- HiddenNumbers.cpp - quotients that are comments --------------------===//
//
// `x // 2` is elsewhere the quotient rounded down, here x and a comment.
//
//===----------------------------------------------------------------------===//
#include "lang/Builtins.h"
#include "lang/ParserDetail.h"

#include <algorithm>

namespace loss::lang::detail {

using antlr4::Token;

namespace {

bool isOneOf(size_t type, std::initializer_list<size_t> types) {
  return std::find(types.begin(), types.end(), type) != types.end();
}

/// The text of a comment, read as an expression.
class CommentedExpr {
public:
  explicit CommentedExpr(const std::string &text)
      : input(text), lexer(&input), stream(&lexer), parser(&stream) {
    lexer.removeErrorListeners();
    parser.removeErrorListeners();
    parser.expr();
    isWhole = parser.getNumberOfSyntaxErrors() == 0 && stream.LA(1) == Token::EOF;
    for (Token *token : stream.getTokens())
      if (token->getType() != Token::EOF)
        tokens.push_back(token);
  }

  /// Whether it is arithmetic on numbers and on names of the file.
  bool isArithmetic(const std::set<std::string> &names, const std::set<std::string> &values) const {
    auto isKnown = [&](size_t i) {
      std::string text = tokens[i]->getText();
      bool isCall = i + 1 < tokens.size() && tokens[i + 1]->getType() == LossLexer::LPAREN;
      return isCall ? names.count(text) || findBuiltin(text, false) || findBuiltin(text, true)
                    : (tokens.size() == 1 ? values : names).count(text) != 0;
    };
    for (size_t i = 0; i < tokens.size(); ++i)
      if (!isOneOf(tokens[i]->getType(),
                   {LossLexer::NUMBER, LossLexer::IDENT, LossLexer::LPAREN, LossLexer::RPAREN,
                    LossLexer::PLUS, LossLexer::MINUS, LossLexer::STAR, LossLexer::SLASH,
                    LossLexer::CARET, LossLexer::COMMA, LossLexer::OVER}) ||
          (tokens[i]->getType() == LossLexer::IDENT && !isKnown(i)))
        return false;
    return isWhole && !tokens.empty();
  }

  /// What would be the divisor: `2` of `2 + 1`.
  std::string divisor() const {
    std::string text;
    int depth = 0;
    for (size_t i = 0; i < tokens.size(); ++i) {
      size_t type = tokens[i]->getType();
      depth += (type == LossLexer::LPAREN) - (type == LossLexer::RPAREN);
      if (i && depth == 0 &&
          isOneOf(type, {LossLexer::PLUS, LossLexer::MINUS, LossLexer::STAR, LossLexer::SLASH}))
        break;
      std::string token = tokens[i]->getText();
      text += type == LossLexer::OVER ? " over " : type == LossLexer::COMMA ? ", " : token;
    }
    return text;
  }

private:
  antlr4::ANTLRInputStream input;
  LossLexer lexer;
  antlr4::CommonTokenStream stream;
  LossParser parser;
  bool isWhole = false;
  std::vector<Token *> tokens;
};

class HiddenNumbers {
public:
  HiddenNumbers(Tokens &stream, Places places, DiagnosticEngine &diagnostics)
      : all(stream.getTokens()), places(places), diagnostics(diagnostics) {}

  void warn() {
    for (size_t i = 1; i < all.size(); ++i)
      if (all[i]->getType() == LossLexer::COMMENT && isBehindValue(i))
        warnOf(all[i], i);
  }

private:
  /// Behind an operand in the same line, with one blank at most: a remark keeps more distance.
  bool isBehindValue(size_t i) const {
    const Token *before = all[i - 1], *comment = all[i];
    size_t end =
        before->getCharPositionInLine() + before->getStopIndex() + 1 - before->getStartIndex();
    return before->getLine() == comment->getLine() &&
           isOneOf(before->getType(),
                   {LossLexer::IDENT, LossLexer::NUMBER, LossLexer::RPAREN, LossLexer::RBRACKET}) &&
           comment->getCharPositionInLine() <= end + 1;
  }

  /// Whether the expression before a comment depends on more than numbers: behind a constant stands
  /// its value. `defined`: the name that it is the definition of.
  bool varies(size_t i, std::string &defined) const {
    bool hasName = false;
    while (i-- > 0) {
      size_t type = all[i]->getType();
      if (all[i]->getChannel() != Token::DEFAULT_CHANNEL)
        continue;
      if (type == LossLexer::RETURN)
        return hasName;
      if (type == LossLexer::ASSIGN) {
        defined = i ? all[i - 1]->getText() : "";
        return hasName;
      }
      if (isOneOf(type, {LossLexer::COLON, LossLexer::LBRACE, LossLexer::RBRACE}))
        return false;
      bool isFunction = all[i + 1]->getType() == LossLexer::LPAREN;
      hasName |= type == LossLexer::IDENT && !isFunction && all[i]->getText() != "pi";
    }
    return false;
  }

  /// The names of the text, and those of them that are values.
  void collectNames() {
    bool isInArguments = false;
    for (size_t i = 0; i < all.size(); ++i) {
      size_t type = all[i]->getType(), before = i ? all[i - 1]->getType() : Token::EOF;
      if (type == LossLexer::LPAREN && i > 1 && all[i - 2]->getType() == LossLexer::FN)
        isInArguments = true;
      if (type == LossLexer::RPAREN)
        isInArguments = false;
      if (type != LossLexer::IDENT)
        continue;
      std::string text = all[i]->getText();
      names.insert(text);
      bool isDefined = isOneOf(before, {LossLexer::LET, LossLexer::PARAM}) ||
                       (before == LossLexer::IDENT && all[i - 1]->getText() == "option") ||
                       all[i + 1]->getType() == LossLexer::COLON;
      if (isDefined || (isInArguments && isOneOf(before, {LossLexer::LPAREN, LossLexer::COMMA})))
        values.insert(text);
    }
  }

  void warnOf(Token *comment, size_t i) {
    std::string text = comment->getText(), defined;
    size_t begin = text.find_first_not_of("/ \t");
    constexpr size_t longest = 60;
    if (begin == std::string::npos || text.size() > longest || !varies(i, defined))
      return;
    text = text.substr(begin, text.find_last_not_of(" \t") + 1 - begin);
    CommentedExpr expr(text);
    if (names.empty())
      collectNames();
    // `let p = softmax(x over c) // p` says the name again.
    if (text == defined || !expr.isArithmetic(names, values))
      return;
    diagnostics
        .warning(places.range(comment), "two slashes start a comment, which hides '" + text + "'",
                 "hidden-number")
        .hint = "a quotient without its fraction is 'floor(x / " + expr.divisor() + ")'";
  }

  const std::vector<Token *> all;
  Places places;
  DiagnosticEngine &diagnostics;
  std::set<std::string> names, values;
};

} // namespace

void warnOfHiddenNumbers(Tokens &stream, Places places, DiagnosticEngine &diagnostics) {
  HiddenNumbers(stream, places, diagnostics).warn();
}

} // namespace loss::lang::detail
