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

/// A new program named `<name><suffix>` beside `program`: what a kernel needs for the gradients of
/// the arguments of these indices. Where the result has inner axes, a `seed` argument of its type
/// weighs its elements. An argument without the row axis gets a gradient from each row.
mlir::FailureOr<ProgramOp> gradientForKernel(ProgramOp program, llvm::ArrayRef<unsigned> arguments,
                                             llvm::StringRef suffix);

/// A new program `name` beside `gradient`, which gradientForKernel made: with a tangent argument
/// for each gradient, it yields the derivative of the result along the tangents (marked "tangent"),
/// and the gradients of the seeded sum of that, which are Hessian-vector products.
mlir::FailureOr<ProgramOp> tangentForKernel(ProgramOp gradient, llvm::StringRef name);

#define GEN_PASS_DECL
#define GEN_PASS_REGISTRATION
#include "compiler/Autodiff/Passes.h.inc"

} // namespace loss::ir

#endif // LOSSLANG_AUTODIFF_PASSES_H
