//===- pipeline.cpp - fuzzing: from text to vector code -------------------===//
//
// Every phase up to explicit vectors. A program either compiles or has errors in the text; no phase
// may fail by itself, which the compiler calls an internal error. Programs are bounded, so that
// time goes to many of them.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Fuzz.h"

#include "compiler/Pipeline/Pipeline.h"
#include "lang/Sema.h"

using namespace loss;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  constexpr size_t longest = 2000, largest = 150;
  if (size > longest)
    return -1;
  std::string text(reinterpret_cast<const char *>(data), size);
  lang::DiagnosticEngine diagnostics("fuzz.loss");
  std::optional<lang::Program> program = lang::parseProgram(text, diagnostics);
  if (!program || program->nodes.size() > largest)
    return -1;

  // Types and attributes live as long as an MLIR context.
  static std::unique_ptr<PipelineContext> context;
  static unsigned used = 0;
  if (used++ % 200 == 0)
    context = std::make_unique<PipelineContext>();
  PipelineOptions options;
  options.stopAfter = Phase::Vector;
  options.selection.levels = 1u << LOSS_X86_64_V3;
  Compilation result = context->compile(text, "fuzz.loss", options, /*descriptorInLevel=*/true);
  fuzz::require(result.failure.empty(), "no internal error", result.failure + "\n" + text);
  return 0;
}
