//===- Evaluator.h - values and gradients without kernels -------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_DRIVER_EVALUATOR_H
#define LOSSLANG_COMPILER_DRIVER_EVALUATOR_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Driver/Files.h"
#include "compiler/Reference/Array.h"

#include <memory>
#include <optional>

namespace loss {

/// A loss and its gradients in the reference interpreter, in f64. The value is that of the formula
/// as it was written; the gradients are those that the compiler derives and simplifies.
class Evaluator {
public:
  using Array = ir::reference::Array;
  using Arguments = ir::reference::Arguments;

  /// Null when the program has errors, or when no gradient can be derived.
  static std::unique_ptr<Evaluator> create(const SourceFile &source,
                                           const std::vector<lang::Override> &overrides,
                                           PipelineContext &context);

  const lang::Program &program() const { return *written.program; }

  /// Random inputs at which the loss is finite, the same in every run, and the parameters'
  /// defaults. Some losses take scores, others probabilities or lengths: several ranges are tried.
  /// The target is a distribution, or with `oneHot` one class.
  std::optional<Arguments> findPoint(bool oneHot = false);

  /// The result; nothing where the interpreter refuses.
  std::optional<Array> result(const Arguments &arguments);
  /// The sum of the elements of the result; nothing where the interpreter refuses.
  std::optional<double> value(const Arguments &arguments);
  /// The same with what stop_gradient gave at `base`: its differences are derivatives as the
  /// language means them.
  std::optional<double> valueAround(const Arguments &base, const Arguments &arguments);
  /// The gradients of that sum by name, for every input and parameter.
  std::optional<Arguments> gradients(const Arguments &arguments);

private:
  Evaluator() : written(""), derived("") {}

  Compilation written, derived;
  ir::ProgramOp valueProgram, gradientProgram;
};

} // namespace loss

#endif // LOSSLANG_COMPILER_DRIVER_EVALUATOR_H
