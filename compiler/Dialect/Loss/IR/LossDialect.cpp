//===- LossDialect.cpp - the dialect, its attributes and types ------------===//

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace loss::ir;

#include "compiler/Dialect/Loss/IR/LossDialect.cpp.inc"
#include "compiler/Dialect/Loss/IR/LossEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/Loss/IR/LossAttrs.cpp.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/Loss/IR/LossTypes.cpp.inc"

void LossDialect::initialize() {
  addOperations<
#define GET_OP_LIST
#include "compiler/Dialect/Loss/IR/LossOps.cpp.inc"
      >();
  addAttributes<
#define GET_ATTRDEF_LIST
#include "compiler/Dialect/Loss/IR/LossAttrs.cpp.inc"
      >();
  addTypes<
#define GET_TYPEDEF_LIST
#include "compiler/Dialect/Loss/IR/LossTypes.cpp.inc"
      >();
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

Attribute AxesAttr::parse(AsmParser &parser, Type) {
  SmallVector<StringAttr> names;
  auto parseName = [&]() -> ParseResult {
    StringRef name;
    if (parser.parseKeyword(&name))
      return failure();
    names.push_back(StringAttr::get(parser.getContext(), name));
    return success();
  };
  if (parser.parseCommaSeparatedList(AsmParser::Delimiter::LessGreater, parseName,
                                     " of axis names"))
    return {};
  return parser.getChecked<AxesAttr>(parser.getContext(), names);
}

void AxesAttr::print(AsmPrinter &printer) const {
  printer << '<';
  llvm::interleaveComma(getNames(), printer, [&](StringAttr name) { printer << name.getValue(); });
  printer << '>';
}

LogicalResult AxesAttr::verify(function_ref<InFlightDiagnostic()> emitError,
                               ArrayRef<StringAttr> names) {
  for (auto [i, name] : llvm::enumerate(names))
    if (llvm::is_contained(names.take_front(i), name))
      return emitError() << "expected each axis once, but found '" << name.getValue() << "' twice";
  return success();
}

LogicalResult AxesAttr::verifyEncoding(ArrayRef<int64_t> shape, Type,
                                       function_ref<InFlightDiagnostic()> emitError) const {
  if (shape.size() != getNames().size())
    return emitError() << "expected one dimension for each of " << getNames().size()
                       << " axes, but found " << shape.size();
  return success();
}

ArrayRef<StringAttr> loss::ir::axesOf(Type type) {
  auto tensor = dyn_cast<RankedTensorType>(type);
  if (!tensor)
    return {};
  auto axes = dyn_cast_or_null<AxesAttr>(tensor.getEncoding());
  return axes ? axes.getNames() : ArrayRef<StringAttr>();
}

bool loss::ir::hasAxis(Type type, StringAttr axis) {
  return llvm::is_contained(axesOf(type), axis);
}

Type loss::ir::typeWithAxes(Type element, ArrayRef<StringAttr> axes) {
  if (axes.empty())
    return element;
  SmallVector<int64_t> shape(axes.size(), ShapedType::kDynamic);
  return RankedTensorType::get(shape, element, AxesAttr::get(element.getContext(), axes));
}

Type loss::ir::typeWithoutAxis(Type type, StringRef axis) {
  SmallVector<StringAttr> rest;
  for (StringAttr name : axesOf(type))
    if (name != axis)
      rest.push_back(name);
  return typeWithAxes(getElementTypeOrSelf(type), rest);
}

Value loss::ir::broadcastTo(OpBuilder &builder, Location loc, Value value, Type type) {
  if (axesOf(value.getType()) == axesOf(type))
    return value;
  Type wide = typeWithAxes(getElementTypeOrSelf(value), axesOf(type));
  return BroadcastOp::create(builder, loc, wide, value);
}
