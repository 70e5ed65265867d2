//===- Parser.cpp - ANTLR behind an exception-free interface --------------===//
#include "lang/Parser.h"

#include "lang/ParserDetail.h"

namespace loss::lang {

namespace {

using namespace detail;

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// ANTLR's recovery with our messages, and with commas put in where only those are missing.
class ErrorStrategy : public antlr4::DefaultErrorStrategy {
public:
  ErrorStrategy(Places places, DiagnosticEngine &diagnostics)
      : places(places), diagnostics(diagnostics) {}

  void sync(antlr4::Parser *parser) override {
    // Putting one in costs time that grows with the text, so only few are.
    if (!inErrorRecoveryMode(parser) && commas < maxErrors && isCommaMissing(parser)) {
      ++commas;
      report(parser, parser->getCurrentToken());
      static_cast<Tokens *>(parser->getTokenStream())->insert(LossParser::COMMA, ",");
    } else if (!inErrorRecoveryMode(parser) || isNewStatement(parser))
      skipToStatement(parser);
    antlr4::DefaultErrorStrategy::sync(parser);
  }

  antlr4::Token *recoverInline(antlr4::Parser *parser) override {
    // What stands before a body does not lose it.
    if (isBodyInLine(parser)) {
      reportUnwantedToken(parser);
      while (parser->getInputStream()->LA(1) != LossParser::LBRACE)
        parser->consume();
      reportMatch(parser);
      return parser->consume();
    }
    return antlr4::DefaultErrorStrategy::recoverInline(parser);
  }

protected:
  /// Not beyond the next statement.
  void consumeUntil(antlr4::Parser *parser, const antlr4::misc::IntervalSet &set) override {
    while (!isAt(parser, set) && !isNewStatement(parser))
      parser->consume();
  }
  /// A token that begins a part of the program is not the one too many.
  antlr4::Token *singleTokenDeletion(antlr4::Parser *parser) override {
    size_t next = parser->getInputStream()->LA(1);
    bool isPart = isStatement(next) || next == LossParser::ASSIGN || next == LossParser::PARAM ||
                  next == LossParser::OPTION || next == LossParser::LBRACE ||
                  next == LossParser::RBRACE;
    return isPart ? nullptr : antlr4::DefaultErrorStrategy::singleTokenDeletion(parser);
  }
  void reportNoViableAlternative(antlr4::Parser *parser,
                                 const antlr4::NoViableAltException &e) override {
    report(parser, e.getOffendingToken());
  }
  void reportInputMismatch(antlr4::Parser *parser,
                           const antlr4::InputMismatchException &e) override {
    report(parser, e.getOffendingToken());
  }
  void reportUnwantedToken(antlr4::Parser *parser) override {
    if (inErrorRecoveryMode(parser))
      return;
    beginErrorCondition(parser);
    report(parser, parser->getCurrentToken());
  }
  void reportMissingToken(antlr4::Parser *parser) override { reportUnwantedToken(parser); }

private:
  /// Whether a statement or a definition begins with it.
  static bool isStatement(size_t type) {
    switch (type) {
    case LossParser::LET:
    case LossParser::RETURN:
    case LossParser::AXIS:
    case LossParser::FN:
    case LossParser::LOSS:
    case LossParser::IMPORT:
    case LossParser::DERIVATIVE:
      return true;
    default:
      return false;
    }
  }

  /// Whether the parser is behind an element of a list of names or declarations, and another
  /// element follows at once. (In a list of expressions it may as well be an operator that is
  /// missing.)
  static bool isCommaMissing(antlr4::Parser *parser) {
    size_t next = parser->getInputStream()->LA(1);
    bool startsElement = next == LossParser::IDENT;
    switch (parser->getContext()->getRuleIndex()) {
    case LossParser::RuleLossArgs:
      startsElement |=
          next == LossParser::DOC || next == LossParser::PARAM || next == LossParser::OPTION;
      break;
    case LossParser::RuleOver:
      startsElement &= !isConditionWord(parser->getCurrentToken()->getText());
      break;
    case LossParser::RuleFnArgs:
    case LossParser::RuleAxisList:
      break;
    default:
      return false;
    }
    return startsElement &&
           parser->getExpectedTokens().contains(static_cast<size_t>(LossParser::COMMA));
  }

  /// Whether a text closes a bracket that it does not open.
  static bool closesBracket(const std::string &text) {
    int open = 0;
    for (char c : text)
      if (open += (c == '(') - (c == ')'); open < 0)
        return true;
    return false;
  }

  static bool isAt(antlr4::Parser *parser, const antlr4::misc::IntervalSet &set) {
    size_t next = parser->getInputStream()->LA(1);
    return next == antlr4::Token::EOF || set.contains(next);
  }

  /// Whether `{` should be next, and comes later in this line.
  static bool isBodyInLine(antlr4::Parser *parser) {
    if (!parser->getExpectedTokens().contains(static_cast<size_t>(LossParser::LBRACE)))
      return false;
    auto *stream = static_cast<Tokens *>(parser->getTokenStream());
    size_t line = stream->LT(1)->getLine();
    for (size_t i = stream->index(); i < stream->size(); ++i) {
      const antlr4::Token *token = stream->get(i);
      if (token->getType() == LossParser::LBRACE)
        return token->getLine() == line;
      if (token->getLine() != line || isStatement(token->getType()))
        return false;
    }
    return false;
  }

  static bool startsLine(antlr4::Parser *parser) {
    antlr4::TokenStream *stream = parser->getTokenStream();
    const antlr4::Token *before = stream->LT(-1);
    return !before || before->getLine() != stream->LT(1)->getLine();
  }

  /// Whether a line of a block begins `a = ` or `lett a = `, which no expression has.
  static bool isNewStatement(antlr4::Parser *parser) {
    antlr4::TokenStream *stream = parser->getTokenStream();
    return stream->LA(1) == LossParser::IDENT && startsLine(parser) &&
           stream->LA(stream->LA(2) == LossParser::IDENT ? 3 : 2) == LossParser::ASSIGN &&
           enclosing(parser, LossParser::RuleBlock);
  }

  /// The innermost part of the program of that kind that is being read, or null.
  static antlr4::ParserRuleContext *enclosing(antlr4::Parser *parser, size_t rule) {
    auto *context = static_cast<antlr4::RuleContext *>(parser->getContext());
    while (context && context->getRuleIndex() != rule)
      context = static_cast<antlr4::RuleContext *>(context->parent);
    return static_cast<antlr4::ParserRuleContext *>(context);
  }

  /// Between the definitions of a file and between the statements of a block: what does not belong
  /// there is skipped, a statement at a time, so that it is not the end of the file or block.
  void skipToStatement(antlr4::Parser *parser) {
    size_t rule = parser->getContext()->getRuleIndex();
    antlr4::misc::IntervalSet expected = parser->getExpectedTokens();
    if ((rule != LossParser::RuleFile || !expected.contains(size_t(LossParser::LOSS))) &&
        (rule != LossParser::RuleBlock || !expected.contains(size_t(LossParser::RETURN))))
      return;
    if (isAt(parser, expected))
      return;
    do {
      beginErrorCondition(parser);
      report(parser, parser->getCurrentToken());
      if (!isBehindBlock(parser))
        skipStatement(parser, expected);
    } while (!isAt(parser, expected) && !isBehindBlock(parser));
  }

  /// Whether a block ends here, with its brace or without.
  static bool isBehindBlock(antlr4::Parser *parser) {
    if (parser->getContext()->getRuleIndex() != LossParser::RuleBlock)
      return false;
    switch (parser->getInputStream()->LA(1)) {
    case LossParser::RBRACE:
    case LossParser::IMPORT:
      return true;
    case LossParser::FN:
    case LossParser::LOSS: // Indented, it is in the block.
      return parser->getCurrentToken()->getCharPositionInLine() <=
             enclosing(parser, LossParser::RuleItem)->getStart()->getCharPositionInLine();
    default:
      return false;
    }
  }

  /// The column in which the current line begins.
  size_t indentationOf(antlr4::Parser *parser) {
    auto *stream = static_cast<Tokens *>(parser->getTokenStream());
    // Once for each line: one may be the whole program.
    size_t line = stream->LT(1)->getLine();
    if (line != indentedLine) {
      size_t first = stream->index();
      while (first > 0 && stream->get(first - 1)->getLine() == line)
        --first;
      indentedLine = line;
      indentation = stream->get(first)->getCharPositionInLine();
    }
    return indentation;
  }

  /// Up to what is expected, or to a line that looks like another statement: it is not indented
  /// deeper. What is in braces belongs to this one.
  void skipStatement(antlr4::Parser *parser, const antlr4::misc::IntervalSet &expected) {
    antlr4::TokenStream *stream = parser->getTokenStream();
    size_t indented = indentationOf(parser);
    bool inFile = parser->getContext()->getRuleIndex() == LossParser::RuleFile;
    int brackets = 0, braces = 0;
    auto isAnother = [&] {
      if (!startsLine(parser) || stream->LT(1)->getCharPositionInLine() > indented)
        return false;
      size_t next = stream->LA(1);
      if (inFile)
        return next == LossParser::IDENT && stream->LA(2) == LossParser::IDENT &&
               stream->LA(3) == LossParser::LPAREN;
      bool begins = isStatement(next) || next == LossParser::IDENT || next == LossParser::NUMBER ||
                    next == LossParser::IF || next == LossParser::PARAM ||
                    next == LossParser::OPTION;
      return isNewStatement(parser) || (begins && brackets <= 0);
    };
    do {
      size_t next = stream->LA(1);
      brackets += next == LossParser::LPAREN || next == LossParser::LBRACKET;
      brackets -= next == LossParser::RPAREN || next == LossParser::RBRACKET;
      braces += next == LossParser::LBRACE;
      braces -= next == LossParser::RBRACE;
      parser->consume();
    } while (stream->LA(1) != antlr4::Token::EOF &&
             (braces > 0 || (!isAt(parser, expected) && !isBehindBlock(parser) && !isAnother())));
  }

  void report(antlr4::Parser *parser, antlr4::Token *offending) {
    // A second error in a line is mostly a consequence of the first. What is wrong about the start
    // of a statement, or about the end of the file, is the end of the statement before.
    auto *stream = static_cast<Tokens *>(parser->getTokenStream());
    size_t type = offending->getType();
    const antlr4::Token *before = stream->LT(-1);
    bool isBehind = before && (isStatement(type) || type == antlr4::Token::EOF);
    size_t line = (isBehind ? before : offending)->getLine();
    if (offending == lastToken || line == lastLine || stream->isLost(line))
      return;
    lastToken = offending;
    lastLine = line;
    std::set<std::string> expected;
    for (ssize_t type : parser->getExpectedTokens().toList())
      expected.insert(kindName(static_cast<size_t>(type)));

    std::vector<SyntaxToken> tokens;
    size_t at = 0;
    for (antlr4::Token *token : stream->getTokens()) {
      if (token->getChannel() != antlr4::Token::DEFAULT_CHANNEL) {
        if (!tokens.empty() && tokens.back().range.end.line == token->getLine())
          tokens.back().hidesCode |= closesBracket(token->getText());
        continue;
      }
      if (token == offending)
        at = tokens.size();
      tokens.push_back(describe(token, places));
    }
    // The end of the file is shown behind the last token: that line exists.
    if (at && tokens[at].kind == "EOF")
      tokens[at].range = {tokens[at - 1].range.end, tokens[at - 1].range.end, places.file};
    const std::string &rule = parser->getRuleNames()[parser->getContext()->getRuleIndex()];
    reportUnexpectedToken(expected, rule, tokens, at, diagnostics);
    checkErrorLimit(tokens[at].range, diagnostics);
  }

  Places places;
  DiagnosticEngine &diagnostics;
  const antlr4::Token *lastToken = nullptr;
  size_t lastLine = 0;
  size_t indentedLine = 0, indentation = 0;
  /// How many commas were put in.
  unsigned commas = 0;
};

/// Follows the parser through its rules and limits nesting, so that no text overflows the stack.
class NestingLimit : public antlr4::tree::ParseTreeListener {
public:
  NestingLimit(Places places, DiagnosticEngine &diagnostics)
      : places(places), diagnostics(diagnostics) {}

  void enterEveryRule(antlr4::ParserRuleContext *context) override {
    if (!isNesting(context) || ++nesting <= maxNesting)
      return;
    Diagnostic &diagnostic = diagnostics.error(places.range(context->getStart()),
                                               "expected at most " + std::to_string(maxNesting) +
                                                   " nested expressions, but found more");
    diagnostic.hint = "name the inner parts with 'let'";
    throw GiveUp{};
  }

  // Also runs while GiveUp unwinds.
  void exitEveryRule(antlr4::ParserRuleContext *context) override { nesting -= isNesting(context); }

  void visitTerminal(antlr4::tree::TerminalNode *) override {}
  void visitErrorNode(antlr4::tree::ErrorNode *) override {}

private:
  /// Whether this is one more level, rather than a link in the chain of precedence rules.
  static bool isNesting(antlr4::RuleContext *context) {
    size_t rule = context->getRuleIndex();
    if (rule == LossParser::RuleExpr)
      return true;
    if (rule != LossParser::RuleNotExpr && rule != LossParser::RuleUnaryExpr)
      return false;
    size_t outer = static_cast<antlr4::RuleContext *>(context->parent)->getRuleIndex();
    return outer == LossParser::RuleNotExpr || outer == LossParser::RuleUnaryExpr ||
           outer == LossParser::RulePowerExpr;
  }

  Places places;
  DiagnosticEngine &diagnostics;
  unsigned nesting = 0;
};

//===----------------------------------------------------------------------===//
// Text to tree
//===----------------------------------------------------------------------===//

/// Length of the valid UTF-8 sequence at the front of `text` (not empty), or 0.
size_t utf8Length(std::string_view text) {
  auto byte = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  unsigned char first = byte(0);
  if (first < 0x80)
    return 1;
  size_t length = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < length)
    return 0;
  for (size_t i = 1; i < length; ++i)
    if ((byte(i) & 0xc0) != 0x80)
      return 0;
  unsigned char second = byte(1);
  bool overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  bool surrogate = first == 0xed && second >= 0xa0;
  bool tooLarge = first == 0xf4 && second >= 0x90;
  return overlong || surrogate || tooLarge ? 0 : length;
}

/// Checks size and encoding.
bool checkText(std::string_view text, Places places, DiagnosticEngine &diagnostics) {
  if (text.size() > maxSourceSize) {
    diagnostics.error({{}, {}, places.file},
                      "expected a file of at most " + std::to_string(maxSourceSize) +
                          " bytes, but found " + std::to_string(text.size()));
    return false;
  }
  SourcePos pos = {1, 1};
  for (size_t i = 0; i < text.size();) {
    size_t length = utf8Length(text.substr(i));
    if (!length) {
      static constexpr char digits[] = "0123456789abcdef";
      unsigned char byte = text[i];
      diagnostics.error({pos, pos, places.file},
                        std::string("expected UTF-8 text, but found the byte 0x") +
                            digits[byte >> 4] + digits[byte & 15]);
      return false;
    }
    if (text[i] == '\n')
      pos = {pos.line + 1, 1};
    else
      ++pos.column;
    i += length;
  }
  return true;
}

File parseChecked(std::string_view text, Places places, DiagnosticEngine &diagnostics) {
  antlr4::ANTLRInputStream input(text.data(), text.size());
  LossLexer lexer(&input);
  lexer.removeErrorListeners();
  Tokens tokens(&lexer);
  tokens.fill();
  prepareTokens(tokens, places, diagnostics);
  tokens.seek(0);

  LossParser parser(&tokens);
  NestingLimit limit(places, diagnostics);
  parser.addParseListener(&limit);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<ErrorStrategy>(places, diagnostics));
  LossParser::FileContext *tree = parser.file();
  return buildAst(tree, tokens, places, diagnostics);
}

} // namespace

File parse(std::string_view text, DiagnosticEngine &diagnostics, uint32_t file) {
  File abandoned;
  abandoned.complete = false;
  abandoned.abandoned = true;
  Places places = {file};
  constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
  if (text.substr(0, byteOrderMark.size()) == byteOrderMark)
    text.remove_prefix(byteOrderMark.size());
  if (!checkText(text, places, diagnostics))
    return abandoned;
  if (file == 0)
    diagnostics.setText(text);
  try {
    unsigned before = diagnostics.errorCount();
    File result = parseChecked(text, places, diagnostics);
    result.complete = diagnostics.errorCount() == before;
    return result;
  } catch (const GiveUp &) {
  } catch (const std::exception &e) {
    diagnostics.error({{}, {}, file}, std::string("internal error in the parser: ") + e.what());
  }
  return abandoned;
}

} // namespace loss::lang
