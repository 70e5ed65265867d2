//===- Support.h - programs for the tests of passes -------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_COMPILER_SUPPORT_H
#define LOSSLANG_TEST_UNIT_COMPILER_SUPPORT_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Reference/Interpreter.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/OwningOpRef.h"

#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace loss::ir::test {

using reference::Arguments;
using reference::Array;

/// The axes that every test program has.
inline constexpr const char *kRows = "batch", *kClasses = "class";

/// A module in a context of its own. Parsing errors fail the test.
class Module {
public:
  explicit Module(const std::string &text);

  /// The program of this name; null if there is none.
  ProgramOp program(llvm::StringRef name) const;
  /// Runs a textual pass pipeline; failure fails the test.
  void run(llvm::StringRef pipeline);
  /// The results of a program; failure fails the test.
  std::vector<Array> evaluate(llvm::StringRef name, const Arguments &arguments) const;
  /// The only result.
  Array value(llvm::StringRef name, const Arguments &arguments) const;
  std::string text() const;

private:
  std::unique_ptr<mlir::MLIRContext> context;
  mlir::OwningOpRef<mlir::ModuleOp> module;
};

/// The text of a program @f with the inputs `names`, all [batch, class]. `body` defines %r:
/// [batch]; in it, T stands for the [batch, class] type, R for the [batch] type.
std::string programText(const std::vector<std::string> &names, std::string body);

/// The same, where `body` defines %e: [batch, class], and %r is the sum of %e * %w over the classes
/// for a further input w: so the adjoint of %e is w, not 1.
std::string elementwiseText(std::vector<std::string> names, const std::string &body);

/// An array [batch, class] of the given elements, `columns` in a row.
Array matrix(int64_t columns, std::vector<double> elements);

/// Fourth-order central differences of `f` by each element of argument `name`.
std::vector<double> differences(const std::function<double(const Arguments &)> &f,
                                const Arguments &arguments, const std::string &name);

/// The sum of all elements.
double total(const Array &array);

} // namespace loss::ir::test

#endif // LOSSLANG_TEST_UNIT_COMPILER_SUPPORT_H
