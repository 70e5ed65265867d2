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

} // namespace loss::ir

#endif // LOSSLANG_DIALECT_LOSS_TRANSFORMS_STABLEFORMS_H
