//===- Driver.cpp - the command line of lossc -----------------------------===//

#include "compiler/Driver/CommandLine.h"

#include "compiler/Target/SharedObject.h"
#include "lang/VerifyDiagnostics.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

using namespace loss;

namespace {

/// A mask from the names given, or `all` when none was.
uint32_t maskOf(const std::vector<std::string> &given, const std::vector<std::string> &names,
                uint32_t all) {
  uint32_t mask = 0;
  for (const std::string &name : given)
    for (size_t i = 0; i < names.size(); ++i)
      if (name == names[i])
        mask |= 1u << i;
  return given.empty() ? all : mask;
}

void printTimes(const Compilation &compilation) {
  double total = 0;
  for (auto [phase, seconds] : compilation.seconds) {
    llvm::errs() << llvm::format("%9.3f ms  ", seconds * 1e3) << phaseName(phase) << "\n";
    total += seconds;
  }
  llvm::errs() << llvm::format("%9.3f ms  ", total * 1e3) << "total\n";
}

/// Why nothing can be written to `path`, or nothing: said before any work is done.
std::string whyNotWritable(llvm::StringRef path) {
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  if (llvm::sys::fs::is_directory(path))
    return "it is a directory";
  if (!folder.empty() && !llvm::sys::fs::is_directory(folder))
    return ("there is no directory '" + folder + "'").str();
  return {};
}

/// The text of a file, "-" for standard input. Stops soon after what the language allows, so that a
/// device without end is refused like any other long file.
llvm::ErrorOr<std::string> readInput(const std::string &path) {
  constexpr size_t enough = 2 << 20;
  int descriptor = 0;
  if (path != "-")
    if (std::error_code code = llvm::sys::fs::openFileForRead(path, descriptor))
      return code;
  std::string text;
  std::error_code failure;
  while (text.size() < enough) {
    char part[1 << 14];
    llvm::Expected<size_t> count = llvm::sys::fs::readNativeFile(
        llvm::sys::fs::convertFDToNativeFile(descriptor), {part, sizeof part});
    if (!count)
      failure = llvm::errorToErrorCode(count.takeError());
    if (failure || *count == 0)
      break;
    text.append(part, *count);
  }
  if (descriptor)
    llvm::sys::Process::SafelyCloseFileDescriptor(descriptor);
  if (failure)
    return failure;
  return text;
}

int compileFile(const DriverOptions &options) {
  EmitKind kind = options.emit;
  PipelineOptions pipeline;
  pipeline.dumpDirectory = options.dumpDirectory;
  pipeline.stopAfter = lastPhaseFor(kind);
  pipeline.wantAssembly = kind == EmitKind::Assembly;
  bool stopsEarly = false;
  if (!options.stopAfter.empty()) {
    Phase wanted = *phaseByName(options.stopAfter);
    stopsEarly = wanted < pipeline.stopAfter;
    pipeline.stopAfter = std::min(wanted, pipeline.stopAfter);
  }
  for (const std::string &define : options.defines) {
    std::string error;
    auto value = lang::parseOverride(define, error);
    if (!value)
      return complain(exitUsage, "-D " + define + ": " + error);
    pipeline.overrides.push_back(*value);
  }
  KernelSelection &selection = pipeline.selection;
  selection.elements = maskOf(options.elements, {"f32", "f64"}, selection.elements);
  selection.targets = maskOf(options.targets, {"none", "index", "dense"}, selection.targets);
  selection.targets |= 1u << LOSS_TARGET_NONE;
  selection.modes = maskOf(options.modes, {"value", "grad"}, selection.modes);
  // A library serves every processor; a look inside concerns one level.
  uint32_t allLevels = kind == EmitKind::SharedObject ? (1u << LOSS_LEVEL_COUNT) - 1 : 0;
  selection.levels = maskOf(options.levels, {"v2", "v3", "v4"}, allLevels);
  if (kind == EmitKind::Object && llvm::popcount(selection.levels) > 1)
    return complain(exitUsage, "--emit=obj writes one object: name one --level");

  llvm::ErrorOr<std::string> contents = readInput(options.input);
  if (!contents)
    return complain(exitIO,
                    "cannot read '" + options.input + "': " + contents.getError().message());
  llvm::StringRef text = *contents;
  std::string output = options.output;
  if (output.empty()) {
    std::string base = options.input == "-" ? "loss" : options.input;
    llvm::StringRef stem = llvm::sys::path::stem(base);
    output = kind == EmitKind::SharedObject ? (stem + ".so").str()
             : kind == EmitKind::Object     ? (stem + ".o").str()
                                            : "-";
  }
  if (std::string why = whyNotWritable(output); output != "-" && !why.empty())
    return complain(exitIO, "cannot write '" + output + "': " + why);
  if (!options.dumpDirectory.empty()) {
    std::error_code code = llvm::sys::fs::create_directories(options.dumpDirectory);
    if (!code && !llvm::sys::fs::is_directory(options.dumpDirectory))
      code = std::make_error_code(std::errc::not_a_directory);
    if (code)
      return complain(exitIO, "cannot make the directory '" + options.dumpDirectory +
                                  "': " + code.message());
  }

  PipelineContext context;
  std::string name = options.input == "-" ? "<stdin>" : options.input;
  bool oneObject = kind == EmitKind::Object || kind == EmitKind::Assembly;
  Compilation compilation =
      context.compile({text.data(), text.size()}, name, pipeline, /*descriptorInLevel=*/oneObject);
  if (options.timePhases)
    printTimes(compilation);

  if (options.verifyDiagnostics) {
    std::vector<lang::Diagnostic> complaints = lang::verifyDiagnostics(
        {text.data(), text.size()}, name, compilation.diagnostics.diagnostics());
    llvm::errs() << lang::render(complaints, {text.data(), text.size()});
    return complaints.empty() ? exitSuccess : exitCompileError;
  }
  llvm::errs() << lang::render(compilation.diagnostics.diagnostics(), {text.data(), text.size()});
  if (compilation.diagnostics.hasErrors())
    return exitCompileError;
  if (!compilation.failure.empty())
    return complain(
        llvm::StringRef(compilation.failure).starts_with("internal error") ? exitInternal : exitIO,
        compilation.failure);
  if (stopsEarly)
    return exitSuccess;

  llvm::Expected<std::string> result = emitOutput(kind, compilation);
  if (!result)
    return complain(exitIO, llvm::toString(result.takeError()));
  if (output == "-") {
    llvm::outs() << *result;
    llvm::outs().flush();
    if (llvm::outs().has_error()) {
      std::string message = llvm::outs().error().message();
      llvm::outs().clear_error();
      return complain(exitIO, "cannot write to standard output: " + message);
    }
    return exitSuccess;
  }
  if (llvm::Error error = writeFileAtomically(output, *result, kind == EmitKind::SharedObject))
    return complain(exitIO, llvm::toString(std::move(error)));
  return exitSuccess;
}

} // namespace

int loss::runLossc(int argc, char **argv) {
  int exitCode = exitSuccess;
  std::optional<DriverOptions> options = parseCommandLine(argc, argv, exitCode);
  if (!options)
    return exitCode;
  if (!options->describe.empty())
    return describeModule(options->describe, llvm::outs(), llvm::errs());
  return compileFile(*options);
}
