//===- Compiler.cpp - compilation in process ------------------------------===//

#include "compiler/Pipeline/Compiler.h"

#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Pipeline/Warnings.h"
#include "compiler/Target/CPU/CodeGenerator.h"
#include "compiler/Target/Jit.h"
#include "lang/Imports.h"
#include "lang/Parser.h"

#include "llvm/Support/MemoryBuffer.h"

using namespace loss;

struct Compiler::Impl {
  /// Types and attributes live as long as an MLIR context; a new one now and then keeps memory
  /// flat.
  static constexpr unsigned contextLifetime = 256;

  PipelineContext &context() {
    if (!current || used == contextLifetime) {
      current.reset();
      current = std::make_unique<PipelineContext>(disabledPatterns);
      used = 0;
    }
    ++used;
    return *current;
  }

  std::vector<std::string> disabledPatterns;
  std::unique_ptr<PipelineContext> current;
  unsigned used = 0;
  std::shared_ptr<Jit> jit;
};

Compiler::Compiler(std::vector<std::string> disabledPatterns) : impl(std::make_unique<Impl>()) {
  impl->disabledPatterns = std::move(disabledPatterns);
  auto jit = Jit::create();
  if (!jit)
    throw std::runtime_error("cannot prepare in-process compilation: " +
                             llvm::toString(jit.takeError()));
  impl->jit = std::move(*jit);
}

Compiler::~Compiler() = default;

static ErrorPlace placeOf(const lang::Diagnostic &diagnostic,
                          const lang::DiagnosticEngine &engine) {
  const lang::SourceRange &range = diagnostic.range;
  ErrorPlace place{diagnostic.file, range.begin.line, range.begin.column,
                   range.end.line,  range.end.column, {}};
  llvm::StringRef rest = engine.files()[range.file].text;
  for (uint32_t line = 1; line < place.line; ++line)
    rest = rest.split('\n').second;
  place.text = rest.split('\n').first.rtrim('\r');
  return place;
}

/// Throws what is wrong with a program, as lossc prints it.
[[noreturn]] static void throwErrors(const lang::DiagnosticEngine &diagnostics) {
  const std::vector<lang::Diagnostic> shown = applyWarningOptions(diagnostics, {});
  auto isError = [](const lang::Diagnostic &d) { return d.severity == lang::Severity::Error; };
  throw CompileError(renderNamed(shown, diagnostics),
                     placeOf(*llvm::find_if(shown, isError), diagnostics));
}

/// Reads the values of `defines`. Throws CompileError.
static std::vector<lang::Override> parseDefines(const std::string &fileName,
                                                const std::vector<std::string> &defines) {
  std::vector<lang::Override> overrides;
  for (const std::string &define : defines) {
    std::string error;
    std::optional<lang::Override> value = lang::parseOverride(define, error);
    if (!value)
      throw CompileError(fileName + ": error: " + define + ": " + error + "\n");
    overrides.push_back(*value);
  }
  return overrides;
}

std::optional<std::string> loss::selfContained(std::string_view text, const std::string &fileName,
                                               const std::vector<std::string> &defines) {
  lang::DiagnosticEngine diagnostics(fileName);
  lang::File file = lang::parse(text, diagnostics);
  lang::loadImports(file, diagnostics, {libraryFolders()});
  const std::vector<lang::Override> overrides = parseDefines(fileName, defines);
  if (!lang::analyze(file, diagnostics, overrides))
    return std::nullopt;
  return lang::selfContained(file, text, overrides);
}

LossSettings loss::readSettings(std::string_view text, const std::string &fileName) {
  lang::DiagnosticEngine diagnostics(fileName);
  lang::File file = lang::parse(text, diagnostics);
  lang::loadImports(file, diagnostics, {libraryFolders()});
  std::optional<lang::Program> program = lang::analyze(file, diagnostics);
  if (!program)
    throwErrors(diagnostics);
  LossSettings settings;
  for (const lang::ProgramOption &option : program->options)
    settings.options.push_back({option.name, option.value, option.isBool});
  std::vector<bool> used(program->nodes.size());
  used[program->result] = true;
  for (const lang::Node &node : program->nodes)
    for (uint8_t i = 0; i < node.operandCount; ++i)
      used[node.operands[i]] = true;
  for (const lang::ProgramParam &param : program->params)
    if (!used[param.node])
      settings.unusedParams.push_back(param.name);
  return settings;
}

std::unique_ptr<JitModule> Compiler::compile(std::string_view text, const std::string &fileName,
                                             const KernelSelection &selection,
                                             const std::vector<std::string> &defines) {
  PipelineOptions options;
  options.selection = selection;
  options.overrides = parseDefines(fileName, defines);
  Compilation result = impl->context().compile(text, fileName, options, /*descriptorInLevel=*/true);
  if (result.diagnostics.hasErrors())
    throwErrors(result.diagnostics);
  if (!result.failure.empty())
    throw CompileError(fileName + ": error: " + result.failure + "\n");
  if (result.levels.size() != 1)
    throw CompileError(fileName + ": error: expected one feature level in process\n");
  auto module = impl->jit->load({result.levels[0].object.data(), result.levels[0].object.size()});
  if (!module)
    throw CompileError(fileName + ": error: " + llvm::toString(module.takeError()) + "\n");
  for (const lang::Diagnostic &warning : applyWarningOptions(result.diagnostics, {}))
    (*module)->warnings.push_back(renderNamed({warning}, result.diagnostics));
  return std::move(*module);
}

std::unique_ptr<JitModule> Compiler::compileFile(const std::string &path,
                                                 const KernelSelection &selection) {
  auto buffer = llvm::MemoryBuffer::getFile(path);
  if (!buffer)
    throw CompileError(path + ": error: cannot read: " + buffer.getError().message() + "\n");
  llvm::StringRef text = (*buffer)->getBuffer();
  return compile({text.data(), text.size()}, path, selection);
}
