//===- Compiler.cpp - compilation in process ------------------------------===//

#include "compiler/Pipeline/Compiler.h"

#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Pipeline/Warnings.h"
#include "compiler/Target/CPU/CodeGenerator.h"
#include "compiler/Target/Jit.h"

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

std::unique_ptr<JitModule> Compiler::compile(std::string_view text, const std::string &fileName,
                                             const KernelSelection &selection,
                                             const std::vector<std::string> &defines) {
  PipelineOptions options;
  options.selection = selection;
  for (const std::string &define : defines) {
    std::string error;
    std::optional<lang::Override> value = lang::parseOverride(define, error);
    if (!value)
      throw CompileError(fileName + ": error: " + define + ": " + error + "\n");
    options.overrides.push_back(*value);
  }
  Compilation result = impl->context().compile(text, fileName, options, /*descriptorInLevel=*/true);
  if (result.diagnostics.hasErrors())
    throw CompileError(lang::render(result.diagnostics.diagnostics(), text));
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
