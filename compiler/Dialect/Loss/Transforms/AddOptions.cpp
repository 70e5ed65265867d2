//===- AddOptions.cpp - label smoothing and class weights -----------------===//

#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/DenseSet.h"

namespace loss::ir {
#define GEN_PASS_DEF_ADDOPTIONS
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

/// Which values of a program depend on an argument, and which of them are linear in it: f(a x + b
/// z) = a f(x) + b f(z).
class Linearity {
public:
  Linearity(ProgramOp program, Value argument) {
    dependent.insert(argument);
    linear.insert(argument);
    for (Operation &op : program.getBody().front().without_terminator()) {
      if (!llvm::any_of(op.getOperands(), [&](Value v) { return dependent.contains(v); }))
        continue;
      dependent.insert(op.getResult(0));
      if (isLinear(&op))
        linear.insert(op.getResult(0));
    }
  }

  bool contains(Value value) const { return linear.contains(value); }

private:
  bool isZero(Value value) const {
    if (auto broadcast = value.getDefiningOp<BroadcastOp>())
      value = broadcast.getInput();
    return matchPattern(value, m_AnyZeroFloat());
  }
  bool isLinearOrZero(Value value) const { return linear.contains(value) || isZero(value); }
  bool isConstant(Value value) const { return !dependent.contains(value); }

  bool isLinear(Operation *op) const {
    if (isa<BroadcastOp, RenameOp, arith::NegFOp, StopGradientOp>(op))
      return linear.contains(op->getOperand(0));
    if (auto reduce = dyn_cast<ReduceOp>(op))
      return reduce.getKind() == ReduceKind::sum && linear.contains(reduce.getInput());
    if (auto cumsum = dyn_cast<CumsumOp>(op))
      return linear.contains(cumsum.getInput()) &&
             (!cumsum.getKey() || isConstant(cumsum.getKey()));
    if (isa<arith::AddFOp, arith::SubFOp>(op))
      return isLinearOrZero(op->getOperand(0)) && isLinearOrZero(op->getOperand(1));
    if (isa<arith::MulFOp>(op))
      return (linear.contains(op->getOperand(0)) && isConstant(op->getOperand(1))) ||
             (linear.contains(op->getOperand(1)) && isConstant(op->getOperand(0)));
    if (isa<arith::DivFOp>(op))
      return linear.contains(op->getOperand(0)) && isConstant(op->getOperand(1));
    if (isa<arith::SelectOp>(op))
      return isConstant(op->getOperand(0)) && isLinearOrZero(op->getOperand(1)) &&
             isLinearOrZero(op->getOperand(2));
    return false;
  }

  llvm::DenseSet<Value> dependent, linear;
};

struct AddOptionsPass : loss::ir::impl::AddOptionsBase<AddOptionsPass> {
  void runOnOperation() override {
    ProgramOp program = getOperation();
    for (BlockArgument argument : program.getBody().getArguments())
      if (program.getArgKind(argument.getArgNumber()) == "target")
        return addTo(program, argument);
  }

private:
  void addTo(ProgramOp program, BlockArgument target) {
    Location loc = target.getLoc();
    StringAttr axis = program.getTargetAxis();
    Type type = target.getType(), number = getElementTypeOrSelf(type);
    bool isLinear = Linearity(program, target).contains(program.getYield().getOperand(0));

    Value weights = addArgument(program, typeWithAxes(number, axis), "class_weights");
    Value smoothing = addArgument(program, number, "label_smoothing");
    OpBuilder b = OpBuilder::atBlockBegin(&program.getBody().front());
    auto spread = [&](Value v) { return broadcastTo(b, loc, v, type); };
    Value one = arith::ConstantOp::create(b, loc, b.getFloatAttr(number, 1.0));
    Value kept = arith::SubFOp::create(b, loc, one, smoothing);
    Value size = AxisSizeOp::create(b, loc, number, axis);
    Value share = arith::DivFOp::create(b, loc, smoothing, size);
    auto scaled = arith::MulFOp::create(b, loc, target, spread(kept));
    Value smoothed = arith::AddFOp::create(b, loc, scaled, spread(share));
    Value weighted = arith::MulFOp::create(b, loc, smoothed, spread(weights));
    target.replaceAllUsesExcept(isLinear ? weighted : smoothed, scaled);
    // `smoothed` itself was made of the target, too.
    StringRef weighting = "target";
    if (!isLinear)
      weighting = weightResult(program, weighted, axis) ? "result" : "none";
    program->setAttr("loss.class_weighting", b.getStringAttr(weighting));
  }

  /// Multiplies the result by the sum of w * y' over the classes, if it has the axes of that.
  bool weightResult(ProgramOp program, Value weighted, StringAttr axis) {
    YieldOp yield = program.getYield();
    Value result = yield.getOperand(0);
    OpBuilder b(yield);
    Type narrow = typeWithoutAxis(weighted.getType(), axis);
    if (!llvm::all_of(axesOf(narrow), [&](StringAttr a) { return hasAxis(result.getType(), a); }))
      return false;
    Location loc = result.getLoc();
    Value factor = ReduceOp::create(b, loc, ReduceKind::sum, weighted, axis);
    Value product =
        arith::MulFOp::create(b, loc, result, broadcastTo(b, loc, factor, result.getType()));
    yield->setOperand(0, product);
    return true;
  }

  Value addArgument(ProgramOp program, Type type, StringRef kind) {
    OpBuilder b(&getContext());
    unsigned index = program.getNumArguments();
    auto attributes = b.getDictionaryAttr({b.getNamedAttr("loss.kind", b.getStringAttr(kind)),
                                           b.getNamedAttr("loss.name", b.getStringAttr(kind))});
    (void)program.insertArgument(index, type, attributes, program.getLoc());
    return program.getArgument(index);
  }
};

} // namespace
