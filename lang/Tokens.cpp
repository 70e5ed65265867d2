//===- Tokens.cpp - what happens to the tokens before parsing -------------===//
#include "lang/Parser.h"
#include "lang/ParserDetail.h"

#include <algorithm>
#include <span>

namespace loss::lang::detail {

using antlr4::Token;

static SourcePos beginOf(const Token *token) {
  return {static_cast<uint32_t>(token->getLine()),
          static_cast<uint32_t>(token->getCharPositionInLine() + 1)};
}

/// No token spans lines.
static SourcePos endOf(const Token *token) {
  SourcePos pos = beginOf(token);
  if (token->getType() != Token::EOF && token->getStopIndex() + 1 > token->getStartIndex())
    pos.column += static_cast<uint32_t>(token->getStopIndex() - token->getStartIndex() + 1);
  return pos;
}

SourceRange Places::range(const Token *first, const Token *last) const {
  return {beginOf(first), endOf(last), file};
}

std::string kindName(size_t type) {
  if (type == Token::EOF)
    return "EOF";
  // The vocabulary belongs to the grammar, not to one parser.
  static LossLexer lexer(nullptr);
  static const antlr4::dfa::Vocabulary &vocabulary = lexer.getVocabulary();
  std::string literal = vocabulary.getLiteralName(type);
  return literal.empty() ? vocabulary.getSymbolicName(type) : literal;
}

SyntaxToken describe(Token *token, Places places) {
  return {kindName(token->getType()), token->getText(), places.range(token)};
}

void checkErrorLimit(SourceRange where, DiagnosticEngine &diagnostics) {
  if (diagnostics.errorCount() < maxErrors)
    return;
  diagnostics.giveUp(where);
  throw GiveUp{};
}

void Tokens::insert(size_t type, std::string text) {
  const Token *next = LT(1);
  auto token = std::make_unique<antlr4::CommonToken>(type, std::move(text));
  token->setLine(static_cast<int>(next->getLine()));
  token->setCharPositionInLine(next->getCharPositionInLine());
  size_t at = next->getTokenIndex();
  _tokens.insert(_tokens.begin() + static_cast<ptrdiff_t>(at), std::move(token));
  for (size_t i = at; i < _tokens.size(); ++i)
    static_cast<antlr4::WritableToken *>(_tokens[i].get())->setTokenIndex(i);
}

//===----------------------------------------------------------------------===//
// Foreign tokens
//===----------------------------------------------------------------------===//

static bool isForeign(const Token *token) {
  return token->getType() == LossLexer::UNKNOWN || token->getType() == LossLexer::FOREIGN;
}

/// `import margins.loss`, `import 'margins.loss'`: what stands for the name of a file is no
/// program.
static void replaceFileNames(Tokens &stream, Places places, DiagnosticEngine &diagnostics) {
  std::vector<Token *> tokens = stream.getTokens();
  for (size_t i = 0, end; i < tokens.size(); i = end) {
    auto inLine = [&](size_t j) {
      return j < tokens.size() && tokens[j]->getLine() == tokens[i]->getLine();
    };
    for (end = i + 1; inLine(end);)
      ++end;
    auto line = std::span(tokens).subspan(i, end - i);
    if (line.size() < 2 || line[0]->getText() != "import" ||
        std::none_of(line.begin(), line.end(), isForeign))
      continue;
    SyntaxToken found = describe(line[1], places);
    reportUnexpectedToken({"STRING"}, "importItem", {found}, 0, diagnostics);
    checkErrorLimit(found.range, diagnostics);
    static_cast<antlr4::CommonToken *>(line[1])->setType(LossLexer::STRING);
    for (Token *rest : line.subspan(2))
      static_cast<antlr4::CommonToken *>(rest)->setChannel(Token::HIDDEN_CHANNEL);
  }
}

/// The type of the tokens of a kind, or 0.
static size_t typeOf(std::string_view kind) {
  if (kind == "NUMBER")
    return LossLexer::NUMBER;
  for (size_t type :
       {LossLexer::AND, LossLexer::OR, LossLexer::NOT, LossLexer::CARET, LossLexer::MINUS,
        LossLexer::STAR, LossLexer::SLASH, LossLexer::ARROW, LossLexer::LESS_EQUAL,
        LossLexer::GREATER_EQUAL, LossLexer::NOT_EQUAL, LossLexer::EQUAL})
    if (kindName(type) == kind)
      return type;
  return 0;
}

/// Whether the token of the program before this one ends an operand.
static bool isBehindOperand(const std::vector<Token *> &tokens, size_t i) {
  while (i-- > 0)
    if (tokens[i]->getChannel() == Token::DEFAULT_CHANNEL) {
      size_t type = tokens[i]->getType();
      return type == LossLexer::IDENT || type == LossLexer::NUMBER || type == LossLexer::RPAREN ||
             type == LossLexer::RBRACKET;
    }
  return false;
}

/// Reports tokens that belong to no program, and puts what was meant in their place.
static void replaceForeign(Tokens &tokens, Places places, DiagnosticEngine &diagnostics) {
  size_t line = 0;
  std::set<std::string> reported;
  const std::vector<Token *> all = tokens.getTokens();
  auto isNoToken = [](Token *token) {
    return isForeign(token) || token->getType() == LossLexer::BAD_NUMBER;
  };
  if (std::none_of(all.begin(), all.end(), isNoToken))
    return;
  std::vector<SyntaxToken> described;
  for (Token *token : all)
    described.push_back(describe(token, places));
  for (size_t i = 0; i < all.size(); ++i) {
    Token *token = all[i];
    size_t type = token->getType();
    bool isHidden = token->getChannel() != Token::DEFAULT_CHANNEL;
    if (isHidden || !isNoToken(token))
      continue;
    auto *writable = static_cast<antlr4::CommonToken *>(token);
    const SyntaxToken &found = described[i];
    if (type == LossLexer::BAD_NUMBER) {
      reportBadNumber(found, diagnostics);
      checkErrorLimit(found.range, diagnostics);
      writable->setType(LossLexer::NUMBER);
      continue;
    }
    if (token->getLine() != line)
      reported.clear();
    line = token->getLine();
    std::string meant = meantBy(described, i);
    // An operator needs an operand before it.
    bool isPrefix = meant == "'not'" || meant == "'-'" || meant == "NUMBER" || meant == " ";
    if (!isPrefix && !isBehindOperand(all, i))
      meant.clear();
    size_t replacement = typeOf(meant);
    // What is behind a mistake without a meaning has none either.
    if (tokens.isLost(line) && found.text != "/*") {
      writable->setChannel(Token::HIDDEN_CHANNEL);
      continue;
    }
    // In one line, one report of what is the same mistake or has no meaning at all.
    if (reported.insert(meant.empty() ? "" : found.text).second) {
      reportForeignToken(described, i, diagnostics);
      checkErrorLimit(found.range, diagnostics);
    }
    if (found.text == "/*")
      throw GiveUp{};
    if (meant.empty())
      tokens.loseLine(line);
    if (replacement)
      writable->setType(replacement);
    else
      writable->setChannel(Token::HIDDEN_CHANNEL);
  }
}

//===----------------------------------------------------------------------===//
// Words that are keywords in one place only
//===----------------------------------------------------------------------===//

namespace {

/// Decides from the neighbours whether a name is a keyword. No two names stand side by side in a
/// program except behind such a keyword, so a few tokens tell.
class ContextKeywords {
public:
  explicit ContextKeywords(Tokens &stream) {
    for (Token *token : stream.getTokens())
      if (token->getChannel() == Token::DEFAULT_CHANNEL)
        tokens.push_back(token);
  }

  void mark() {
    for (size_t i = 0; i < tokens.size(); ++i)
      if (typeAt(i) == LossLexer::IDENT)
        if (size_t type = keywordAt(i))
          static_cast<antlr4::CommonToken *>(tokens[i])->setType(type);
  }

private:
  size_t typeAt(size_t i) const { return i < tokens.size() ? tokens[i]->getType() : Token::EOF; }

  bool startsLine(size_t i) const {
    return i == 0 || tokens[i - 1]->getLine() != tokens[i]->getLine();
  }

  /// Whether it starts a line where no operand can stand.
  bool startsStatement(size_t i) const {
    if (!startsLine(i))
      return false;
    switch (i ? typeAt(i - 1) : Token::EOF) {
    case Token::EOF:
    case LossLexer::LBRACE:
    case LossLexer::IDENT:
    case LossLexer::NUMBER:
    case LossLexer::STRING:
    case LossLexer::RPAREN:
    case LossLexer::RBRACKET:
    case LossLexer::RBRACE:
      return true;
    default:
      return false;
    }
  }

  /// A word, a name and `=`; or, where the rest of it has an error, a word and a name in a line of
  /// their own.
  bool startsDefinition(size_t i) const {
    return typeAt(i + 1) == LossLexer::IDENT &&
           (typeAt(i + 2) == LossLexer::ASSIGN || startsLine(i));
  }

  /// 0 for a name.
  size_t keywordAt(size_t i) const {
    const std::string text = tokens[i]->getText();
    size_t before = i ? typeAt(i - 1) : Token::EOF, next = typeAt(i + 1);
    // `axis = batch`: without its name.
    bool isNameless = next == LossLexer::ASSIGN && startsStatement(i);
    if (text == "axis")
      return startsDefinition(i) || isNameless ? LossLexer::AXIS : 0;
    if (text == "derivative")
      return startsDefinition(i) || isNameless ? LossLexer::DERIVATIVE : 0;
    if (text == "fixed")
      return before == LossLexer::COLON && next == LossLexer::LBRACKET ? LossLexer::FIXED : 0;
    if (text == "option") {
      bool startsArg =
          before == LossLexer::LPAREN || before == LossLexer::COMMA || before == LossLexer::DOC;
      bool isNamed = next == LossLexer::IDENT && (startsArg || startsLine(i));
      return isNamed || (startsArg && next == LossLexer::ASSIGN) ? LossLexer::OPTION : 0;
    }
    if (text == "import")
      return next == LossLexer::STRING || startsStatement(i) ? LossLexer::IMPORT : 0;
    if (text == "by") {
      // over a by key: a name stands directly before it, and that is the end of a list of axes.
      size_t list = i;
      while (list >= 2 && typeAt(list - 1) == LossLexer::IDENT &&
             typeAt(list - 2) == LossLexer::COMMA)
        list -= 2;
      bool behindAxes =
          list >= 2 && typeAt(list - 1) == LossLexer::IDENT && typeAt(list - 2) == LossLexer::OVER;
      return behindAxes ? LossLexer::BY : 0;
    }
    return 0;
  }

  /// Those that the parser sees.
  std::vector<Token *> tokens;
};

} // namespace

//===----------------------------------------------------------------------===//
// Keywords in place of names
//===----------------------------------------------------------------------===//

/// `loss f(target: [b, c], param loss = 2)`: what stands where only a name can is one, also where
/// it is used. So it is one mistake, and the rest of the file keeps its meaning.
static void replaceKeywords(Tokens &stream, Places places, DiagnosticEngine &diagnostics) {
  std::vector<Token *> tokens;
  for (Token *token : stream.getTokens())
    if (token->getChannel() == Token::DEFAULT_CHANNEL)
      tokens.push_back(token);
  auto typeAt = [&](size_t i) { return i < tokens.size() ? tokens[i]->getType() : Token::EOF; };
  auto isKeyword = [&](size_t i) {
    return typeAt(i) >= LossLexer::LOSS && typeAt(i) <= LossLexer::NOT;
  };
  auto isOneOf = [](size_t type, std::initializer_list<size_t> types) {
    return std::find(types.begin(), types.end(), type) != types.end();
  };
  auto isDefinition = [&](size_t i) {
    size_t before = i ? typeAt(i - 1) : Token::EOF, next = typeAt(i + 1);
    if (typeAt(i) == LossLexer::PARAM && next == LossLexer::COLON &&
        typeAt(i + 2) == LossLexer::IDENT)
      return false; // A parameter without a name.
    if (isOneOf(before, {LossLexer::LET, LossLexer::PARAM}) && typeAt(i - 1) != typeAt(i))
      return isOneOf(next, {LossLexer::ASSIGN, LossLexer::COLON});
    if (isOneOf(before, {LossLexer::LOSS, LossLexer::FN}))
      return next == LossLexer::LPAREN;
    return isOneOf(before, {LossLexer::LPAREN, LossLexer::COMMA, LossLexer::DOC}) &&
           next == LossLexer::COLON;
  };
  std::set<size_t> names;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (!isKeyword(i) || !isDefinition(i))
      continue;
    names.insert(typeAt(i));
    SyntaxToken described = describe(tokens[i], places);
    reportKeywordAsName(described, diagnostics);
    checkErrorLimit(described.range, diagnostics);
    static_cast<antlr4::CommonToken *>(tokens[i])->setType(LossLexer::IDENT);
  }
  // Uses: as operands, where the keyword cannot stand.
  for (size_t i = 1; i < tokens.size(); ++i) {
    bool isOperand = isOneOf(typeAt(i - 1), {LossLexer::LPAREN, LossLexer::COMMA, LossLexer::PLUS,
                                             LossLexer::MINUS, LossLexer::STAR, LossLexer::SLASH,
                                             LossLexer::CARET, LossLexer::ASSIGN, LossLexer::RETURN,
                                             LossLexer::LESS, LossLexer::LESS_EQUAL,
                                             LossLexer::GREATER, LossLexer::GREATER_EQUAL}) &&
                     !isOneOf(typeAt(i + 1), {LossLexer::IDENT, LossLexer::NUMBER});
    if (!isKeyword(i) || !isOperand)
      continue;
    auto *token = static_cast<antlr4::CommonToken *>(tokens[i]);
    // Not `loss my-loss(`, where it is part of a name.
    bool isInName = i >= 3 && isOneOf(typeAt(i - 3), {LossLexer::LOSS, LossLexer::FN});
    bool isDefinition = isOneOf(typeAt(i), {LossLexer::LOSS, LossLexer::FN});
    if (names.count(typeAt(i)) || isInName) {
      token->setType(LossLexer::IDENT);
    } else if (isDefinition && token->getLine() == tokens[i - 1]->getLine()) {
      SyntaxToken described = describe(token, places);
      reportUnexpectedToken({"NUMBER"}, "primary", {described}, 0, diagnostics);
      checkErrorLimit(described.range, diagnostics);
      token->setType(LossLexer::NUMBER);
      stream.loseLine(token->getLine());
    }
  }
}

void prepareTokens(Tokens &tokens, Places places, DiagnosticEngine &diagnostics) {
  warnOfHiddenNumbers(tokens, places, diagnostics);
  replaceFileNames(tokens, places, diagnostics);
  replaceForeign(tokens, places, diagnostics);
  replaceKeywords(tokens, places, diagnostics);
  ContextKeywords(tokens).mark();
}

std::vector<Comment> collectComments(Tokens &tokens, Places places) {
  std::vector<Comment> comments;
  size_t lastLine = 0;
  for (Token *token : tokens.getTokens()) {
    if (token->getType() == LossLexer::COMMENT || token->getType() == LossLexer::RULER) {
      std::string text = token->getText();
      text.erase(text.find_last_not_of(" \t") + 1);
      comments.push_back({std::move(text), places.range(token), token->getLine() != lastLine});
    }
    lastLine = token->getLine();
  }
  return comments;
}

} // namespace loss::lang::detail
