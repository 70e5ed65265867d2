//===- Passes.h - differentiation of loss programs --------------*- C++ -*-===//
#ifndef LOSSLANG_AUTODIFF_PASSES_H
#define LOSSLANG_AUTODIFF_PASSES_H

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/Pass/Pass.h"

namespace loss::ir {

/// A new program beside `program`, named `<name>_grad`: see the pass loss-differentiate. With `of`
/// empty the value is differentiated. Failure is reported at the culprit.
mlir::FailureOr<ProgramOp> differentiate(ProgramOp program, llvm::ArrayRef<std::string> wrt = {},
                                         llvm::StringRef of = {});

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/Autodiff/Passes.h.inc"

} // namespace loss::ir

#endif // LOSSLANG_AUTODIFF_PASSES_H
