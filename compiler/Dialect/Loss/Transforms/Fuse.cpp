//===- Fuse.cpp - a program becomes a kernel of phases --------------------===//
//
// A value is *wide* when it varies along the class axis, else *narrow*: a number of the row. The
// stage of a value is the number of reductions, one after another, that it waits for. Phase k is
// one pass over the class axis: it reduces the wide values of stage k that some reduction asks for
// and writes the gradients of that stage. Narrow values of stage k are computed just before phase
// k.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/IRMapping.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

namespace loss::ir {
#define GEN_PASS_DEF_FUSE
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

/// What recomputing one element costs, in additions. A value above the limit that a later phase
/// needs again is kept in memory: a store and a load from the first-level cache.
constexpr int keepLimit = 4;

int ownCost(Operation *op) {
  if (isa<BroadcastOp, arith::ConstantOp>(op))
    return 0;
  if (isa<arith::DivFOp, math::SqrtOp>(op))
    return 8;
  if (isa<math::AbsFOp, SignOp, OneHotOp>(op))
    return 1;
  return isa<math::MathDialect, LossDialect>(op->getDialect()) ? 12 : 1;
}

class KernelBuilder {
public:
  KernelBuilder(ProgramOp program, StringRef name, StringRef target)
      : program(program), name(name), target(target), builder(program.getContext()) {}

  FailureOr<KernelOp> build();

private:
  struct Output {
    Value value;
    unsigned stage;
    Value row;
  };
  struct Kept {
    Value value;
    unsigned written = 0, lastRead = 0;
    Value row;
  };

  bool isWide(Value v) { return hasAxis(v.getType(), program.getTargetAxis()); }
  LogicalResult checkAxes();
  void computeStages();
  void createKernel();
  /// Decides what each phase computes, reads back, and what is kept.
  void planPhases();
  void visit(Value wide, unsigned phase);
  int recomputeCost(Value wide);
  void assignRows();
  void emitNarrow(unsigned stage);
  void emitPhase(unsigned phase);
  /// An element of `wide`, inside the phase being emitted.
  Value element(Value wide);
  /// A number of the row.
  Value narrow(Value value) { return numbers.lookup(value); }

  ProgramOp program;
  StringRef name, target;
  OpBuilder builder;
  KernelOp kernel;
  Type elementType;
  Value scale;

  DenseMap<Value, unsigned> stages;
  unsigned phaseCount = 0;
  SmallVector<Output> outputs;
  /// First phase that computes a wide value.
  DenseMap<Value, unsigned> computed;
  llvm::MapVector<Value, Kept> kept;
  SmallVector<llvm::SetVector<Value>> visited;

  /// Narrow values of the program, as numbers of the kernel; rows of its inputs.
  DenseMap<Value, Value> numbers, rows;

  // The phase being emitted.
  DenseMap<Value, Value> elements;
  llvm::SetVector<Value> reads;
  PhaseOp phaseOp;
};

LogicalResult KernelBuilder::checkAxes() {
  if (program.getAxes().getNames().size() != 2)
    return program.emitOpError("expected two axes, rows and classes, but found ")
           << program.getAxes().getNames().size();
  for (Operation &op : program.getBody().front()) {
    auto reduce = dyn_cast<ReduceOp>(op);
    if (reduce && reduce.getAxisAttr() != program.getTargetAxis())
      return op.emitError("expected a reduction over '")
             << program.getTargetAxis().getValue() << "', but found one over the rows '"
             << reduce.getAxis() << "': a loss returns one number a row, the caller reduces them";
    if (auto gather = dyn_cast<GatherOp>(op)) {
      Value input = gather.getInput();
      if (auto broadcast = input.getDefiningOp<BroadcastOp>())
        input = broadcast.getInput();
      if (!isa<BlockArgument>(input))
        return op.emitError("expected a gather from an input; run loss-specialise first");
    }
    if (isa<SoftmaxOp, LogSoftmaxOp, LogSumExpOp>(op))
      return op.emitError("expected no softmax here; run loss-expand-softmax first");
  }
  return success();
}

void KernelBuilder::computeStages() {
  for (BlockArgument argument : program.getBody().getArguments())
    stages[argument] = 0;
  for (Operation &op : program.getBody().front().without_terminator()) {
    unsigned stage = 0;
    for (Value operand : op.getOperands())
      stage = std::max(stage, stages[operand]);
    if (isa<ReduceOp>(op)) {
      phaseCount = std::max(phaseCount, stage + 1);
      ++stage;
    }
    stages[op.getResult(0)] = stage;
  }
}

void KernelBuilder::createKernel() {
  Location loc = program.getLoc();
  builder.setInsertionPointAfter(program);
  elementType = getElementTypeOrSelf(program.getResultTypes().front());
  Type rowType = RowType::get(builder.getContext(), elementType);

  unsigned params = 0, arguments = program.getNumArguments();
  for (unsigned i = 0; i < arguments; ++i)
    params += program.getArgKind(i) == "param";
  YieldOp yield = program.getYield();
  unsigned grads = yield.getNumOperands() - 1;

  kernel = KernelOp::create(builder, loc, name, target, grads ? "grad" : "value", elementType,
                            arguments - params, params, grads);
  Block *body = builder.createBlock(&kernel.getBody());
  for (BlockArgument argument : program.getBody().getArguments()) {
    bool wide = isWide(argument);
    Type type = wide ? rowType : getElementTypeOrSelf(argument.getType());
    Value own = body->addArgument(type, argument.getLoc());
    (wide ? rows : numbers)[argument] = own;
  }
  for (unsigned i = 0; i < grads; ++i) {
    Value value = yield.getOperand(i + 1);
    Value row = body->addArgument(rowType, loc);
    outputs.push_back({value, stages[value], row});
    phaseCount = std::max(phaseCount, stages[value] + 1);
  }
  scale = body->addArgument(elementType, loc);
}

int KernelBuilder::recomputeCost(Value wide) {
  if (kept.contains(wide) || isa<BlockArgument>(wide))
    return 1;
  Operation *op = wide.getDefiningOp();
  int cost = ownCost(op);
  for (Value operand : op->getOperands()) {
    if (cost > keepLimit)
      break;
    if (isWide(operand))
      cost += recomputeCost(operand);
  }
  return cost;
}

void KernelBuilder::visit(Value wide, unsigned phase) {
  if (isa<BlockArgument>(wide) || !visited[phase].insert(wide))
    return;
  auto [first, isNew] = computed.try_emplace(wide, phase);
  if (!isNew && first->second < phase) {
    auto known = kept.find(wide);
    if (known != kept.end()) {
      known->second.lastRead = phase;
      return;
    }
    if (recomputeCost(wide) > keepLimit) {
      kept[wide] = {wide, first->second, phase, {}};
      return;
    }
  }
  for (Value operand : wide.getDefiningOp()->getOperands())
    if (isWide(operand))
      visit(operand, phase);
}

void KernelBuilder::planPhases() {
  visited.resize(phaseCount);
  for (unsigned phase = 0; phase < phaseCount; ++phase) {
    for (Operation &op : program.getBody().front())
      if (auto reduce = dyn_cast<ReduceOp>(op); reduce && stages[reduce.getInput()] == phase)
        visit(reduce.getInput(), phase);
    for (Output &output : outputs)
      if (output.stage == phase)
        visit(output.value, phase);
  }
}

/// A kept value lives in the row of a gradient that is written no earlier than the value is last
/// read, else in scratch.
void KernelBuilder::assignRows() {
  Type rowType = RowType::get(builder.getContext(), elementType);
  llvm::SmallPtrSet<Value, 4> taken;
  for (auto &[value, keep] : kept) {
    for (Output &output : outputs)
      if (!keep.row && output.stage >= keep.lastRead && taken.insert(output.row).second)
        keep.row = output.row;
    if (!keep.row)
      keep.row = ScratchOp::create(builder, value.getLoc(), rowType);
  }
}

void KernelBuilder::emitNarrow(unsigned stage) {
  for (Operation &op : program.getBody().front().without_terminator()) {
    Value result = op.getResult(0);
    if (isWide(result) || isa<ReduceOp>(op) || stages[result] != stage)
      continue;
    if (isa<BroadcastOp>(op)) {
      numbers[result] = narrow(op.getOperand(0));
    } else if (auto gather = dyn_cast<GatherOp>(op)) {
      Value input = gather.getInput();
      if (auto broadcast = input.getDefiningOp<BroadcastOp>())
        input = broadcast.getInput();
      numbers[result] = LoadOp::create(builder, op.getLoc(), elementType, rows.lookup(input),
                                       narrow(gather.getIndex()));
    } else if (auto size = dyn_cast<AxisSizeOp>(op)) {
      numbers[result] = builder.clone(op)->getResult(0);
    } else {
      SmallVector<Value> operands =
          llvm::map_to_vector(op.getOperands(), [&](Value v) { return narrow(v); });
      OperationState state(op.getLoc(), op.getName(), operands,
                           getElementTypeOrSelf(result.getType()), op.getAttrs());
      numbers[result] = builder.create(state)->getResult(0);
    }
  }
}

Value KernelBuilder::element(Value wide) {
  if (!isWide(wide))
    return narrow(wide);
  Value &known = elements[wide];
  if (known)
    return known;
  auto keep = kept.find(wide);
  Value row = rows.lookup(wide);
  if (!row && keep != kept.end() && !visited.empty() &&
      keep->second.written < cast<IntegerAttr>(phaseOp->getAttr("loss.phase")).getUInt())
    row = keep->second.row;
  if (row) {
    reads.insert(row);
    Value argument = phaseOp.getBody().addArgument(elementType, wide.getLoc());
    return elements[wide] = argument;
  }
  Operation *op = wide.getDefiningOp();
  Location loc = op->getLoc();
  if (isa<BroadcastOp>(op))
    return elements[wide] = element(op->getOperand(0));
  if (auto oneHot = dyn_cast<OneHotOp>(op)) {
    Value isClass = IsClassOp::create(builder, loc, narrow(oneHot.getIndex()));
    Value one = arith::ConstantOp::create(builder, loc, FloatAttr::get(elementType, 1.0));
    Value zero = arith::ConstantOp::create(builder, loc, FloatAttr::get(elementType, 0.0));
    return elements[wide] = arith::SelectOp::create(builder, loc, isClass, one, zero);
  }
  if (isa<arith::MulFOp>(op)) {
    // one_hot(t) * f is f or 0, whatever f is.
    for (unsigned i = 0; i < 2; ++i) {
      auto oneHot = op->getOperand(i).getDefiningOp<OneHotOp>();
      if (!oneHot)
        continue;
      Value factor = element(op->getOperand(1 - i));
      Value isClass = IsClassOp::create(builder, loc, narrow(oneHot.getIndex()));
      Value zero = arith::ConstantOp::create(builder, loc, FloatAttr::get(elementType, 0.0));
      return elements[wide] = arith::SelectOp::create(builder, loc, isClass, factor, zero);
    }
  }
  SmallVector<Value> operands =
      llvm::map_to_vector(op->getOperands(), [&](Value v) { return element(v); });
  OperationState state(loc, op->getName(), operands, getElementTypeOrSelf(wide.getType()),
                       op->getAttrs());
  return elements[wide] = builder.create(state)->getResult(0);
}

void KernelBuilder::emitPhase(unsigned phase) {
  Location loc = program.getLoc();
  SmallVector<ReduceOp> reductions;
  for (Operation &op : program.getBody().front())
    if (auto reduce = dyn_cast<ReduceOp>(op); reduce && stages[reduce.getInput()] == phase)
      reductions.push_back(reduce);

  SmallVector<Value> writes;
  SmallVector<Attribute> kinds;
  for (ReduceOp reduce : reductions)
    kinds.push_back(reduce.getKindAttr());
  for (auto &[value, keep] : kept)
    if (keep.written == phase)
      writes.push_back(keep.row);
  for (Output &output : outputs)
    if (output.stage == phase)
      writes.push_back(output.row);
  if (reductions.empty() && writes.empty())
    return;

  SmallVector<Type> types(reductions.size(), elementType);
  phaseOp = PhaseOp::create(builder, loc, types, ValueRange(), writes, builder.getArrayAttr(kinds));
  phaseOp->setAttr("loss.phase", builder.getUI32IntegerAttr(phase));
  elements.clear();
  reads.clear();
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&phaseOp.getBody());
    SmallVector<Value> reduced, written;
    for (ReduceOp reduce : reductions)
      reduced.push_back(element(reduce.getInput()));
    for (auto &[value, keep] : kept)
      if (keep.written == phase)
        written.push_back(element(value));
    for (Output &output : outputs)
      if (output.stage == phase)
        written.push_back(arith::MulFOp::create(builder, loc, element(output.value), scale));
    PhaseYieldOp::create(builder, loc, reduced, written);
  }
  phaseOp.getReadsMutable().assign(reads.getArrayRef());
  phaseOp->removeAttr("loss.phase");
  for (auto [reduce, result] : llvm::zip_equal(reductions, phaseOp.getResults()))
    numbers[reduce.getResult()] = result;
}

FailureOr<KernelOp> KernelBuilder::build() {
  if (failed(checkAxes()))
    return failure();
  computeStages();
  createKernel();
  planPhases();
  builder.setInsertionPointToEnd(&kernel.getBody().front());
  assignRows();
  for (unsigned phase = 0; phase <= phaseCount; ++phase) {
    emitNarrow(phase);
    if (phase < phaseCount)
      emitPhase(phase);
  }
  Value value = program.getYield().getOperand(0);
  KernelReturnOp::create(builder, program.getLoc(), narrow(value));
  return kernel;
}

struct FusePass : loss::ir::impl::FuseBase<FusePass> {
  void runOnOperation() override {
    for (ProgramOp program : llvm::make_early_inc_range(getOperation().getOps<ProgramOp>())) {
      StringRef target = "none";
      for (unsigned i = 0; i < program.getNumArguments(); ++i)
        if (program.getArgKind(i) == "target")
          target =
              getElementTypeOrSelf(program.getArgumentTypes()[i]).isInteger(64) ? "index" : "dense";
      std::string name = program.getSymName().str();
      program.setSymName(name + "_program");
      if (failed(KernelBuilder(program, name, target).build()))
        return signalPassFailure();
      program.erase();
    }
  }
};

} // namespace
