//===- Precedence.h - where expressions need parentheses --------*- C++ -*-===//
#ifndef LOSSLANG_LANG_PRECEDENCE_H
#define LOSSLANG_LANG_PRECEDENCE_H

#include "lang/Ast.h"

namespace loss::lang {

/// How tightly an expression binds, in the order of the grammar's rules.
enum Level {
  ConditionalLevel,
  OrLevel,
  AndLevel,
  NotLevel,
  CompareLevel,
  AddLevel,
  MulLevel,
  NegLevel,
  PowLevel,
  PrimaryLevel
};

inline Level levelOf(BinaryOp op) {
  switch (op) {
  case BinaryOp::Or:
    return OrLevel;
  case BinaryOp::And:
    return AndLevel;
  case BinaryOp::Add:
  case BinaryOp::Sub:
    return AddLevel;
  case BinaryOp::Mul:
  case BinaryOp::Div:
    return MulLevel;
  case BinaryOp::Pow:
    return PowLevel;
  default:
    return CompareLevel;
  }
}

inline Level levelOf(const Expr &expr) {
  switch (expr.kind) {
  case ExprKind::If:
    return ConditionalLevel;
  case ExprKind::Unary:
    return expr.unary == UnaryOp::Not ? NotLevel : NegLevel;
  case ExprKind::Binary:
    return levelOf(expr.binary);
  default:
    return PrimaryLevel;
  }
}

/// How tightly the operands of an operator must bind to stand without parentheses. Operators are
/// left-associative, except that `^` takes a primary on its left and a unary on its right, and that
/// comparisons do not chain.
inline Level leftLevel(BinaryOp op) {
  Level level = levelOf(op);
  return level == PowLevel ? PrimaryLevel : level == CompareLevel ? AddLevel : level;
}
inline Level rightLevel(BinaryOp op) {
  Level level = levelOf(op);
  return level == PowLevel ? NegLevel : static_cast<Level>(level + 1);
}

} // namespace loss::lang

#endif // LOSSLANG_LANG_PRECEDENCE_H
