//===- Parser.cpp - ANTLR behind an exception-free interface --------------===//
//
// The only file that sees ANTLR: it runs the generated parser and turns its tree into the AST.
//
//===----------------------------------------------------------------------===//
#include "lang/Parser.h"

#include "lang/SyntaxErrors.h"

#include "LossLexer.h"
#include "LossParser.h"

#include <charconv>
#include <cmath>

namespace loss::lang {

namespace {

using grammar::LossLexer;
using grammar::LossParser;

/// Leaves the parser from any depth. Never leaves this file.
struct GiveUp {};

SourcePos beginOf(const antlr4::Token *token) {
  return {static_cast<uint32_t>(token->getLine()),
          static_cast<uint32_t>(token->getCharPositionInLine() + 1)};
}

/// No token spans lines.
SourcePos endOf(const antlr4::Token *token) {
  SourcePos pos = beginOf(token);
  if (token->getType() != antlr4::Token::EOF)
    pos.column += static_cast<uint32_t>(token->getStopIndex() - token->getStartIndex() + 1);
  return pos;
}

SourceRange rangeOf(const antlr4::Token *first, const antlr4::Token *last) {
  return {beginOf(first), endOf(last)};
}

SourceRange rangeOf(const antlr4::Token *token) { return rangeOf(token, token); }

std::string kindName(const antlr4::dfa::Vocabulary &vocabulary, size_t type) {
  if (type == antlr4::Token::EOF)
    return "EOF";
  std::string literal = vocabulary.getLiteralName(type);
  return literal.empty() ? vocabulary.getSymbolicName(type) : literal;
}

SyntaxToken describe(const antlr4::dfa::Vocabulary &vocabulary, antlr4::Token *token) {
  return {kindName(vocabulary, token->getType()), token->getText(), rangeOf(token)};
}

void checkErrorLimit(SourceRange where, DiagnosticEngine &diagnostics) {
  if (diagnostics.errorCount() < maxErrors)
    return;
  diagnostics.error(where, "too many errors; giving up on this file");
  throw GiveUp{};
}

//===----------------------------------------------------------------------===//
// Errors
//===----------------------------------------------------------------------===//

/// ANTLR's recovery with our messages.
class ErrorStrategy : public antlr4::DefaultErrorStrategy {
public:
  explicit ErrorStrategy(DiagnosticEngine &diagnostics) : diagnostics(diagnostics) {}

protected:
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
  void report(antlr4::Parser *parser, antlr4::Token *offending) {
    // A second error in a line is mostly a consequence of the first.
    if (offending->getLine() == lastLine)
      return;
    lastLine = offending->getLine();
    const antlr4::dfa::Vocabulary &vocabulary = parser->getVocabulary();
    std::set<std::string> expected;
    for (ssize_t type : parser->getExpectedTokens().toList())
      expected.insert(kindName(vocabulary, static_cast<size_t>(type)));

    std::vector<SyntaxToken> tokens;
    auto *stream = static_cast<antlr4::CommonTokenStream *>(parser->getTokenStream());
    size_t at = 0;
    for (antlr4::Token *token : stream->getTokens()) {
      if (token->getChannel() != antlr4::Token::DEFAULT_CHANNEL)
        continue;
      if (token == offending)
        at = tokens.size();
      tokens.push_back(describe(vocabulary, token));
    }
    // The end of the file is shown behind the last token: that line exists.
    if (at && tokens[at].kind == "EOF")
      tokens[at].range = {tokens[at - 1].range.end, tokens[at - 1].range.end};
    const std::string &rule = parser->getRuleNames()[parser->getContext()->getRuleIndex()];
    reportUnexpectedToken(expected, rule, tokens, at, diagnostics);
    checkErrorLimit(tokens[at].range, diagnostics);
  }

  DiagnosticEngine &diagnostics;
  size_t lastLine = 0;
};

/// Follows the parser through its rules and limits nesting, so that no text overflows the stack.
class NestingLimit : public antlr4::tree::ParseTreeListener {
public:
  explicit NestingLimit(DiagnosticEngine &diagnostics) : diagnostics(diagnostics) {}

  void enterEveryRule(antlr4::ParserRuleContext *context) override {
    if (!isNesting(context) || ++nesting <= maxNesting)
      return;
    Diagnostic &diagnostic = diagnostics.error(rangeOf(context->getStart()),
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

  DiagnosticEngine &diagnostics;
  unsigned nesting = 0;
};

//===----------------------------------------------------------------------===//
// Tree to AST
//===----------------------------------------------------------------------===//

class AstBuilder {
public:
  explicit AstBuilder(DiagnosticEngine &diagnostics) : diagnostics(diagnostics) {}

  File build(LossParser::FileContext *context) {
    File file;
    for (LossParser::ItemContext *item : context->items) {
      if (item->lossItem)
        file.items.emplace_back(buildLoss(item->lossItem, buildDoc(item->docs)));
      else
        file.items.emplace_back(buildFn(item->fnItem, buildDoc(item->docs)));
    }
    return file;
  }

private:
  /// An expression and the depth of its tree.
  struct Built {
    ExprPtr expr;
    unsigned depth;
  };

  Identifier identifier(antlr4::Token *token) { return {token->getText(), rangeOf(token)}; }

  std::vector<Identifier> identifiers(const std::vector<antlr4::Token *> &tokens) {
    std::vector<Identifier> result;
    for (antlr4::Token *token : tokens)
      result.push_back(identifier(token));
    return result;
  }

  DocText buildDoc(const std::vector<antlr4::Token *> &tokens) {
    DocText doc;
    for (antlr4::Token *token : tokens) {
      std::string line = token->getText().substr(3);
      if (!line.empty() && line[0] == ' ')
        line.erase(0, 1);
      while (!line.empty() && (line.back() == ' ' || line.back() == '\t'))
        line.pop_back();
      if (token != tokens.front())
        doc += '\n';
      doc += line;
    }
    return doc;
  }

  LossDef buildLoss(LossParser::LossDefContext *context, DocText doc) {
    LossDef loss;
    loss.doc = std::move(doc);
    loss.name = identifier(context->name);
    for (LossParser::LossArgContext *arg : context->args)
      loss.args.push_back(buildLossArg(arg));
    loss.body = buildBlock(context->body);
    return loss;
  }

  LossArg buildLossArg(LossParser::LossArgContext *context) {
    LossArg arg;
    arg.doc = buildDoc(context->docs);
    if (LossParser::ParamContext *param = context->parameter) {
      arg.kind = LossArg::Kind::Param;
      arg.name = identifier(param->name);
      arg.defaultValue = buildExpr(param->value).expr;
      return arg;
    }
    LossParser::InputContext *input = context->value;
    arg.kind = input->isTarget ? LossArg::Kind::Target : LossArg::Kind::Value;
    arg.name = identifier(input->name);
    arg.axes = identifiers(input->axes->names);
    return arg;
  }

  FnDef buildFn(LossParser::FnDefContext *context, DocText doc) {
    FnDef fn;
    fn.doc = std::move(doc);
    fn.name = identifier(context->name);
    for (LossParser::FnArgContext *arg : context->args) {
      fn.args.push_back({identifier(arg->name), std::nullopt});
      if (arg->axes)
        fn.args.back().axes = identifiers(arg->axes->names);
    }
    fn.isShort = context->value != nullptr;
    if (fn.isShort)
      fn.body.result = buildExpr(context->value).expr;
    else
      fn.body = buildBlock(context->body);
    return fn;
  }

  Block buildBlock(LossParser::BlockContext *context) {
    Block block;
    for (LossParser::LetContext *let : context->lets)
      block.lets.push_back({identifier(let->name), buildExpr(let->value).expr});
    block.result = buildExpr(context->value).expr;
    return block;
  }

  /// A new node over finished operands.
  Built make(ExprKind kind, SourceRange range, SourceRange textRange) {
    auto expr = std::make_unique<Expr>();
    expr->kind = kind;
    expr->range = range;
    expr->textRange = textRange;
    return {std::move(expr), 1};
  }

  void addOperand(Built &parent, Built operand) {
    parent.expr->operands.push_back(std::move(operand.expr));
    parent.depth = std::max(parent.depth, operand.depth + 1);
    if (parent.depth <= maxExprDepth)
      return;
    Diagnostic &diagnostic = diagnostics.error(
        parent.expr->textRange, "expected an expression of at most " +
                                    std::to_string(maxExprDepth) + " levels, but found more");
    diagnostic.hint = "name parts of it with 'let'";
    throw GiveUp{};
  }

  Built binary(antlr4::Token *op, BinaryOp kind, Built lhs, Built rhs) {
    SourceRange range = {lhs.expr->range.begin, rhs.expr->range.end};
    Built result = make(ExprKind::Binary, range, rangeOf(op));
    result.expr->binary = kind;
    addOperand(result, std::move(lhs));
    addOperand(result, std::move(rhs));
    return result;
  }

  Built unary(antlr4::Token *op, UnaryOp kind, Built operand) {
    SourceRange range = {beginOf(op), operand.expr->range.end};
    Built result = make(ExprKind::Unary, range, rangeOf(op));
    result.expr->unary = kind;
    addOperand(result, std::move(operand));
    return result;
  }

  Built buildExpr(LossParser::ExprContext *context) {
    if (context->value)
      return buildOr(context->value);
    SourceRange range = rangeOf(context->getStart(), context->getStop());
    Built result = make(ExprKind::If, range, rangeOf(context->getStart()));
    addOperand(result, buildExpr(context->cond));
    addOperand(result, buildExpr(context->whenTrue));
    addOperand(result, buildExpr(context->whenFalse));
    return result;
  }

  Built buildOr(LossParser::OrExprContext *context) {
    Built result = buildAnd(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i)
      result =
          binary(context->ops[i], BinaryOp::Or, std::move(result), buildAnd(context->args[i + 1]));
    return result;
  }

  Built buildAnd(LossParser::AndExprContext *context) {
    Built result = buildNot(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i)
      result =
          binary(context->ops[i], BinaryOp::And, std::move(result), buildNot(context->args[i + 1]));
    return result;
  }

  Built buildNot(LossParser::NotExprContext *context) {
    if (context->op)
      return unary(context->op, UnaryOp::Not, buildNot(context->arg));
    return buildCompare(context->value);
  }

  Built buildCompare(LossParser::CompareExprContext *context) {
    Built lhs = buildAdd(context->args[0]);
    if (context->ops.empty())
      return lhs;
    antlr4::Token *op = context->ops[0];
    if (context->ops.size() > 1) {
      antlr4::Token *second = context->ops[1];
      diagnostics
          .error(rangeOf(second),
                 "expected one comparison, but found another: '" + second->getText() + "'")
          .hint = "comparisons do not chain; write 'a < b and b < c'";
      checkErrorLimit(rangeOf(second), diagnostics);
    }
    return binary(op, comparison(op->getType()), std::move(lhs), buildAdd(context->args[1]));
  }

  static BinaryOp comparison(size_t type) {
    switch (type) {
    case LossParser::LESS:
      return BinaryOp::Less;
    case LossParser::LESS_EQUAL:
      return BinaryOp::LessEqual;
    case LossParser::GREATER:
      return BinaryOp::Greater;
    case LossParser::GREATER_EQUAL:
      return BinaryOp::GreaterEqual;
    case LossParser::EQUAL:
      return BinaryOp::Equal;
    default:
      return BinaryOp::NotEqual;
    }
  }

  Built buildAdd(LossParser::AddExprContext *context) {
    Built result = buildMul(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i) {
      antlr4::Token *op = context->ops[i];
      BinaryOp kind = op->getType() == LossParser::PLUS ? BinaryOp::Add : BinaryOp::Sub;
      result = binary(op, kind, std::move(result), buildMul(context->args[i + 1]));
    }
    return result;
  }

  Built buildMul(LossParser::MulExprContext *context) {
    Built result = buildUnary(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i) {
      antlr4::Token *op = context->ops[i];
      BinaryOp kind = op->getType() == LossParser::STAR ? BinaryOp::Mul : BinaryOp::Div;
      result = binary(op, kind, std::move(result), buildUnary(context->args[i + 1]));
    }
    return result;
  }

  Built buildUnary(LossParser::UnaryExprContext *context) {
    if (context->op)
      return unary(context->op, UnaryOp::Neg, buildUnary(context->arg));
    LossParser::PowerExprContext *power = context->value;
    Built base = buildPrimary(power->base);
    if (!power->op)
      return base;
    return binary(power->op, BinaryOp::Pow, std::move(base), buildUnary(power->exponent));
  }

  Built buildPrimary(LossParser::PrimaryContext *context) {
    if (context->value) {
      // The range of a parenthesised expression includes its parentheses.
      Built inner = buildExpr(context->value);
      inner.expr->range = rangeOf(context->getStart(), context->getStop());
      return inner;
    }
    if (context->number)
      return buildNumber(context->number);
    SourceRange nameRange = rangeOf(context->name);
    LossParser::CallContext *call = context->arguments;
    if (!call) {
      Built name = make(ExprKind::Name, nameRange, nameRange);
      name.expr->text = context->name->getText();
      return name;
    }
    SourceRange range = rangeOf(context->getStart(), context->getStop());
    Built result = make(ExprKind::Call, range, nameRange);
    result.expr->text = context->name->getText();
    for (LossParser::ExprContext *arg : call->args)
      addOperand(result, buildExpr(arg));
    if (call->axis)
      result.expr->axis = identifier(call->axis);
    return result;
  }

  Built buildNumber(antlr4::Token *token) {
    Built result = make(ExprKind::Number, rangeOf(token), rangeOf(token));
    Expr &expr = *result.expr;
    expr.text = token->getText();
    const char *end = expr.text.data() + expr.text.size();
    auto [read, status] = std::from_chars(expr.text.data(), end, expr.number);
    if (status == std::errc::result_out_of_range) {
      diagnostics.error(expr.range, "expected a number that a 64-bit float can hold, but found '" +
                                        expr.text.substr(0, 40) + "'");
      checkErrorLimit(expr.range, diagnostics);
    }
    return result;
  }

  DiagnosticEngine &diagnostics;
};

//===----------------------------------------------------------------------===//
// Text to tokens
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
bool checkText(std::string_view text, DiagnosticEngine &diagnostics) {
  if (text.size() > maxSourceSize) {
    diagnostics.error({}, "expected a file of at most " + std::to_string(maxSourceSize) +
                              " bytes, but found " + std::to_string(text.size()));
    return false;
  }
  SourcePos pos = {1, 1};
  for (size_t i = 0; i < text.size();) {
    size_t length = utf8Length(text.substr(i));
    if (!length) {
      static constexpr char digits[] = "0123456789abcdef";
      unsigned char byte = text[i];
      diagnostics.error({pos, pos}, std::string("expected UTF-8 text, but found the byte 0x") +
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

/// Reports tokens that no rule uses, and replaces them by what was probably meant, so that the
/// parser goes on.
void checkTokens(antlr4::CommonTokenStream &stream, const antlr4::dfa::Vocabulary &vocabulary,
                 DiagnosticEngine &diagnostics) {
  size_t lastUnknown = 0;
  for (antlr4::Token *token : stream.getTokens()) {
    size_t type = token->getType();
    if (type != LossLexer::UNKNOWN && type != LossLexer::FOREIGN && type != LossLexer::BAD_NUMBER)
      continue;
    auto *writable = static_cast<antlr4::CommonToken *>(token);
    // One report for a run of characters that do not belong here.
    size_t index = token->getTokenIndex();
    bool inRun = type == LossLexer::UNKNOWN && index > 0 && lastUnknown == index;
    if (type == LossLexer::UNKNOWN)
      lastUnknown = index + 1;
    std::string meant;
    if (!inRun) {
      SyntaxToken described = describe(vocabulary, token);
      meant = reportForeignToken(described, diagnostics);
      checkErrorLimit(described.range, diagnostics);
      if (described.text == "/*")
        throw GiveUp{};
    }
    if (meant == "NUMBER")
      writable->setType(LossLexer::NUMBER);
    else if (meant == "'and'")
      writable->setType(LossLexer::AND);
    else if (meant == "'or'")
      writable->setType(LossLexer::OR);
    else if (meant == "'not'")
      writable->setType(LossLexer::NOT);
    else if (meant == "'^'")
      writable->setType(LossLexer::CARET);
    else
      writable->setChannel(antlr4::Token::HIDDEN_CHANNEL);
  }
}

std::optional<File> parseChecked(std::string_view text, DiagnosticEngine &diagnostics) {
  antlr4::ANTLRInputStream input(text.data(), text.size());
  LossLexer lexer(&input);
  lexer.removeErrorListeners();
  antlr4::CommonTokenStream tokens(&lexer);
  tokens.fill();
  checkTokens(tokens, lexer.getVocabulary(), diagnostics);
  tokens.seek(0);

  LossParser parser(&tokens);
  NestingLimit limit(diagnostics);
  parser.addParseListener(&limit);
  parser.removeErrorListeners();
  parser.setErrorHandler(std::make_shared<ErrorStrategy>(diagnostics));
  LossParser::FileContext *tree = parser.file();
  if (diagnostics.hasErrors())
    return std::nullopt;
  File file = AstBuilder(diagnostics).build(tree);
  if (diagnostics.hasErrors())
    return std::nullopt;
  return file;
}

} // namespace

std::optional<File> parse(std::string_view text, DiagnosticEngine &diagnostics) {
  constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
  if (text.substr(0, byteOrderMark.size()) == byteOrderMark)
    text.remove_prefix(byteOrderMark.size());
  if (!checkText(text, diagnostics))
    return std::nullopt;
  try {
    return parseChecked(text, diagnostics);
  } catch (const GiveUp &) {
  } catch (const std::exception &e) {
    diagnostics.error({}, std::string("internal error in the parser: ") + e.what());
  }
  return std::nullopt;
}

} // namespace loss::lang
