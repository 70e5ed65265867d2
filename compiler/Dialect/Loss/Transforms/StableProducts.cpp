//===- StableProducts.cpp - probabilities times logarithms ----------------===//
//
// p log p of a class without probability, and sums of them that cancel. The name of a pattern is
// its debug label.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/StableForms.h"

#include <functional>

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

namespace {

/// Whether `leaf` is the logarithm of `p`, or as infinite as that.
bool isLogarithmOf(Value leaf, Value p) {
  Operation *op = p.getDefiningOp(), *log = leaf.getDefiningOp();
  if (auto exp = dyn_cast<math::ExpOp>(op)) {
    auto product = exp.getOperand().getDefiningOp<arith::MulFOp>();
    return leaf == exp.getOperand() ||
           (product && (leaf == product.getLhs() || leaf == product.getRhs()));
  }
  if (auto softmax = dyn_cast<SoftmaxOp>(op)) {
    auto other = dyn_cast_or_null<LogSoftmaxOp>(log);
    return other && other.getAxisAttr() == softmax.getAxisAttr();
  }
  if (auto sigmoid = dyn_cast<SigmoidOp>(op)) {
    auto other = dyn_cast_or_null<LogSigmoidOp>(log);
    return other && other.getInput() == sigmoid.getInput();
  }
  // 1 - p, of whatever form, and its logarithm.
  if (auto negated = dyn_cast<arith::NegFOp>(op)) {
    auto inner = negated.getOperand().getDefiningOp<math::ExpM1Op>();
    auto other = dyn_cast_or_null<Log1mExpOp>(log);
    return inner && other && other.getInput() == inner.getOperand();
  }
  Value other = complementOf(p);
  if (!other)
    return false;
  if (auto sigmoid = other.getDefiningOp<SigmoidOp>()) {
    auto logarithm = dyn_cast_or_null<LogSigmoidOp>(log);
    auto negated =
        logarithm ? logarithm.getInput().getDefiningOp<arith::NegFOp>() : arith::NegFOp();
    return negated && negated.getOperand() == sigmoid.getInput();
  }
  auto softmax = other.getDefiningOp<SoftmaxOp>();
  if (auto logarithm = dyn_cast_or_null<Log1mExpOp>(log)) {
    auto inner = logarithm.getInput().getDefiningOp<LogSoftmaxOp>();
    return inner && softmax && inner.getInput() == softmax.getInput();
  }
  // What ComplementOfSoftmax makes of that.
  auto choice = dyn_cast_or_null<arith::SelectOp>(log);
  return softmax && choice && choice.getTrueValue().getDefiningOp<LogSigmoidOp>() &&
         choice.getFalseValue().getDefiningOp<math::Log1pOp>();
}

/// Whether `op` is the logarithm of a sum of probabilities and constants above 0.
bool isLogarithmOfMean(Operation *op, unsigned depth = kDepth) {
  if (!isa<math::LogOp>(op))
    return false;
  std::function<bool(Value, unsigned)> isPositive = [&](Value value, unsigned depth) {
    if (std::optional<double> c = constantOf(value))
      return *c > 0;
    Operation *op = value.getDefiningOp();
    if (!op || depth == 0)
      return false;
    if (isa<math::ExpOp, SoftmaxOp, SigmoidOp>(op))
      return true;
    return isa<arith::AddFOp, arith::MulFOp, BroadcastOp>(op) &&
           llvm::all_of(op->getOperands(),
                        [&](Value operand) { return isPositive(operand, depth - 1); });
  };
  return isPositive(op->getOperand(0), depth);
}

/// Whether `value` grows no faster than powers of log p where p vanishes: a sum, difference or
/// product of log-probabilities and constants, with the logarithm of p among them.
bool isOfLogarithms(Value value, Value p, bool &hasOwn, unsigned depth = kDepth) {
  if (constantOf(value))
    return true;
  if (isLogarithmOf(value, p))
    return hasOwn = true;
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0)
    return false;
  if (isa<LogSoftmaxOp, LogSigmoidOp, LogSumExpOp>(op) || isLogarithmOfMean(op))
    return true;
  // A logarithm of a sum of exponentials has the greater one, an absolute value and a softplus.
  if (!isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp, BroadcastOp,
           arith::MaximumFOp, arith::SelectOp, math::AbsFOp, SoftplusOp>(op) &&
      !(isa<arith::DivFOp>(op) && constantOf(op->getOperand(1))))
    return false;
  auto operands = op->getOperands().drop_front(isa<arith::SelectOp>(op) ? 1 : 0);
  return llvm::all_of(operands,
                      [&](Value operand) { return isOfLogarithms(operand, p, hasOwn, depth - 1); });
}

/// p and q of sum(p * (log p - log q)), by their logarithms, both of a softmax over the axis.
struct Divergence {
  Value logP, logQ;

  static std::optional<Divergence> match(ReduceOp sum) {
    auto product = sum.getInput().getDefiningOp<arith::MulFOp>();
    if (sum.getKind() != ReduceKind::sum || !product)
      return std::nullopt;
    for (auto [p, ratio] : {std::pair(product.getLhs(), product.getRhs()),
                            std::pair(product.getRhs(), product.getLhs())}) {
      auto softmax = p.getDefiningOp<SoftmaxOp>();
      // What p log p becomes.
      if (auto choice = ratio.getDefiningOp<arith::SelectOp>();
          choice && isConstant(choice.getTrueValue(), 0))
        ratio = choice.getFalseValue();
      auto difference = ratio.getDefiningOp<arith::SubFOp>();
      if (!softmax || !difference)
        continue;
      auto logP = difference.getLhs().getDefiningOp<LogSoftmaxOp>();
      auto logQ = difference.getRhs().getDefiningOp<LogSoftmaxOp>();
      if (logP && logQ && logP.getInput() == softmax.getInput() &&
          llvm::all_equal(
              {softmax.getAxisAttr(), logP.getAxisAttr(), logQ.getAxisAttr(), sum.getAxisAttr()}))
        return Divergence{logP, logQ};
    }
    return std::nullopt;
  }
};

// sum(p (log p - log q))  =  sum(p (log p - log q) + q - p)     for softmaxes p and q: no term is
// negative. With d = log q - log p near 0 a term is p (exp(d) - 1 - d), by its series.
struct DivergenceOfSoftmaxes : OpRewritePattern<ReduceOp> {
  explicit DivergenceOfSoftmaxes(MLIRContext *context) : OpRewritePattern(context, 2) {}
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    std::optional<Divergence> divergence = Divergence::match(op);
    if (!divergence)
      return failure();
    Place at(rewriter, op);
    Expr logP = at(divergence->logP), logQ = at(divergence->logQ), p = apply<math::ExpOp>(logP),
         q = apply<math::ExpOp>(logQ);
    Expr d = logQ - logP, near = Expr(0.125) > apply<math::AbsFOp>(d);
    Expr ratio = where(p == 0.0, 0.0, logP - logQ);
    Expr rest = expRestOver(d);
    Expr value = where(near, p * (d * rest), q - p + p * ratio);
    Expr byQ = where(near, p * (d + d * rest), q - p);
    Expr term = given(given(value, logP, p * ratio), logQ, byQ);
    rewriter.replaceOp(op, sum(term, op.getAxisAttr()).value());
    return success();
  }
};

/// A factor of `value` that is a probability, and 0 where its logarithm is -inf.
void collectProbabilities(Value value, SmallVectorImpl<Value> &found, unsigned depth = kDepth) {
  Operation *op = value.getDefiningOp();
  if (!op || depth == 0)
    return;
  if (isa<math::ExpOp, SoftmaxOp, SigmoidOp>(op) || complementOf(value) ||
      (isa<arith::NegFOp>(op) && op->getOperand(0).getDefiningOp<math::ExpM1Op>()))
    found.push_back(value);
  else if (isa<arith::MulFOp, arith::NegFOp>(op))
    for (Value operand : op->getOperands())
      collectProbabilities(operand, found, depth - 1);
}

/// Whether `value` is 0 where p is.
bool isGuarded(Value value, Value p) {
  auto choice = value.getDefiningOp<arith::SelectOp>();
  auto isZero = choice ? choice.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp();
  return isZero && isZero.getPredicate() == arith::CmpFPredicate::OEQ && isZero.getLhs() == p &&
         isConstant(isZero.getRhs(), 0) && isConstant(choice.getTrueValue(), 0);
}

// p * log(p)  =  0  at p = 0
struct ProductWithLogarithm : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulFOp op, PatternRewriter &rewriter) const override {
    for (auto [left, right] :
         {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      SmallVector<Value> probabilities;
      collectProbabilities(left, probabilities);
      for (Value p : probabilities) {
        bool hasOwn = false;
        if (isGuarded(right, p) || !isOfLogarithms(right, p, hasOwn) || !hasOwn)
          continue;
        Place at(rewriter, op);
        Expr guarded = where(at(p) == 0.0, 0.0, at(right));
        rewriter.replaceOp(op, (at(left) * guarded).value());
        return success();
      }
    }
    return failure();
  }
};

} // namespace

void loss::ir::addStableProducts(RewritePatternSet &patterns) {
  patterns.add<ProductWithLogarithm, DivergenceOfSoftmaxes>(patterns.getContext());
}
