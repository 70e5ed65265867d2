//===- Jit.h - machine code in this process ---------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_TARGET_JIT_H
#define LOSSLANG_COMPILER_TARGET_JIT_H

#include "compiler/Pipeline/Compiler.h"

#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

#include <memory>

namespace loss {

/// Loads object files into this process by ORC. No threads; what a module used is freed with it.
class Jit : public std::enable_shared_from_this<Jit> {
public:
  static llvm::Expected<std::shared_ptr<Jit>> create();
  ~Jit();

  /// Loads an object that defines LOSSLANG_MODULE_SYMBOL and needs nothing from outside.
  llvm::Expected<std::unique_ptr<JitModule>> load(llvm::StringRef object);

  struct Impl;

private:
  Jit();
  std::unique_ptr<Impl> impl;
};

} // namespace loss

#endif // LOSSLANG_COMPILER_TARGET_JIT_H
