//===- NestMemory.cpp - how a loop nest reads and writes arrays -----------===//

#include "compiler/Conversion/NestBuilder.h"

#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"

using namespace mlir;
using namespace loss::ir;

bool NestBuilder::isWeights(Value array) {
  auto argument = dyn_cast<BlockArgument>(array);
  return argument && argument.getOwner() == &code.kernel.getBody().front() &&
         code.kernel.getRole(argument.getArgNumber()).getKind() == RoleKind::weights;
}

Value NestBuilder::address(Value array, ArrayRef<StringAttr> along, const Chunk *chunk) {
  auto type = cast<ArrayType>(array.getType());
  Value offset;
  for (auto [i, axis] : llvm::enumerate(along)) {
    unsigned loop = llvm::find(loops, axis) - loops.begin();
    Value position = loop == last ? chunk->base : positions[loop];
    bool isInner = i + 1 == along.size();
    Value part = isInner ? position : code.product(position, code.strideOf(type, i));
    offset = offset ? arith::AddIOp::create(b, offset, part).getResult() : part;
  }
  // One weight may stand for all.
  if (offset && isWeights(array))
    offset = code.product(offset, code.weightStride);
  return code.at(code.map.lookup(array), offset, type.getElementType());
}

/// The dimension that the last loop walks.
std::optional<unsigned> NestBuilder::dimensionOfLast(ArrayRef<StringAttr> along) {
  auto found = llvm::find(along, loops[last]);
  if (found == along.end())
    return std::nullopt;
  return found - along.begin();
}

Value NestBuilder::laneNumbers(Value base, Type type) {
  auto laneType = VectorType::get(code.lanes, type);
  SmallVector<Attribute> steps;
  for (int64_t i = 0; i < code.lanes; ++i)
    steps.push_back(b.getIntegerAttr(type, i));
  Value step = arith::ConstantOp::create(b, DenseElementsAttr::get(laneType, steps));
  if (!base)
    return step;
  return arith::AddIOp::create(b, vector::BroadcastOp::create(b, laneType, base), step);
}

/// Addresses of the lanes of an array that the last loop does not walk contiguously.
Value NestBuilder::vectorOfAddresses(Value array, unsigned dimension, Value first) {
  auto type = cast<ArrayType>(array.getType());
  auto laneType = VectorType::get(code.lanes, code.i64);
  Value elements = code.strideOf(type, dimension);
  if (isWeights(array))
    elements = code.product(elements, code.weightStride);
  Value stride = vector::BroadcastOp::create(b, laneType, elements);
  Value offsets = arith::MulIOp::create(b, laneNumbers({}, code.i64), stride);
  auto pointers = VectorType::get(code.lanes, code.pointer);
  return LLVM::GEPOp::create(b, pointers, type.getElementType(), first, ValueRange{offsets});
}

Value NestBuilder::readVector(Value array, ArrayRef<StringAttr> along, Chunk chunk) {
  Type element = cast<ArrayType>(array.getType()).getElementType();
  auto type = VectorType::get(code.lanes, element);
  unsigned dimension = *dimensionOfLast(along);
  Value first = address(array, along, &chunk);
  Value zero = arith::ConstantOp::create(b, cast<TypedAttr>(b.getZeroAttr(type)));
  if (dimension + 1 != along.size()) {
    Value mask = chunk.mask;
    if (!mask)
      mask = arith::ConstantOp::create(
          b, DenseElementsAttr::get(VectorType::get(code.lanes, b.getI1Type()), true));
    return LLVM::masked_gather::create(b, type, vectorOfAddresses(array, dimension, first), mask,
                                       ValueRange{zero}, code.alignment(element));
  }
  auto load = [&](Value from) -> Value {
    if (chunk.mask)
      return LLVM::MaskedLoadOp::create(b, type, from, chunk.mask, zero, code.alignment(element));
    return LLVM::LoadOp::create(b, type, from, code.alignment(element));
  };
  if (!isWeights(array))
    return load(first);
  // One weight for all is repeated.
  Value one =
      arith::CmpIOp::create(b, arith::CmpIPredicate::eq, code.weightStride, code.integer(0));
  auto branch = scf::IfOp::create(b, TypeRange{type}, one, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(b);
  b.setInsertionPointToStart(branch.thenBlock());
  Value weight = LLVM::LoadOp::create(b, element, code.map.lookup(array));
  scf::YieldOp::create(b, ValueRange{vector::BroadcastOp::create(b, type, weight)});
  b.setInsertionPointToStart(branch.elseBlock());
  scf::YieldOp::create(b, ValueRange{load(first)});
  return branch.getResult(0);
}

void NestBuilder::writeVector(Value array, Value x, Chunk chunk) {
  ArrayRef<StringAttr> along = cast<ArrayType>(array.getType()).getAxes().getNames();
  Type element = code.element;
  Value first = address(array, along, &chunk);
  unsigned dimension = *dimensionOfLast(along);
  if (dimension + 1 != along.size()) {
    Value mask = chunk.mask;
    if (!mask)
      mask = arith::ConstantOp::create(
          b, DenseElementsAttr::get(VectorType::get(code.lanes, b.getI1Type()), true));
    LLVM::masked_scatter::create(b, x, vectorOfAddresses(array, dimension, first), mask,
                                 code.alignment(element));
  } else if (chunk.mask) {
    LLVM::MaskedStoreOp::create(b, x, first, chunk.mask, code.alignment(element));
  } else {
    LLVM::StoreOp::create(b, x, first, code.alignment(element));
  }
}
