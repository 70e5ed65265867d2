//===- LossFolds.cpp - folds and canonicalisation of the operations -------===//

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/SetVector.h"

using namespace mlir;
using namespace loss::ir;

// broadcast(x : T) : T  ==  x
OpFoldResult BroadcastOp::fold(FoldAdaptor) {
  return getInput().getType() == getType() ? getInput() : OpFoldResult();
}

// rename(rename(x, a -> b), b -> a)  ==  x
OpFoldResult RenameOp::fold(FoldAdaptor) {
  auto inner = getInput().getDefiningOp<RenameOp>();
  if (inner && inner.getFrom() == getTo() && inner.getTo() == getFrom() &&
      inner.getInput().getType() == getType())
    return inner.getInput();
  return {};
}

namespace {

// broadcast(broadcast(x))  ==  broadcast(x)
struct MergeBroadcasts : OpRewritePattern<BroadcastOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(BroadcastOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<BroadcastOp>();
    if (!inner)
      return failure();
    rewriter.replaceOpWithNewOp<BroadcastOp>(op, op.getType(), inner.getInput());
    return success();
  }
};

// f(broadcast(x), broadcast(y))  ==  broadcast(f(x, y))   when x and y have the same axes or none:
// work that does not vary along an axis is done once.
struct HoistAboveBroadcast : RewritePattern {
  HoistAboveBroadcast(MLIRContext *context)
      : RewritePattern(BroadcastOp::getOperationName(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *, PatternRewriter &) const override;
};

// sum(broadcast(x) over a)  ==  x * size(a);   max, min: x.   When x lacks the axis.
struct ReduceBroadcast : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto inner = op.getInput().getDefiningOp<BroadcastOp>();
    if (!inner || hasAxis(inner.getInput().getType(), op.getAxisAttr()))
      return failure();
    Value x = broadcastTo(rewriter, op.getLoc(), inner.getInput(), op.getType());
    if (op.getKind() == ReduceKind::sum) {
      Value size =
          AxisSizeOp::create(rewriter, op.getLoc(), getElementTypeOrSelf(x), op.getAxisAttr());
      x = arith::MulFOp::create(rewriter, op.getLoc(), x,
                                broadcastTo(rewriter, op.getLoc(), size, x.getType()));
    }
    rewriter.replaceOp(op, x);
    return success();
  }
};

} // namespace

LogicalResult HoistAboveBroadcast::matchAndRewrite(Operation *broadcast,
                                                   PatternRewriter &rewriter) const {
  // Rooted at a broadcast, it looks at the users: arith and math know nothing of this dialect.
  bool changed = false;
  // A user of both operands (x * x) is listed twice, but replaced once.
  llvm::SmallSetVector<Operation *, 4> users(broadcast->user_begin(), broadcast->user_end());
  for (Operation *user : users) {
    if (!user->hasTrait<OpTrait::Elementwise>() || user->getNumResults() != 1)
      continue;
    // The axes of the operands below their broadcasts; numbers go with any.
    SmallVector<Value> inputs;
    ArrayRef<StringAttr> axes;
    bool uniform = true;
    for (Value operand : user->getOperands()) {
      auto source = operand.getDefiningOp<BroadcastOp>();
      if (!source) {
        uniform = false;
        break;
      }
      inputs.push_back(source.getInput());
      ArrayRef<StringAttr> own = axesOf(source.getInput().getType());
      if (!own.empty() && !axes.empty() && own != axes)
        uniform = false;
      if (!own.empty())
        axes = own;
    }
    if (!uniform)
      continue;
    rewriter.setInsertionPoint(user);
    for (Value &input : inputs)
      input = broadcastTo(rewriter, user->getLoc(), input,
                          typeWithAxes(getElementTypeOrSelf(input), axes));
    Type wide = user->getResult(0).getType();
    OperationState state(user->getLoc(), user->getName(), inputs,
                         typeWithAxes(getElementTypeOrSelf(wide), axes), user->getAttrs());
    Operation *narrow = rewriter.create(state);
    rewriter.replaceOpWithNewOp<BroadcastOp>(user, wide, narrow->getResult(0));
    changed = true;
  }
  return success(changed);
}

void BroadcastOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<MergeBroadcasts, HoistAboveBroadcast>(context);
}

void ReduceOp::getCanonicalizationPatterns(RewritePatternSet &patterns, MLIRContext *context) {
  patterns.add<ReduceBroadcast>(context);
}
