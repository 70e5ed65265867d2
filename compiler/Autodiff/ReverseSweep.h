//===- ReverseSweep.h - reverse mode on a loss.program ----------*- C++ -*-===//
#ifndef LOSSLANG_AUTODIFF_REVERSESWEEP_H
#define LOSSLANG_AUTODIFF_REVERSESWEEP_H

#include "compiler/Autodiff/Expr.h"
#include "compiler/Autodiff/Finite.h"

#include "llvm/ADT/DenseSet.h"

namespace loss::ir::autodiff {

/// One backward sweep over a program, appending to it.
class ReverseSweep {
public:
  /// With a row axis, what all rows share gets a gradient from each row: see Site.
  ReverseSweep(ProgramOp program, mlir::StringAttr rowAxis)
      : program(program), builder(program.getYield()), rowAxis(rowAxis) {}

  /// Marks everything that depends on the values `wrt`.
  void markActive(llvm::ArrayRef<mlir::Value> wrt);
  /// Starts the sweep: adds to the adjoint of `result`; by default 1.
  void seed(mlir::Value result, mlir::Value adjoint = {});
  mlir::LogicalResult run();
  /// The gradient for one of the values `wrt`: zero when the result does not depend on it. It has
  /// the row axis besides those of the value.
  mlir::Value gradient(mlir::Value of);

private:
  mlir::LogicalResult visit(mlir::Operation *op, mlir::Value adjoint);
  void contribute(mlir::Value operand, mlir::Value adjoint, Expr part);
  mlir::Value constant(mlir::Location loc, mlir::Type type, double value);

  ProgramOp program;
  mlir::OpBuilder builder;
  mlir::StringAttr rowAxis;
  llvm::DenseSet<mlir::Value> active;
  llvm::DenseMap<mlir::Value, mlir::Value> adjoints;
  /// Adjoints that a branch may have set to 0.
  llvm::DenseSet<mlir::Value> masked;
  FiniteValues finite;
};

} // namespace loss::ir::autodiff

#endif // LOSSLANG_AUTODIFF_REVERSESWEEP_H
