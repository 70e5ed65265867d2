//===- Interpreter.h - what a loss program means ----------------*- C++ -*-===//
//
// The oracle for every transformation and every kernel: each operation is evaluated over whole
// arrays in double, by the textbook definition.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_REFERENCE_INTERPRETER_H
#define LOSSLANG_REFERENCE_INTERPRETER_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Reference/Array.h"

#include <map>

namespace loss::ir::reference {

/// Arguments by name. Parameters that are left out have their default.
using Arguments = std::map<std::string, Array, std::less<>>;

/// The results of `program`, in order. Fails with a diagnostic at the program or the operation when
/// an argument is missing or does not fit, an operation is not known, or a class index is out of
/// range.
mlir::FailureOr<std::vector<Array>> evaluate(ProgramOp program, const Arguments &arguments);

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_INTERPRETER_H
