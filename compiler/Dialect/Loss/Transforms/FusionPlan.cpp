//===- FusionPlan.cpp - which pass over memory computes what --------------===//

#include "compiler/Dialect/Loss/Transforms/FusionPlan.h"

using namespace mlir;
using namespace loss::ir;

/// What recomputing one element costs, in additions. A value above the limit that a later phase
/// needs again is kept in memory: a store and a load from the first-level cache.
static constexpr int keepLimit = 4;

static int ownCost(Operation *op) {
  if (isa<BroadcastOp, RenameOp, arith::ConstantOp>(op))
    return 0;
  if (isa<arith::DivFOp, math::SqrtOp>(op))
    return 8;
  if (isa<math::AbsFOp, SignOp, OneHotOp, PositionOp>(op))
    return 1;
  return isa<math::MathDialect, LossDialect>(op->getDialect()) ? 12 : 1;
}

FusionPlan::FusionPlan(ProgramOp program)
    : program(program), rowAxis(program.worksOnRange() ? StringAttr() : program.getRowAxis()) {
  computeStages();
}

Domain FusionPlan::domainOf(Type type) {
  Domain domain = 0;
  for (auto [i, axis] : llvm::enumerate(program.getAxes().getNames()))
    if (axis != rowAxis && hasAxis(type, axis))
      domain |= Domain(1) << i;
  return domain;
}

SmallVector<StringAttr> FusionPlan::axesIn(Domain domain) {
  SmallVector<StringAttr> axes;
  for (auto [i, axis] : llvm::enumerate(program.getAxes().getNames()))
    if (domain >> i & 1)
      axes.push_back(axis);
  return axes;
}

void FusionPlan::computeStages() {
  for (BlockArgument argument : program.getBody().getArguments())
    stages[argument] = 0;
  for (Operation &op : program.getBody().front().without_terminator()) {
    unsigned stage = 0;
    for (Value operand : op.getOperands())
      stage = std::max(stage, stages[operand]);
    // Elements at other positions are there when all of them are.
    bool isElsewhere = isa<RenameOp>(op) && !isa<BlockArgument>(op.getOperand(0));
    if (auto gather = dyn_cast<GatherOp>(op))
      isElsewhere = !isa<BlockArgument>(sourceOf(gather));
    if (isa<ReduceOp>(op) || matchCumulative(&op) || isElsewhere)
      ++stage;
    stages[op.getResult(0)] = stage;
    lastStage = std::max(lastStage, stage);
  }
}

Value FusionPlan::sourceOf(GatherOp gather) {
  auto broadcast = gather.getInput().getDefiningOp<BroadcastOp>();
  return broadcast ? broadcast.getInput() : gather.getInput();
}

void FusionPlan::addOutput(Value value, Value array, Value factor) {
  PhaseKey phase{stageOf(value), domainOf(value)};
  phases[phase].outputs.push_back(outputs.size());
  outputs.push_back({value, array, factor, phase});
}

bool FusionPlan::isProduct(Value wide, Domain domain, int &budget) {
  if (domainOf(wide) != domain)
    return true;
  if (isa<BlockArgument>(wide) || isStored(wide))
    return false;
  Operation *op = wide.getDefiningOp();
  if (isa<RenameOp>(op))
    return false;
  budget -= ownCost(op);
  return budget >= 0 && llvm::all_of(op->getOperands(), [&](Value operand) {
           return isProduct(operand, domain, budget);
         });
}

PhaseKey FusionPlan::phaseOf(ReduceOp reduce) {
  Value input = reduce.getInput();
  PhaseKey key{stageOf(input), domainOf(input)};
  int budget = keepLimit;
  if (llvm::popcount(key.domain) > 2 && isProduct(input, key.domain, budget))
    for (auto [i, axis] : llvm::enumerate(program.getAxes().getNames()))
      if (axis == reduce.getAxisAttr())
        key.product = Domain(1) << i;
  return key;
}

int FusionPlan::recomputeCost(Value wide) {
  if (kept.contains(wide) || isa<BlockArgument>(wide) || isStored(wide))
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

void FusionPlan::keep(Value wide, unsigned stage, PhaseKey reader) {
  PhaseKey writer{stage, domainOf(wide)};
  auto [entry, isNew] = kept.insert({wide, {writer, reader, {}}});
  if (entry->second.lastRead < reader)
    entry->second.lastRead = reader;
  if (!isNew) {
    if (!(writer < entry->second.written))
      return;
    // It is needed before the pass that was to write it.
    llvm::erase(phases[entry->second.written].keeps, wide);
    entry->second.written = writer;
  }
  PhasePlan &plan = phases[writer];
  plan.keeps.push_back(wide);
  if (plan.visited.insert(wide))
    visitOperands(wide, writer);
}

void FusionPlan::visit(Value wide, PhaseKey phase) {
  if (isa<BlockArgument>(wide) || !phases[phase].visited.insert(wide) || isStored(wide))
    return;
  if (auto known = kept.find(wide); known != kept.end() && known->second.written < phase) {
    if (known->second.lastRead < phase)
      known->second.lastRead = phase;
    return;
  }
  // Truth values have no arrays; what they are made of may.
  if (!isa<FloatType>(getElementTypeOrSelf(wide)))
    return visitOperands(wide, phase);
  if (domainOf(wide) != phase.domain) {
    // Inside a larger nest it would be computed many times. A product reads each element many
    // times, so a copy in the order of its loops pays.
    if (recomputeCost(wide) > keepLimit || (phase.product && isa<RenameOp>(wide.getDefiningOp())))
      return keep(wide, phase.stage, phase);
  } else {
    auto [first, isNew] = computed.try_emplace(wide, phase);
    if (!isNew && first->second < phase && recomputeCost(wide) > keepLimit)
      return keep(wide, first->second.stage, phase);
  }
  visitOperands(wide, phase);
}

void FusionPlan::visitOperands(Value wide, PhaseKey phase) {
  Operation *op = wide.getDefiningOp();
  if (isa<RenameOp>(op)) {
    // Read at other positions: all of it must be there.
    Value source = op->getOperand(0);
    if (!isa<BlockArgument>(source) && !isStored(source))
      keep(source, stageOf(source), phase);
    return;
  }
  for (Value operand : op->getOperands())
    if (isWide(operand))
      visit(operand, phase);
}

void FusionPlan::plan() {
  for (Operation &op : program.getBody().front()) {
    if (auto reduce = dyn_cast<ReduceOp>(op))
      phases[phaseOf(reduce)].reductions.push_back(reduce);
    if (auto gather = dyn_cast<GatherOp>(op)) {
      Value source = sourceOf(gather);
      if (!isa<BlockArgument>(source) && !isStored(source))
        keep(source, stageOf(source), {stageOf(gather), 0});
    }
    if (matchCumulative(&op)) {
      // A scan reads whole arrays.
      PhaseKey reader{stageOf(op.getResult(0)), 0};
      for (Value operand : op.getOperands())
        if (!isa<BlockArgument>(operand) && !isStored(operand))
          keep(operand, stageOf(operand), reader);
    }
  }
  // Planning one phase may add work to an earlier one, and new phases; those are visited then.
  for (auto &[key, plan] : phases) {
    for (ReduceOp reduce : plan.reductions)
      visit(reduce.getInput(), key);
    for (unsigned index : plan.outputs)
      visit(outputs[index].value, key);
  }
  // What was kept only after a later phase had come to it is read there, too.
  for (auto &[key, plan] : phases)
    for (auto &[value, keep] : kept)
      if (keep.written < key && keep.lastRead < key && plan.visited.contains(value))
        keep.lastRead = key;
}
