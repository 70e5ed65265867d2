//===- Driver.cpp - the command line of lossc -----------------------------===//

#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Lossc.h"

using namespace loss;

int loss::runLossc(int argc, char **argv) {
  int exitCode = exitSuccess;
  std::optional<DriverOptions> options = parseCommandLine(argc, argv, exitCode);
  if (!options)
    return exitCode;
  switch (options->command) {
  case Command::Compile:
    return compileFile(*options);
  case Command::Describe:
    return describeModule(options->describe, llvm::outs(), llvm::errs());
  case Command::ListWarnings:
    listWarnings(llvm::outs());
    return exitSuccess;
  case Command::Check:
    return checkFiles(*options);
  case Command::Format:
    return formatFiles(*options);
  case Command::Grad:
    return printGradient(*options);
  case Command::Doc:
    return writeDocumentation(*options);
  }
  llvm_unreachable("unknown command");
}
