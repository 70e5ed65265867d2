//===- Driver.h - what the commands of lossc share --------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_DRIVER_DRIVER_H
#define LOSSLANG_COMPILER_DRIVER_DRIVER_H

#include "compiler/Pipeline/Pipeline.h"

#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

#include <string>

namespace loss {

/// Exit codes of lossc, as documented in docs/lossc.md.
enum ExitCode {
  exitSuccess = 0,
  /// The program text is wrong: diagnostics were printed.
  exitCompileError = 1,
  /// The command line is wrong.
  exitUsage = 2,
  /// A file cannot be read or written.
  exitIO = 3,
  /// A bug of the compiler.
  exitInternal = 70,
};

/// What --emit names.
enum class EmitKind {
  AST,
  Loss,
  Grad,
  Fused,
  Vector,
  LLVM,
  Assembly,
  Object,
  SharedObject,
  Header,
  Latex,
  Explain
};

/// The last phase that is needed for it.
Phase lastPhaseFor(EmitKind kind);

/// The contents of the output file. `compilation` must have succeeded up to lastPhaseFor(kind).
llvm::Expected<std::string> emitOutput(EmitKind kind, const Compilation &compilation);

/// A C header with which a program without any dependency calls the loss.
std::string emitHeader(const ModuleInfo &info);

/// Prints what a compiled module contains. Returns an exit code.
int describeModule(const std::string &path, llvm::raw_ostream &out, llvm::raw_ostream &errors);

} // namespace loss

#endif // LOSSLANG_COMPILER_DRIVER_DRIVER_H
