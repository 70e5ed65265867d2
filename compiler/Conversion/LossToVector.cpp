//===- LossToVector.cpp - kernels become loops over vectors ---------------===//

#include "compiler/Conversion/Passes.h"
#include "compiler/Conversion/PhaseLoops.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

namespace loss::ir {
#define GEN_PASS_DEF_CONVERTLOSSTOVECTOR
#include "compiler/Conversion/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

/// Fields of LossArgs in runtime/abi/LossAbi.h, in order.
enum ArgsField {
  sizes,
  inputs,
  inputStrides,
  params,
  classWeights,
  labelSmoothing,
  weights,
  weightStride,
  value,
  grads,
  gradStrides,
  gradScale,
  tangents,
  tangentStrides
};

class FunctionBuilder {
public:
  FunctionBuilder(KernelOp kernel, unsigned bits) : code(kernel, bits), kernel(kernel), b(code.b) {}

  void build();

private:
  /// An array of the caller: row `r` is at base + r * stride.
  struct Memory {
    Value base, stride;
    ArrayType array; // null: one number a row
    Type element;
    RoleKind role;
  };

  Value field(ArgsField which, Type type);
  Value entry(ArgsField which, unsigned index, Type type);
  Value load(Value address, Type type) { return LLVM::LoadOp::create(b, type, address); }
  Value fromDouble(Value number) {
    return code.element.isF64() ? number
                                : arith::TruncFOp::create(b, code.element, number).getResult();
  }

  void loadSizes();
  void loadArguments();
  std::optional<Memory> memoryOf(RoleAttr role, Type type);
  Value numberOf(RoleAttr role);
  /// Address of the slab of a row.
  Value slab(const Memory &memory, Value row);
  Value checkedEnd();
  /// Whether a class index of the row lies outside the classes.
  Value hasBadIndex(const Memory &memory, Value row);
  void emitRows(Value end);
  void emitRow();
  /// Zeros where a row of weight 0 has its result and gradients.
  void emitSkippedRow();
  /// Whether one element of the array may stand for all.
  bool isWeights(Value array);
  void emitReturn(KernelReturnOp op);
  /// Scratch for what sums in memory lose by rounding.
  void addLostArrays();
  void emitOp(Operation &op);
  void emitScan(ScanOp scan);
  void emitScratchFunction();
  Value roundedSize(ArrayType array);

  KernelCode code;
  KernelOp kernel;
  ImplicitLocOpBuilder &b;
  func::FuncOp function;
  Value args, scratch;
  /// Arguments and returned numbers that live in memory.
  SmallVector<std::pair<BlockArgument, Memory>> arguments;
  SmallVector<Memory> returns;
  SmallVector<ArrayType> scratchArrays;
  /// Elements of scratch in use.
  Value scratchUsed;
};

Value FunctionBuilder::field(ArgsField which, Type type) {
  Type p = code.pointer, d = b.getF64Type(), i = code.i64;
  auto structType =
      LLVM::LLVMStructType::getLiteral(b.getContext(), {p, p, p, p, p, d, p, i, p, p, p, d, p, p});
  Value address = LLVM::GEPOp::create(b, code.pointer, structType, args,
                                      ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(which)});
  return load(address, type);
}

Value FunctionBuilder::entry(ArgsField which, unsigned index, Type type) {
  Value address = LLVM::GEPOp::create(b, code.pointer, type, field(which, code.pointer),
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
  return load(address, type);
}

void FunctionBuilder::loadSizes() {
  for (auto [i, axis] : llvm::enumerate(kernel.getAxes().getNames()))
    if (!kernel.getRange())
      code.sizes[axis] = entry(sizes, i, code.i64);
    else
      code.sizes[axis] = arith::SubIOp::create(b, function.getArgument(2), function.getArgument(1));
}

std::optional<FunctionBuilder::Memory> FunctionBuilder::memoryOf(RoleAttr role, Type type) {
  Memory memory;
  memory.array = dyn_cast<ArrayType>(type);
  memory.element = memory.array ? memory.array.getElementType() : type;
  memory.role = role.getKind();
  unsigned index = role.getIndex();
  Value none = code.integer(0);
  // A contiguous result: one slab after the other.
  auto contiguous = [&]() -> Value {
    return memory.array && !kernel.getRange() ? code.elementCount(memory.array) : code.integer(1);
  };
  switch (role.getKind()) {
  case RoleKind::input:
    memory.base = entry(inputs, index, code.pointer);
    memory.stride = entry(inputStrides, index, code.i64);
    break;
  case RoleKind::tangent:
    memory.base = entry(tangents, index, code.pointer);
    memory.stride = entry(tangentStrides, index, code.i64);
    break;
  case RoleKind::grad:
    memory.base = entry(grads, index, code.pointer);
    memory.stride = entry(gradStrides, index, code.i64);
    break;
  case RoleKind::value:
    memory.base = field(value, code.pointer);
    memory.stride = contiguous();
    break;
  case RoleKind::weights:
    memory.base = field(weights, code.pointer);
    memory.stride = code.product(contiguous(), code.weightStride);
    break;
  case RoleKind::class_weights:
    memory.base = field(classWeights, code.pointer);
    memory.stride = none;
    break;
  case RoleKind::param:
  case RoleKind::scale:
  case RoleKind::label_smoothing:
    return std::nullopt;
  }
  return memory;
}

/// Numbers of the whole call.
Value FunctionBuilder::numberOf(RoleAttr role) {
  switch (role.getKind()) {
  case RoleKind::param:
    return fromDouble(entry(params, role.getIndex(), b.getF64Type()));
  case RoleKind::scale:
    return fromDouble(field(gradScale, b.getF64Type()));
  default:
    return fromDouble(field(labelSmoothing, b.getF64Type()));
  }
}

void FunctionBuilder::loadArguments() {
  code.weightStride = field(weightStride, code.i64);
  for (BlockArgument argument : kernel.getBody().getArguments()) {
    RoleAttr role = kernel.getRole(argument.getArgNumber());
    if (auto memory = memoryOf(role, argument.getType()))
      arguments.push_back({argument, *memory});
    else
      code.map[argument] = numberOf(role);
  }
  for (Attribute role : kernel.getReturns())
    returns.push_back(*memoryOf(cast<RoleAttr>(role), code.element));
}

Value FunctionBuilder::slab(const Memory &memory, Value row) {
  return code.at(memory.base, code.product(row, memory.stride), memory.element);
}

Value FunctionBuilder::hasBadIndex(const Memory &memory, Value row) {
  Value classes = code.sizeOf(kernel.getClassAxisAttr());
  // Unsigned: a negative index is large.
  auto isBad = [&](Value index) -> Value {
    return arith::CmpIOp::create(b, arith::CmpIPredicate::uge, index, classes);
  };
  Value first = slab(memory, row);
  if (!memory.array)
    return isBad(load(first, code.i64));
  Value no = arith::ConstantOp::create(b, b.getBoolAttr(false));
  auto loop = scf::ForOp::create(b, code.integer(0), code.elementCount(memory.array),
                                 code.integer(1), ValueRange{no});
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value index = load(code.at(first, loop.getInductionVar(), code.i64), code.i64);
  Value any = arith::OrIOp::create(b, loop.getRegionIterArgs()[0], isBad(index));
  scf::YieldOp::create(b, ValueRange{any});
  return loop.getResult(0);
}

/// The end of the range, or its first row with a class index outside [0, classes).
Value FunctionBuilder::checkedEnd() {
  Value begin = function.getArgument(1), end = function.getArgument(2);
  for (auto &[argument, memory] : arguments) {
    if (!memory.element.isInteger(64))
      continue;
    auto loop = scf::ForOp::create(b, begin, end, code.integer(1), ValueRange{end});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value row = loop.getInductionVar(), first = loop.getRegionIterArgs()[0];
    Value candidate = arith::SelectOp::create(b, hasBadIndex(memory, row), row, end);
    scf::YieldOp::create(b, ValueRange{arith::MinSIOp::create(b, first, candidate)});
    end = loop.getResult(0);
  }
  return end;
}

void FunctionBuilder::build() {
  Type pointer = code.pointer, i64 = code.i64;
  auto type = FunctionType::get(b.getContext(), {pointer, i64, i64, pointer}, {i64});
  b.setInsertionPoint(kernel);
  function = func::FuncOp::create(b, kernel.getSymName(), type);
  b.setInsertionPointToStart(function.addEntryBlock());
  args = function.getArgument(0);
  scratch = function.getArgument(3);
  loadSizes();
  loadArguments();
  Value end = checkedEnd();
  emitRows(end);
  Value complete = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, end, function.getArgument(2));
  Value status = arith::SelectOp::create(b, complete, code.integer(-1), end);
  func::ReturnOp::create(b, ValueRange{status});
  emitScratchFunction();
  kernel.erase();
}

void FunctionBuilder::emitRows(Value end) {
  Value begin = function.getArgument(1);
  if (kernel.getRange()) {
    code.row = begin;
    return emitRow();
  }
  auto loop = scf::ForOp::create(b, begin, end, code.integer(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  code.row = loop.getInductionVar();
  emitRow();
}

void FunctionBuilder::emitRow() {
  Value weight;
  for (auto &[argument, memory] : arguments) {
    Value address = slab(memory, code.row);
    code.map[argument] = memory.array ? address : load(address, memory.element);
    if (!memory.array && memory.role == RoleKind::weights)
      weight = code.map[argument];
    bool isFetched = memory.role == RoleKind::input || memory.role == RoleKind::grad;
    if (memory.array && isFetched && memory.element == code.element)
      code.nextRows.push_back({code.at(address, memory.stride, code.element), memory.array,
                               memory.role == RoleKind::grad});
  }
  OpBuilder::InsertionGuard guard(b);
  if (weight && kernel.getRowAxisAttr() && !kernel.getMode().starts_with("tangent")) {
    Value zero = arith::ConstantOp::create(b, cast<TypedAttr>(b.getFloatAttr(code.element, 0.0)));
    Value counts = arith::CmpFOp::create(b, arith::CmpFPredicate::UNE, weight, zero);
    auto branch = scf::IfOp::create(b, TypeRange(), counts, /*withElseRegion=*/true);
    b.setInsertionPointToStart(branch.elseBlock());
    emitSkippedRow();
    b.setInsertionPointToStart(branch.thenBlock());
  }

  Block &body = kernel.getBody().front();
  PhaseOp busiest;
  unsigned most = 0;
  for (PhaseOp phase : body.getOps<PhaseOp>())
    if (workOf(phase) >= most) {
      busiest = phase;
      most = workOf(phase);
    }
  addLostArrays();
  scratchUsed = code.integer(0);
  for (Operation &op : body) {
    if (auto phase = dyn_cast<PhaseOp>(op))
      emitPhaseLoops(code, phase, phase == busiest);
    else if (auto scan = dyn_cast<ScanOp>(op))
      emitScan(scan);
    else if (auto ret = dyn_cast<KernelReturnOp>(op))
      emitReturn(ret);
    else
      emitOp(op);
  }
}

void FunctionBuilder::addLostArrays() {
  for (PhaseOp phase : kernel.getBody().front().getOps<PhaseOp>()) {
    OpBuilder builder(phase);
    for (auto [i, kind] : llvm::enumerate(phase.getReductions())) {
      Value array = arrayReducedInMemory(phase, i);
      if (array && cast<ReduceKindAttr>(kind).getValue() == ReduceKind::sum)
        code.lost[array] = ScratchOp::create(builder, phase.getLoc(), array.getType());
    }
  }
}

void FunctionBuilder::emitSkippedRow() {
  Value zero = arith::ConstantOp::create(b, cast<TypedAttr>(b.getFloatAttr(code.element, 0.0)));
  for (Memory &memory : returns)
    LLVM::StoreOp::create(b, zero, slab(memory, code.row));
  for (auto &[argument, memory] : arguments)
    if (memory.role == RoleKind::grad)
      emitFill(code, code.map.lookup(argument), code.elementCount(memory.array), zero);
}

void FunctionBuilder::emitReturn(KernelReturnOp op) {
  for (auto [number, memory] : llvm::zip_equal(op.getValues(), returns))
    LLVM::StoreOp::create(b, code.map.lookup(number), slab(memory, code.row));
}

/// Elements of an array, rounded up to whole cache lines.
Value FunctionBuilder::roundedSize(ArrayType array) {
  int64_t line = 64 / code.alignment(array.getElementType());
  // In elements of the kernel: an index takes two f32.
  int64_t scale = code.alignment(array.getElementType()) / code.alignment(code.element);
  Value count = arith::AddIOp::create(b, code.elementCount(array), code.integer(line - 1));
  count = arith::SubIOp::create(b, count, arith::RemUIOp::create(b, count, code.integer(line)));
  return scale == 1 ? count : code.product(count, code.integer(scale));
}

bool FunctionBuilder::isWeights(Value array) {
  auto argument = dyn_cast<BlockArgument>(array);
  return argument && argument.getOwner() == &kernel.getBody().front() &&
         kernel.getRole(argument.getArgNumber()).getKind() == RoleKind::weights;
}

void FunctionBuilder::emitOp(Operation &op) {
  Value result = op.getResult(0);
  if (auto own = dyn_cast<ScratchOp>(op)) {
    auto type = cast<ArrayType>(own.getType());
    code.map[result] = code.at(scratch, scratchUsed, code.element);
    scratchUsed = arith::AddIOp::create(b, scratchUsed, roundedSize(type));
    scratchArrays.push_back(type);
  } else if (auto own = dyn_cast<LoadOp>(op)) {
    Value index = code.map.lookup(own.getIndex());
    if (isWeights(own.getArray()))
      index = code.product(index, code.weightStride);
    code.map[result] =
        load(code.at(code.map.lookup(own.getArray()), index, code.element), code.element);
  } else if (auto size = dyn_cast<AxisSizeOp>(op)) {
    // Of the whole call, also where the kernel works on a range.
    StringAttr axis = kernel.getOriginal(size.getAxisAttr());
    unsigned index =
        llvm::find(kernel.getAxes().getNames(), axis) - kernel.getAxes().getNames().begin();
    code.map[result] = arith::SIToFPOp::create(b, code.element, entry(sizes, index, code.i64));
  } else {
    SmallVector<Value> operands =
        llvm::map_to_vector(op.getOperands(), [&](Value v) { return code.map.lookup(v); });
    OperationState state(op.getLoc(), op.getName(), operands, result.getType(), op.getAttrs());
    Operation *copy = b.create(state);
    allowContraction(copy);
    code.map[result] = copy->getResult(0);
  }
}

/// What VecMathModule.cpp calls it.
static StringRef scanName(ScanKind kind) {
  switch (kind) {
  case ScanKind::sum:
    return "cumsum";
  case ScanKind::logsumexp:
    return "logcumsumexp";
  case ScanKind::decayed_sum:
    return "decayed_cumsum";
  }
  llvm_unreachable("covered switch");
}

/// A call of the scan's function for every position along the other axes.
void FunctionBuilder::emitScan(ScanOp scan) {
  auto array = cast<ArrayType>(scan.getInput().getType());
  OpBuilder::InsertionGuard guard(b);
  llvm::DenseMap<StringAttr, Value> positions;
  for (StringAttr axis : array.getAxes().getNames()) {
    if (axis == scan.getAxisAttr())
      continue;
    auto loop = scf::ForOp::create(b, code.integer(0), code.sizeOf(axis), code.integer(1));
    b.setInsertionPointToStart(loop.getBody());
    positions[axis] = loop.getInductionVar();
  }
  auto walk = [&](Value of) -> std::pair<Value, Value> {
    auto type = cast<ArrayType>(of.getType());
    Value offset = code.integer(0), stride;
    for (auto [i, axis] : llvm::enumerate(type.getAxes().getNames())) {
      Value step = code.strideOf(type, i);
      if (axis == scan.getAxisAttr())
        stride = step;
      else
        offset = arith::AddIOp::create(b, offset, code.product(positions[axis], step));
    }
    if (isWeights(of)) {
      offset = code.product(offset, code.weightStride);
      stride = code.product(stride, code.weightStride);
    }
    return {code.at(code.map.lookup(of), offset, type.getElementType()), stride};
  };
  auto [in, inStride] = walk(scan.getInput());
  auto [out, outStride] = walk(scan.getOutput());
  Value null = LLVM::ZeroOp::create(b, code.pointer), level = null, key = null, order = null;
  Value levelStride = code.integer(0), keyStride = levelStride;
  if (scan.getLevel())
    std::tie(level, levelStride) = walk(scan.getLevel());
  if (scan.getKey()) {
    std::tie(key, keyStride) = walk(scan.getKey());
    order = code.map.lookup(scan.getOrder());
  }
  Value reverse = code.integer(scan.getReverse());
  Type p = code.pointer, i = code.i64;
  std::string name =
      ("loss_rt_" + scanName(scan.getKind()) + (code.element.isF64() ? "_f64" : "_f32")).str();
  auto module = kernel->getParentOfType<ModuleOp>();
  if (!module.lookupSymbol(name)) {
    auto atStart = OpBuilder::atBlockBegin(module.getBody());
    auto type = FunctionType::get(b.getContext(), {p, i, p, i, p, i, p, i, p, i, i}, {});
    func::FuncOp::create(atStart, kernel.getLoc(), name, type).setPrivate();
  }
  func::CallOp::create(b, name, TypeRange(),
                       ValueRange{in, inStride, level, levelStride, key, keyStride, out, outStride,
                                  order, code.sizeOf(scan.getAxisAttr()), reverse});
}

/// `<kernel>_scratch(sizes)`: elements of scratch that a call needs; only where it needs some.
void FunctionBuilder::emitScratchFunction() {
  if (scratchArrays.empty())
    return;
  b.setInsertionPointAfter(function);
  std::string name = (kernel.getSymName() + "_scratch").str();
  auto type = FunctionType::get(b.getContext(), {code.pointer}, {code.i64});
  auto own = func::FuncOp::create(b, name, type);
  b.setInsertionPointToStart(own.addEntryBlock());
  for (auto [i, axis] : llvm::enumerate(kernel.getAxes().getNames())) {
    Value address = LLVM::GEPOp::create(b, code.pointer, code.i64, own.getArgument(0),
                                        ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(i)});
    code.sizes[axis] = load(address, code.i64);
  }
  Value total = code.integer(0);
  for (ArrayType array : scratchArrays)
    total = arith::AddIOp::create(b, total, roundedSize(array));
  func::ReturnOp::create(b, ValueRange{total});
}

struct ConvertLossToVectorPass : loss::ir::impl::ConvertLossToVectorBase<ConvertLossToVectorPass> {
  using ConvertLossToVectorBase::ConvertLossToVectorBase;
  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>()))
      FunctionBuilder(kernel, bits).build();
  }
};

} // namespace
