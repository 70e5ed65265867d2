//===- Evaluate.h - programs in bounded arithmetic --------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_EVALUATE_H
#define LOSSLANG_TEST_RANDOM_EVALUATE_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "test/random/Compare.h"

namespace loss::stress {

using BoundedArguments = ir::reference::BasicArguments<Bounded>;

template <typename S>
ir::reference::BasicArguments<S> converted(const ir::reference::Arguments &arguments) {
  ir::reference::BasicArguments<S> result;
  for (const auto &[name, array] : arguments)
    result.emplace(
        name, ir::reference::BasicArray<S>(array.axes, array.sizes,
                                           std::vector<S>(array.data.begin(), array.data.end())));
  return result;
}

/// The same where numbers are not so round: what rounding does there, and what jumps.
BoundedArguments nearby(const ir::reference::Arguments &arguments);

/// The results of `program`. `areRounded`: constants of more digits count as rounded to f64, as in
/// all programs that derivatives and passes bring such into.
mlir::FailureOr<std::vector<BoundedArray>> evaluateBounded(ir::ProgramOp program,
                                                           const BoundedArguments &arguments,
                                                           bool areRounded,
                                                           const BoundedArguments &tangents = {});

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_EVALUATE_H
