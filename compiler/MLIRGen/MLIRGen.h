//===- MLIRGen.h - typed program to loss dialect ----------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_MLIRGEN_MLIRGEN_H
#define LOSSLANG_COMPILER_MLIRGEN_MLIRGEN_H

#include "lang/Program.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

namespace loss {

/// The program as one `loss.program` in f64. Every operation carries the place of its expression;
/// inside an inlined function a call-site location adds the calls. Loads the dialects it needs.
mlir::OwningOpRef<mlir::ModuleOp> generate(mlir::MLIRContext &context,
                                           const lang::Program &program);

} // namespace loss

#endif // LOSSLANG_COMPILER_MLIRGEN_MLIRGEN_H
