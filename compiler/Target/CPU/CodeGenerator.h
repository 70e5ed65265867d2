//===- CodeGenerator.h - LLVM IR to machine code ----------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_CODEGENERATOR_H
#define LOSSLANG_COMPILER_TARGET_CPU_CODEGENERATOR_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/Error.h"
#include "llvm/Target/TargetMachine.h"

#include <memory>

namespace loss {

/// One x86-64 feature level (LOSS_X86_64_V2, ...).
struct FeatureLevel {
  unsigned level;
  /// LLVM's name of it. Never the name of a processor: code generation for some is wrong.
  const char *cpu;
  /// Suffix of the kernels' symbols.
  const char *suffix;
  /// Width of its vector registers.
  unsigned bits;
};

const FeatureLevel &featureLevel(unsigned level);

/// The highest level of this processor; an error below x86-64-v2.
llvm::Expected<unsigned> hostFeatureLevel();

/// Code generation for one feature level. Not thread-safe: one per thread.
class CodeGenerator {
public:
  explicit CodeGenerator(unsigned level);
  CodeGenerator(CodeGenerator &&);
  ~CodeGenerator();

  const FeatureLevel &level() const { return features; }

  /// Sets triple and data layout.
  void setTarget(llvm::Module &module);
  /// setTarget(); links the vector math functions that are called, and makes all but
  /// the exported symbols internal.
  llvm::Error prepare(llvm::Module &module);
  /// Inlines and optimises.
  void optimise(llvm::Module &module);
  llvm::Error emitObject(llvm::Module &module, llvm::SmallVectorImpl<char> &object);
  llvm::Error emitAssembly(llvm::Module &module, llvm::SmallVectorImpl<char> &text);

private:
  llvm::Error emit(llvm::Module &module, llvm::CodeGenFileType type,
                   llvm::SmallVectorImpl<char> &out);

  const FeatureLevel &features;
  std::unique_ptr<llvm::TargetMachine> machine;
};

} // namespace loss

#endif // LOSSLANG_COMPILER_TARGET_CPU_CODEGENERATOR_H
