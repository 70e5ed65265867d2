//===- CommandLine.h - the options of lossc ---------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_DRIVER_COMMANDLINE_H
#define LOSSLANG_COMPILER_DRIVER_COMMANDLINE_H

#include "compiler/Driver/Driver.h"
#include "compiler/Pipeline/Warnings.h"

#include "llvm/ADT/Twine.h"

#include <optional>
#include <string>
#include <vector>

namespace loss {

/// What lossc is asked to do: `lossc x.loss` compiles, the others are named.
enum class Command { Compile, Describe, ListWarnings, Check, Format, Grad, Doc };

/// The command line of lossc as it was written.
struct DriverOptions {
  Command command = Command::Compile;

  // Compile; `input` also of Grad.
  std::string input, output, dumpDirectory, stopAfter, describe;
  EmitKind emit = EmitKind::SharedObject;
  std::vector<std::string> levels, elements, targets, modes;
  /// Of derivatives; 2 adds the kernels of second order.
  unsigned order = 1;
  bool verifyDiagnostics = false, timePhases = false, explain = false;
  bool plain = false;

  // Compile, Check and Grad.
  std::vector<std::string> defineTexts;
  std::vector<lang::Override> defines;
  WarningOptions warnings;

  // Check, Format and Doc.
  std::vector<std::string> paths;
  bool asJson = false, checkGradients = false;
  bool onlyCheck = false, toStandardOutput = false;
  std::string gallery;

  // Grad.
  std::string wrt;
};

/// Prints "lossc: error: MESSAGE" and returns `code`.
int complain(ExitCode code, const llvm::Twine &message);

/// Reads the command line. When nothing is left to do (--help, --version, an error, which is
/// printed), returns nothing and sets `exitCode`.
std::optional<DriverOptions> parseCommandLine(int argc, char **argv, int &exitCode);

struct SourceFile;

// The commands: each returns an exit code.
int compileFile(const DriverOptions &options);
int checkFiles(const DriverOptions &options);
int formatFiles(const DriverOptions &options);
int printGradient(const DriverOptions &options);
int writeDocumentation(const DriverOptions &options);

/// The gradient with respect to an input or parameter as a program of the language. `compilation`
/// stopped after Phase::Simplify; its module changes, and errors are added to its diagnostics.
std::optional<std::string> gradientText(Compilation &compilation, const std::string &wrt);

/// Compares the gradients of a loss with numeric differentiation; what differs is an error at the
/// input or parameter.
void checkGradients(const SourceFile &source, const std::vector<lang::Override> &overrides,
                    PipelineContext &context, lang::DiagnosticEngine &diagnostics);

} // namespace loss

#endif // LOSSLANG_COMPILER_DRIVER_COMMANDLINE_H
