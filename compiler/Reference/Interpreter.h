//===- Interpreter.h - what a loss program means ----------------*- C++ -*-===//
//
// The oracle for every transformation and every kernel: each operation is evaluated over whole
// arrays, by the textbook definition. Here in double; BasicInterpreter.h is the same for any
// scalar.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_REFERENCE_INTERPRETER_H
#define LOSSLANG_REFERENCE_INTERPRETER_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Reference/Array.h"

namespace loss::ir::reference {

/// The results of `program`, in order. Fails with a diagnostic at the program or the operation when
/// an argument is missing or does not fit, an operation is not known, or a class index is out of
/// range. `tangents` has the arguments of kind "tangent", by name as well.
mlir::FailureOr<std::vector<Array>> evaluate(ProgramOp program, const Arguments &arguments,
                                             const Arguments &tangents = {});

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_INTERPRETER_H
