//===- Evaluate.cpp - programs in bounded arithmetic ----------------------===//

#include "test/random/Evaluate.h"

#include "compiler/Reference/BasicInterpreter.h"

#include <optional>

namespace loss::stress {

BoundedArguments nearby(const ir::reference::Arguments &arguments) {
  auto result = converted<Bounded>(arguments);
  for (auto &[name, array] : result)
    for (Bounded &x : array.data)
      x.error[Exact] = std::ldexp(std::abs(toDouble(x)) + 0x1p-56, -140);
  return result;
}

mlir::FailureOr<std::vector<BoundedArray>> evaluateBounded(ir::ProgramOp program,
                                                           const BoundedArguments &arguments,
                                                           bool areRounded,
                                                           const BoundedArguments &tangents) {
  std::optional<RoundedConstants> scope;
  if (areRounded)
    scope.emplace();
  return ir::reference::evaluateIn<Bounded>(program, arguments, tangents);
}

} // namespace loss::stress
