//===- Fuse.cpp - a program becomes a kernel of phases --------------------===//
//
// FusionPlan says which phase computes what; here the kernel is written down: for each stage its
// narrow values, then its phases, then its scans.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/FusionPlan.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "mlir/IR/Builders.h"

namespace loss::ir {
#define GEN_PASS_DEF_FUSE
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

class KernelBuilder {
public:
  KernelBuilder(ProgramOp program, StringRef name, StringRef target)
      : program(program), name(name), target(target), builder(program.getContext()), plan(program) {
  }

  FailureOr<KernelOp> build();

private:
  LogicalResult check();
  /// The place of each input and parameter in LossArgs.grads and LossArgs.tangents: inputs, then
  /// parameters.
  llvm::StringMap<unsigned> argumentSlots();
  void createKernel();
  Value addArgument(Type programType, RoleKind role, unsigned index);
  void addArguments(const llvm::StringMap<unsigned> &slots);
  void addResults(const llvm::StringMap<unsigned> &slots);
  /// Kept values get arrays: that of a gradient which is written no earlier than the value is last
  /// read, else scratch.
  void assignArrays();

  void emitNarrow(unsigned stage);
  void emitPhase(PhaseKey key, PhasePlan &phase);
  void emitScans(unsigned stage);
  /// An element of `wide`, inside the phase being emitted.
  Value element(Value wide);
  Value elementOf(Operation *op);
  /// An element of an array along loops, inside the phase being emitted.
  Value read(Value wide, Value array, ArrayRef<StringAttr> along);
  /// The array that holds a value, if the phase being emitted finds it in one.
  Value arrayOf(Value wide);
  AxesAttr chooseLoops(PhaseKey key, ArrayRef<Value> writes, ArrayRef<Value> into);

  /// A number of the row.
  Value narrow(Value value) { return numbers.lookup(value); }
  ArrayType arrayType(Value wide, ArrayRef<StringAttr> axes) {
    return ArrayType::get(builder.getContext(), getElementTypeOrSelf(wide),
                          AxesAttr::get(builder.getContext(), axes));
  }
  Value number(double value) {
    return arith::ConstantOp::create(builder, program.getLoc(),
                                     builder.getFloatAttr(elementType, value));
  }

  ProgramOp program;
  StringRef name, target;
  OpBuilder builder;
  FusionPlan plan;
  KernelOp kernel;
  Type elementType;
  bool isTangent = false;
  SmallVector<Attribute> roles, returnRoles;
  /// Numbers that the kernel returns beside the result: gradients that are one number a row.
  SmallVector<Value> narrowGrads;
  /// The factor of the row's result, and of what it gives to gradients; null where the result is an
  /// array.
  Value weight, scaledWeight;
  /// The array of weights, where the result is one; and the number that scales gradients.
  Value weights, scale;

  /// Narrow values of the program, as numbers of the kernel; arrays of its inputs, of partial
  /// reductions and of scans.
  DenseMap<Value, Value> numbers, arrays;

  // The phase being emitted.
  PhaseKey current;
  PhaseOp phaseOp;
  DenseMap<Value, Value> elements;
  SmallVector<Value> reads;
  SmallVector<Attribute> readAxes;
};

LogicalResult KernelBuilder::check() {
  for (Operation &op : program.getBody().front()) {
    if (auto gather = dyn_cast<GatherOp>(op)) {
      Value source = FusionPlan::sourceOf(gather);
      if (llvm::popcount(plan.domainOf(source)) != 1)
        return op.emitError("expected a gather from a value over the classes, but found ")
               << source.getType();
    }
    if (isa<SoftmaxOp, LogSoftmaxOp, LogSumExpOp, NormOp, StopGradientOp, CustomGradientOp>(op))
      return op.emitError("expected no ") << op.getName() << " here; run loss-expand first";
  }
  return success();
}

Value KernelBuilder::addArgument(Type programType, RoleKind role, unsigned index) {
  roles.push_back(RoleAttr::get(builder.getContext(), role, index));
  SmallVector<StringAttr> inner = plan.axesIn(plan.domainOf(programType));
  Type type = getElementTypeOrSelf(programType);
  if (!inner.empty()) {
    // In memory the axes have the order of the declaration.
    SmallVector<StringAttr> order;
    for (StringAttr axis : axesOf(programType))
      if (llvm::is_contained(inner, axis))
        order.push_back(axis);
    type = ArrayType::get(builder.getContext(), type, AxesAttr::get(builder.getContext(), order));
  }
  return kernel.getBody().addArgument(type, program.getLoc());
}

llvm::StringMap<unsigned> KernelBuilder::argumentSlots() {
  llvm::StringMap<unsigned> slots;
  unsigned slot = 0;
  for (bool params : {false, true})
    for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i) {
      StringRef kind = program.getArgKind(i);
      bool isInput = kind == "input" || kind == "target" || kind == "fixed";
      if (params ? kind == "param" : isInput)
        slots[program.getArgName(i)] = slot++;
    }
  return slots;
}

void KernelBuilder::addArguments(const llvm::StringMap<unsigned> &slots) {
  unsigned inputs = 0, params = 0;
  for (BlockArgument argument : program.getBody().getArguments()) {
    unsigned i = argument.getArgNumber();
    StringRef kind = program.getArgKind(i);
    if (kind == "seed")
      continue; // The weights of the result; added with it.
    auto [role, index] =
        llvm::StringSwitch<std::pair<RoleKind, unsigned>>(kind)
            .Case("param", {RoleKind::param, params})
            .Case("class_weights", {RoleKind::class_weights, 0})
            .Case("label_smoothing", {RoleKind::label_smoothing, 0})
            .Case("tangent", {RoleKind::tangent, slots.lookup(program.getArgName(i))})
            .Default({RoleKind::input, inputs});
    params += role == RoleKind::param;
    inputs += role == RoleKind::input;
    Value own = addArgument(argument.getType(), role, index);
    (plan.isWide(argument) ? arrays : numbers)[argument] = own;
  }
}

void KernelBuilder::addResults(const llvm::StringMap<unsigned> &slots) {
  YieldOp yield = program.getYield();
  Type resultType = program.getResultTypes().front();
  bool isWide = plan.domainOf(resultType) != 0;
  SmallVector<std::pair<Value, Value>> grads;
  for (unsigned i = 1, e = yield.getNumOperands(); i < e; ++i) {
    auto of = program.getResultAttrOfType<StringAttr>(i, "loss.of");
    Value gradient = yield.getOperand(i);
    unsigned slot = slots.lookup(of.getValue());
    if (plan.isWide(gradient)) {
      grads.push_back({gradient, addArgument(gradient.getType(), RoleKind::grad, slot)});
    } else {
      returnRoles.push_back(RoleAttr::get(builder.getContext(), RoleKind::grad, slot));
      narrowGrads.push_back(gradient);
    }
  }
  Value valueArray = isWide ? addArgument(resultType, RoleKind::value, 0) : Value();
  Value weightArgument = addArgument(resultType, RoleKind::weights, 0);
  scale = addArgument(elementType, RoleKind::scale, 0);

  builder.setInsertionPointToEnd(&kernel.getBody().front());
  for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i)
    if (program.getArgKind(i) == "seed")
      arrays[program.getArgument(i)] = weightArgument;
  if (isWide) {
    weights = weightArgument;
    plan.addOutput(yield.getOperand(0), valueArray, isTangent ? Value() : weights);
    // The seed carries the weights.
    for (auto [gradient, array] : grads)
      plan.addOutput(gradient, array, scale);
    return;
  }
  weight = weightArgument;
  returnRoles.insert(returnRoles.begin(), RoleAttr::get(builder.getContext(), RoleKind::value, 0));
  if (yield.getNumOperands() > 1)
    scaledWeight = arith::MulFOp::create(builder, program.getLoc(), weight, scale);
  for (auto [gradient, array] : grads)
    plan.addOutput(gradient, array, scaledWeight);
}

void KernelBuilder::createKernel() {
  builder.setInsertionPointAfter(program);
  elementType = getElementTypeOrSelf(program.getResultTypes().front());
  ArrayRef<StringAttr> all = program.getAxes().getNames();
  SmallVector<StringAttr> originals;
  for (StringAttr axis : all)
    if (!program.getCopies() || !program.getCopiesAttr().contains(axis))
      originals.push_back(axis);
  StringAttr rowAxis = program.getRowAxis();
  auto given = program->getAttrOfType<StringAttr>("loss.mode");
  StringRef mode = given ? given.getValue() : program.getNumResults() > 1 ? "grad" : "value";
  isTangent = mode.starts_with("tangent");
  kernel = KernelOp::create(builder, program.getLoc(), name, target, mode, elementType,
                            builder.getArrayAttr({}), builder.getArrayAttr({}),
                            AxesAttr::get(builder.getContext(), originals), program.getCopiesAttr(),
                            rowAxis, target == "none" ? StringAttr() : program.getTargetAxis(),
                            program.worksOnRange());
  builder.createBlock(&kernel.getBody());
  const llvm::StringMap<unsigned> slots = argumentSlots();
  addArguments(slots);
  addResults(slots);
  kernel.setRolesAttr(builder.getArrayAttr(roles));
  kernel.setReturnsAttr(builder.getArrayAttr(returnRoles));
}

void KernelBuilder::assignArrays() {
  llvm::SmallPtrSet<Value, 4> taken;
  for (auto &[value, keep] : plan.kept) {
    ArrayType type = arrayType(value, plan.axesIn(plan.domainOf(value)));
    for (Output &output : plan.outputs)
      if (!keep.array && !(output.phase < keep.lastRead) && output.array.getType() == type &&
          taken.insert(output.array).second)
        keep.array = output.array;
    if (!keep.array)
      keep.array = ScratchOp::create(builder, value.getLoc(), type);
  }
  for (Operation &op : program.getBody().front().without_terminator()) {
    Value value = op.getResult(0);
    if (plan.isWide(value) && FusionPlan::isStored(value))
      arrays[value] = ScratchOp::create(builder, op.getLoc(),
                                        arrayType(value, plan.axesIn(plan.domainOf(value))));
  }
}

void KernelBuilder::emitNarrow(unsigned stage) {
  for (Operation &op : program.getBody().front().without_terminator()) {
    Value result = op.getResult(0);
    if (plan.isWide(result) || isa<ReduceOp>(op) || plan.stageOf(result) != stage)
      continue;
    if (isa<BroadcastOp>(op)) {
      numbers[result] = narrow(op.getOperand(0));
    } else if (auto gather = dyn_cast<GatherOp>(op)) {
      current = {stage, 0};
      numbers[result] =
          LoadOp::create(builder, op.getLoc(), elementType, arrayOf(FusionPlan::sourceOf(gather)),
                         narrow(gather.getIndex()));
    } else if (isa<AxisSizeOp>(op)) {
      OperationState state(op.getLoc(), op.getName(), ValueRange(),
                           getElementTypeOrSelf(result.getType()), op.getAttrs());
      numbers[result] = builder.create(state)->getResult(0);
    } else {
      SmallVector<Value> operands =
          llvm::map_to_vector(op.getOperands(), [&](Value v) { return narrow(v); });
      OperationState state(op.getLoc(), op.getName(), operands,
                           getElementTypeOrSelf(result.getType()), op.getAttrs());
      numbers[result] = builder.create(state)->getResult(0);
    }
  }
}

Value KernelBuilder::arrayOf(Value wide) {
  if (Value array = arrays.lookup(wide))
    return array;
  auto keep = plan.kept.find(wide);
  if (keep != plan.kept.end() && keep->second.written < current)
    return keep->second.array;
  return {};
}

Value KernelBuilder::read(Value wide, Value array, ArrayRef<StringAttr> along) {
  reads.push_back(array);
  readAxes.push_back(AxesAttr::get(builder.getContext(), along));
  return phaseOp.getBody().addArgument(cast<ArrayType>(array.getType()).getElementType(),
                                       wide.getLoc());
}

Value KernelBuilder::element(Value wide) {
  if (!plan.isWide(wide))
    return narrow(wide);
  if (Value known = elements.lookup(wide))
    return known;
  Value result;
  if (Value array = arrayOf(wide)) {
    result = read(wide, array, cast<ArrayType>(array.getType()).getAxes().getNames());
  } else {
    result = elementOf(wide.getDefiningOp());
  }
  return elements[wide] = result;
}

Value KernelBuilder::elementOf(Operation *op) {
  Location loc = op->getLoc();
  Value wide = op->getResult(0);
  if (isa<BroadcastOp>(op))
    return element(op->getOperand(0));
  if (auto rename = dyn_cast<RenameOp>(op)) {
    Value array = arrayOf(rename.getInput());
    SmallVector<StringAttr> along(cast<ArrayType>(array.getType()).getAxes().getNames());
    llvm::replace(along, rename.getFromAttr(), rename.getToAttr());
    return read(wide, array, along);
  }
  auto isClassOf = [&](OneHotOp oneHot) -> Value {
    return IsClassOp::create(builder, loc, element(oneHot.getIndex()), oneHot.getAxisAttr());
  };
  if (auto oneHot = dyn_cast<OneHotOp>(op))
    return arith::SelectOp::create(builder, loc, isClassOf(oneHot), number(1), number(0));
  if (isa<arith::MulFOp>(op)) {
    // one_hot(t) * f is f or 0, whatever f is.
    for (unsigned i = 0; i < 2; ++i)
      if (auto oneHot = op->getOperand(i).getDefiningOp<OneHotOp>()) {
        Value factor = element(op->getOperand(1 - i));
        return arith::SelectOp::create(builder, loc, isClassOf(oneHot), factor, number(0));
      }
  }
  SmallVector<Value> operands =
      llvm::map_to_vector(op->getOperands(), [&](Value v) { return element(v); });
  OperationState state(loc, op->getName(), operands, getElementTypeOrSelf(wide.getType()),
                       op->getAttrs());
  return builder.create(state)->getResult(0);
}

/// Loops in the order of the program's axes, but innermost the axis along which most arrays lie
/// contiguous, those over more axes counting more. The axis along which products are summed up
/// comes next to it, so that sums stay in registers.
AxesAttr KernelBuilder::chooseLoops(PhaseKey key, ArrayRef<Value> writes, ArrayRef<Value> into) {
  SmallVector<StringAttr> loops = plan.axesIn(key.domain);
  llvm::SmallDenseMap<StringAttr, unsigned> votes;
  auto vote = [&](ArrayRef<StringAttr> along) { votes[along.back()] += along.size(); };
  for (Attribute axes : readAxes)
    vote(cast<AxesAttr>(axes).getNames());
  for (ArrayRef<Value> arrays : {writes, into})
    for (Value array : arrays)
      vote(cast<ArrayType>(array.getType()).getAxes().getNames());
  StringAttr best = loops.back();
  for (StringAttr axis : loops)
    if (votes.lookup(axis) > votes.lookup(best))
      best = axis;
  StringAttr product = key.product ? plan.axesIn(key.product).front() : best;
  llvm::erase(loops, best);
  if (product != best) {
    llvm::erase(loops, product);
    loops.push_back(product);
  }
  loops.push_back(best);
  return AxesAttr::get(builder.getContext(), loops);
}

void KernelBuilder::emitPhase(PhaseKey key, PhasePlan &phase) {
  Location loc = program.getLoc();
  SmallVector<Value> writes, into;
  SmallVector<Attribute> kinds;
  SmallVector<ReduceOp> results;
  for (ReduceOp reduce : phase.reductions) {
    kinds.push_back(reduce.getKindAttr());
    if (plan.isWide(reduce))
      into.push_back(arrays.lookup(reduce));
    else
      results.push_back(reduce);
  }
  for (Value keep : phase.keeps)
    writes.push_back(plan.kept.find(keep)->second.array);
  for (unsigned index : phase.outputs)
    writes.push_back(plan.outputs[index].array);

  current = key;
  SmallVector<Type> types(results.size(), elementType);
  AxesAttr loops = AxesAttr::get(builder.getContext(), plan.axesIn(key.domain));
  phaseOp = PhaseOp::create(builder, loc, types, loops, ValueRange(), builder.getArrayAttr({}),
                            writes, into, builder.getArrayAttr(kinds));
  elements.clear();
  reads.clear();
  readAxes.clear();
  {
    OpBuilder::InsertionGuard guard(builder);
    builder.createBlock(&phaseOp.getBody());
    SmallVector<Value> reduced, written;
    for (ReduceOp reduce : phase.reductions)
      reduced.push_back(element(reduce.getInput()));
    for (Value keep : phase.keeps)
      written.push_back(element(keep));
    // Kernels that work on single rows leave out those of weight 0; here are many rows at once.
    bool skipsRows = program.worksOnRange() && weights && !isTangent;
    Value own;
    for (unsigned index : phase.outputs) {
      Output &output = plan.outputs[index];
      Value x = element(output.value);
      bool isWeighted = output.factor && output.factor == weights;
      if (!own && (isWeighted || skipsRows))
        own = read(output.value, weights, cast<ArrayType>(weights.getType()).getAxes().getNames());
      if (output.factor)
        x = arith::MulFOp::create(builder, loc, x, isWeighted ? own : output.factor);
      if (skipsRows) {
        Value counts =
            arith::CmpFOp::create(builder, loc, arith::CmpFPredicate::UNE, own, number(0));
        x = arith::SelectOp::create(builder, loc, counts, x, number(0));
      }
      written.push_back(x);
    }
    PhaseYieldOp::create(builder, loc, reduced, written);
  }
  phaseOp.setOverAttr(chooseLoops(key, writes, into));
  phaseOp.getReadsMutable().assign(reads);
  phaseOp.setReadAxesAttr(builder.getArrayAttr(readAxes));
  for (auto [reduce, result] : llvm::zip_equal(results, phaseOp.getResults()))
    numbers[reduce.getResult()] = result;
}

void KernelBuilder::emitScans(unsigned stage) {
  current = {stage, ~Domain(0)};
  for (Operation &op : program.getBody().front()) {
    std::optional<Cumulative> scan = matchCumulative(&op);
    if (!scan || plan.stageOf(op.getResult(0)) != stage)
      continue;
    Value level, key, order;
    if (scan->level)
      level = arrayOf(scan->level);
    if (scan->key) {
      key = arrayOf(scan->key);
      auto type = ArrayType::get(builder.getContext(), builder.getI64Type(),
                                 AxesAttr::get(builder.getContext(), scan->axis));
      order = ScratchOp::create(builder, op.getLoc(), type);
    }
    ScanOp::create(builder, op.getLoc(), scan->kind, arrayOf(scan->input), level, key, order,
                   arrays.lookup(op.getResult(0)), scan->axis, scan->reverse);
  }
}

FailureOr<KernelOp> KernelBuilder::build() {
  if (failed(check()))
    return failure();
  createKernel();
  plan.plan();
  assignArrays();
  auto phase = plan.phases.begin();
  for (unsigned stage = 0; stage < plan.stageCount(); ++stage) {
    emitScans(stage);
    emitNarrow(stage);
    for (; phase != plan.phases.end() && phase->first.stage == stage; ++phase)
      emitPhase(phase->first, phase->second);
  }
  SmallVector<Value> returned;
  Value value = program.getYield().getOperand(0);
  auto times = [&](Value x, Value factor) {
    return arith::MulFOp::create(builder, program.getLoc(), x, factor);
  };
  if (!plan.isWide(value))
    returned.push_back(isTangent ? narrow(value) : times(narrow(value), weight));
  for (Value gradient : narrowGrads)
    returned.push_back(times(narrow(gradient), scaledWeight ? scaledWeight : scale));
  KernelReturnOp::create(builder, program.getLoc(), returned);
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
