//===- CommandLine.h - the options of lossc ---------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_DRIVER_COMMANDLINE_H
#define LOSSLANG_COMPILER_DRIVER_COMMANDLINE_H

#include "compiler/Driver/Driver.h"

#include "llvm/ADT/Twine.h"

#include <optional>
#include <string>
#include <vector>

namespace loss {

/// The command line of lossc as it was written.
struct DriverOptions {
  std::string input, output, dumpDirectory, stopAfter, describe;
  EmitKind emit = EmitKind::SharedObject;
  std::vector<std::string> defines, levels, elements, targets, modes;
  bool verifyDiagnostics = false, timePhases = false;
};

/// Prints "lossc: error: MESSAGE" and returns `code`.
int complain(ExitCode code, const llvm::Twine &message);

/// Reads the command line. When nothing is left to do (--help, --version, an error, which is
/// printed), returns nothing and sets `exitCode`.
std::optional<DriverOptions> parseCommandLine(int argc, char **argv, int &exitCode);

} // namespace loss

#endif // LOSSLANG_COMPILER_DRIVER_COMMANDLINE_H
