//===- Finite.h - values that cannot overflow to infinity or NaN -*- C++ -*-===//
#ifndef LOSSLANG_AUTODIFF_FINITE_H
#define LOSSLANG_AUTODIFF_FINITE_H

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "llvm/ADT/DenseMap.h"

namespace loss::ir::autodiff {

/// Knows which values are finite whenever the program's arguments are finite and of moderate size:
/// those made by operations without poles, domain limits or exponential growth.
class FiniteValues {
public:
  bool contains(mlir::Value value);

  /// States that `value` is finite where it matters.
  void assume(mlir::Value value) { known[value] = true; }

private:
  bool compute(mlir::Operation *op);

  llvm::DenseMap<mlir::Value, bool> known;
};

} // namespace loss::ir::autodiff

#endif // LOSSLANG_AUTODIFF_FINITE_H
