//===- ReverseSweep.cpp - reverse mode on a loss.program ------------------===//

#include "compiler/Autodiff/ReverseSweep.h"

#include "compiler/Autodiff/Rules.h"

#include "mlir/IR/Matchers.h"

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
  adjoints[result].add({Expr(&whole, adjoint)});
}

LogicalResult ReverseSweep::run() {
  // The operations of the program itself, not those that the sweep appends.
  SmallVector<Operation *> tape;
  for (Operation &op : program.getBody().front().without_terminator())
    if (op.getNumResults() == 1 && active.contains(op.getResult(0)))
      tape.push_back(&op);
  for (Operation *op : llvm::reverse(tape))
    if (auto found = adjoints.find(op->getResult(0)); found != adjoints.end())
      if (failed(visit(op, found->second.sum())))
        return failure();
  return success();
}

/// The axis along which the rule of `op` mixes what stands at different positions.
static StringAttr mixedAxis(Operation *op) {
  if (auto rename = dyn_cast<RenameOp>(op))
    return rename.getToAttr();
  return isa<SoftmaxOp, LogSoftmaxOp>(op) || matchCumulative(op)
             ? op->getAttrOfType<StringAttr>("axis")
             : StringAttr();
}

/// Whether the rule of `op` has no factor that could be infinite: it makes 0 of 0.
static bool keepsZero(Operation *op) {
  if (auto reduce = dyn_cast<ReduceOp>(op))
    return reduce.getKind() == ReduceKind::sum;
  if (isa<arith::MulFOp, arith::DivFOp>(op)) {
    Value factor = op->getOperand(1);
    while (auto broadcast = factor.getDefiningOp<BroadcastOp>())
      factor = broadcast.getInput();
    FloatAttr number;
    return factor.getDefiningOp<AxisSizeOp>() ||
           (matchPattern(factor, m_Constant(&number)) && number.getValue().isFiniteNonZero());
  }
  return isa<arith::AddFOp, arith::SubFOp, arith::NegFOp, arith::SelectOp, arith::MaximumFOp,
             arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp, BroadcastOp, RenameOp,
             CumsumOp>(op);
}

void ReverseSweep::guard(Operation *op, Adjoint &adjoint) {
  StringAttr axis = mixedAxis(op);
  if (axis)
    adjoint.applyAlong(axis);
  if (adjoint.chosen.isNothing() || keepsZero(op))
    return;
  Expr any = axis ? sum(adjoint.chosen, axis) : adjoint.chosen;
  adjoint.conditions.push_back({(any != 0.0).value()});
  adjoint.chosen = Expr();
}

LogicalResult ReverseSweep::visit(Operation *op, Adjoint adjoint) {
  ArrayRef<Partial> rule = derivativeRule(op);
  if (rule.empty())
    return op->emitError("expected a derivative rule for '")
           << op->getName() << "', which the value depends on, but found none";
  Site site{builder, op->getLoc()};
  adjoint.moveTo(&site);
  guard(op, adjoint);
  Application at;
  at.r = Expr(&site, op->getResult(0));
  Expr *operands[] = {&at.x, &at.y, &at.z};
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    *operands[i] = Expr(&site, operand);
  at.axis = op->getAttrOfType<StringAttr>("axis");
  for (auto [operand, partial] : llvm::zip_equal(op->getOperands(), rule)) {
    if (!partial || !active.contains(operand))
      continue;
    Adjoint part = adjoint;
    auto propagate = [&](Expr from) {
      Operation *last = program.getYield()->getPrevNode();
      at.g = from;
      Expr to = partial(at);
      return to.isNothing() ? to : liftConditions(to, part.conditions, last);
    };
    part.value = propagate(adjoint.value);
    if (part.value.isNothing())
      continue;
    // What is chosen flows as the value does, but with the sign of none.
    if (!adjoint.chosen.isNothing())
      part.chosen = apply<math::AbsFOp>(propagate(adjoint.chosen.as(adjoint.value)));
    sumTo(part, operand);
    part.moveTo(&whole);
    adjoints[operand].add(std::move(part));
  }
  return success();
}

Expr ReverseSweep::liftConditions(Expr value, SmallVectorImpl<Literal> &conditions,
                                  Operation *last) {
  for (Operation *op = program.getYield()->getPrevNode(); op != last; op = op->getPrevNode()) {
    auto select = dyn_cast<arith::SelectOp>(op);
    if (!select || select != value.value().getDefiningOp())
      continue;
    bool negated = isConstant(Expr(&whole, select.getTrueValue()), 0);
    if (!negated && !isConstant(Expr(&whole, select.getFalseValue()), 0))
      break;
    Literal literal{select.getCondition(), negated};
    if (!llvm::is_contained(conditions, literal))
      conditions.push_back(literal);
    value = {&value.at(), negated ? select.getFalseValue() : select.getTrueValue()};
  }
  return value;
}

void ReverseSweep::sumTo(Adjoint &part, Value operand) {
  for (StringAttr axis : llvm::reverse(axesOf(part.value.type()))) {
    if (hasAxis(operand.getType(), axis) || axis == rowAxis)
      continue;
    part.applyAlong(axis);
    part.value = sum(part.value, axis);
    if (!part.chosen.isNothing())
      part.chosen = sum(part.chosen, axis);
  }
}

Value ReverseSweep::gradient(Value of) {
  Value adjoint;
  if (auto found = adjoints.find(of); found != adjoints.end()) {
    Adjoint &sum = found->second.sum();
    sum.applyAll();
    adjoint = sum.value.value();
  } else {
    adjoint = constant(program.getLoc(), of.getType(), 0);
  }
  if (!rowAxis)
    return adjoint;
  SmallVector<StringAttr> axes(axesOf(of.getType()));
  axes.push_back(rowAxis);
  return broadcastTo(builder, program.getLoc(), adjoint,
                     program.typeOver(getElementTypeOrSelf(of), axes));
}
