//===- Rules.h - the table of derivatives -----------------------*- C++ -*-===//
#ifndef LOSSLANG_AUTODIFF_RULES_H
#define LOSSLANG_AUTODIFF_RULES_H

#include "compiler/Autodiff/Expr.h"

namespace loss::ir::autodiff {

/// What a derivative rule speaks of: an operation r = f(x, y, z) over `axis`, and the adjoint g of
/// its result.
struct Application {
  Expr g, x, y, z, r;
  mlir::StringAttr axis;
};

/// What the operation's adjoint g gives to one operand: g * df/dx; the sweep sums over the axes
/// that the operand lacks. Nothing, where the derivative is zero everywhere. Zeros of `where`
/// outermost mean that the operand is not chosen there.
using Partial = Expr (*)(const Application &);

/// One partial for each operand, in order; null for operands that are not numbers. Empty when the
/// table has no rule for the operation.
llvm::ArrayRef<Partial> derivativeRule(mlir::Operation *op);

} // namespace loss::ir::autodiff

#endif // LOSSLANG_AUTODIFF_RULES_H
