//===- Passes.h - passes of the loss dialect --------------------*- C++ -*-===//
#ifndef LOSSLANG_DIALECT_LOSS_TRANSFORMS_PASSES_H
#define LOSSLANG_DIALECT_LOSS_TRANSFORMS_PASSES_H

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/Pass/Pass.h"

namespace loss::ir {
#define GEN_PASS_DECL
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
#define GEN_PASS_REGISTRATION
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

#endif // LOSSLANG_DIALECT_LOSS_TRANSFORMS_PASSES_H
