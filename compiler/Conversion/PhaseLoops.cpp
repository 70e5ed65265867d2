//===- PhaseLoops.cpp - the loop nest of one phase ------------------------===//
//
// Loops over all axes of the phase but the last are scalar; the last is walked in vectors, whole
// ones first where that pays, the rest masked. An operation of the body stands in the loop of the
// innermost axis that its operands vary along: what does not vary along the last axis is a number.
//
//===----------------------------------------------------------------------===//

#include "compiler/Conversion/NestBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace loss::ir;

Value KernelCode::splat(double value) {
  return arith::ConstantOp::create(
      b, DenseElementsAttr::get(vector, cast<Attribute>(b.getFloatAttr(element, value))));
}

Value KernelCode::strideOf(ArrayType array, unsigned i) {
  Value stride = integer(1);
  for (StringAttr axis : array.getAxes().getNames().drop_front(i + 1))
    stride = product(stride, sizeOf(axis));
  return stride;
}

Value KernelCode::elementCount(ArrayType array) {
  Value count = integer(1);
  for (StringAttr axis : array.getAxes().getNames())
    count = product(count, sizeOf(axis));
  return count;
}

void loss::ir::allowContraction(Operation *op) {
  if (auto flags = dyn_cast<arith::ArithFastMathInterface>(op))
    op->setAttr(flags.getFastMathAttrName(),
                arith::FastMathFlagsAttr::get(op->getContext(), arith::FastMathFlags::contract));
}

unsigned loss::ir::workOf(PhaseOp phase) {
  unsigned count = 0;
  for (Operation &op : phase.getBody().front().without_terminator())
    count += isa<math::MathDialect, LossDialect>(op.getDialect()) &&
                     !isa<IsClassOp, SignOp, PositionOp>(op)
                 ? 12
                 : 1;
  return count;
}

void loss::ir::emitFill(KernelCode &code, Value base, Value count, Value value) {
  ImplicitLocOpBuilder &b = code.b;
  auto loop = scf::ForOp::create(b, code.integer(0), count, code.integer(code.lanes));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  Value left = arith::SubIOp::create(b, count, loop.getInductionVar());
  Value index = arith::IndexCastOp::create(b, b.getIndexType(), left);
  Value mask = vector::CreateMaskOp::create(b, VectorType::get(code.lanes, b.getI1Type()),
                                            ValueRange{index});
  Value many = vector::BroadcastOp::create(b, code.vector, value);
  LLVM::MaskedStoreOp::create(b, many, code.at(base, loop.getInductionVar(), code.element), mask,
                              code.alignment(code.element));
}

/// The array that reduction `i` goes into; null: it is a result.
static Value arrayOf(PhaseOp phase, unsigned i) {
  unsigned results = phase.getResults().size();
  return i < results ? Value() : phase.getInto()[i - results];
}

bool loss::ir::isTiled(PhaseOp phase) {
  ArrayRef<StringAttr> loops = phase.getOver().getNames();
  auto isOverAll = [&](Attribute axes) {
    return cast<AxesAttr>(axes).getNames().size() == loops.size();
  };
  if (loops.size() < 3 || phase.getInto().empty() || !phase.getResults().empty() ||
      !phase.getWrites().empty() || llvm::any_of(phase.getReadAxes(), isOverAll))
    return false;
  StringAttr reduced = loops[loops.size() - 2];
  return llvm::none_of(phase.getInto(), [&](Value array) {
    ArrayRef<StringAttr> axes = cast<ArrayType>(array.getType()).getAxes().getNames();
    return llvm::is_contained(axes, reduced);
  });
}

Value loss::ir::arrayReducedInMemory(PhaseOp phase, unsigned i) {
  if (isTiled(phase))
    return {};
  Value array = arrayOf(phase, i);
  StringAttr last = phase.getOver().getNames().back();
  bool hasLast =
      array && llvm::is_contained(cast<ArrayType>(array.getType()).getAxes().getNames(), last);
  return hasLast ? array : Value();
}

/// Whether no phase of the kernel has more loops. One that has takes all the time.
static bool hasMostLoops(PhaseOp phase) {
  return llvm::all_of(phase->getBlock()->getOps<PhaseOp>(), [&](PhaseOp other) {
    return other.getOver().getNames().size() <= phase.getOver().getNames().size();
  });
}

/// Vectors that a round of the last loop computes: several where a round is short. Reductions gain
/// most, for each vector then has a sum of its own to wait for.
static unsigned unrollOf(PhaseOp phase) {
  if (!hasMostLoops(phase))
    return 1;
  unsigned work = workOf(phase);
  return work <= 8 && !phase.getReductions().empty() ? 4 : work <= 24 ? 2 : 1;
}

unsigned NestBuilder::levelOf(ArrayRef<StringAttr> axes) {
  unsigned level = 0;
  for (auto [i, axis] : llvm::enumerate(loops))
    if (llvm::is_contained(axes, axis))
      level = i + 1;
  return level;
}

/// Level 0 is outside all loops, level i inside loop i - 1.
void NestBuilder::findLevels() {
  Block &body = phase.getBody().front();
  for (auto [argument, axes] : llvm::zip_equal(body.getArguments(), phase.getReadAxes()))
    levels[argument] = levelOf(cast<AxesAttr>(axes).getNames());
  for (Operation &op : body.without_terminator()) {
    unsigned level = 0;
    for (Value operand : op.getOperands())
      level = std::max(level, levels.lookup(operand));
    if (auto axis = op.getAttrOfType<StringAttr>("axis"); axis && isa<PositionOp, IsClassOp>(op))
      level = std::max(level, levelOf(axis));
    levels[op.getResult(0)] = level;
  }
}

void NestBuilder::initialise() {
  auto fill = [&](Value array, double number) {
    Value start =
        arith::ConstantOp::create(b, cast<TypedAttr>(b.getFloatAttr(code.element, number)));
    emitFill(code, code.map.lookup(array), code.elementCount(cast<ArrayType>(array.getType())),
             start);
  };
  for (unsigned i = 0; i < reductions; ++i) {
    Value array = arrayReducedInMemory(phase, i);
    if (!array)
      continue;
    fill(array, identity(kindOf(i)));
    if (Value lost = code.lost.lookup(array))
      fill(lost, 0);
  }
}

void NestBuilder::emit() {
  findLevels();
  initialise();
  emitNumbers(0);
  emitLevel(0);
}

void NestBuilder::emitLevel(unsigned level) {
  if (level == last)
    return emitVectorLoop();
  if (level + 1 == last && isTiled(phase))
    return emitTiles();
  auto loop = scf::ForOp::create(b, code.integer(0), code.sizeOf(loops[level]), code.integer(1));
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(loop.getBody());
  positions.push_back(loop.getInductionVar());
  emitNumbers(level + 1);
  emitLevel(level + 1);
  positions.pop_back();
}

/// What is a number of the loops around `level`.
void NestBuilder::emitNumbers(unsigned level) {
  Block &body = phase.getBody().front();
  for (auto [argument, array, axes] :
       llvm::zip_equal(body.getArguments(), phase.getReads(), phase.getReadAxes())) {
    if (levels[argument] != level || level > last)
      continue;
    Value from = address(array, cast<AxesAttr>(axes).getNames(), nullptr);
    numbers[argument] = LLVM::LoadOp::create(b, argument.getType(), from);
  }
  for (Operation &op : body.without_terminator()) {
    Value result = op.getResult(0);
    if (levels[result] != level || level > last)
      continue;
    if (auto own = dyn_cast<IsClassOp>(op)) {
      numbers[result] = isClass(own, nullptr);
    } else if (auto own = dyn_cast<PositionOp>(op)) {
      numbers[result] = position(own, nullptr);
    } else {
      SmallVector<Value> operands = llvm::map_to_vector(op.getOperands(), [&](Value v) {
        Value own = numbers.lookup(v);
        return own ? own : code.map.lookup(v);
      });
      numbers[result] = emitOperation(op, operands, result.getType());
    }
  }
}

Value NestBuilder::emitOperation(Operation &op, ValueRange operands, Type type) {
  OperationState state(op.getLoc(), op.getName(), operands, type, op.getAttrs());
  Operation *copy = b.create(state);
  allowContraction(copy);
  return copy->getResult(0);
}

//===----------------------------------------------------------------------===//
// Reductions
//===----------------------------------------------------------------------===//

double NestBuilder::identity(ReduceKind kind) {
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return kind == ReduceKind::sum ? 0.0 : kind == ReduceKind::min ? infinity : -infinity;
}

Value NestBuilder::combine(ReduceKind kind, Value acc, Value x) {
  switch (kind) {
  case ReduceKind::sum: {
    auto sum = arith::AddFOp::create(b, acc, x);
    allowContraction(sum);
    return sum;
  }
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

Value NestBuilder::horizontal(ReduceKind kind, Value v) {
  auto combining = kind == ReduceKind::sum   ? vector::CombiningKind::ADD
                   : kind == ReduceKind::min ? vector::CombiningKind::MINIMUMF
                   : kind == ReduceKind::max ? vector::CombiningKind::MAXIMUMF
                                             : vector::CombiningKind::MAXNUMF;
  // A fixed tree, not left to right: the same for every call.
  auto flags = arith::FastMathFlags::reassoc;
  return vector::ReductionOp::create(b, combining, v, flags);
}

/// One step of a reduction over an outer axis. Steps may be many and come one after the other, so
/// sums are compensated (Kahan 1965, doi:10.1145/363707.363723): their error does not grow with
/// the number of steps.
void NestBuilder::reduceInMemory(unsigned i, Value x, Chunk chunk) {
  Value array = arrayReducedInMemory(phase, i), lost = code.lost.lookup(array);
  ArrayRef<StringAttr> along = cast<ArrayType>(array.getType()).getAxes().getNames();
  Value sum = readVector(array, along, chunk);
  if (!lost)
    return writeVector(array, combine(kindOf(i), sum, x), chunk);
  Value corrected = arith::SubFOp::create(b, x, readVector(lost, along, chunk));
  Value next = arith::AddFOp::create(b, sum, corrected);
  Value error = arith::SubFOp::create(b, arith::SubFOp::create(b, next, sum), corrected);
  // An infinite sum has lost nothing.
  Value isNumber = arith::CmpFOp::create(b, arith::CmpFPredicate::ORD, error, error);
  error = arith::SelectOp::create(b, isNumber, error, code.splat(0));
  writeVector(array, next, chunk);
  writeVector(lost, error, chunk);
}

//===----------------------------------------------------------------------===//
// The last loop
//===----------------------------------------------------------------------===//

Value NestBuilder::asVector(Value v) {
  if (Value known = vectors.lookup(v))
    return known;
  // A number of the row or of an outer loop; repeated once, where the splats are made.
  Value number = numbers.lookup(v);
  if (!number)
    number = code.map.lookup(v);
  Value &splat = splats[v];
  if (!splat)
    splat = vector::BroadcastOp::create(b, VectorType::get(code.lanes, number.getType()), number);
  return splat;
}

Value NestBuilder::isClass(IsClassOp op, const Chunk *chunk) {
  Value vectorIndex = vectors.lookup(op.getIndex());
  Value number = numbers.lookup(op.getIndex());
  if (!number)
    number = code.map.lookup(op.getIndex());
  unsigned loop = llvm::find(loops, op.getAxisAttr()) - loops.begin();
  if (loop != last) {
    // The class is that of an outer loop.
    Value position = positions[loop];
    if (!chunk || !vectorIndex)
      return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, number, position);
    Value many = vector::BroadcastOp::create(b, vectorIndex.getType(), position);
    return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, vectorIndex, many);
  }
  // Lane numbers against the distance of the class: 32 bits do, classes are below 2^31.
  auto laneType = VectorType::get(code.lanes, b.getI32Type());
  Value distance = arith::SubIOp::create(b, number, chunk->base);
  distance = arith::TruncIOp::create(b, b.getI32Type(), distance);
  return arith::CmpIOp::create(b, arith::CmpIPredicate::eq, laneNumbers({}, b.getI32Type()),
                               vector::BroadcastOp::create(b, laneType, distance));
}

Value NestBuilder::position(PositionOp op, const Chunk *chunk) {
  unsigned loop = llvm::find(loops, op.getAxisAttr()) - loops.begin();
  if (loop != last)
    return arith::SIToFPOp::create(b, code.element, positions[loop]);
  return arith::SIToFPOp::create(b, code.vector, laneNumbers(chunk->base, code.i64));
}

void NestBuilder::emitChunk(Chunk chunk, MutableArrayRef<Value> accumulators) {
  Block &body = phase.getBody().front();
  unsigned inside = last + 1;
  vectors.clear();
  if (fetchesNext && last == 0)
    for (KernelCode::NextRow &next : code.nextRows)
      if (cast<ArrayType>(next.array).getAxes() == phase.getOver())
        LLVM::Prefetch::create(b, code.at(next.address, chunk.base, code.element), next.isWritten,
                               /*hint=*/3, /*cache=*/1);
  for (auto [argument, array, axes] :
       llvm::zip_equal(body.getArguments(), phase.getReads(), phase.getReadAxes()))
    if (levels[argument] == inside)
      vectors[argument] = readVector(array, cast<AxesAttr>(axes).getNames(), chunk);
  for (Operation &op : body.without_terminator()) {
    Value result = op.getResult(0);
    if (levels[result] != inside)
      continue;
    if (auto own = dyn_cast<IsClassOp>(op)) {
      vectors[result] = isClass(own, &chunk);
    } else if (auto own = dyn_cast<PositionOp>(op)) {
      vectors[result] = position(own, &chunk);
    } else {
      SmallVector<Value> operands =
          llvm::map_to_vector(op.getOperands(), [&](Value v) { return asVector(v); });
      vectors[result] = emitOperation(op, operands, VectorType::get(code.lanes, result.getType()));
    }
  }
  auto yield = cast<PhaseYieldOp>(body.getTerminator());
  unsigned lane = 0;
  for (auto [i, reduced] : llvm::enumerate(yield.getReduced())) {
    Value x = asVector(reduced);
    if (isInLanes(i)) {
      if (chunk.mask)
        x = arith::SelectOp::create(b, chunk.mask, x, code.splat(identity(kindOf(i))));
      accumulators[lane] = combine(kindOf(i), accumulators[lane], x);
      ++lane;
      continue;
    }
    reduceInMemory(i, x, chunk);
  }
  for (auto [written, array] : llvm::zip_equal(yield.getWritten(), phase.getWrites()))
    writeVector(array, asVector(written), chunk);
}

/// Numbers that the body uses, as vectors.
void NestBuilder::repeatNumbers() {
  splats.clear();
  vectors.clear();
  for (Operation &op : phase.getBody().front()) {
    bool isYield = isa<PhaseYieldOp>(op);
    if (isa<IsClassOp>(op) || (!isYield && levels.lookup(op.getResult(0)) <= last))
      continue;
    for (Value operand : op.getOperands())
      if (levels.lookup(operand) <= last)
        asVector(operand);
  }
}

void NestBuilder::emitVectorLoop() {
  repeatNumbers();
  SmallVector<unsigned> inLanes;
  for (unsigned i = 0; i < reductions; ++i)
    if (isInLanes(i))
      inLanes.push_back(i);
  unsigned count = inLanes.size();
  unsigned unroll = unrollOf(phase);
  // What is reduced in memory must be read after it was written: one chunk after the other.
  if (count != reductions)
    unroll = 1;
  SmallVector<Value> start;
  for (unsigned u = 0; u < unroll; ++u)
    for (unsigned i : inLanes)
      start.push_back(code.splat(identity(kindOf(i))));

  // Whole vectors. A heavy body, or one that seldom runs, has none of them where masks are cheap:
  // they cost little beside it, and code of half the size compiles in half the time.
  Value size = code.sizeOf(loops[last]);
  bool maskedOnly = (workOf(phase) > 24 || !hasMostLoops(phase)) && code.bits == 512;
  Value whole = code.integer(0);
  SmallVector<Value> acc(start);
  if (!maskedOnly) {
    Value step = code.integer(code.lanes * unroll);
    whole = arith::SubIOp::create(b, size, arith::RemUIOp::create(b, size, step));
    auto main = scf::ForOp::create(b, code.integer(0), whole, step, start);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(main.getBody());
      SmallVector<Value> inner(main.getRegionIterArgs());
      for (unsigned u = 0; u < unroll; ++u) {
        Value base = arith::AddIOp::create(b, main.getInductionVar(), code.integer(u * code.lanes));
        emitChunk({base, {}}, MutableArrayRef(inner).slice(u * count, count));
      }
      // An empty yield exists already when there is nothing to reduce.
      if (count)
        scf::YieldOp::create(b, inner);
    }
    acc.assign(main.getResults().begin(), main.getResults().begin() + count);
    for (unsigned u = 1; u < unroll; ++u)
      for (unsigned i = 0; i < count; ++i)
        acc[i] = combine(kindOf(inLanes[i]), acc[i], main.getResult(u * count + i));
  }

  // The rest, masked: all at once, or one by one where memory knows no masks.
  bool oneByOne = code.bits == 128;
  auto tail = scf::ForOp::create(b, whole, size, code.integer(oneByOne ? 1 : code.lanes), acc);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(tail.getBody());
    Value mask;
    auto type = VectorType::get(code.lanes, b.getI1Type());
    if (oneByOne) {
      SmallVector<bool> first(code.lanes, false);
      first[0] = true;
      mask = arith::ConstantOp::create(b, DenseElementsAttr::get(type, first));
    } else {
      Value left = arith::SubIOp::create(b, size, tail.getInductionVar());
      Value index = arith::IndexCastOp::create(b, b.getIndexType(), left);
      mask = vector::CreateMaskOp::create(b, type, ValueRange{index});
    }
    SmallVector<Value> inner(tail.getRegionIterArgs());
    emitChunk({tail.getInductionVar(), mask}, inner);
    if (count)
      scf::YieldOp::create(b, inner);
  }
  for (auto [lane, i] : llvm::enumerate(inLanes)) {
    Value total = horizontal(kindOf(i), tail.getResult(lane));
    if (Value array = arrayOf(phase, i)) {
      ArrayRef<StringAttr> along = cast<ArrayType>(array.getType()).getAxes().getNames();
      LLVM::StoreOp::create(b, total, address(array, along, nullptr));
    } else {
      code.map[phase.getResult(i)] = total;
    }
  }
}

/// For each vector of the last loop, or some at once, one walk along the axis before it.
void NestBuilder::emitTiles() {
  // Each number of the walk serves all vectors of a tile.
  unsigned work = workOf(phase), unroll = work <= 8 ? 4 : work <= 24 ? 2 : 1;
  Value size = code.sizeOf(loops[last]), whole = code.integer(0);
  OpBuilder::InsertionGuard guard(b);
  if (unroll > 1 || code.bits < 512) {
    Value step = code.integer(code.lanes * unroll);
    whole = arith::SubIOp::create(b, size, arith::RemUIOp::create(b, size, step));
    auto main = scf::ForOp::create(b, code.integer(0), whole, step);
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(main.getBody());
    emitTile(main.getInductionVar(), {}, unroll);
  }
  auto tail = scf::ForOp::create(b, whole, size, code.integer(code.lanes));
  b.setInsertionPointToStart(tail.getBody());
  Value left = arith::SubIOp::create(b, size, tail.getInductionVar());
  Value index = arith::IndexCastOp::create(b, b.getIndexType(), left);
  Value mask = vector::CreateMaskOp::create(b, VectorType::get(code.lanes, b.getI1Type()),
                                            ValueRange{index});
  emitTile(tail.getInductionVar(), mask, 1);
}

void NestBuilder::emitTile(Value base, Value mask, unsigned unroll) {
  SmallVector<Chunk> chunks;
  for (unsigned u = 0; u < unroll; ++u)
    chunks.push_back({arith::AddIOp::create(b, base, code.integer(u * code.lanes)), mask});
  SmallVector<Value> start;
  for (unsigned u = 0; u < unroll; ++u)
    for (unsigned i = 0; i < reductions; ++i)
      start.push_back(code.splat(identity(kindOf(i))));

  // Sums of many numbers are sums of sums, so that few roundings come one after the other.
  Value size = code.sizeOf(loops[last - 1]), block = code.integer(256);
  auto blocks = scf::ForOp::create(b, code.integer(0), size, block, start);
  {
    OpBuilder::InsertionGuard guard(b);
    b.setInsertionPointToStart(blocks.getBody());
    Value begin = blocks.getInductionVar();
    Value end = arith::MinSIOp::create(b, arith::AddIOp::create(b, begin, block), size);
    auto walk = scf::ForOp::create(b, begin, end, code.integer(1), start);
    {
      OpBuilder::InsertionGuard guard(b);
      b.setInsertionPointToStart(walk.getBody());
      positions.push_back(walk.getInductionVar());
      emitNumbers(last);
      repeatNumbers();
      SmallVector<Value> inner(walk.getRegionIterArgs());
      for (auto [u, chunk] : llvm::enumerate(chunks))
        emitChunk(chunk, MutableArrayRef(inner).slice(u * reductions, reductions));
      positions.pop_back();
      scf::YieldOp::create(b, inner);
    }
    SmallVector<Value> totals;
    for (auto [i, total] : llvm::enumerate(blocks.getRegionIterArgs()))
      totals.push_back(combine(kindOf(i % reductions), total, walk.getResult(i)));
    scf::YieldOp::create(b, totals);
  }
  for (auto [i, total] : llvm::enumerate(blocks.getResults()))
    writeVector(arrayOf(phase, i % reductions), total, chunks[i / reductions]);
}

void loss::ir::emitPhaseLoops(KernelCode &code, PhaseOp phase, bool fetchesNext) {
  NestBuilder(code, phase, fetchesNext).emit();
}
