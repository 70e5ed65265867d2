//===- Pipeline.h - the phases of a compilation -----------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_PIPELINE_PIPELINE_H
#define LOSSLANG_COMPILER_PIPELINE_PIPELINE_H

#include "compiler/Pipeline/Compiler.h"
#include "compiler/Target/ModuleInfo.h"
#include "lang/Diagnostic.h"
#include "lang/Sema.h"

#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/MLIRContext.h"
#include "mlir/IR/OwningOpRef.h"
#include "mlir/Pass/PassManager.h"
#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/SmallVector.h"

#include <chrono>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loss {

enum class Phase {
#define LOSS_PHASE(ENUM, NAME, DOC) ENUM,
#include "compiler/Pipeline/Phases.def"
};

/// "parse", "loss", ...
llvm::StringRef phaseName(Phase phase);

/// The file that a phase is dumped to: its number, its name and `suffix`.
std::string dumpPath(llvm::StringRef directory, Phase phase, const llvm::Twine &suffix);
std::optional<Phase> phaseByName(llvm::StringRef name);
llvm::ArrayRef<Phase> allPhases();

struct PipelineOptions {
  KernelSelection selection;
  /// -D param=value.
  std::vector<lang::Override> overrides;
  /// Folder that the result of each phase is written to; empty: none.
  std::string dumpDirectory;
  /// Nothing beyond this phase is done.
  Phase stopAfter = Phase::Object;
  /// Also emit assembly text.
  bool wantAssembly = false;
  /// Rewrite formulas into stable forms before and after differentiation. Off only in tests, which
  /// compare the two.
  bool simplify = true;
};

/// What a compilation has produced when it stopped. Later members are empty if it stopped earlier.
struct Compilation {
  explicit Compilation(std::string fileName) : diagnostics(std::move(fileName)) {}

  lang::DiagnosticEngine diagnostics;
  /// A failure that is not about the text (the linker, a full disk), or empty.
  std::string failure;
  std::string source;
  /// The syntax tree, printed.
  std::string ast;
  std::optional<lang::Program> program;
  /// The last MLIR module before code for a feature level is generated.
  mlir::OwningOpRef<mlir::ModuleOp> module;
  ModuleInfo info;
  /// Why the loss has no row axis; empty when it has one.
  std::string whyNoRows;
  struct Level {
    unsigned level;
    std::string vectorIR, llvmIR, assembly;
    llvm::SmallVector<char, 0> object;
  };
  std::vector<Level> levels;
  /// Phase and seconds, in order.
  std::vector<std::pair<Phase, double>> seconds;

  bool succeeded() const { return !diagnostics.hasErrors() && failure.empty(); }
};

/// Adds an error of MLIR as one about the text.
void addError(lang::DiagnosticEngine &diagnostics, mlir::Diagnostic &error);

/// An MLIR context with the dialects and pass pipelines of a compilation, for many compilations.
/// Single-threaded, and starts no thread.
class PipelineContext {
public:
  /// `disabledPatterns`: laws of loss-simplify that are left out, by name. For tests that ask what
  /// a law is needed for.
  explicit PipelineContext(llvm::ArrayRef<std::string> disabledPatterns = {});
  ~PipelineContext();

  /// Compiles up to options.stopAfter. `kernelsInOne`: the object of a level also holds the module
  /// descriptor (for a single level in process); else a separate descriptor object is the last of
  /// Compilation::levels with level == LOSS_LEVEL_COUNT.
  Compilation compile(std::string_view text, const std::string &fileName,
                      const PipelineOptions &options, bool descriptorInLevel);

private:
  friend class Run;
  mlir::MLIRContext context;
  struct Pipelines;
  std::unique_ptr<Pipelines> pipelines;
};

} // namespace loss

#endif // LOSSLANG_COMPILER_PIPELINE_PIPELINE_H
