//===- StableForms.h - what laws of exponentials share ----------*- C++ -*-===//
#ifndef LOSSLANG_DIALECT_LOSS_TRANSFORMS_STABLEFORMS_H
#define LOSSLANG_DIALECT_LOSS_TRANSFORMS_STABLEFORMS_H

#include "compiler/Dialect/Loss/Transforms/Laws.h"

#include "compiler/Autodiff/Expr.h"

namespace loss::ir {

/// Formulas deeper than this are not looked through.
constexpr unsigned kDepth = 8;

/// A place in the program for the formulas of a pattern.
struct Place : autodiff::Site {
  Place(mlir::PatternRewriter &rewriter, mlir::Operation *op) : Site{rewriter, op->getLoc()} {}
  autodiff::Expr operator()(mlir::Value value) const { return {this, value}; }
};

/// 1 - x: x, or null.
inline mlir::Value complementOf(mlir::Value value) {
  auto difference = value.getDefiningOp<mlir::arith::SubFOp>();
  return difference && isConstant(difference.getLhs(), 1) ? difference.getRhs() : mlir::Value();
}

/// (exp(x) - 1 - x) / x by its series, for |x| < 1/8.
inline autodiff::Expr expRestOver(autodiff::Expr x) {
  autodiff::Expr series = 1.0 / 39916800 * x + 1.0 / 3628800;
  for (double factorial : {362880, 40320, 5040, 720, 120, 24, 6, 2})
    series = series * x + 1.0 / factorial;
  return series * x;
}

} // namespace loss::ir

#endif // LOSSLANG_DIALECT_LOSS_TRANSFORMS_STABLEFORMS_H
