//===- StableForms.cpp - work on logarithms in place of exponentials ------===//
//
// A probability is an exponential: of a log-probability, which keeps its digits where the
// probability itself underflows or rounds to 1. So what is a logarithm, a power or a quotient of
// exponentials is computed of their logarithms. The name of a pattern is its debug label.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/StableForms.h"

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

namespace {

constexpr double kInfinity = std::numeric_limits<double>::infinity();

//===----------------------------------------------------------------------===//
// The complement of a softmax
//===----------------------------------------------------------------------===//

Expr greatest(Expr x, StringAttr axis) {
  return {&x.at(), ReduceOp::create(x.at().builder, x.at().loc, ReduceKind::max, x.value(), axis)};
}
Expr logSoftmax(Expr x, StringAttr axis) {
  return {&x.at(), LogSoftmaxOp::create(x.at().builder, x.at().loc, x.value(), axis)};
}
Expr exp(Expr x) { return apply<math::ExpOp>(x); }
Expr log(Expr x) { return apply<math::LogOp>(x); }

/// The maximum of a row, where no other element equals it: its probability p may round to 1. It is
/// the sigmoid of its distance from the logarithm l of the sum of the other exponentials, which has
/// all its digits: p = sigmoid(x - l), 1 - p = sigmoid(l - x). Every other p is at most 1/2.
struct OnlyMaximum {
  /// Where it is.
  Expr isHere;
  /// l - x there; -inf where all other elements are, or where there are none.
  Expr margin;
  /// softmax(x), but 0 there: 1 minus this does not cancel.
  Expr probability;

  OnlyMaximum(Expr x, StringAttr axis) {
    Expr shifted = x - spread(apply<StopGradientOp>(greatest(x, axis)), x);
    Expr isGreatest = shifted == 0.0;
    Expr count = sum(where(isGreatest, Expr(1.0).as(x), 0.0), axis);
    isHere = isGreatest && spread(count == 1.0, isGreatest);
    Expr others = where(isGreatest, -kInfinity, shifted);
    Expr shift = apply<StopGradientOp>(greatest(others, axis)), areNone = shift == -kInfinity;
    Expr safe = where(areNone, 0.0, shift);
    Expr total = sum(exp(others - spread(safe, x)), axis);
    Expr l = where(areNone, -kInfinity, safe + log(where(areNone, 1.0, total)));
    margin = spread(l, x) - shifted;
    probability = where(isHere, 0.0, softmax(x, axis));
  }

  /// `there` at the only maximum, else `elsewhere`.
  Expr choose(Expr there, Expr elsewhere) const { return where(isHere, there, elsewhere); }
  /// 1 - softmax(x).
  Expr complement() const { return choose(apply<SigmoidOp>(margin), 1.0 - probability); }
};

Expr abs(Expr x) { return apply<math::AbsFOp>(x); }
Expr logSumExp(Expr x, StringAttr axis) {
  return {&x.at(), LogSumExpOp::create(x.at().builder, x.at().loc, x.value(), axis)};
}

/// log(exp(x) + exp(y)), also where both are 0, or one is infinite.
Expr logAddExp(Expr x, Expr y) {
  Expr m = apply<arith::MaximumFOp>(x, y);
  Expr tail = apply<SoftplusOp>(-abs(x - y));
  return where(abs(m) == kInfinity, m, m + tail);
}

/// log I0(x) = |x| + log(exp(-|x|) I0(x)), with the derivative I1 / I0.
Expr logBesselI0(Expr x) {
  Expr scaled = apply<BesselI0eOp>(x);
  return given(abs(x) + log(scaled), x, apply<BesselI1eOp>(x) / scaled);
}

/// Whether a use is a power whose exponent is no constant.
bool isBaseOfOpenPower(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    return isa<math::PowFOp>(use.getOwner()) && use.getOperandNumber() == 0 &&
           !constantOf(use.getOwner()->getOperand(1));
  });
}

// log1mexp(log_softmax(x))  =  log(1 - p),   expm1(log_softmax(x))  =  -(1 - p),
// and -log_softmax(x) where it is used near 0
template <typename Op> struct ComplementOfSoftmax : OpRewritePattern<Op> {
  explicit ComplementOfSoftmax(MLIRContext *context) : OpRewritePattern<Op>(context, 2) {
    this->setDebugName("ComplementOfSoftmax");
  }
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    constexpr bool isNegation = std::is_same_v<Op, arith::NegFOp>;
    auto source = op->getOperand(0).template getDefiningOp<LogSoftmaxOp>();
    if (!source || (isNegation && !isUsedNearZero(op->getResult(0))))
      return failure();
    // A power of 1 - p by a parameter: as a factor it need not be exact near 0, and that costs a
    // pass over the classes.
    if (std::is_same_v<Op, math::ExpM1Op> && llvm::any_of(op->getUsers(), [](Operation *user) {
          return isa<arith::NegFOp>(user) && isBaseOfOpenPower(user->getResult(0));
        }))
      return failure();
    Place at(rewriter, op);
    OnlyMaximum maximum(at(source.getInput()), source.getAxisAttr());
    Expr result;
    if constexpr (std::is_same_v<Op, Log1mExpOp>)
      result = maximum.choose(apply<LogSigmoidOp>(maximum.margin),
                              apply<math::Log1pOp>(-maximum.probability));
    else if constexpr (std::is_same_v<Op, math::ExpM1Op>)
      result = -maximum.complement();
    else
      result = maximum.choose(apply<SoftplusOp>(maximum.margin), -at(source));
    rewriter.replaceOp(op, result.value());
    return success();
  }
};

/// Whether a use divides by `value`, so that it depends on its relative accuracy near 0.
/// (Logarithms and powers find the logarithm themselves.)
bool isDivisor(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    return isa<arith::DivFOp>(use.getOwner()) && use.getOperandNumber() == 1;
  });
}

// 1 - softmax(x), where it is a divisor; -expm1(log_softmax(x)), where it is the base of a power by
// a parameter
struct OneMinusSoftmax : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    Value other = complementOf(op.getResult());
    auto source = other ? other.getDefiningOp<SoftmaxOp>() : SoftmaxOp();
    if (!source)
      return failure();
    Place at(rewriter, op);
    Expr x = at(source.getInput());
    if (isDivisor(op.getResult()))
      rewriter.replaceOp(op, OnlyMaximum(x, source.getAxisAttr()).complement().value());
    else if (isBaseOfOpenPower(op.getResult()))
      rewriter.replaceOp(op, (-apply<math::ExpM1Op>(logSoftmax(x, source.getAxisAttr()))).value());
    else
      return failure();
    return success();
  }
};

//===----------------------------------------------------------------------===//
// Logarithms
//===----------------------------------------------------------------------===//

/// How to build the logarithm of a value, if it is written as an exponential.
struct Recipe {
  std::function<Expr(const Place &)> build;
  /// It goes over the rows once more: not for what need not be exact near 0.
  bool hasPasses = false;

  explicit operator bool() const { return static_cast<bool>(build); }
};

/// sum(w * softmax(x)) over the axis of the softmax.
struct WeightedProbability {
  Value weight, probability, logits;
  StringAttr axis;

  static std::optional<WeightedProbability> match(Value value) {
    auto sum = value.getDefiningOp<ReduceOp>();
    auto product = sum && sum.getKind() == ReduceKind::sum
                       ? sum.getInput().getDefiningOp<arith::MulFOp>()
                       : nullptr;
    if (!product)
      return std::nullopt;
    for (auto [weight, factor] : {std::pair(product.getLhs(), product.getRhs()),
                                  std::pair(product.getRhs(), product.getLhs())})
      if (auto softmax = factor.getDefiningOp<SoftmaxOp>();
          softmax && softmax.getAxisAttr() == sum.getAxisAttr())
        return WeightedProbability{weight, factor, softmax.getInput(), softmax.getAxisAttr()};
    return std::nullopt;
  }

  /// log sum(w p) = M + log sum(w exp(log p - M)), with M the greatest log p whose weight is not 0.
  static Expr logarithm(Expr weight, Expr logits, StringAttr axis) {
    Expr logp = logSoftmax(logits, axis);
    Expr isMeant = weight != 0.0;
    Expr shift = apply<StopGradientOp>(greatest(where(isMeant, logp, -kInfinity), axis));
    Expr safe = where(shift == -kInfinity, 0.0, shift);
    Expr terms = where(isMeant, exp(logp - spread(safe, logp)), 0.0);
    return shift + log(sum(weight * terms, axis));
  }
  Expr logarithm(const Place &at) const { return logarithm(at(weight), at(logits), axis); }
  /// 1 - sum(w p) = sum((1 - w) p): of a one-hot w the sum of all others.
  Expr complement(const Place &at) const { return sum((1.0 - at(weight)) * at(probability), axis); }
  Expr logOfComplement(const Place &at, Expr value) const {
    Expr isSmall = Expr(0.5) > value;
    return where(isSmall, apply<math::Log1pOp>(-where(isSmall, value, 0.0)),
                 logarithm(1.0 - at(weight), at(logits), axis));
  }
};

Recipe logOf(Value value, unsigned depth = kDepth);

/// Of sum(exp(x)), and of sum(if c then 0 else exp(x)).
Recipe logOfSumOfExp(Value value) {
  auto sum = value.getDefiningOp<ReduceOp>();
  if (!sum || sum.getKind() != ReduceKind::sum)
    return {};
  StringAttr axis = sum.getAxisAttr();
  if (auto exp = sum.getInput().getDefiningOp<math::ExpOp>())
    return {[=, x = exp.getOperand()](const Place &at) { return logSumExp(at(x), axis); }};
  auto choice = sum.getInput().getDefiningOp<arith::SelectOp>();
  if (!choice)
    return {};
  const bool isZeroThere = isConstant(choice.getTrueValue(), 0);
  if (!isZeroThere && !isConstant(choice.getFalseValue(), 0))
    return {};
  auto exp =
      (isZeroThere ? choice.getFalseValue() : choice.getTrueValue()).getDefiningOp<math::ExpOp>();
  if (!exp)
    return {};
  return {[=, operand = exp.getOperand(), condition = choice.getCondition()](const Place &at) {
    Expr x = at(operand), c = at(condition);
    Expr meant = isZeroThere ? where(c, -kInfinity, x) : where(c, x, -kInfinity);
    Expr areNone = greatest(meant, axis) == -kInfinity;
    return where(areNone, -kInfinity, logSumExp(where(spread(areNone, x), 0.0, meant), axis));
  }};
}

/// log(mean(exp(x))): log1p(mean(expm1(x))) where that mean is near 0, so that small x keep their
/// digits.
Recipe logOfMeanOfExp(Value total, Value count) {
  auto sum = total.getDefiningOp<ReduceOp>();
  while (auto broadcast = count.getDefiningOp<BroadcastOp>())
    count = broadcast.getInput();
  auto size = count.getDefiningOp<AxisSizeOp>();
  if (!sum || sum.getKind() != ReduceKind::sum || !size || size.getAxisAttr() != sum.getAxisAttr())
    return {};
  auto exp = sum.getInput().getDefiningOp<math::ExpOp>();
  if (!exp)
    return {};
  return {[=, axis = sum.getAxisAttr(), operand = exp.getOperand()](const Place &at) {
    Expr x = at(operand), n = spread(at(count), at(total));
    Expr excess = loss::ir::autodiff::sum(apply<math::ExpM1Op>(x), axis) / n;
    Expr near = apply<math::Log1pOp>(excess), far = logSumExp(x, axis) - log(n);
    return where(Expr(0.5) > abs(excess), near, far);
  }};
}

/// log(x / sum(exp(y))) = -logsumexp(y - log(x)): relative to x, so that what is small keeps its
/// digits.
Recipe logOfShare(Value share, Value total, unsigned depth) {
  auto sum = total.getDefiningOp<ReduceOp>();
  auto exp = sum && sum.getKind() == ReduceKind::sum ? sum.getInput().getDefiningOp<math::ExpOp>()
                                                     : math::ExpOp();
  Recipe own = exp ? logOf(share, depth - 1) : Recipe();
  if (!own)
    return {};
  return {[=, axis = sum.getAxisAttr(), operand = exp.getOperand()](const Place &at) {
            Expr y = at(operand);
            return -logSumExp(y - spread(own.build(at), y), axis);
          },
          own.hasPasses};
}

/// Whether `value` is a sum of `term` and something else: log(x / (x + y)) has a law of its own.
bool isSumWith(Value value, Value term) {
  auto sum = value.getDefiningOp<arith::AddFOp>();
  return sum && (sum.getLhs() == term || sum.getRhs() == term);
}

/// Of exp(x) + exp(y), unless that is a hyperbolic cosine.
Recipe logOfAdded(arith::AddFOp sum, unsigned depth) {
  Value x = sum.getLhs(), y = sum.getRhs();
  auto isNegated = [](Value a, Value b) {
    auto exp = a.getDefiningOp<math::ExpOp>(), other = b.getDefiningOp<math::ExpOp>();
    auto negated = exp ? exp.getOperand().getDefiningOp<arith::NegFOp>() : arith::NegFOp();
    return negated && other && negated.getOperand() == other.getOperand();
  };
  if (isNegated(x, y) || isNegated(y, x))
    return {};
  Recipe a = logOf(x, depth - 1), b = logOf(y, depth - 1);
  if (!a || !b)
    return {};
  return {[=](const Place &at) { return logAddExp(a.build(at), b.build(at)); },
          a.hasPasses || b.hasPasses};
}

/// log(1 - value).
Recipe logOfComplement(Value value, unsigned depth = kDepth) {
  if (depth == 0)
    return {};
  Operation *op = value.getDefiningOp();
  if (isa_and_nonnull<SigmoidOp>(op))
    return {[x = op->getOperand(0)](const Place &at) { return apply<LogSigmoidOp>(-at(x)); }};
  if (auto broadcast = dyn_cast_or_null<BroadcastOp>(op)) {
    Recipe inner = logOfComplement(broadcast.getInput(), depth - 1);
    if (!inner)
      return {};
    return {[=](const Place &at) { return spread(inner.build(at), at(value)); }, inner.hasPasses};
  }
  if (Value other = complementOf(value))
    return logOf(other, depth - 1);
  if (auto negated = dyn_cast_or_null<arith::NegFOp>(op))
    if (auto inner = negated.getOperand().getDefiningOp<math::ExpM1Op>())
      return {[x = inner.getOperand()](const Place &at) { return at(x); }};
  if (auto weighted = WeightedProbability::match(value))
    return {[=](const Place &at) { return weighted->logOfComplement(at, at(value)); }, true};
  // 1 minus the maximum is the least complement.
  if (auto extremum = dyn_cast_or_null<ReduceOp>(op);
      extremum && extremum.getKind() == ReduceKind::max) {
    Recipe inner = logOfComplement(extremum.getInput(), depth - 1);
    if (!inner)
      return {};
    return {[=, axis = extremum.getAxisAttr()](const Place &at) -> Expr {
              Expr all = inner.build(at);
              return {&at,
                      ReduceOp::create(at.builder, at.loc, ReduceKind::min, all.value(), axis)};
            },
            inner.hasPasses};
  }
  Recipe inner = logOf(value, depth - 1);
  if (!inner)
    return {};
  return {[=](const Place &at) { return apply<Log1mExpOp>(inner.build(at)); },
          inner.hasPasses || isa<SoftmaxOp>(op)};
}

/// The logarithms of both, joined.
Recipe join(Value x, Value y, unsigned depth, Expr (*joined)(Expr, Expr)) {
  // A positive constant, or a size, may stand for one of them.
  auto recipe = [&](Value value) -> Recipe {
    if (std::optional<double> c = constantOf(value); c && *c > 0 && *c < kInfinity)
      return {[=](const Place &at) { return Expr(std::log(*c)).as(at(value)); }};
    Value inner = value;
    while (auto broadcast = inner.getDefiningOp<BroadcastOp>())
      inner = broadcast.getInput();
    if (inner.getDefiningOp<AxisSizeOp>())
      return {[=](const Place &at) { return log(at(value)); }};
    return logOf(value, depth - 1);
  };
  if (constantOf(x) && constantOf(y))
    return {};
  Recipe a = recipe(x), b = recipe(y);
  if (!a || !b)
    return {};
  return {[=](const Place &at) { return joined(a.build(at), b.build(at)); },
          a.hasPasses || b.hasPasses};
}

/// log(max(x, y)), one of which is an exponential: the other may be negative.
Recipe logOfMaximum(Operation *op, unsigned depth) {
  Value x = op->getOperand(0), y = op->getOperand(1);
  Recipe a = logOf(x, depth - 1), b = logOf(y, depth - 1);
  if (!a && !b)
    return {};
  auto build = [](const Recipe &recipe, Value value, const Place &at) {
    return recipe ? recipe.build(at)
                  : log(apply<arith::MaximumFOp>(at(value), Expr(0.0).as(at(value))));
  };
  return {
      [=](const Place &at) { return apply<arith::MaximumFOp>(build(a, x, at), build(b, y, at)); },
      a.hasPasses || b.hasPasses};
}

Recipe logOf(Value value, unsigned depth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0)
    return {};
  const Value x = op->getNumOperands() ? op->getOperand(0) : Value();
  if (isa<math::ExpOp>(op))
    return {[=](const Place &at) { return at(x); }};
  if (isa<SigmoidOp>(op))
    return {[=](const Place &at) { return apply<LogSigmoidOp>(at(x)); }};
  if (isa<SigmoidSlopeOp>(op))
    return {
        [=](const Place &at) { return apply<LogSigmoidOp>(at(x)) + apply<LogSigmoidOp>(-at(x)); }};
  if (auto softmax = dyn_cast<SoftmaxOp>(op))
    return {[=, axis = softmax.getAxisAttr()](const Place &at) { return logSoftmax(at(x), axis); }};
  if (isa<arith::NegFOp>(op)) {
    auto inner = x.getDefiningOp<math::ExpM1Op>();
    if (!inner)
      return {};
    return {[u = inner.getOperand()](const Place &at) { return apply<Log1mExpOp>(at(u)); },
            isa_and_nonnull<LogSoftmaxOp>(inner.getOperand().getDefiningOp())};
  }
  if (Value other = complementOf(value))
    return logOfComplement(other, depth - 1);
  if (isa<arith::MulFOp>(op))
    return join(x, op->getOperand(1), depth, [](Expr a, Expr b) { return a + b; });
  if (isa<arith::DivFOp>(op)) {
    if (isSumWith(op->getOperand(1), x))
      return {};
    if (Recipe mean = logOfMeanOfExp(x, op->getOperand(1)))
      return mean;
    if (Recipe share = logOfShare(x, op->getOperand(1), depth))
      return share;
    return join(x, op->getOperand(1), depth, [](Expr a, Expr b) { return a - b; });
  }
  if (auto sum = dyn_cast<arith::AddFOp>(op))
    return logOfAdded(sum, depth);
  if (isa<BesselI0Op>(op))
    return {[=](const Place &at) { return logBesselI0(at(x)); }};
  if (Recipe sum = logOfSumOfExp(value))
    return sum;
  if (isa<math::SqrtOp>(op)) {
    Recipe inner = logOf(x, depth - 1);
    if (!inner)
      return {};
    return {[=](const Place &at) { return 0.5 * inner.build(at); }, inner.hasPasses};
  }
  if (isa<arith::MaximumFOp, arith::MaxNumFOp>(op))
    return logOfMaximum(op, depth);
  // What a complement becomes.
  if (auto choice = dyn_cast<arith::SelectOp>(op)) {
    Value elsewhere = choice.getFalseValue();
    Recipe there = logOf(choice.getTrueValue(), depth - 1);
    if (!there || !complementOf(elsewhere))
      return {};
    return {[=](const Place &at) { return where(at(x), there.build(at), log(at(elsewhere))); },
            true};
  }
  if (isa<BroadcastOp>(op)) {
    Recipe inner = logOf(x, depth - 1);
    if (!inner)
      return {};
    return {[=](const Place &at) { return spread(inner.build(at), at(value)); }, inner.hasPasses};
  }
  if (auto weighted = WeightedProbability::match(value))
    return {[=](const Place &at) { return weighted->logarithm(at); }};
  if (auto reduce = dyn_cast<ReduceOp>(op); reduce && reduce.getKind() == ReduceKind::max) {
    Recipe inner = logOf(x, depth - 1);
    if (!inner)
      return {};
    return {[=, axis = reduce.getAxisAttr()](const Place &at) {
              return greatest(inner.build(at), axis);
            },
            inner.hasPasses};
  }
  return {};
}

// log(exp(x))  =  x, also where exp(x) is infinite or 0; log2 and log10 likewise
template <typename Op> struct LogOfExponential : OpRewritePattern<Op> {
  LogOfExponential(MLIRContext *context, double scale)
      : OpRewritePattern<Op>(context, 2), scale(scale) {
    this->setDebugName("LogOfExponential");
  }
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Recipe recipe = logOf(op.getOperand());
    if (!recipe)
      return failure();
    Place at(rewriter, op);
    Expr result = recipe.build(at);
    if (scale != 1)
      result = result * scale;
    rewriter.replaceOp(op, result.value());
    return success();
  }
  double scale;
};

// log1p(-exp(x))  =  log1mexp(x)
struct LogOfComplement : OpRewritePattern<math::Log1pOp> {
  explicit LogOfComplement(MLIRContext *context) : OpRewritePattern(context, 2) {}
  LogicalResult matchAndRewrite(math::Log1pOp op, PatternRewriter &rewriter) const override {
    auto negated = op.getOperand().getDefiningOp<arith::NegFOp>();
    Recipe recipe = negated ? logOfComplement(negated.getOperand()) : Recipe();
    if (!recipe)
      return failure();
    rewriter.replaceOp(op, recipe.build(Place(rewriter, op)).value());
    return success();
  }
};

// log1mexp(log_sigmoid(x))  =  log_sigmoid(-x)
struct Log1mExpOfLogSigmoid : OpRewritePattern<Log1mExpOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(Log1mExpOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<LogSigmoidOp>();
    if (!inner)
      return failure();
    Place at(rewriter, op);
    rewriter.replaceOp(op, apply<LogSigmoidOp>(-at(inner.getInput())).value());
    return success();
  }
};

// exp(x)^c  =  exp(c x): for c that is no small whole number, where a product would be as good
struct PowerOfExponential : OpRewritePattern<math::PowFOp> {
  explicit PowerOfExponential(MLIRContext *context) : OpRewritePattern(context, 2) {}
  LogicalResult matchAndRewrite(math::PowFOp op, PatternRewriter &rewriter) const override {
    Recipe recipe = isWhole(op.getRhs()) ? Recipe() : logOf(op.getLhs());
    std::optional<double> constant = constantOf(op.getRhs());
    if (!recipe || (recipe.hasPasses && !constant))
      return failure();
    Place at(rewriter, op);
    Expr logarithm = recipe.build(at), c = at(op.getRhs());
    Expr power = exp(c * logarithm);
    // 0^0 = 1, and where the base is 0 the derivative by the exponent is 0.
    if (!constant) {
      Expr isZero = logarithm == -kInfinity && c >= 0.0;
      power = where(isZero, where(c == 0.0, Expr(1.0).as(c), 0.0), power);
    }
    rewriter.replaceOp(op, power.value());
    return success();
  }
};

// sqrt(exp(x))  =  exp(x / 2),   1 / sqrt(exp(x))  =  exp(-x / 2)
template <typename Op> struct RootOfExponential : OpRewritePattern<Op> {
  RootOfExponential(MLIRContext *context, double exponent)
      : OpRewritePattern<Op>(context, 2), exponent(exponent) {
    this->setDebugName("RootOfExponential");
  }
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    Recipe recipe = logOf(op.getOperand());
    if (!recipe)
      return failure();
    rewriter.replaceOp(op, exp(exponent * recipe.build(Place(rewriter, op))).value());
    return success();
  }
  double exponent;
};

// exp(x) / exp(y)  =  exp(x - y)
struct QuotientOfExponentials : OpRewritePattern<arith::DivFOp> {
  explicit QuotientOfExponentials(MLIRContext *context) : OpRewritePattern(context, 0) {}
  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &rewriter) const override {
    if (constantOf(op.getLhs()) || constantOf(op.getRhs()))
      return failure();
    Recipe x = logOf(op.getLhs()), y = logOf(op.getRhs());
    if (!x || !y)
      return failure();
    Place at(rewriter, op);
    rewriter.replaceOp(op, exp(x.build(at) - y.build(at)).value());
    return success();
  }
};

// xlogy(w, exp(x))  =  w x, and 0 where w is 0, unless x is NaN
struct XlogyOfExponential : OpRewritePattern<XlogyOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(XlogyOp op, PatternRewriter &rewriter) const override {
    Recipe recipe = logOf(op.getRhs());
    if (!recipe)
      return failure();
    Place at(rewriter, op);
    Expr weight = at(op.getLhs()), logarithm = recipe.build(at);
    Expr isNothing = weight == 0.0 && logarithm == logarithm;
    rewriter.replaceOp(op, (weight * where(isNothing, 0.0, logarithm)).value());
    return success();
  }
};

// 1 - sum(w * softmax(x))  =  sum((1 - w) * softmax(x))     where it is used near 0
struct ComplementOfWeightedProbability : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    Value other = complementOf(op.getResult());
    auto weighted = other ? WeightedProbability::match(other) : std::nullopt;
    if (!weighted || !(isDivisor(op.getResult()) || isBaseOfOpenPower(op.getResult())))
      return failure();
    rewriter.replaceOp(op, weighted->complement(Place(rewriter, op)).value());
    return success();
  }
};

} // namespace

void loss::ir::addStableForms(RewritePatternSet &patterns) {
  MLIRContext *context = patterns.getContext();
  patterns.add<LogOfExponential<math::LogOp>>(context, 1.0);
  patterns.add<LogOfExponential<math::Log2Op>>(context, 1 / std::numbers::ln2);
  patterns.add<LogOfExponential<math::Log10Op>>(context, 1 / std::numbers::ln10);
  patterns.add<RootOfExponential<math::SqrtOp>>(context, 0.5);
  patterns.add<RootOfExponential<math::RsqrtOp>>(context, -0.5);
  patterns.add<ComplementOfSoftmax<Log1mExpOp>, ComplementOfSoftmax<math::ExpM1Op>,
               ComplementOfSoftmax<arith::NegFOp>, OneMinusSoftmax, LogOfComplement,
               Log1mExpOfLogSigmoid, PowerOfExponential,

               QuotientOfExponentials, XlogyOfExponential, ComplementOfWeightedProbability>(
      context);
}
