//===- Programs.h - a loss as written and as optimised ----------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_PROGRAMS_H
#define LOSSLANG_TEST_RANDOM_PROGRAMS_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "lang/Program.h"
#include "test/random/Data.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"

#include <string>
#include <vector>

namespace loss::stress {

/// A loss in the dialect: its value, and its gradients by every argument of real numbers (in the
/// order of the arguments). Valid until the Laboratory that made it makes another.
struct Programs {
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ir::ProgramOp value, gradient;

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

  const std::string &messages() const { return said; }

private:
  Programs build(const lang::Program &program, bool optimise);

  mlir::MLIRContext context;
  mlir::PassManager simplify;
  std::string said;
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_PROGRAMS_H
