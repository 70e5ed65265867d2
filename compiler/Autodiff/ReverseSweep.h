//===- ReverseSweep.h - reverse mode on a loss.program ----------*- C++ -*-===//
#ifndef LOSSLANG_AUTODIFF_REVERSESWEEP_H
#define LOSSLANG_AUTODIFF_REVERSESWEEP_H

#include "compiler/Autodiff/Adjoint.h"

#include "llvm/ADT/DenseSet.h"

namespace loss::ir::autodiff {

/// One backward sweep over a program, appending to it.
class ReverseSweep {
public:
  /// With a row axis, which sums leave out, what all rows share gets a gradient from each row.
  ReverseSweep(ProgramOp program, mlir::StringAttr rowAxis)
      : program(program), builder(program.getYield()), whole{builder, program.getLoc()},
        rowAxis(rowAxis) {}

  /// Marks everything that depends on the values `wrt`.
  void markActive(llvm::ArrayRef<mlir::Value> wrt);
  /// Starts the sweep: adds to the adjoint of `result`; by default 1.
  void seed(mlir::Value result, mlir::Value adjoint = {});
  mlir::LogicalResult run();
  /// The gradient for one of the values `wrt`: zero when the result does not depend on it. It has
  /// the row axis besides those of the value.
  mlir::Value gradient(mlir::Value of);

private:
  mlir::LogicalResult visit(mlir::Operation *op, Adjoint adjoint);
  /// An adjoint that is 0 because of a branch must not meet the derivatives of `op` as such.
  void guard(mlir::Operation *op, Adjoint &adjoint);
  /// Makes conditions of the zeros that the rule of an operation behind `last` has just written;
  /// the value without them.
  Expr liftConditions(Expr value, llvm::SmallVectorImpl<Literal> &conditions,
                      mlir::Operation *last);
  /// Sums over the axes that the operand lacks: a value used many times gets the sum of the uses.
  void sumTo(Adjoint &part, mlir::Value operand);
  mlir::Value constant(mlir::Location loc, mlir::Type type, double value);

  ProgramOp program;
  mlir::OpBuilder builder;
  Site whole;
  mlir::StringAttr rowAxis;
  llvm::DenseSet<mlir::Value> active;
  llvm::DenseMap<mlir::Value, Contributions> adjoints;
};

} // namespace loss::ir::autodiff

#endif // LOSSLANG_AUTODIFF_REVERSESWEEP_H
