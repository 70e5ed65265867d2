//===- Compile.cpp - lossc x.loss -----------------------------------------===//

#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Files.h"

#include "lang/VerifyDiagnostics.h"

#include "llvm/Support/Format.h"
#include "llvm/Support/Path.h"

using namespace loss;

/// A mask from the names given, or `all` when none was.
static uint32_t maskOf(const std::vector<std::string> &given, const std::vector<std::string> &names,
                       uint32_t all) {
  uint32_t mask = 0;
  for (const std::string &name : given)
    for (size_t i = 0; i < names.size(); ++i)
      if (name == names[i])
        mask |= 1u << i;
  return given.empty() ? all : mask;
}

static void printTimes(const Compilation &compilation) {
  double total = 0;
  for (auto [phase, seconds] : compilation.seconds) {
    llvm::errs() << llvm::format("%9.3f ms  ", seconds * 1e3) << phaseName(phase) << "\n";
    total += seconds;
  }
  llvm::errs() << llvm::format("%9.3f ms  ", total * 1e3) << "total\n";
}

/// Where the output goes when -o does not say.
static std::string defaultOutput(const DriverOptions &options) {
  std::string base = options.input == "-" ? "loss" : options.input;
  llvm::StringRef stem = llvm::sys::path::stem(base);
  return options.emit == EmitKind::SharedObject ? (stem + ".so").str()
         : options.emit == EmitKind::Object     ? (stem + ".o").str()
                                                : "-";
}

/// A value that -D gives to a parameter, where it is in no part of what is written: the code takes
/// it from the caller, and the default is in the descriptor. Empty when there is none.
static std::string findUnusedDefine(const DriverOptions &options, const lang::Program &program) {
  static const std::pair<EmitKind, const char *> withoutDefaults[] = {
      {EmitKind::Fused, "--emit=fused"},
      {EmitKind::Vector, "--emit=vector"},
      {EmitKind::LLVM, "--emit=llvm"},
      {EmitKind::Explain, "--emit=explain"},
  };
  const auto *output = llvm::find_if(
      withoutDefaults, [&](const auto &candidate) { return candidate.first == options.emit; });
  if (output == std::end(withoutDefaults) || !options.dumpDirectory.empty())
    return {};
  for (const lang::Override &define : options.defines)
    if (llvm::any_of(program.params,
                     [&](const lang::ProgramParam &param) { return param.name == define.name; }))
      return "-D " + define.name + " changes nothing in what " +
             (options.explain ? "--explain" : output->second) +
             " asks for: it is the default of a parameter, whose value comes with each call";
  return {};
}

int loss::compileFile(const DriverOptions &options) {
  EmitKind kind = options.emit;
  PipelineOptions pipeline;
  pipeline.dumpDirectory = options.dumpDirectory;
  pipeline.overrides = options.defines;
  pipeline.stopAfter = lastPhaseFor(kind);
  pipeline.wantAssembly = kind == EmitKind::Assembly;
  bool stopsEarly = false;
  if (!options.stopAfter.empty()) {
    Phase wanted = *phaseByName(options.stopAfter);
    stopsEarly = wanted < pipeline.stopAfter;
    pipeline.stopAfter = std::min(wanted, pipeline.stopAfter);
  }
  KernelSelection &selection = pipeline.selection;
  selection.elements = maskOf(options.elements, {"f32", "f64"}, selection.elements);
  selection.targets = maskOf(options.targets, {"none", "index", "dense"}, selection.targets);
  selection.targets |= 1u << LOSS_TARGET_NONE;
  selection.modes =
      maskOf(options.modes, {"value", "grad", "all", "tangent", "tangent_all"}, selection.modes);
  if (options.plain)
    selection.options = 1u << LOSS_PLAIN;
  if (options.order > 1) {
    selection.modes |= 1u << LOSS_TANGENT;
    if (selection.modes >> LOSS_VALUE_AND_ALL_GRADS & 1)
      selection.modes |= 1u << LOSS_TANGENT_ALL;
  }
  // A library serves every processor; a look inside concerns one level.
  uint32_t allLevels = kind == EmitKind::SharedObject ? (1u << LOSS_LEVEL_COUNT) - 1 : 0;
  selection.levels = maskOf(options.levels, {"v2", "v3", "v4"}, allLevels);
  if (kind == EmitKind::Object && llvm::popcount(selection.levels) > 1)
    return complain(exitUsage, "--emit=obj writes one object: name one --level");

  int exitCode = exitSuccess;
  std::optional<SourceFile> source = readSource(options.input, exitCode);
  if (!source)
    return exitCode;
  std::string output = options.output.empty() ? defaultOutput(options) : options.output;
  if (std::string why = whyNotWritable(output); output != "-" && !why.empty())
    return complain(exitIO, "cannot write '" + output + "': " + why);
  if (!options.dumpDirectory.empty()) {
    if (int code = makeDirectory(options.dumpDirectory))
      return code;
    // The only phase whose file may be taken for a program.
    if (int code = refuseInput(dumpPath(options.dumpDirectory, Phase::Parse, ".loss"),
                               {{source->name, ""}}))
      return code;
  }

  PipelineContext context;
  bool oneObject = kind == EmitKind::Object || kind == EmitKind::Assembly;
  Compilation compilation =
      context.compile(source->text, source->name, pipeline, /*descriptorInLevel=*/oneObject);
  if (options.timePhases)
    printTimes(compilation);

  if (options.verifyDiagnostics) {
    std::vector<lang::Diagnostic> complaints =
        lang::verifyDiagnostics(source->text, compilation.diagnostics);
    llvm::errs() << lang::render(complaints, compilation.diagnostics.files());
    return complaints.empty() ? exitSuccess : exitCompileError;
  }
  std::vector<lang::Diagnostic> shown =
      applyWarningOptions(compilation.diagnostics, options.warnings);
  llvm::errs() << renderNamed(shown, compilation.diagnostics);
  if (hasErrors(shown))
    return exitCompileError;
  if (!compilation.failure.empty())
    return complain(
        llvm::StringRef(compilation.failure).starts_with("internal error") ? exitInternal : exitIO,
        compilation.failure);
  if (stopsEarly)
    return exitSuccess;
  if (std::string why = findUnusedDefine(options, *compilation.program); !why.empty())
    return complain(exitUsage, why);
  if (int code = refuseInput(output, compilation.diagnostics.files()))
    return code;

  llvm::Expected<std::string> result = emitOutput(kind, compilation);
  if (!result)
    return complain(exitIO, llvm::toString(result.takeError()));
  return writeOutput(output, *result, kind == EmitKind::SharedObject);
}
