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
    } else if (!inErrorRecoveryMode(parser))
      skipToStatement(parser);
    antlr4::DefaultErrorStrategy::sync(parser);
  }

protected:
  /// A token that begins a part of the program is not the one too many.
  antlr4::Token *singleTokenDeletion(antlr4::Parser *parser) override {
    switch (parser->getInputStream()->LA(1)) {
    case LossParser::ASSIGN:
    case LossParser::LET:
    case LossParser::RETURN:
    case LossParser::AXIS:
    case LossParser::FN:
    case LossParser::LOSS:
    case LossParser::IMPORT:
    case LossParser::DERIVATIVE:
    case LossParser::PARAM:
    case LossParser::OPTION:
    case LossParser::LBRACE:
    case LossParser::RBRACE:
      return nullptr;
    default:
      return antlr4::DefaultErrorStrategy::singleTokenDeletion(parser);
    }
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
    case LossParser::RuleFnArgs:
    case LossParser::RuleAxisList:
      break;
    default:
      return false;
    }
    return startsElement &&
           parser->getExpectedTokens().contains(static_cast<size_t>(LossParser::COMMA));
  }

  /// Between the definitions of a file and between the statements of a block: what does not belong
  /// there is skipped up to the next one, so that it is not the end of the file or block.
  void skipToStatement(antlr4::Parser *parser) {
    size_t rule = parser->getContext()->getRuleIndex();
    bool inFile = rule == LossParser::RuleFile, inBlock = rule == LossParser::RuleBlock;
    if (!inFile && !inBlock)
      return;
    antlr4::misc::IntervalSet expected = parser->getExpectedTokens();
    auto isExpected = [&](size_t type) { return expected.contains(type); };
    bool isBetween = isExpected(inFile ? LossParser::LOSS : LossParser::RETURN);
    if (!isBetween || isExpected(parser->getInputStream()->LA(1)))
      return;
    beginErrorCondition(parser);
    report(parser, parser->getCurrentToken());
    for (size_t type : {LossParser::LOSS, LossParser::FN, LossParser::IMPORT, LossParser::DOC})
      expected.add(static_cast<ssize_t>(type));
    expected.add(antlr4::Token::EOF);
    if (inBlock)
      expected.add(LossParser::RBRACE);
    consumeUntil(parser, expected);
  }

  void report(antlr4::Parser *parser, antlr4::Token *offending) {
    // A second error in a line is mostly a consequence of the first.
    auto *stream = static_cast<Tokens *>(parser->getTokenStream());
    if (offending->getLine() == lastLine || stream->isLost(offending->getLine()))
      return;
    lastLine = offending->getLine();
    std::set<std::string> expected;
    for (ssize_t type : parser->getExpectedTokens().toList())
      expected.insert(kindName(static_cast<size_t>(type)));

    std::vector<SyntaxToken> tokens;
    size_t at = 0;
    for (antlr4::Token *token : stream->getTokens()) {
      if (token->getChannel() != antlr4::Token::DEFAULT_CHANNEL)
        continue;
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
  size_t lastLine = 0;
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
