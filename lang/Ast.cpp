//===- Ast.cpp ------------------------------------------------------------===//
#include "lang/Ast.h"

#include <cmath>

namespace loss::lang {

std::string_view spelling(UnaryOp op) { return op == UnaryOp::Neg ? "-" : "not"; }

std::string_view spelling(BinaryOp op) {
  switch (op) {
  case BinaryOp::Or:
    return "or";
  case BinaryOp::And:
    return "and";
  case BinaryOp::Less:
    return "<";
  case BinaryOp::LessEqual:
    return "<=";
  case BinaryOp::Greater:
    return ">";
  case BinaryOp::GreaterEqual:
    return ">=";
  case BinaryOp::Equal:
    return "==";
  case BinaryOp::NotEqual:
    return "!=";
  case BinaryOp::Add:
    return "+";
  case BinaryOp::Sub:
    return "-";
  case BinaryOp::Mul:
    return "*";
  case BinaryOp::Div:
    return "/";
  case BinaryOp::Pow:
    return "^";
  }
  return "";
}

static ExprPtr makeExpr(ExprKind kind) {
  auto expr = std::make_unique<Expr>();
  expr->kind = kind;
  return expr;
}

ExprPtr makeNumber(double value) {
  // Literals have no sign, so a negative number is a negation.
  if (std::signbit(value))
    return makeUnary(UnaryOp::Neg, makeNumber(-value));
  ExprPtr expr = makeExpr(ExprKind::Number);
  expr->number = value;
  return expr;
}

ExprPtr makeName(std::string name) {
  ExprPtr expr = makeExpr(ExprKind::Name);
  expr->text = std::move(name);
  return expr;
}

ExprPtr makeUnary(UnaryOp op, ExprPtr operand) {
  ExprPtr expr = makeExpr(ExprKind::Unary);
  expr->unary = op;
  expr->operands.push_back(std::move(operand));
  return expr;
}

ExprPtr makeBinary(BinaryOp op, ExprPtr lhs, ExprPtr rhs) {
  ExprPtr expr = makeExpr(ExprKind::Binary);
  expr->binary = op;
  expr->operands.push_back(std::move(lhs));
  expr->operands.push_back(std::move(rhs));
  return expr;
}

ExprPtr makeIf(ExprPtr condition, ExprPtr whenTrue, ExprPtr whenFalse) {
  ExprPtr expr = makeExpr(ExprKind::If);
  expr->operands.push_back(std::move(condition));
  expr->operands.push_back(std::move(whenTrue));
  expr->operands.push_back(std::move(whenFalse));
  return expr;
}

ExprPtr makeCall(std::string function, std::vector<ExprPtr> operands,
                 const std::vector<std::string> &axes) {
  ExprPtr expr = makeExpr(ExprKind::Call);
  expr->text = std::move(function);
  expr->operands = std::move(operands);
  for (const std::string &axis : axes)
    expr->axes.push_back({axis, {}});
  return expr;
}

ExprPtr makeRename(ExprPtr operand, std::string from, std::string to) {
  ExprPtr expr = makeExpr(ExprKind::Rename);
  expr->operands.push_back(std::move(operand));
  expr->axes = {{std::move(from), {}}, {std::move(to), {}}};
  return expr;
}

ExprPtr makeError(SourceRange range) {
  ExprPtr expr = makeExpr(ExprKind::Error);
  expr->range = expr->textRange = range;
  return expr;
}

} // namespace loss::lang
