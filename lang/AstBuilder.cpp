//===- AstBuilder.cpp - from ANTLR's tree to the AST ----------------------===//
//
// ANTLR leaves a tree with gaps after a syntax error. An expression with a gap becomes an
// ExprKind::Error; a definition keeps what it has. What the gaps may have defined is collected, so
// that later steps do not report it as unknown.
//
//===----------------------------------------------------------------------===//
#include "lang/Parser.h"
#include "lang/ParserDetail.h"

#include <charconv>

namespace loss::lang::detail {

namespace {

using antlr4::Token;

class AstBuilder {
public:
  AstBuilder(Tokens &tokens, Places places, DiagnosticEngine &diagnostics)
      : tokens(tokens), places(places), diagnostics(diagnostics),
        hasErrors(diagnostics.hasErrors()), defined(tokens.size()) {}

  File build(LossParser::FileContext *context) {
    File file;
    for (LossParser::ItemContext *item : context->items)
      buildItem(item, file);
    if (hasErrors)
      collectLostNames(context, file);
    return file;
  }

private:
  /// An expression and the depth of its tree.
  struct Built {
    ExprPtr expr;
    unsigned depth;
  };

  //===--- Damage ---------------------------------------------------------===//

  /// Whether the rule itself (not one inside of it) has an error.
  bool isDamaged(antlr4::ParserRuleContext *context) const {
    if (!context || context->exception)
      return true;
    if (hasErrors)
      for (antlr4::tree::ParseTree *child : context->children)
        if (dynamic_cast<antlr4::tree::ErrorNode *>(child))
          return true;
    return false;
  }

  /// Whether the text has this token, rather than ANTLR having made it up or found none.
  static bool isWritten(const Token *token) {
    return token && token->getTokenIndex() != INVALID_INDEX;
  }

  SourceRange rangeOf(antlr4::ParserRuleContext *context) const {
    const Token *stop = context->getStop(), *start = context->getStart();
    bool isEmpty = !stop || stop->getTokenIndex() < start->getTokenIndex();
    return places.range(start, isEmpty ? start : stop);
  }

  Built error(antlr4::ParserRuleContext *context) const {
    return {makeError(context ? rangeOf(context) : SourceRange{{}, {}, places.file}), 1};
  }

  /// Names that stand before `=` or `:` and are in no definition of the AST, and all names of
  /// damaged lists of arguments.
  void collectLostNames(LossParser::FileContext *context, File &file) {
    for (size_t i = 0; i + 1 < tokens.size(); ++i) {
      const Token *token = tokens.get(i), *next = tokens.get(i + 1);
      bool isDefinition =
          next->getType() == LossParser::ASSIGN || next->getType() == LossParser::COLON;
      if (token->getType() == LossParser::IDENT && isDefinition && !defined[i])
        file.lostNames.insert(token->getText());
    }
    for (antlr4::ParserRuleContext *list : damagedLists)
      for (size_t i = list->getStart()->getTokenIndex(); i <= list->getStop()->getTokenIndex(); ++i)
        if (tokens.get(i)->getType() == LossParser::IDENT)
          file.lostNames.insert(tokens.get(i)->getText());
    // Functions in a block.
    for (size_t i = 0; i + 1 < tokens.size(); ++i)
      if (tokens.get(i)->getType() == LossParser::FN && !defined[i + 1])
        file.lostNames.insert(tokens.get(i + 1)->getText());
    // Items that are not recognised as ones: `fun f(x) = ...`.
    loseNames(context, file);
    for (LossParser::ItemContext *item : context->items)
      loseNames(item, file);
  }

  static void loseNames(antlr4::ParserRuleContext *context, File &file) {
    for (antlr4::tree::ParseTree *child : context->children)
      if (auto *node = dynamic_cast<antlr4::tree::ErrorNode *>(child))
        file.lostNames.insert(node->getSymbol()->getText());
  }

  //===--- Definitions ----------------------------------------------------===//

  Identifier identifier(Token *token) { return {token->getText(), places.range(token)}; }

  /// The name of a definition.
  Identifier definedName(Token *token) {
    if (isWritten(token))
      defined[token->getTokenIndex()] = true;
    return identifier(token);
  }

  std::vector<Identifier> identifiers(const std::vector<Token *> &list) {
    std::vector<Identifier> result;
    for (Token *token : list)
      if (isWritten(token))
        result.push_back(identifier(token));
    return result;
  }

  DocText buildDoc(const std::vector<Token *> &lines) {
    DocText doc;
    for (Token *token : lines) {
      std::string line = token->getText().substr(3);
      if (!line.empty() && line[0] == ' ')
        line.erase(0, 1);
      while (!line.empty() && (line.back() == ' ' || line.back() == '\t'))
        line.pop_back();
      if (token != lines.front())
        doc += '\n';
      doc += line;
    }
    return doc;
  }

  void buildItem(LossParser::ItemContext *item, File &file) {
    if (LossParser::ImportItemContext *import = item->imported) {
      std::string path = isDamaged(import) ? "" : import->path->getText();
      if (path.size() < 2 || path[0] != '"') {
        file.lostFunctions = true;
        return;
      }
      file.items.emplace_back(
          Import{path.substr(1, path.size() - 2), places.range(import->path), rangeOf(import)});
    } else if (item->lossItem) {
      if (isWritten(item->lossItem->name))
        file.items.emplace_back(buildLoss(item->lossItem, buildDoc(item->docs), rangeOf(item)));
    } else if (item->fnItem && isWritten(item->fnItem->name)) {
      file.items.emplace_back(buildFn(item->fnItem, buildDoc(item->docs), rangeOf(item)));
    }
  }

  LossDef buildLoss(LossParser::LossDefContext *context, DocText doc, SourceRange range) {
    LossDef loss;
    loss.doc = std::move(doc);
    loss.name = definedName(context->name);
    loss.range = range;
    loss.headComplete = isHeadComplete(context->arguments);
    if (context->arguments)
      for (LossParser::LossArgContext *arg : context->arguments->args)
        loss.headComplete &= buildLossArg(arg, loss.args);
    loss.body = buildBlock(context->body);
    return loss;
  }

  bool isHeadComplete(antlr4::ParserRuleContext *list) {
    if (!isDamaged(list))
      return true;
    if (list)
      damagedLists.push_back(list);
    return false;
  }

  /// False when something of it is lost.
  bool buildLossArg(LossParser::LossArgContext *context, std::vector<LossArg> &args) {
    LossArg arg;
    arg.doc = buildDoc(context->docs);
    arg.range = rangeOf(context);
    if (LossParser::ParamContext *param = context->parameter) {
      arg.kind = LossArg::Kind::Param;
      if (param->constraint && isWritten(param->constraint))
        arg.constraints = {identifier(param->constraint)};
      return finishArg(param, param->name, param->value, std::move(arg), args);
    }
    if (LossParser::OptionContext *option = context->setting) {
      arg.kind = LossArg::Kind::Option;
      if (option->allowed && !isDamaged(option->allowed))
        buildLimits(option->allowed, arg);
      return finishArg(option, option->name, option->value, std::move(arg), args);
    }
    LossParser::InputContext *input = context->value;
    if (!input || !isWritten(input->name))
      return false;
    arg.kind = input->isTarget  ? LossArg::Kind::Target
               : input->isFixed ? LossArg::Kind::Fixed
                                : LossArg::Kind::Value;
    arg.name = definedName(input->name);
    if (isWritten(input->classAxis))
      arg.classAxis = identifier(input->classAxis);
    bool hasAxes = input->axes && isHeadComplete(input->axes);
    if (input->axes)
      arg.axes = identifiers(input->axes->names);
    // In `x: [a, b, y: [a, b]` they are those of two inputs.
    if (!hasAxes)
      arg.axes.clear();
    args.push_back(std::move(arg));
    return hasAxes && !isDamaged(input) && !isDamaged(context);
  }

  void buildLimits(LossParser::LimitsContext *context, LossArg &arg) {
    arg.constraints = identifiers(context->words);
    if (LossParser::RangeContext *range = context->between) {
      arg.least = buildExpr(range->least).expr;
      arg.greatest = buildExpr(range->greatest).expr;
    }
  }

  bool finishArg(antlr4::ParserRuleContext *context, Token *name, LossParser::ExprContext *value,
                 LossArg arg, std::vector<LossArg> &args) {
    if (!isWritten(name))
      return false;
    arg.name = definedName(name);
    arg.defaultValue = isDamaged(context) ? error(value).expr : buildExpr(value).expr;
    args.push_back(std::move(arg));
    // Parameters and options have no axes to lose.
    return true;
  }

  FnDef buildFn(LossParser::FnDefContext *context, DocText doc, SourceRange range) {
    FnDef fn;
    fn.doc = std::move(doc);
    fn.name = definedName(context->name);
    fn.range = range;
    fn.headComplete = isHeadComplete(context->arguments);
    if (context->arguments)
      for (LossParser::FnArgContext *arg : context->arguments->args) {
        if (!isWritten(arg->name)) {
          fn.headComplete = false;
          continue;
        }
        fn.args.push_back({definedName(arg->name), std::nullopt});
        fn.headComplete &= !isDamaged(arg);
        if (arg->axes && isHeadComplete(arg->axes))
          fn.args.back().axes = identifiers(arg->axes->names);
      }
    fn.isShort = context->body == nullptr;
    if (fn.isShort)
      fn.body.result = isDamaged(context) ? error(context).expr : buildExpr(context->value).expr;
    else
      fn.body = buildBlock(context->body);
    if (fn.isShort)
      fn.body.resultRange = fn.body.range = fn.body.result->range;
    for (LossParser::DerivativeContext *derivative : context->derivatives)
      if (isWritten(derivative->name))
        fn.derivatives.push_back({definedName(derivative->name),
                                  valueOf(derivative, derivative->value), rangeOf(derivative)});
    return fn;
  }

  ExprPtr valueOf(antlr4::ParserRuleContext *statement, LossParser::ExprContext *value) {
    return isDamaged(statement) ? error(statement).expr : buildExpr(value).expr;
  }

  Block buildBlock(LossParser::BlockContext *context) {
    Block block;
    if (!context) {
      block.result = error(nullptr).expr;
      return block;
    }
    block.range = rangeOf(context);
    for (LossParser::AxisDefContext *axis : context->axes)
      if (isWritten(axis->name) && isWritten(axis->original))
        block.axes.push_back({definedName(axis->name), identifier(axis->original), rangeOf(axis)});
    std::set<const antlr4::tree::ParseTree *> cut = statementsBeforeErrors(context);
    for (LossParser::LetContext *let : context->lets) {
      if (!isWritten(let->name))
        continue;
      Identifier name = definedName(let->name);
      ExprPtr value = cut.count(let) ? error(let).expr : valueOf(let, let->value);
      block.lets.push_back({std::move(name), std::move(value), rangeOf(let)});
    }
    // The closing brace may be what is missing: the result is whole without it.
    bool hasResult = context->value && !isDamaged(context->value) && !cut.count(context->value);
    block.result = hasResult ? buildExpr(context->value).expr : error(context->value).expr;
    block.resultRange = block.result->range;
    for (antlr4::tree::ParseTree *child : context->children)
      if (auto *node = dynamic_cast<antlr4::tree::TerminalNode *>(child))
        if (node->getSymbol()->getType() == LossParser::RETURN)
          block.resultRange.begin = places.range(node->getSymbol()).begin;
    return block;
  }

  /// Statements that have tokens in their line directly behind them that do not belong there: they
  /// are part of the expression, as in `let a = x y`.
  std::set<const antlr4::tree::ParseTree *>
  statementsBeforeErrors(LossParser::BlockContext *context) {
    std::set<const antlr4::tree::ParseTree *> result;
    if (hasErrors)
      for (size_t i = 1; i < context->children.size(); ++i) {
        auto *node = dynamic_cast<antlr4::tree::ErrorNode *>(context->children[i]);
        auto *before = dynamic_cast<antlr4::ParserRuleContext *>(context->children[i - 1]);
        if (node && before && isWritten(node->getSymbol()) && before->getStop() &&
            before->getStop()->getLine() == node->getSymbol()->getLine())
          result.insert(before);
      }
    return result;
  }

  //===--- Expressions ----------------------------------------------------===//

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

  Built binary(Token *op, BinaryOp kind, Built lhs, Built rhs) {
    SourceRange range = {lhs.expr->range.begin, rhs.expr->range.end, places.file};
    Built result = make(ExprKind::Binary, range, places.range(op));
    result.expr->binary = kind;
    addOperand(result, std::move(lhs));
    addOperand(result, std::move(rhs));
    return result;
  }

  Built unary(Token *op, UnaryOp kind, Built operand) {
    SourceRange range = {places.range(op).begin, operand.expr->range.end, places.file};
    Built result = make(ExprKind::Unary, range, places.range(op));
    result.expr->unary = kind;
    addOperand(result, std::move(operand));
    return result;
  }

  Built buildExpr(LossParser::ExprContext *context) {
    if (isDamaged(context))
      return error(context);
    if (context->value)
      return buildOr(context->value);
    Built result = make(ExprKind::If, rangeOf(context), places.range(context->getStart()));
    addOperand(result, buildExpr(context->cond));
    addOperand(result, buildExpr(context->whenTrue));
    addOperand(result, buildExpr(context->whenFalse));
    return result;
  }

  Built buildOr(LossParser::OrExprContext *context) {
    if (isDamaged(context))
      return error(context);
    Built result = buildAnd(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i)
      result =
          binary(context->ops[i], BinaryOp::Or, std::move(result), buildAnd(context->args[i + 1]));
    return result;
  }

  Built buildAnd(LossParser::AndExprContext *context) {
    if (isDamaged(context))
      return error(context);
    Built result = buildNot(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i)
      result =
          binary(context->ops[i], BinaryOp::And, std::move(result), buildNot(context->args[i + 1]));
    return result;
  }

  Built buildNot(LossParser::NotExprContext *context) {
    if (isDamaged(context))
      return error(context);
    if (context->op)
      return unary(context->op, UnaryOp::Not, buildNot(context->arg));
    return buildCompare(context->value);
  }

  Built buildCompare(LossParser::CompareExprContext *context) {
    if (isDamaged(context))
      return error(context);
    Built lhs = buildAdd(context->args[0]);
    if (context->ops.empty())
      return lhs;
    Token *op = context->ops[0];
    if (context->ops.size() > 1) {
      Token *second = context->ops[1];
      diagnostics
          .error(places.range(second),
                 "expected one comparison, but found another: '" + second->getText() + "'")
          .hint = "comparisons do not chain; write 'a < b and b < c'";
      checkErrorLimit(places.range(second), diagnostics);
      return error(context);
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
    if (isDamaged(context))
      return error(context);
    Built result = buildMul(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i) {
      Token *op = context->ops[i];
      BinaryOp kind = op->getType() == LossParser::PLUS ? BinaryOp::Add : BinaryOp::Sub;
      result = binary(op, kind, std::move(result), buildMul(context->args[i + 1]));
    }
    return result;
  }

  Built buildMul(LossParser::MulExprContext *context) {
    if (isDamaged(context))
      return error(context);
    Built result = buildUnary(context->args[0]);
    for (size_t i = 0; i < context->ops.size(); ++i) {
      Token *op = context->ops[i];
      BinaryOp kind = op->getType() == LossParser::STAR ? BinaryOp::Mul : BinaryOp::Div;
      result = binary(op, kind, std::move(result), buildUnary(context->args[i + 1]));
    }
    return result;
  }

  Built buildUnary(LossParser::UnaryExprContext *context) {
    if (isDamaged(context))
      return error(context);
    if (context->op)
      return unary(context->op, UnaryOp::Neg, buildUnary(context->arg));
    return buildPower(context->value);
  }

  Built buildPower(LossParser::PowerExprContext *context) {
    if (isDamaged(context))
      return error(context);
    Built base = buildPostfix(context->base);
    if (!context->op)
      return base;
    return binary(context->op, BinaryOp::Pow, std::move(base), buildUnary(context->exponent));
  }

  Built buildPostfix(LossParser::PostfixExprContext *context) {
    if (isDamaged(context))
      return error(context);
    Built result = buildPrimary(context->value);
    for (LossParser::RenameContext *rename : context->renames) {
      if (isDamaged(rename))
        return error(context);
      SourceRange suffix = rangeOf(rename);
      Built outer =
          make(ExprKind::Rename, {result.expr->range.begin, suffix.end, places.file}, suffix);
      addOperand(outer, std::move(result));
      outer.expr->axes = {identifier(rename->from), identifier(rename->to)};
      result = std::move(outer);
    }
    return result;
  }

  Built buildPrimary(LossParser::PrimaryContext *context) {
    if (isDamaged(context))
      return error(context);
    if (context->value) {
      // The range of a parenthesised expression includes its parentheses.
      Built inner = buildExpr(context->value);
      inner.expr->range = rangeOf(context);
      return inner;
    }
    if (context->number)
      return buildNumber(context->number);
    SourceRange nameRange = places.range(context->name);
    LossParser::CallContext *call = context->arguments;
    if (!call) {
      Built name = make(ExprKind::Name, nameRange, nameRange);
      name.expr->text = context->name->getText();
      return name;
    }
    if (isDamaged(call) || (call->order && isDamaged(call->order)))
      return error(context);
    Built result = make(ExprKind::Call, rangeOf(context), nameRange);
    result.expr->text = context->name->getText();
    for (LossParser::ExprContext *arg : call->args)
      addOperand(result, buildExpr(arg));
    if (LossParser::OverContext *over = call->order) {
      result.expr->axes = identifiers(over->axes);
      result.expr->hasKey = over->key != nullptr;
      if (over->key)
        addOperand(result, buildExpr(over->key));
    }
    return result;
  }

  Built buildNumber(Token *token) {
    Built result = make(ExprKind::Number, places.range(token), places.range(token));
    Expr &expr = *result.expr;
    expr.text = token->getText();
    const char *end = expr.text.data() + expr.text.size();
    auto [read, status] = std::from_chars(expr.text.data(), end, expr.number);
    // What the lexer took for a number and is none was reported.
    if (read != end)
      return {makeError(expr.range), 1};
    if (status == std::errc::result_out_of_range) {
      diagnostics.error(expr.range, "expected a number that a 64-bit float can hold, but found '" +
                                        expr.text.substr(0, 40) + "'");
      checkErrorLimit(expr.range, diagnostics);
    }
    return result;
  }

  Tokens &tokens;
  Places places;
  DiagnosticEngine &diagnostics;
  /// Whether there is damage to look for.
  bool hasErrors;
  /// Of each token: whether a definition of the AST has it as its name.
  std::vector<bool> defined;
  std::vector<antlr4::ParserRuleContext *> damagedLists;
};

} // namespace

File buildAst(LossParser::FileContext *tree, Tokens &tokens, Places places,
              DiagnosticEngine &diagnostics) {
  File file = AstBuilder(tokens, places, diagnostics).build(tree);
  file.comments = collectComments(tokens, places);
  return file;
}

} // namespace loss::lang::detail
