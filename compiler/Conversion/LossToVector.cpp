//===- LossToVector.cpp - kernels become loops over vectors ---------------===//

#include "compiler/Conversion/Passes.h"
#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace loss::ir {
#define GEN_PASS_DEF_CONVERTLOSSTOVECTOR
#include "compiler/Conversion/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

/// Fields of LossArgs in runtime/abi/LossAbi.h, in order.
enum ArgsField { classes, inputs, inputStrides, params, value, grads, gradStrides, gradScale };

class FunctionBuilder {
public:
  FunctionBuilder(KernelOp kernel, unsigned bits)
      : kernel(kernel), bits(bits), b(kernel.getLoc(), kernel.getContext()),
        element(kernel.getElement()), pointer(LLVM::LLVMPointerType::get(kernel.getContext())),
        i64(b.getI64Type()), lanes(bits / element.getIntOrFloatBitWidth()),
        vector(VectorType::get(lanes, element)) {}

  void build();

private:
  // Memory.
  Value field(ArgsField which, Type type);
  Value entry(Value array, unsigned index, Type type);
  Value at(Value base, Value index, Type type) {
    return LLVM::GEPOp::create(b, pointer, type, base, ValueRange{index});
  }
  Value loadNumber(Value address, Type type) { return LLVM::LoadOp::create(b, type, address); }
  unsigned alignment() { return element.getIntOrFloatBitWidth() / 8; }

  Value integer(int64_t v) { return arith::ConstantOp::create(b, b.getI64IntegerAttr(v)); }

  void loadArguments();
  Value checkedEnd();
  void emitRow(Value row);
  void emitOp(Operation &op);

  // Phases.
  struct Chunk {
    Value base; // first class of the vector
    Value mask; // null: all lanes
  };
  void emitPhase(PhaseOp phase);
  /// Operations of an element of the phase, in instructions of a vector.
  static unsigned work(PhaseOp phase);
  static unsigned unrollFactor(PhaseOp phase);
  /// The body of `phase` on one vector; adds to the accumulators.
  void emitChunk(PhaseOp phase, Chunk chunk, MutableArrayRef<Value> accumulators);
  Value identity(ReduceKind kind);
  Value combine(ReduceKind kind, Value a, Value b);
  Value horizontal(ReduceKind kind, Value v);
  /// `v` as a vector: a number from outside the phase is repeated.
  Value asVector(Value v, DenseMap<Value, Value> &local);

  KernelOp kernel;
  unsigned bits;
  ImplicitLocOpBuilder b;
  Type element;
  Type pointer;
  Type i64;
  int64_t lanes;
  VectorType vector;

  func::FuncOp function;
  Value args, scratch, classCount;
  SmallVector<Value> bases, strides; // one an argument of the kernel that lives in memory
  unsigned scratchRows = 0;
  /// Kernel values: numbers, or addresses of rows.
  DenseMap<Value, Value> map;
  /// The phase of most work fetches the next row of every input and gradient into the cache, so
  /// that memory and arithmetic overlap; and the addresses of that row.
  PhaseOp busiest;
  struct NextRow {
    Value address;
    bool isWritten;
  };
  SmallVector<NextRow> nextRows;
  /// Numbers repeated as vectors, made in front of the phase's loops.
  DenseMap<Value, Value> splats;
};

Value FunctionBuilder::field(ArgsField which, Type type) {
  auto structType = LLVM::LLVMStructType::getLiteral(
      b.getContext(), {i64, pointer, pointer, pointer, pointer, pointer, pointer, b.getF64Type()});
  Value address = LLVM::GEPOp::create(b, pointer, structType, args,
                                      ArrayRef<LLVM::GEPArg>{0, static_cast<int32_t>(which)});
  return loadNumber(address, type);
}

Value FunctionBuilder::entry(Value array, unsigned index, Type type) {
  Value address = LLVM::GEPOp::create(b, pointer, type, array,
                                      ArrayRef<LLVM::GEPArg>{static_cast<int32_t>(index)});
  return loadNumber(address, type);
}

void FunctionBuilder::loadArguments() {
  classCount = field(classes, i64);
  Value inputBases = field(inputs, pointer), inputStep = field(inputStrides, pointer);
  Value parameters = field(params, pointer);
  Block &body = kernel.getBody().front();
  unsigned count = kernel.getInputs() + kernel.getParams();
  auto fromDouble = [&](Value number) -> Value {
    return element.isF64() ? number : arith::TruncFOp::create(b, element, number).getResult();
  };
  // Inputs come before parameters: loss.program keeps that order.
  for (unsigned i = 0; i < count; ++i) {
    if (i < kernel.getInputs()) {
      bases.push_back(entry(inputBases, i, pointer));
      strides.push_back(entry(inputStep, i, i64));
    } else {
      map[body.getArgument(i)] =
          fromDouble(entry(parameters, i - kernel.getInputs(), b.getF64Type()));
    }
  }
  if (kernel.getGrads() == 0)
    return;
  Value gradBases = field(grads, pointer), gradStep = field(gradStrides, pointer);
  for (unsigned i = 0; i < kernel.getGrads(); ++i) {
    bases.push_back(entry(gradBases, i, pointer));
    strides.push_back(entry(gradStep, i, i64));
  }
  map[body.getArguments().back()] = fromDouble(field(gradScale, b.getF64Type()));
}

/// The end of the range, or its first row with a class index outside [0, classes).
Value FunctionBuilder::checkedEnd() {
  Value begin = function.getArgument(1), end = function.getArgument(2);
  for (unsigned i = 0; i < kernel.getInputs(); ++i) {
    if (!kernel.getBody().getArgument(i).getType().isInteger(64))
      continue;
    auto loop = scf::ForOp::create(b, begin, end, integer(1), ValueRange{end});
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    Value row = loop.getInductionVar(), first = loop.getRegionIterArgs()[0];
    Value index = loadNumber(at(bases[i], arith::MulIOp::create(b, row, strides[i]), i64), i64);
    // Unsigned: a negative index is large.
    Value bad = arith::CmpIOp::create(b, arith::CmpIPredicate::uge, index, classCount);
    Value candidate = arith::SelectOp::create(b, bad, row, end);
    scf::YieldOp::create(b, ValueRange{arith::MinSIOp::create(b, first, candidate)});
    end = loop.getResult(0);
  }
  return end;
}

void FunctionBuilder::build() {
  auto type = FunctionType::get(b.getContext(), {pointer, i64, i64, pointer}, {i64});
  b.setInsertionPoint(kernel);
  function = func::FuncOp::create(b, kernel.getSymName(), type);
  b.setInsertionPointToStart(function.addEntryBlock());
  args = function.getArgument(0);
  scratch = function.getArgument(3);
  loadArguments();
  Value end = checkedEnd();

  auto loop = scf::ForOp::create(b, function.getArgument(1), end, integer(1));
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(loop.getBody());
    emitRow(loop.getInductionVar());
  }
  Value complete = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, end, function.getArgument(2));
  Value status = arith::SelectOp::create(b, complete, integer(-1), end);
  func::ReturnOp::create(b, ValueRange{status});
  function->setAttr("loss.scratch_rows", b.getI32IntegerAttr(scratchRows));
  function->setAttr("loss.target", kernel.getTargetAttr());
  function->setAttr("loss.mode", kernel.getModeAttr());
  kernel.erase();
}

void FunctionBuilder::emitRow(Value row) {
  Block &body = kernel.getBody().front();
  unsigned memory = 0;
  for (unsigned i = 0, e = body.getNumArguments() - 1; i < e; ++i) {
    bool isParam = i >= kernel.getInputs() && i < kernel.getInputs() + kernel.getParams();
    if (isParam)
      continue;
    BlockArgument argument = body.getArgument(i);
    Value offset = arith::MulIOp::create(b, row, strides[memory]);
    bool isRow = isa<RowType>(argument.getType());
    Value address = at(bases[memory], offset, isRow ? element : argument.getType());
    map[argument] = isRow ? address : loadNumber(address, argument.getType());
    if (isRow)
      nextRows.push_back({at(address, strides[memory], element), i >= kernel.getInputs()});
    ++memory;
  }
  unsigned most = 0;
  for (PhaseOp phase : body.getOps<PhaseOp>())
    if (work(phase) >= most) {
      busiest = phase;
      most = work(phase);
    }
  for (Operation &op : body) {
    if (auto ret = dyn_cast<KernelReturnOp>(op)) {
      Value address = at(field(value, pointer), row, element);
      LLVM::StoreOp::create(b, map.lookup(ret.getValue()), address);
      continue;
    }
    emitOp(op);
  }
}

/// Contraction to fused multiply-add is allowed in generated code, not in the math library.
static void allowContraction(Operation *op) {
  if (auto flags = dyn_cast<arith::ArithFastMathInterface>(op))
    op->setAttr(flags.getFastMathAttrName(),
                arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::contract));
}

void FunctionBuilder::emitOp(Operation &op) {
  if (auto phase = dyn_cast<PhaseOp>(op))
    return emitPhase(phase);
  Value result = op.getResult(0);
  if (isa<ScratchOp>(op)) {
    Value offset = arith::MulIOp::create(b, classCount, integer(scratchRows++));
    map[result] = at(scratch, offset, element);
  } else if (auto load = dyn_cast<LoadOp>(op)) {
    map[result] =
        loadNumber(at(map.lookup(load.getRow()), map.lookup(load.getIndex()), element), element);
  } else if (isa<AxisSizeOp>(op)) {
    map[result] = arith::SIToFPOp::create(b, element, classCount);
  } else {
    SmallVector<Value> operands =
        llvm::map_to_vector(op.getOperands(), [&](Value v) { return map.lookup(v); });
    OperationState state(op.getLoc(), op.getName(), operands, result.getType(), op.getAttrs());
    Operation *copy = b.create(state);
    allowContraction(copy);
    map[result] = copy->getResult(0);
  }
}

//===----------------------------------------------------------------------===//
// Phases
//===----------------------------------------------------------------------===//

Value FunctionBuilder::identity(ReduceKind kind) {
  double start = kind == ReduceKind::sum   ? 0.0
                 : kind == ReduceKind::min ? std::numeric_limits<double>::infinity()
                                           : -std::numeric_limits<double>::infinity();
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(vector, cast<Attribute>(b.getFloatAttr(element, start))));
}

Value FunctionBuilder::combine(ReduceKind kind, Value acc, Value x) {
  switch (kind) {
  case ReduceKind::sum:
    return arith::AddFOp::create(b, acc, x);
  case ReduceKind::max:
    return arith::MaximumFOp::create(b, acc, x);
  case ReduceKind::min:
    return arith::MinimumFOp::create(b, acc, x);
  case ReduceKind::maxnum:
    // One instruction: x86's max gives its second operand unless the first is greater.
    return arith::SelectOp::create(b, arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, acc),
                                   x, acc);
  }
  llvm_unreachable("unknown reduction");
}

Value FunctionBuilder::horizontal(ReduceKind kind, Value v) {
  auto combining = kind == ReduceKind::sum   ? vector::CombiningKind::ADD
                   : kind == ReduceKind::min ? vector::CombiningKind::MINIMUMF
                   : kind == ReduceKind::max ? vector::CombiningKind::MAXIMUMF
                                             : vector::CombiningKind::MAXNUMF;
  // A fixed tree, not left to right: the same for every call.
  auto flags = arith::FastMathFlags::reassoc;
  return vector::ReductionOp::create(b, combining, v, flags);
}

unsigned FunctionBuilder::work(PhaseOp phase) {
  unsigned count = 0;
  for (Operation &op : phase.getBody().front().without_terminator())
    count += isa<math::MathDialect, LossDialect>(op.getDialect()) && !isa<IsClassOp, SignOp>(op)
                 ? 12
                 : 1;
  return count;
}

unsigned FunctionBuilder::unrollFactor(PhaseOp phase) {
  return work(phase) <= 8 ? 4 : work(phase) <= 24 ? 2 : 1;
}

Value FunctionBuilder::asVector(Value v, DenseMap<Value, Value> &local) {
  if (Value known = local.lookup(v))
    return known;
  // A number of the row; repeated once, where the splats are made.
  Value number = map.lookup(v);
  Value &splat = splats[v];
  if (!splat)
    splat = vector::BroadcastOp::create(b, VectorType::get(lanes, number.getType()), number);
  return splat;
}

void FunctionBuilder::emitChunk(PhaseOp phase, Chunk chunk, MutableArrayRef<Value> accumulators) {
  Block &body = phase.getBody().front();
  DenseMap<Value, Value> local;
  auto constantZero = [&]() -> Value {
    return arith::ConstantOp::create(
        b, DenseElementsAttr::get(vector, cast<Attribute>(b.getFloatAttr(element, 0.0))));
  };
  if (phase == busiest)
    for (NextRow &next : nextRows)
      LLVM::Prefetch::create(b, at(next.address, chunk.base, element), next.isWritten, /*hint=*/3,
                             /*cache=*/1);
  for (auto [argument, row] : llvm::zip_equal(body.getArguments(), phase.getReads())) {
    Value address = at(map.lookup(row), chunk.base, element);
    local[argument] = chunk.mask
                          ? LLVM::MaskedLoadOp::create(b, vector, address, chunk.mask,
                                                       constantZero(), alignment())
                                .getResult()
                          : LLVM::LoadOp::create(b, vector, address, alignment()).getResult();
  }
  for (Operation &op : body.without_terminator()) {
    Value result = op.getResult(0);
    if (auto isClass = dyn_cast<IsClassOp>(op)) {
      // Lane numbers against the distance of the class: 32 bits do, classes are below 2^31.
      auto laneType = VectorType::get(lanes, b.getI32Type());
      auto numbers = llvm::to_vector(llvm::seq<int32_t>(0, lanes));
      Value step = arith::ConstantOp::create(b, DenseIntElementsAttr::get(laneType, numbers));
      Value distance = arith::SubIOp::create(b, map.lookup(isClass.getIndex()), chunk.base);
      distance = arith::TruncIOp::create(b, b.getI32Type(), distance);
      local[result] = arith::CmpIOp::create(b, arith::CmpIPredicate::eq, step,
                                            vector::BroadcastOp::create(b, laneType, distance));
    } else if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
      auto type = VectorType::get(lanes, constant.getType());
      local[result] = arith::ConstantOp::create(
          b, DenseElementsAttr::get(type, Attribute(constant.getValue())));
    } else {
      SmallVector<Value> operands =
          llvm::map_to_vector(op.getOperands(), [&](Value v) { return asVector(v, local); });
      OperationState state(op.getLoc(), op.getName(), operands,
                           VectorType::get(lanes, result.getType()), op.getAttrs());
      Operation *copy = b.create(state);
      allowContraction(copy);
      local[result] = copy->getResult(0);
    }
  }
  auto yield = cast<PhaseYieldOp>(body.getTerminator());
  for (auto [i, reduced] : llvm::enumerate(yield.getReduced())) {
    ReduceKind kind = cast<ReduceKindAttr>(phase.getReductions()[i]).getValue();
    Value x = asVector(reduced, local);
    if (chunk.mask)
      x = arith::SelectOp::create(b, chunk.mask, x, identity(kind));
    accumulators[i] = combine(kind, accumulators[i], x);
  }
  for (auto [written, row] : llvm::zip_equal(yield.getWritten(), phase.getWrites())) {
    Value address = at(map.lookup(row), chunk.base, element);
    Value x = asVector(written, local);
    if (chunk.mask)
      LLVM::MaskedStoreOp::create(b, x, address, chunk.mask, alignment());
    else
      LLVM::StoreOp::create(b, x, address, alignment());
  }
}

void FunctionBuilder::emitPhase(PhaseOp phase) {
  splats.clear();
  // Numbers of the row that the body uses, repeated before the loops.
  DenseMap<Value, Value> none;
  phase.getBody().walk([&](Operation *op) {
    if (isa<IsClassOp>(op))
      return;
    for (Value operand : op->getOperands())
      if (operand.getParentRegion() != &phase.getBody())
        asVector(operand, none);
  });

  unsigned reductions = phase.getReductions().size(), unroll = unrollFactor(phase);
  auto kindOf = [&](unsigned i) {
    return cast<ReduceKindAttr>(phase.getReductions()[i]).getValue();
  };
  SmallVector<Value> start;
  for (unsigned u = 0; u < unroll; ++u)
    for (unsigned i = 0; i < reductions; ++i)
      start.push_back(identity(kindOf(i)));

  // Whole vectors. A heavy body has none of them where masks are cheap: they cost little beside it,
  // and code of half the size compiles in half the time.
  bool maskedOnly = unroll == 1 && bits == 512;
  Value whole = integer(0);
  SmallVector<Value> acc(start);
  if (!maskedOnly) {
    Value step = integer(lanes * unroll);
    whole = arith::SubIOp::create(b, classCount, arith::RemUIOp::create(b, classCount, step));
    auto main = scf::ForOp::create(b, integer(0), whole, step, start);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(main.getBody());
      SmallVector<Value> inner(main.getRegionIterArgs());
      for (unsigned u = 0; u < unroll; ++u) {
        Value base = arith::AddIOp::create(b, main.getInductionVar(), integer(u * lanes));
        emitChunk(phase, {base, {}}, MutableArrayRef(inner).slice(u * reductions, reductions));
      }
      // An empty yield exists already when there is nothing to reduce.
      if (reductions)
        scf::YieldOp::create(b, inner);
    }
    acc.assign(main.getResults().begin(), main.getResults().begin() + reductions);
    for (unsigned u = 1; u < unroll; ++u)
      for (unsigned i = 0; i < reductions; ++i)
        acc[i] = combine(kindOf(i), acc[i], main.getResult(u * reductions + i));
  }

  // The rest, masked.
  auto tail = scf::ForOp::create(b, whole, classCount, integer(lanes), acc);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(tail.getBody());
    Value left = arith::SubIOp::create(b, classCount, tail.getInductionVar());
    Value index = arith::IndexCastOp::create(b, b.getIndexType(), left);
    Value mask =
        vector::CreateMaskOp::create(b, VectorType::get(lanes, b.getI1Type()), ValueRange{index});
    SmallVector<Value> inner(tail.getRegionIterArgs());
    emitChunk(phase, {tail.getInductionVar(), mask}, inner);
    if (reductions)
      scf::YieldOp::create(b, inner);
  }
  for (auto [i, result] : llvm::enumerate(phase.getResults()))
    map[result] = horizontal(kindOf(i), tail.getResult(i));
}

struct ConvertLossToVectorPass : loss::ir::impl::ConvertLossToVectorBase<ConvertLossToVectorPass> {
  using ConvertLossToVectorBase::ConvertLossToVectorBase;
  void runOnOperation() override {
    for (KernelOp kernel : llvm::make_early_inc_range(getOperation().getOps<KernelOp>()))
      FunctionBuilder(kernel, bits).build();
  }
};

} // namespace
