//===- Simplify.cpp - algebraic simplification and stabilisation ----------===//
//
// The laws are those of Simplify.td; here are the few that need a computation.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/Laws.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Reference/Elementwise.h"

#include "mlir/IR/Dominance.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/CSE.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>
#include <optional>

namespace loss::ir {
#define GEN_PASS_DEF_SIMPLIFY
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

std::optional<double> loss::ir::constantOf(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getInput();
  FloatAttr constant;
  if (!matchPattern(value, m_Constant(&constant)))
    return std::nullopt;
  return constant.getValueAsDouble();
}

bool loss::ir::isConstant(Value value, double expected) { return constantOf(value) == expected; }

bool loss::ir::isWhole(Value exponent) {
  std::optional<double> constant = constantOf(exponent);
  return constant && *constant >= 0 && std::trunc(*constant) == *constant;
}

bool loss::ir::isUsedNearZero(Value value) {
  return llvm::any_of(value.getUses(), [](OpOperand &use) {
    Operation *user = use.getOwner();
    return isa<math::LogOp, math::Log2Op, math::Log10Op, math::SqrtOp, math::RsqrtOp>(user) ||
           (isa<math::PowFOp>(user) && use.getOperandNumber() == 0 &&
            !isWhole(user->getOperand(1))) ||
           (isa<arith::DivFOp>(user) && use.getOperandNumber() == 1);
  });
}

namespace {

bool isTruth(Value value, bool expected) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getInput();
  BoolAttr constant;
  return matchPattern(value, m_Constant(&constant)) && constant.getValue() == expected;
}

bool isPowerOfTwo(Value value) {
  int exponent = 0;
  std::optional<double> constant = constantOf(value);
  // The reciprocal must be a normal number in f32 too.
  return constant && std::isfinite(*constant) &&
         std::abs(std::frexp(*constant, &exponent)) == 0.5 && std::abs(exponent) < 100;
}

/// A constant with the type of `like`.
Value constantLike(OpBuilder &builder, Location loc, Value like, double constant) {
  Value number = arith::ConstantOp::create(
      builder, loc, builder.getFloatAttr(getElementTypeOrSelf(like), constant));
  return broadcastTo(builder, loc, number, like.getType());
}

bool isOnlyAddedUp(Value value) {
  return llvm::all_of(value.getUsers(),
                      [](Operation *user) { return isa<arith::AddFOp, arith::SubFOp>(user); });
}

#include "compiler/Dialect/Loss/Transforms/Simplify.inc"

// c + x  =  x + c,   c * x  =  x * c     for a constant c
template <typename Op> struct ConstantToTheRight : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (!constantOf(op.getLhs()) || constantOf(op.getRhs()))
      return failure();
    rewriter.replaceOpWithNewOp<Op>(op, op.getRhs(), op.getLhs());
    return success();
  }
};

// x^0 = 1,  x^1 = x,  x^2 = x x,  up to x^8 by squaring,  x^-n = 1 / x^n,
// x^(1/2) = sqrt(x),  x^(-1/2) = 1 / sqrt(x),  x^(3/2) = x sqrt(x),  2^x = exp2(x)
struct ExpandPower : OpRewritePattern<math::PowFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::PowFOp op, PatternRewriter &rewriter) const override {
    Value x = op.getLhs();
    Location loc = op.getLoc();
    if (isConstant(x, 2)) {
      rewriter.replaceOpWithNewOp<math::Exp2Op>(op, op.getRhs());
      return success();
    }
    std::optional<double> exponent = constantOf(op.getRhs());
    if (!exponent)
      return failure();
    if (*exponent == 0.5) {
      rewriter.replaceOpWithNewOp<math::SqrtOp>(op, x);
    } else if (*exponent == -0.5) {
      rewriter.replaceOpWithNewOp<math::RsqrtOp>(op, x);
    } else if (*exponent == 1.5) {
      Value root = math::SqrtOp::create(rewriter, loc, x);
      rewriter.replaceOpWithNewOp<arith::MulFOp>(op, x, root);
    } else if (std::trunc(*exponent) == *exponent && std::abs(*exponent) <= 8) {
      Value one = constantLike(rewriter, loc, x, 1);
      Value power;
      for (unsigned n = std::abs(*exponent); n; n >>= 1) {
        if (n & 1)
          power = power ? arith::MulFOp::create(rewriter, loc, power, x).getResult() : x;
        if (n > 1)
          x = arith::MulFOp::create(rewriter, loc, x, x);
      }
      if (!power)
        power = one;
      if (*exponent < 0)
        power = arith::DivFOp::create(rewriter, loc, one, power);
      rewriter.replaceOp(op, power);
    } else {
      return failure();
    }
    return success();
  }
};

// log(cumsum(exp(x)))  =  logcumsumexp(x),   with a key, too
struct LogOfCumulativeSum : OpRewritePattern<math::LogOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::LogOp op, PatternRewriter &rewriter) const override {
    auto sum = op.getOperand().getDefiningOp<CumsumOp>();
    auto exponential = sum ? sum.getInput().getDefiningOp<math::ExpOp>() : nullptr;
    if (!exponential)
      return failure();
    rewriter.replaceOpWithNewOp<LogCumSumExpOp>(op, op.getType(), exponential.getOperand(),
                                                sum.getKey(), sum.getAxisAttr(), sum.getReverse());
    return success();
  }
};

// f(c) for constants, in f64 by the functions of the interpreter: what arith and math fold, and the
// functions that they cannot.
struct FoldFunction : RewritePattern {
  FoldFunction(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (op->getNumResults() != 1 || !getElementTypeOrSelf(op->getResult(0)).isF64())
      return failure();
    SmallVector<double, 2> x;
    for (Value operand : op->getOperands()) {
      std::optional<double> constant = constantOf(operand);
      if (!constant)
        return failure();
      x.push_back(*constant);
    }
    double value;
    if (auto unary = reference::unaryFunction<double>(op); unary && x.size() == 1)
      value = unary(x[0]);
    else if (auto binary = reference::binaryFunction<double>(op); binary && x.size() == 2)
      value = binary(x[0], x[1]);
    else
      return failure();
    rewriter.replaceOp(op, constantLike(rewriter, op->getLoc(), op->getResult(0), value));
    return success();
  }
};

/// The name of the pattern's class is a debug label.
void label(RewritePattern &pattern) {
  StringRef name = pattern.getDebugName();
  name = name.take_until([](char c) { return c == '<'; });
  pattern.addDebugLabels(name.substr(name.rfind(':') + 1));
}

struct SimplifyPass : loss::ir::impl::SimplifyBase<SimplifyPass> {
  using SimplifyBase::SimplifyBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    populateWithGenerated(set);
    addStableForms(set);
    addStableProducts(set);
    addStableValues(set);
    addGammaSums(set);
    set.add<ExpandPower, FoldFunction, LogOfCumulativeSum, ConstantToTheRight<arith::AddFOp>,
            ConstantToTheRight<arith::MulFOp>>(context);
    BroadcastOp::getCanonicalizationPatterns(set, context);
    ReduceOp::getCanonicalizationPatterns(set, context);
    arith::SelectOp::getCanonicalizationPatterns(set, context);
    for (std::unique_ptr<RewritePattern> &pattern : set.getNativePatterns())
      label(*pattern);
    patterns = FrozenRewritePatternSet(std::move(set), disabledPatterns, enabledPatterns);
    return success();
  }

  void runOnOperation() override {
    ProgramOp program = getOperation();
    IRRewriter rewriter(&getContext());
    DominanceInfo dominance(program);
    // Laws that mention an operand twice see equal operands as one value.
    eliminateCommonSubExpressions(rewriter, dominance, program);
    GreedyRewriteConfig config;
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    config.setUseTopDownTraversal(true);
    if (failed(applyPatternsGreedily(program, patterns, config)))
      return signalPassFailure();
    eliminateCommonSubExpressions(rewriter, dominance, program);
  }

private:
  FrozenRewritePatternSet patterns;
};

} // namespace
