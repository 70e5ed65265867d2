//===- Expr.h - formulas that build operations ------------------*- C++ -*-===//
//
// Lets a derivative rule be written as its formula: `g * (1 - r * r)`.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_AUTODIFF_EXPR_H
#define LOSSLANG_AUTODIFF_EXPR_H

#include "compiler/Dialect/Loss/IR/Loss.h"

#include <optional>

namespace loss::ir::autodiff {

/// Where the operations of a formula go.
struct Site {
  mlir::OpBuilder &builder;
  mlir::Location loc;
};

/// A value, or a literal that takes the type of what it meets, or nothing (a derivative that is
/// zero everywhere). Operators build arith operations; operands are broadcast to the axes of both.
class Expr {
public:
  Expr() = default;
  Expr(double literal) : literal(literal), isLiteral(true) {}
  Expr(const Site *site, mlir::Value value) : site(site), held(value) {}

  bool isNothing() const { return !held && !isLiteral; }
  mlir::Value value() const { return held; }
  mlir::Type type() const { return held.getType(); }
  const Site &at() const { return *site; }

  /// This expression repeated along the axes of `other` that it lacks; a literal takes the type of
  /// `other`.
  Expr as(Expr other) const;

private:
  const Site *site = nullptr;
  mlir::Value held;
  double literal = 0;
  bool isLiteral = false;
};

Expr operator+(Expr a, Expr b);
Expr operator-(Expr a, Expr b);
Expr operator*(Expr a, Expr b);
Expr operator/(Expr a, Expr b);
Expr operator-(Expr a);

/// Comparisons give booleans; they are false for NaN, but `!=` is true.
Expr operator==(Expr a, Expr b);
Expr operator!=(Expr a, Expr b);
Expr operator>(Expr a, Expr b);
Expr operator>=(Expr a, Expr b);
Expr operator&&(Expr a, Expr b);

/// The number that `x` is everywhere, if it is a constant.
std::optional<double> constantOf(Expr x);
/// Whether `x` is this number everywhere.
bool isConstant(Expr x, double number);

/// `a` where the condition holds, else `b`. At least one of the two is a value.
Expr where(Expr condition, Expr a, Expr b);

/// The elementwise operation `Op` applied to `x`.
template <typename Op> Expr apply(Expr x) {
  return {&x.at(), Op::create(x.at().builder, x.at().loc, x.type(), x.value())};
}

template <typename Op> Expr apply(Expr x, Expr y) {
  return {&x.at(), Op::create(x.at().builder, x.at().loc, x.type(), x.value(), y.value())};
}

Expr pow(Expr x, Expr y);
Expr hypot(Expr x, Expr y);
/// x log(y), and 0 at x = 0.
Expr xlogy(Expr x, Expr y);

/// Sum over an axis.
Expr sum(Expr x, mlir::StringAttr axis);
/// `x` repeated along the axes of `like` that it lacks.
Expr spread(Expr x, Expr like);
/// Softmax over an axis.
Expr softmax(Expr x, mlir::StringAttr axis);
/// 1 at the class of `index`, with the type of `like`.
Expr oneHot(Expr index, mlir::StringAttr axis, Expr like);

/// `value`, whose derivative by its argument x is `slope`, not what the rules of its formula say.
Expr given(Expr value, Expr x, Expr slope);

/// g * factor, but 0 where g is 0 and the factor infinite: the limit of a term that vanishes.
Expr timesLimit(Expr g, Expr factor);

} // namespace loss::ir::autodiff

#endif // LOSSLANG_AUTODIFF_EXPR_H
