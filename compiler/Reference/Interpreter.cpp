//===- Interpreter.cpp - the interpreter in double ------------------------===//

#include "compiler/Reference/Interpreter.h"

#include "compiler/Reference/BasicInterpreter.h"

using namespace loss::ir;
using namespace loss::ir::reference;

mlir::FailureOr<std::vector<Array>>
reference::evaluate(ProgramOp program, const Arguments &arguments, const Arguments &tangents) {
  return evaluateIn<double>(program, arguments, tangents);
}
