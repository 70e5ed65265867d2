//===- Passes.h - from kernels to LLVM --------------------------*- C++ -*-===//
#ifndef LOSSLANG_CONVERSION_PASSES_H
#define LOSSLANG_CONVERSION_PASSES_H

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/Dialect/Vector/IR/VectorOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace loss::ir {
#define GEN_PASS_DECL
#include "compiler/Conversion/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Conversion/Passes.h.inc"
} // namespace loss::ir

#endif // LOSSLANG_CONVERSION_PASSES_H
