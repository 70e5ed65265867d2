//===- Expr.cpp - formulas that build operations --------------------------===//

#include "compiler/Autodiff/Expr.h"

#include "mlir/IR/Matchers.h"

#include <limits>

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

/// The axes of both types, in the order of the program at `site`.
static SmallVector<StringAttr> joinAxes(const Site &site, Type a, Type b) {
  if (axesOf(a).empty() || axesOf(a) == axesOf(b))
    return SmallVector<StringAttr>(axesOf(b));
  if (axesOf(b).empty())
    return SmallVector<StringAttr>(axesOf(a));
  auto program = cast<ProgramOp>(site.builder.getInsertionBlock()->getParentOp());
  SmallVector<StringAttr> joined;
  for (StringAttr axis : program.getAxes().getNames())
    if (hasAxis(a, axis) || hasAxis(b, axis))
      joined.push_back(axis);
  return joined;
}

Expr Expr::as(Expr other) const {
  const Site &where = *other.site;
  if (isLiteral) {
    Type element = getElementTypeOrSelf(other.type());
    Value number = arith::ConstantOp::create(where.builder, where.loc,
                                             where.builder.getFloatAttr(element, literal));
    return {other.site, broadcastTo(where.builder, where.loc, number, other.type())};
  }
  Type wide = typeWithAxes(getElementTypeOrSelf(type()), joinAxes(where, type(), other.type()));
  return {other.site, broadcastTo(where.builder, where.loc, held, wide)};
}

/// Gives both operands the axes of both.
static void align(Expr &a, Expr &b) {
  if (b.value())
    a = a.as(b);
  b = b.as(a);
}

template <typename Op> static Expr binary(Expr a, Expr b) {
  align(a, b);
  return {&a.at(), Op::create(a.at().builder, a.at().loc, a.value(), b.value())};
}

static Expr compare(arith::CmpFPredicate predicate, Expr a, Expr b) {
  align(a, b);
  return {&a.at(),
          arith::CmpFOp::create(a.at().builder, a.at().loc, predicate, a.value(), b.value())};
}

std::optional<double> autodiff::constantOf(Expr x) {
  Value value = x.value();
  while (auto broadcast = value ? value.getDefiningOp<BroadcastOp>() : nullptr)
    value = broadcast.getInput();
  FloatAttr constant;
  if (!value || !matchPattern(value, m_Constant(&constant)))
    return std::nullopt;
  return constant.getValueAsDouble();
}

bool autodiff::isConstant(Expr x, double number) { return constantOf(x) == number; }

static bool isOne(Expr x) { return isConstant(x, 1); }

Expr autodiff::operator+(Expr a, Expr b) { return binary<arith::AddFOp>(a, b); }
Expr autodiff::operator-(Expr a, Expr b) { return binary<arith::SubFOp>(a, b); }

Expr autodiff::operator*(Expr a, Expr b) {
  // The seed of the reverse sweep is 1: most of its products need no operation.
  if (isOne(a) && b.value())
    return spread(b, a);
  if (isOne(b) && a.value())
    return spread(a, b);
  return binary<arith::MulFOp>(a, b);
}

Expr autodiff::operator/(Expr a, Expr b) {
  // (h * x) / x = h, also where x is 0: the gradient of x * log(x) is log(x) + 1 there.
  if (a.value() && a.value() == b.value())
    return Expr(1.0).as(b);
  if (a.value() && b.value())
    if (auto product = a.value().getDefiningOp<arith::MulFOp>()) {
      if (product.getLhs() == b.value())
        return {&a.at(), product.getRhs()};
      if (product.getRhs() == b.value())
        return {&a.at(), product.getLhs()};
    }
  return binary<arith::DivFOp>(a, b);
}

Expr autodiff::operator-(Expr a) { return apply<arith::NegFOp>(a); }

Expr autodiff::operator==(Expr a, Expr b) { return compare(arith::CmpFPredicate::OEQ, a, b); }
Expr autodiff::operator!=(Expr a, Expr b) { return compare(arith::CmpFPredicate::UNE, a, b); }
Expr autodiff::operator>(Expr a, Expr b) { return compare(arith::CmpFPredicate::OGT, a, b); }
Expr autodiff::operator>=(Expr a, Expr b) { return compare(arith::CmpFPredicate::OGE, a, b); }
Expr autodiff::operator&&(Expr a, Expr b) { return binary<arith::AndIOp>(a, b); }

Expr autodiff::where(Expr condition, Expr a, Expr b) {
  align(a, b);
  Expr wide = condition.as(a);
  a = a.as(wide);
  b = b.as(wide);
  return {&a.at(),
          arith::SelectOp::create(a.at().builder, a.at().loc, wide.value(), a.value(), b.value())};
}

Expr autodiff::pow(Expr x, Expr y) { return binary<math::PowFOp>(x, y); }
Expr autodiff::hypot(Expr x, Expr y) { return binary<HypotOp>(x, y); }
Expr autodiff::xlogy(Expr x, Expr y) {
  return isOne(x) ? spread(apply<math::LogOp>(y), x) : binary<XlogyOp>(x, y);
}

Expr autodiff::sum(Expr x, StringAttr axis) {
  return {&x.at(), ReduceOp::create(x.at().builder, x.at().loc, ReduceKind::sum, x.value(), axis)};
}

Expr autodiff::spread(Expr x, Expr like) { return x.as(like); }

Expr autodiff::softmax(Expr x, StringAttr axis) {
  return {&x.at(), SoftmaxOp::create(x.at().builder, x.at().loc, x.value(), axis)};
}

Expr autodiff::oneHot(Expr index, StringAttr axis, Expr like) {
  return {&like.at(),
          OneHotOp::create(like.at().builder, like.at().loc, like.type(), index.value(), axis,
                           /*narrow=*/true)};
}

Expr autodiff::given(Expr value, Expr x, Expr slope) {
  // Where `value` comes from another given derivative, that one is kept.
  if (!value.value().getDefiningOp<CustomGradientOp>())
    value = apply<StopGradientOp>(value);
  return {&value.at(), CustomGradientOp::create(value.at().builder, value.at().loc, value.value(),
                                                x.value(), slope.as(value).value())};
}

Expr autodiff::timesLimit(Expr g, Expr factor) {
  Expr infinite = apply<math::AbsFOp>(factor) == std::numeric_limits<double>::infinity();
  return g * where(g == 0.0 && infinite, 0.0, factor);
}
