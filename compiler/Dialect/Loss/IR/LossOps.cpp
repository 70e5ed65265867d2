//===- LossOps.cpp - verifiers, builders and syntax of the operations -----===//

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "mlir/Interfaces/FunctionImplementation.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace loss::ir;

#define GET_OP_CLASSES
#include "compiler/Dialect/Loss/IR/LossOps.cpp.inc"

//===----------------------------------------------------------------------===//
// ProgramOp
//===----------------------------------------------------------------------===//

void ProgramOp::build(OpBuilder &builder, OperationState &state, StringRef name, FunctionType type,
                      AxesAttr axes) {
  state.getOrAddProperties<Properties>().sym_name = builder.getStringAttr(name);
  state.getOrAddProperties<Properties>().function_type = TypeAttr::get(type);
  state.getOrAddProperties<Properties>().axes = axes;
  Region *region = state.addRegion();
  Block *block = new Block();
  region->push_back(block);
  SmallVector<Location> locs(type.getNumInputs(), state.location);
  block->addArguments(type.getInputs(), locs);
}

ParseResult ProgramOp::parse(OpAsmParser &parser, OperationState &result) {
  auto buildType = [](Builder &builder, ArrayRef<Type> inputs, ArrayRef<Type> results,
                      function_interface_impl::VariadicFlag,
                      std::string &) { return builder.getFunctionType(inputs, results); };
  return function_interface_impl::parseFunctionOp(
      parser, result, /*allowVariadic=*/false, getFunctionTypeAttrName(result.name), buildType,
      getArgAttrsAttrName(result.name), getResAttrsAttrName(result.name));
}

void ProgramOp::print(OpAsmPrinter &printer) {
  function_interface_impl::printFunctionOp(printer, *this, /*isVariadic=*/false,
                                           getFunctionTypeAttrName(), getArgAttrsAttrName(),
                                           getResAttrsAttrName());
}

StringRef ProgramOp::getArgName(unsigned i) {
  return getArgAttrOfType<StringAttr>(i, "loss.name").getValue();
}

StringRef ProgramOp::getArgKind(unsigned i) {
  return getArgAttrOfType<StringAttr>(i, "loss.kind").getValue();
}

/// Whether `op` works over `axis`: its elements along it depend on each other, or on
/// where they are.
static bool worksOver(Operation &op, StringAttr axis) {
  if (auto rename = dyn_cast<RenameOp>(op))
    return rename.getFromAttr() == axis || rename.getToAttr() == axis;
  // A one-hot value is made along its axis, for each element alone. A position is not that of the
  // range of rows that a kernel is given.
  if (isa<AxisSizeOp, OneHotOp>(op))
    return false;
  return op.getAttrOfType<StringAttr>("axis") == axis;
}

StringAttr ProgramOp::getRowAxis() {
  return whyNoRowAxis().empty() ? getAxes().getNames().front() : StringAttr();
}

std::string ProgramOp::whyNoRowAxis() {
  if (auto why = (*this)->getAttrOfType<StringAttr>("loss.no_rows"))
    return why.str();
  StringAttr first = getAxes().getNames().front();
  std::string name = "'" + first.str() + "'";
  if (!hasAxis(getResultTypes().front(), first))
    return "the result has no axis " + name;
  for (unsigned i = 0, e = getNumArguments(); i < e; ++i) {
    Type type = getArgumentTypes()[i];
    if (hasAxis(type, first) && axesOf(type).front() != first)
      return name + " is not the first axis of '" + getArgName(i).str() + "'";
    if (getArgKind(i) == "target" && getTargetAxis() == first)
      return name + " is the axis of the classes";
  }
  for (Operation &op : getBody().front())
    if (worksOver(op, first))
      return "'" + op.getName().stripDialect().str() + "' works over " + name;
  return {};
}

SmallVector<StringAttr> ProgramOp::getInnerAxes(Type type) {
  SmallVector<StringAttr> inner(axesOf(type));
  if (!worksOnRange())
    llvm::erase(inner, getRowAxis());
  return inner;
}

Type ProgramOp::typeOver(Type element, ArrayRef<StringAttr> set) {
  SmallVector<StringAttr> ordered;
  for (StringAttr axis : getAxes().getNames())
    if (llvm::is_contained(set, axis))
      ordered.push_back(axis);
  return typeWithAxes(element, ordered);
}

YieldOp ProgramOp::getYield() { return cast<YieldOp>(getBody().front().getTerminator()); }

LogicalResult ProgramOp::verify() {
  if (getAxes().getNames().empty())
    return emitOpError("expected at least one axis");
  for (unsigned i = 0, e = getNumArguments(); i < e; ++i) {
    auto name = getArgAttrOfType<StringAttr>(i, "loss.name");
    auto kind = getArgAttrOfType<StringAttr>(i, "loss.kind");
    if (!name || !kind)
      return emitOpError("expected 'loss.name' and 'loss.kind' on argument ") << i;
    static constexpr StringRef kinds[] = {"input", "target",  "fixed",         "param",
                                          "seed",  "tangent", "class_weights", "label_smoothing"};
    if (!llvm::is_contained(kinds, kind.getValue()))
      return emitOpError("expected 'loss.kind' of argument '")
             << name.getValue() << "' to be one of " << llvm::join(llvm::ArrayRef(kinds), ", ")
             << ", but found '" << kind.getValue() << "'";
    if (kind == "param" && !getArgAttrOfType<FloatAttr>(i, "loss.default"))
      return emitOpError("expected 'loss.default' on parameter '") << name.getValue() << "'";
    for (StringAttr axis : axesOf(getArgumentTypes()[i]))
      if (!getAxes().contains(axis))
        return emitOpError("argument '") << name.getValue() << "' has axis '" << axis.getValue()
                                         << "', which the program does not declare";
  }
  for (unsigned i = 0, e = getNumResults(); i < e; ++i) {
    auto result = getResultAttrOfType<StringAttr>(i, "loss.result");
    if (!result || (result != "value" && result != "tangent" && result != "grad"))
      return emitOpError("expected 'loss.result' of result ")
             << i << " to be value, tangent or grad";
    if (result == "grad" && !getResultAttrOfType<StringAttr>(i, "loss.of"))
      return emitOpError("expected 'loss.of' on gradient result ") << i;
  }
  return success();
}

LogicalResult YieldOp::verify() {
  auto program = cast<ProgramOp>((*this)->getParentOp());
  if (getOperandTypes() != TypeRange(program.getResultTypes()))
    return emitOpError("expected operands of the program's result types (")
           << program.getResultTypes() << "), but found (" << getOperandTypes() << ")";
  return success();
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

LogicalResult BroadcastOp::verify() {
  if (getElementTypeOrSelf(getInput()) != getElementTypeOrSelf(getResult()))
    return emitOpError("expected input and result of one element type");
  // A subsequence: broadcasting inserts axes, it never reorders them.
  ArrayRef<StringAttr> from = axesOf(getInput().getType()), to = axesOf(getType());
  size_t found = 0;
  for (StringAttr axis : to)
    if (found < from.size() && from[found] == axis)
      ++found;
  if (found != from.size())
    return emitOpError("expected the result to have axis '")
           << from[found].getValue() << "' of the input, in the same order";
  return success();
}

/// The operand must vary along the axis that the operation works on.
static LogicalResult verifyAxis(Operation *op, Type type, StringRef axis) {
  if (hasAxis(type, StringAttr::get(op->getContext(), axis)))
    return success();
  return op->emitOpError("expected an operand with axis '") << axis << "', but found " << type;
}

/// The result must be the operand's type without the axis.
static LogicalResult verifyReduced(Operation *op, Type input, Type result, StringRef axis) {
  if (failed(verifyAxis(op, input, axis)))
    return failure();
  Type expected = typeWithoutAxis(input, axis);
  if (result == expected)
    return success();
  return op->emitOpError("expected result ") << expected << ", but found " << result;
}

LogicalResult ReduceOp::verify() {
  return verifyReduced(*this, getInput().getType(), getType(), getAxis());
}
LogicalResult LogSumExpOp::verify() {
  return verifyReduced(*this, getInput().getType(), getType(), getAxis());
}
LogicalResult NormOp::verify() {
  return verifyReduced(*this, getInput().getType(), getType(), getAxis());
}
static LogicalResult verifyCumulative(Operation *op) {
  Type type = op->getResult(0).getType();
  if (llvm::any_of(op->getOperandTypes(), [&](Type operand) { return operand != type; }))
    return op->emitOpError("expected operands and result of one type");
  return verifyAxis(op, type, matchCumulative(op)->axis.getValue());
}
LogicalResult CumsumOp::verify() { return verifyCumulative(*this); }
LogicalResult LogCumSumExpOp::verify() { return verifyCumulative(*this); }
LogicalResult DecayedCumsumOp::verify() { return verifyCumulative(*this); }

std::optional<Cumulative> loss::ir::matchCumulative(Operation *op) {
  auto with = [](ScanKind kind, Value level, auto op) {
    return Cumulative{kind, op.getInput(), level, op.getKey(), op.getAxisAttr(), op.getReverse()};
  };
  if (auto sum = dyn_cast<CumsumOp>(op))
    return with(ScanKind::sum, {}, sum);
  if (auto log = dyn_cast<LogCumSumExpOp>(op))
    return with(ScanKind::logsumexp, {}, log);
  if (auto decayed = dyn_cast<DecayedCumsumOp>(op))
    return with(ScanKind::decayed_sum, decayed.getLevel(), decayed);
  return std::nullopt;
}
LogicalResult RenameOp::verify() {
  if (failed(verifyAxis(*this, getInput().getType(), getFrom())) ||
      failed(verifyAxis(*this, getType(), getTo())))
    return failure();
  SmallVector<StringAttr> from(axesOf(getInput().getType())), to(axesOf(getType()));
  llvm::replace(from, getFromAttr(), getToAttr());
  auto byName = [](StringAttr a, StringAttr b) { return a.getValue() < b.getValue(); };
  llvm::sort(from, byName);
  llvm::sort(to, byName);
  if (from != to || getElementTypeOrSelf(getInput()) != getElementTypeOrSelf(getType()))
    return emitOpError("expected the result to have the operand's axes with '")
           << getTo() << "' in place of '" << getFrom() << "'";
  return success();
}
LogicalResult SoftmaxOp::verify() { return verifyAxis(*this, getType(), getAxis()); }
LogicalResult LogSoftmaxOp::verify() { return verifyAxis(*this, getType(), getAxis()); }

LogicalResult ReduceOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  types.push_back(typeWithoutAxis(adaptor.getInput().getType(), adaptor.getAxis()));
  return success();
}
LogicalResult LogSumExpOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                            SmallVectorImpl<Type> &types) {
  types.push_back(typeWithoutAxis(adaptor.getInput().getType(), adaptor.getAxis()));
  return success();
}
LogicalResult NormOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                       SmallVectorImpl<Type> &types) {
  types.push_back(typeWithoutAxis(adaptor.getInput().getType(), adaptor.getAxis()));
  return success();
}
LogicalResult GatherOp::inferReturnTypes(MLIRContext *, std::optional<Location>, Adaptor adaptor,
                                         SmallVectorImpl<Type> &types) {
  types.push_back(typeWithoutAxis(adaptor.getInput().getType(), adaptor.getAxis()));
  return success();
}

/// The index must have the axes of `type` but the class axis.
static LogicalResult verifyIndex(Operation *op, Type index, Type type, StringRef axis) {
  if (failed(verifyAxis(op, type, axis)))
    return failure();
  if (axesOf(index) == axesOf(typeWithoutAxis(type, axis)))
    return success();
  return op->emitOpError("expected an index with the axes of ")
         << typeWithoutAxis(type, axis) << ", but found " << index;
}

LogicalResult OneHotOp::verify() {
  return verifyIndex(*this, getIndex().getType(), getType(), getAxis());
}
LogicalResult GatherOp::verify() {
  if (failed(verifyReduced(*this, getInput().getType(), getType(), getAxis())))
    return failure();
  return verifyIndex(*this, getIndex().getType(), getInput().getType(), getAxis());
}

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

LogicalResult KernelOp::verify() {
  if (getTarget() != "none" && getTarget() != "index" && getTarget() != "dense")
    return emitOpError("expected target none, index or dense, but found '") << getTarget() << "'";
  static constexpr StringRef modes[] = {"value", "grad", "all", "tangent", "tangent_all"};
  if (!llvm::is_contained(modes, getMode()))
    return emitOpError("expected mode value, grad, all, tangent or tangent_all, but found '")
           << getMode() << "'";
  if (getBody().getNumArguments() != getRoles().size())
    return emitOpError("expected one role for each of ")
           << getBody().getNumArguments() << " arguments, but found " << getRoles().size();
  if (getBody().front().getTerminator()->getNumOperands() != getReturns().size())
    return emitOpError("expected one role for each number returned");
  return success();
}

StringAttr KernelOp::getOriginal(StringAttr axis) {
  if (getCopies())
    if (auto original = getCopiesAttr().getAs<StringAttr>(axis))
      return original;
  return axis;
}

LogicalResult PhaseOp::verify() {
  Block &block = getBody().front();
  auto yield = dyn_cast<PhaseYieldOp>(block.getTerminator());
  if (!yield)
    return emitOpError("expected the body to end with loss.phase_yield");
  if (block.getNumArguments() != getReads().size() || getReadAxes().size() != getReads().size())
    return emitOpError("expected one body argument and one list of axes for each of ")
           << getReads().size() << " arrays read, but found " << block.getNumArguments() << " and "
           << getReadAxes().size();
  for (auto [array, axes] : llvm::zip_equal(getReads(), getReadAxes())) {
    ArrayRef<StringAttr> along = cast<AxesAttr>(axes).getNames();
    if (along.size() != cast<ArrayType>(array.getType()).getAxes().getNames().size())
      return emitOpError("expected as many axes of a read as of its array");
    for (StringAttr axis : along)
      if (!getOver().contains(axis))
        return emitOpError("a read has axis '") << axis.getValue() << "', which is no loop's";
  }
  unsigned reductions = getReductions().size();
  if (yield.getReduced().size() != reductions ||
      getResults().size() + getInto().size() != reductions)
    return emitOpError("expected ") << reductions << " reduced values and results";
  if (!getResults().empty() && getOver().getNames().size() != 1)
    return emitOpError("expected a result over one axis; over several, into an array");
  for (Value array : getInto())
    if (cast<ArrayType>(array.getType()).getAxes().getNames().size() + 1 !=
        getOver().getNames().size())
      return emitOpError("expected an array over all but one axis to reduce into");
  if (yield.getWritten().size() != getWrites().size())
    return emitOpError("expected one written value for each of ")
           << getWrites().size() << " arrays, but found " << yield.getWritten().size();
  return success();
}

void PhaseOp::getEffects(
    SmallVectorImpl<SideEffects::EffectInstance<MemoryEffects::Effect>> &effects) {
  if (!getReads().empty())
    effects.emplace_back(MemoryEffects::Read::get());
  if (!getWrites().empty() || !getInto().empty())
    effects.emplace_back(MemoryEffects::Write::get());
}
