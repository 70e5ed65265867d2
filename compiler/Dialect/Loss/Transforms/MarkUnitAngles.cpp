//===- MarkUnitAngles.cpp - sines and cosines of angles within 1 ----------===//
//
// Interval arithmetic over a program. A bound says nothing of NaN, which every function propagates.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

namespace loss::ir {
#define GEN_PASS_DEF_MARKUNITANGLES
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

struct Range {
  double low = -infinity, high = infinity;

  static Range hull(std::initializer_list<double> values) {
    // inf - inf and 0 * inf have no bound.
    for (double value : values)
      if (std::isnan(value))
        return {};
    return {std::min(values), std::max(values)};
  }
  bool isUnit() const { return low >= -1 && high <= 1; }
};

Range operator-(Range a) { return {-a.high, -a.low}; }
Range operator+(Range a, Range b) { return Range::hull({a.low + b.low, a.high + b.high}); }
Range operator*(Range a, Range b) {
  return Range::hull({a.low * b.low, a.low * b.high, a.high * b.low, a.high * b.high});
}
Range unite(Range a, Range b) { return {std::min(a.low, b.low), std::max(a.high, b.high)}; }

struct MarkUnitAnglesPass : loss::ir::impl::MarkUnitAnglesBase<MarkUnitAnglesPass> {
  void runOnOperation() override {
    DenseMap<Value, Range> ranges;
    auto of = [&](Value v) { return ranges.lookup(v); };
    for (BlockArgument argument : getOperation().getBody().getArguments())
      ranges[argument] = {};
    for (Operation &op : getOperation().getBody().front().without_terminator()) {
      ranges[op.getResult(0)] = rangeOf(&op, of);
      if (isa<math::SinOp, math::CosOp>(op) && of(op.getOperand(0)).isUnit())
        op.setAttr("loss.unit_angle", UnitAttr::get(&getContext()));
    }
  }

private:
  static Range rangeOf(Operation *op, llvm::function_ref<Range(Value)> of) {
    FloatAttr constant;
    if (matchPattern(op, m_Constant(&constant)))
      return {constant.getValueAsDouble(), constant.getValueAsDouble()};
    auto operand = [&](unsigned i) { return of(op->getOperand(i)); };
    return llvm::TypeSwitch<Operation *, Range>(op)
        .Case<SoftmaxOp, SigmoidOp, OneHotOp, BesselI0eOp>([](auto) { return Range{0, 1}; })
        .Case<math::SinOp, math::CosOp, math::TanhOp, math::ErfOp, SignOp, BesselI1eOp>(
            [](auto) { return Range{-1, 1}; })
        .Case<math::AtanOp>([](auto) { return Range{-2, 2}; })
        .Case<math::ErfcOp>([](auto) { return Range{0, 2}; })
        .Case<LogSigmoidOp, LogSoftmaxOp>([](auto) { return Range{-infinity, 0}; })
        .Case<SoftplusOp, AxisSizeOp>([](auto) { return Range{0, infinity}; })
        .Case<math::ExpOp>(
            [&](auto) { return Range{std::exp(operand(0).low), std::exp(operand(0).high)}; })
        .Case<math::AbsFOp>([&](auto) {
          Range x = operand(0);
          double least = x.low > 0 ? x.low : x.high < 0 ? -x.high : 0;
          return Range{least, std::max(std::fabs(x.low), std::fabs(x.high))};
        })
        .Case<math::SqrtOp>(
            [&](auto) { return Range{0, std::sqrt(std::max(0.0, operand(0).high))}; })
        .Case<arith::NegFOp>([&](auto) { return -operand(0); })
        .Case<arith::AddFOp>([&](auto) { return operand(0) + operand(1); })
        .Case<arith::SubFOp>([&](auto) { return operand(0) + -operand(1); })
        .Case<arith::MulFOp>([&](auto) { return operand(0) * operand(1); })
        .Case<arith::MaximumFOp, arith::MinimumFOp>(
            [&](auto) { return unite(operand(0), operand(1)); })
        .Case<arith::SelectOp>([&](auto) { return unite(operand(1), operand(2)); })
        .Case<BroadcastOp, GatherOp>([&](auto) { return operand(0); })
        .Case<ReduceOp>([&](ReduceOp reduce) {
          return reduce.getKind() == ReduceKind::sum ? Range() : operand(0);
        })
        .Default([](Operation *) { return Range(); });
  }
};

} // namespace
