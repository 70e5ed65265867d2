//===- Loss.h - the loss dialect --------------------------------*- C++ -*-===//
#ifndef LOSSLANG_DIALECT_LOSS_IR_LOSS_H
#define LOSSLANG_DIALECT_LOSS_IR_LOSS_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/PatternMatch.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/IR/TensorEncoding.h"
#include "mlir/Interfaces/FunctionInterfaces.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "compiler/Dialect/Loss/IR/LossDialect.h.inc"
#include "compiler/Dialect/Loss/IR/LossEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "compiler/Dialect/Loss/IR/LossAttrs.h.inc"

#define GET_TYPEDEF_CLASSES
#include "compiler/Dialect/Loss/IR/LossTypes.h.inc"

namespace loss::ir {
class YieldOp;

/// The axes of a type, outermost first; none for a number.
llvm::ArrayRef<mlir::StringAttr> axesOf(mlir::Type type);

/// Whether a value of this type varies along `axis`.
bool hasAxis(mlir::Type type, mlir::StringAttr axis);

/// The type with these axes: `element` itself when there are none.
mlir::Type typeWithAxes(mlir::Type element, llvm::ArrayRef<mlir::StringAttr> axes);

/// The type of `type` after one axis is reduced away.
mlir::Type typeWithoutAxis(mlir::Type type, llvm::StringRef axis);

/// `value` repeated along the axes of `type` that it lacks; `value` itself when it lacks none.
mlir::Value broadcastTo(mlir::OpBuilder &builder, mlir::Location loc, mlir::Value value,
                        mlir::Type type);
} // namespace loss::ir

#define GET_OP_CLASSES
#include "compiler/Dialect/Loss/IR/LossOps.h.inc"

namespace loss::ir {
/// What cumsum, logcumsumexp and decayed_cumsum have in common.
struct Cumulative {
  ScanKind kind;
  mlir::Value input;
  /// Null: there is none.
  mlir::Value level, key;
  mlir::StringAttr axis;
  bool reverse;
};
/// `op` as one of these, or nothing.
std::optional<Cumulative> matchCumulative(mlir::Operation *op);
} // namespace loss::ir

#endif // LOSSLANG_DIALECT_LOSS_IR_LOSS_H
