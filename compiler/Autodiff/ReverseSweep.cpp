//===- ReverseSweep.cpp - reverse mode on a loss.program ------------------===//

#include "compiler/Autodiff/ReverseSweep.h"

#include "compiler/Autodiff/Rules.h"

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

void ReverseSweep::markActive(ArrayRef<Value> wrt) {
  active.insert_range(wrt);
  for (Operation &op : program.getBody().front())
    if (llvm::any_of(op.getOperands(), [&](Value v) { return active.contains(v); }))
      for (Value result : op.getResults())
        if (isa<FloatType>(getElementTypeOrSelf(result)))
          active.insert(result);
}

Value ReverseSweep::constant(Location loc, Type type, double value) {
  Value number = arith::ConstantOp::create(builder, loc,
                                           builder.getFloatAttr(getElementTypeOrSelf(type), value));
  return broadcastTo(builder, loc, number, type);
}

void ReverseSweep::seed(Value result, Value adjoint) {
  if (!active.contains(result))
    return;
  if (!adjoint)
    adjoint = constant(result.getLoc(), result.getType(), 1);
  Value &sum = adjoints[result];
  sum = sum ? arith::AddFOp::create(builder, result.getLoc(), sum, adjoint) : adjoint;
}

LogicalResult ReverseSweep::run() {
  // The operations of the program itself, not those that the sweep appends.
  SmallVector<Operation *> tape;
  for (Operation &op : program.getBody().front().without_terminator())
    if (op.getNumResults() == 1 && active.contains(op.getResult(0)))
      tape.push_back(&op);
  for (Operation *op : llvm::reverse(tape))
    if (Value adjoint = adjoints.lookup(op->getResult(0)))
      if (failed(visit(op, adjoint)))
        return failure();
  return success();
}

LogicalResult ReverseSweep::visit(Operation *op, Value adjoint) {
  ArrayRef<Partial> rule = derivativeRule(op);
  if (rule.empty())
    return op->emitError("expected a derivative rule for '")
           << op->getName() << "', which the value depends on, but found none";
  Site site{builder, op->getLoc(), rowAxis};
  Application at;
  at.g = Expr(&site, adjoint);
  at.r = Expr(&site, op->getResult(0));
  Expr *operands[] = {&at.x, &at.y, &at.z};
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    *operands[i] = Expr(&site, operand);
  at.axis = op->getAttrOfType<StringAttr>("axis");
  finite.assume(adjoint);
  for (auto [operand, partial] : llvm::zip_equal(op->getOperands(), rule)) {
    if (!partial || !active.contains(operand))
      continue;
    Expr part = partial(at);
    if (!part.isNothing())
      contribute(operand, adjoint, part);
  }
  return success();
}

void ReverseSweep::contribute(Value operand, Value adjoint, Expr part) {
  bool isMasked = masked.contains(adjoint) || part.value().getDefiningOp<arith::SelectOp>();
  if (isMasked && !finite.contains(part.value())) {
    // In a branch not taken g is 0, but the factor may be infinite or NaN there.
    Expr g = spread(Expr(&part.at(), adjoint), part);
    if (axesOf(g.type()) == axesOf(part.type()))
      part = where(g == 0.0 && part != part, 0.0, part);
  }
  Value &sum = adjoints[operand];
  isMasked |= sum && masked.contains(sum);
  sum = sum ? (Expr(&part.at(), sum) + part).value() : part.value();
  if (isMasked)
    masked.insert(sum);
}

Value ReverseSweep::gradient(Value of) {
  Value adjoint = adjoints.lookup(of);
  if (!adjoint)
    adjoint = constant(program.getLoc(), of.getType(), 0);
  if (!rowAxis)
    return adjoint;
  SmallVector<StringAttr> axes(axesOf(of.getType()));
  axes.push_back(rowAxis);
  return broadcastTo(builder, program.getLoc(), adjoint,
                     program.typeOver(getElementTypeOrSelf(of), axes));
}
