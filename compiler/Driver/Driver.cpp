//===- Driver.cpp - the command line of lossc -----------------------------===//

#include "compiler/Driver/Driver.h"

#include "compiler/Target/SharedObject.h"
#include "compiler/Target/Version.h"
#include "lang/VerifyDiagnostics.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"

#include <CLI/CLI.hpp>

using namespace loss;

namespace {

struct Options {
  std::string input, output = "", emit = "so", dumpDirectory, stopAfter, describe;
  std::vector<std::string> defines, levels, elements, targets, modes;
  bool verifyDiagnostics = false, timePhases = false;
};

const std::map<std::string, EmitKind> emitKinds = {
    {"ast", EmitKind::AST},       {"loss", EmitKind::Loss},     {"grad", EmitKind::Grad},
    {"fused", EmitKind::Fused},   {"vector", EmitKind::Vector}, {"llvm", EmitKind::LLVM},
    {"asm", EmitKind::Assembly},  {"obj", EmitKind::Object},    {"so", EmitKind::SharedObject},
    {"header", EmitKind::Header},
};

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

int complain(ExitCode code, const llvm::Twine &message) {
  llvm::errs() << "lossc: error: " << message << "\n";
  return code;
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

int compileFile(const Options &options) {
  EmitKind kind = emitKinds.at(options.emit);
  PipelineOptions pipeline;
  pipeline.dumpDirectory = options.dumpDirectory;
  pipeline.stopAfter = lastPhaseFor(kind);
  pipeline.wantAssembly = kind == EmitKind::Assembly;
  bool stopsEarly = !options.stopAfter.empty();
  if (stopsEarly)
    pipeline.stopAfter = *phaseByName(options.stopAfter);
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

  auto buffer = options.input == "-" ? llvm::MemoryBuffer::getSTDIN()
                                     : llvm::MemoryBuffer::getFile(options.input);
  if (!buffer)
    return complain(exitIO, "cannot read '" + options.input + "': " + buffer.getError().message());
  llvm::StringRef text = (*buffer)->getBuffer();
  std::string output = options.output;
  if (output.empty())
    output =
        kind == EmitKind::SharedObject
            ? (llvm::sys::path::stem(options.input == "-" ? "loss" : options.input) + ".so").str()
        : kind == EmitKind::Object
            ? (llvm::sys::path::stem(options.input == "-" ? "loss" : options.input) + ".o").str()
            : "-";
  if (std::string why = whyNotWritable(output); output != "-" && !why.empty())
    return complain(exitIO, "cannot write '" + output + "': " + why);
  if (!options.dumpDirectory.empty())
    if (std::error_code code = llvm::sys::fs::create_directories(options.dumpDirectory))
      return complain(exitIO, "cannot make the directory '" + options.dumpDirectory +
                                  "': " + code.message());

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
  if (stopsEarly && pipeline.stopAfter < lastPhaseFor(kind))
    return exitSuccess;

  llvm::Expected<std::string> contents = emitOutput(kind, compilation);
  if (!contents)
    return complain(exitIO, llvm::toString(contents.takeError()));
  if (output == "-") {
    llvm::outs() << *contents;
    llvm::outs().flush();
    if (llvm::outs().has_error()) {
      std::string message = llvm::outs().error().message();
      llvm::outs().clear_error();
      return complain(exitIO, "cannot write to standard output: " + message);
    }
    return exitSuccess;
  }
  if (llvm::Error error = writeFileAtomically(output, *contents, kind == EmitKind::SharedObject))
    return complain(exitIO, llvm::toString(std::move(error)));
  return exitSuccess;
}

std::string phaseNames() {
  std::string names;
  for (Phase phase : allPhases())
    names += (names.empty() ? "" : ", ") + phaseName(phase).str();
  return names;
}

} // namespace

int loss::runLossc(int argc, char **argv) {
  Options options;
  CLI::App app("lossc compiles a loss function written as a formula to a shared library with CPU "
               "kernels for its value and gradient.",
               "lossc");
  app.set_version_flag("--version", "lossc " + compilerVersion(), "Print the version and exit");
  app.set_help_flag("-h,--help", "Print this help and exit");
  app.add_option("file", options.input, "The .loss file, or - for standard input: lossc ngl.loss");
  app.add_option("-o", options.output,
                 "Output file, - for standard output: lossc ngl.loss -o ngl.so")
      ->type_name("FILE");
  std::vector<std::string> kinds;
  for (auto &[name, kind] : emitKinds)
    kinds.push_back(name);
  app.add_option("--emit", options.emit,
                 "What to write: ast, loss, grad, fused, vector, llvm, asm, obj, so (default) or "
                 "header: lossc ngl.loss --emit=grad")
      ->check(CLI::IsMember(kinds))
      ->type_name("KIND");
  app.add_option("-D", options.defines,
                 "Change the default of a parameter: lossc focal.loss -D gamma=1.5 -o focal.so")
      ->type_name("NAME=VALUE")
      ->allow_extra_args(false);
  app.add_option(
         "--level", options.levels,
         "x86-64 feature levels, v2, v3, v4; all for a library, else this processor's best: "
         "lossc ngl.loss --emit=asm --level=v3")
      ->check(CLI::IsMember({"v2", "v3", "v4"}))
      ->delimiter(',')
      ->type_name("LEVEL");
  app.add_option("--element", options.elements,
                 "Element types of the kernels, f32, f64; both by default: --element=f32")
      ->check(CLI::IsMember({"f32", "f64"}))
      ->delimiter(',')
      ->type_name("TYPE");
  app.add_option("--target", options.targets,
                 "Targets of the kernels, index, dense; both by default: --target=index")
      ->check(CLI::IsMember({"index", "dense"}))
      ->delimiter(',')
      ->type_name("KIND");
  app.add_option("--mode", options.modes,
                 "What the kernels compute, value, grad (value and gradient); both by default: "
                 "--mode=grad")
      ->check(CLI::IsMember({"value", "grad"}))
      ->delimiter(',')
      ->type_name("MODE");
  app.add_option("--stop-after", options.stopAfter,
                 "Stop after a phase (" + phaseNames() +
                     ") and write nothing: lossc x.loss --stop-after=simplify")
      ->check([](const std::string &name) {
        return phaseByName(name)
                   ? ""
                   : "expected a phase, one of " + phaseNames() + ", but found '" + name + "'";
      })
      ->type_name("PHASE");
  app.add_option("--dump-phases-to", options.dumpDirectory,
                 "Write the result of each phase to a folder: lossc x.loss --dump-phases-to=phases")
      ->type_name("DIR");
  app.add_flag("--time-phases", options.timePhases,
               "Print what each phase took: lossc x.loss -o x.so --time-phases");
  app.add_flag("--verify-diagnostics", options.verifyDiagnostics,
               "Check the diagnostics against expected-error comments in the file: "
               "lossc bad.loss --verify-diagnostics");
  app.add_option("--describe", options.describe,
                 "Print what a compiled module contains: lossc --describe ngl.so")
      ->type_name("MODULE");
  app.footer(
      "Exit codes: 0 done, 1 the program text is wrong, 2 the command line is wrong, 3 a file "
      "cannot be read or written, 70 a bug of the compiler.");
  try {
    app.parse(argc, argv);
  } catch (const CLI::Success &request) {
    return app.exit(request);
  } catch (const CLI::ParseError &error) {
    return complain(exitUsage, llvm::Twine(error.what()) + "; see lossc --help");
  }
  if (!options.describe.empty())
    return describeModule(options.describe, llvm::outs(), llvm::errs());
  if (options.input.empty())
    return complain(exitUsage, "expected a .loss file, but found none; see lossc --help");
  return compileFile(options);
}
