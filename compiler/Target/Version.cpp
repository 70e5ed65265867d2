//===- Version.cpp - the compiler's version -------------------------------===//

#include "compiler/Target/Version.h"

#include "llvm/Config/llvm-config.h"

std::string loss::compilerVersion() {
  return std::string(LOSSLANG_VERSION) + " (LLVM " LLVM_VERSION_STRING ")";
}
