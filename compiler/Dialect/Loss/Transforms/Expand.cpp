//===- Expand.cpp - operations that kernels have no code for -------------===//

#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "compiler/Autodiff/SpecialFunctions.h"
#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "llvm/ADT/TypeSwitch.h"

namespace loss::ir {
#define GEN_PASS_DEF_EXPAND
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

/// The parts that the softmax family of one operand and axis shares: m = max(x), x - m, its
/// exponential, and s = sum(exp(x - m)).
struct Parts {
  Value max, shifted, exponential, sum;

  Parts(OpBuilder &b, Location loc, Value x, StringAttr axis) {
    max = ReduceOp::create(b, loc, ReduceKind::maxnum, x, axis);
    shifted = arith::SubFOp::create(b, loc, x, broadcastTo(b, loc, max, x.getType()));
    exponential = math::ExpOp::create(b, loc, shifted);
    sum = ReduceOp::create(b, loc, ReduceKind::sum, exponential, axis);
  }
};

/// The formula of a function that has no vector code of its own, or null.
Value formulaOf(OpBuilder &b, Operation *op) {
  b.setInsertionPoint(op);
  autodiff::Site site{b, op->getLoc()};
  return llvm::TypeSwitch<Operation *, Value>(op)
      .Case([&](ExprelOp o) { return autodiff::exprel({&site, o.getInput()}).value(); })
      .Case(
          [&](StirlingErrorOp o) { return autodiff::stirlingError({&site, o.getInput()}).value(); })
      .Case([&](GammaEntropyOp o) { return autodiff::gammaEntropy({&site, o.getInput()}).value(); })
      .Default(Value());
}

Value one(OpBuilder &b, Location loc, Type type) {
  Type element = getElementTypeOrSelf(type);
  Value number = arith::ConstantOp::create(b, loc, b.getFloatAttr(element, 1.0));
  return broadcastTo(b, loc, number, type);
}

struct ExpandPass : loss::ir::impl::ExpandBase<ExpandPass> {
  void runOnOperation() override {
    // Operands come before their users, so one walk expands nested ones too. Parts are shared by
    // operand and axis.
    DenseMap<std::pair<Value, Attribute>, std::unique_ptr<Parts>> known;
    auto partsOf = [&](OpBuilder &b, Location loc, Value x, StringAttr axis) -> Parts & {
      std::unique_ptr<Parts> &parts = known[{x, axis}];
      if (!parts) {
        b.setInsertionPointAfterValue(x);
        parts = std::make_unique<Parts>(b, loc, x, axis);
      }
      return *parts;
    };
    OpBuilder b(&getContext());
    for (Operation &op : llvm::make_early_inc_range(getOperation().getBody().front())) {
      Location loc = op.getLoc();
      Value result;
      if (auto softmax = dyn_cast<SoftmaxOp>(op)) {
        Parts &parts = partsOf(b, loc, softmax.getInput(), softmax.getAxisAttr());
        b.setInsertionPoint(&op);
        Value inverse = arith::DivFOp::create(b, loc, one(b, loc, parts.sum.getType()), parts.sum);
        result = arith::MulFOp::create(b, loc, parts.exponential,
                                       broadcastTo(b, loc, inverse, softmax.getType()));
      } else if (auto logSoftmax = dyn_cast<LogSoftmaxOp>(op)) {
        Parts &parts = partsOf(b, loc, logSoftmax.getInput(), logSoftmax.getAxisAttr());
        b.setInsertionPoint(&op);
        Value log = math::LogOp::create(b, loc, parts.sum);
        result = arith::SubFOp::create(b, loc, parts.shifted,
                                       broadcastTo(b, loc, log, logSoftmax.getType()));
      } else if (auto logSumExp = dyn_cast<LogSumExpOp>(op)) {
        Parts &parts = partsOf(b, loc, logSumExp.getInput(), logSumExp.getAxisAttr());
        b.setInsertionPoint(&op);
        Value log = math::LogOp::create(b, loc, parts.sum);
        result = arith::AddFOp::create(b, loc, parts.max, log);
      } else if (auto norm = dyn_cast<NormOp>(op)) {
        b.setInsertionPoint(&op);
        Value square = arith::MulFOp::create(b, loc, norm.getInput(), norm.getInput());
        Value sum = ReduceOp::create(b, loc, ReduceKind::sum, square, norm.getAxisAttr());
        result = math::SqrtOp::create(b, loc, sum);
      } else if (isa<math::RsqrtOp>(op)) {
        // Exact to two roundings; the processors' own approximation is not.
        b.setInsertionPoint(&op);
        Value root = math::SqrtOp::create(b, loc, op.getOperand(0));
        result = arith::DivFOp::create(b, loc, one(b, loc, root.getType()), root);
      } else if (isa<StopGradientOp, CustomGradientOp>(op)) {
        // They have done their work.
        result = op.getOperand(0);
      } else if (result = formulaOf(b, &op); !result) {
        continue;
      }
      op.getResult(0).replaceAllUsesWith(result);
      op.erase();
    }
  }
};

} // namespace
