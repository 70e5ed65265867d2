//===- Programs.h - a loss as written and as optimised ----------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_PROGRAMS_H
#define LOSSLANG_TEST_RANDOM_PROGRAMS_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "lang/Program.h"
#include "test/random/Data.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include <optional>
#include <string>
#include <vector>

namespace loss::stress {

/// A loss in the dialect: its value, and its gradients by every argument of real numbers (in the
/// order of the arguments).
struct Programs {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ir::ProgramOp value, gradient;

  std::string text() const;
};

/// The programs that a second-order kernel is made of: gradients, weighed by a `seed` where the
/// result has inner axes, and the derivative of that along tangents.
struct SecondOrderPrograms {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  /// LOSS_TANGENT or LOSS_TANGENT_ALL.
  unsigned mode = 0;
  /// Null for a loss without anything that a kernel gives gradients for.
  ir::ProgramOp gradient, tangent;

  std::string text() const;
};

/// A context with the passes between text and kernel that rewrite formulas.
class Laboratory {
public:
  Laboratory();

  /// The formula as it was written, and its derivative by the chain rule.
  Programs asWritten(const lang::Program &program);
  /// After the passes that come before and after differentiation. Null where a pass failed; why is
  /// in `messages`.
  Programs optimised(const lang::Program &program);

  /// The programs of the kernels of LOSS_TANGENT_ALL for this kind of target, or of LOSS_TANGENT
  /// where `all` is false or there are no further arguments. Nothing where there is no second
  /// derivative or a pass failed; why is in `messages`.
  std::optional<SecondOrderPrograms> secondOrder(const lang::Program &program, bool optimise,
                                                 bool all, unsigned target);

  const std::string &messages() const { return said; }

private:
  Programs build(const lang::Program &program, bool optimise);
  llvm::LogicalResult note(mlir::Diagnostic &diagnostic);

  mlir::MLIRContext context;
  mlir::PassManager simplify;
  std::string said;
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_PROGRAMS_H
