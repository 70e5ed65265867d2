//===- ToLanguage.h - a loss.program as a program of the language -*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_EXPORT_TOLANGUAGE_H
#define LOSSLANG_COMPILER_EXPORT_TOLANGUAGE_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "lang/Ast.h"

#include <optional>
#include <string>

namespace loss {

/// The body that computes the only result of `program`: a `let` for each value that is used more
/// than once, or that would make a line too long. An operation without an equivalent in the
/// language is an error at its place.
mlir::FailureOr<lang::Block> blockOf(ir::ProgramOp program);

/// The gradient of the loss in `file` with respect to the input or parameter `wrt`, as a file with
/// the same inputs and parameters. `gradient` yields that gradient alone.
mlir::FailureOr<lang::File> gradientFile(lang::File file, ir::ProgramOp gradient,
                                         const std::string &wrt);

} // namespace loss

#endif // LOSSLANG_COMPILER_EXPORT_TOLANGUAGE_H
