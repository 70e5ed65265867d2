//===- Finite.cpp - values that cannot overflow to infinity or NaN --------===//

#include "compiler/Autodiff/Finite.h"

#include "mlir/IR/Matchers.h"

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

bool FiniteValues::contains(Value value) {
  if (isa<BlockArgument>(value))
    return true;
  auto [entry, isNew] = known.try_emplace(value, false);
  if (!isNew)
    return entry->second;
  bool finite = compute(value.getDefiningOp());
  return known[value] = finite;
}

bool FiniteValues::compute(Operation *op) {
  FloatAttr constant;
  if (matchPattern(op, m_Constant(&constant)))
    return constant.getValue().isFinite();
  // Bounded whatever the operand is, as long as it is a number.
  bool smooth =
      isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::NegFOp, arith::MaximumFOp,
          arith::MinimumFOp, arith::MaxNumFOp, arith::MinNumFOp, arith::SelectOp, arith::CmpFOp,
          arith::AndIOp, arith::OrIOp, arith::XOrIOp, math::AbsFOp, math::SinOp, math::CosOp,
          math::TanhOp, math::AtanOp, math::Atan2Op, math::AsinhOp, math::ErfOp, math::ErfcOp,
          math::FloorOp, math::CeilOp, math::RoundEvenOp, HypotOp, SigmoidOp, LogSigmoidOp,
          SoftplusOp, SignOp, BesselI0eOp, BesselI1eOp, BroadcastOp, ReduceOp, AxisSizeOp,
          SoftmaxOp, LogSoftmaxOp, LogSumExpOp, OneHotOp, GatherOp>(op);
  if (auto division = dyn_cast<arith::DivFOp>(op)) {
    Value divisor = division.getRhs();
    while (auto broadcast = divisor.getDefiningOp<BroadcastOp>())
      divisor = broadcast.getInput();
    smooth = divisor.getDefiningOp<AxisSizeOp>() ||
             (matchPattern(divisor, m_Constant(&constant)) && !constant.getValue().isZero());
  }
  return smooth && llvm::all_of(op->getOperands(), [&](Value v) { return contains(v); });
}
