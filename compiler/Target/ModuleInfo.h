//===- ModuleInfo.h - what a compiled module says of itself -----*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_TARGET_MODULEINFO_H
#define LOSSLANG_COMPILER_TARGET_MODULEINFO_H

#include "runtime/abi/LossAbi.h"

#include <array>
#include <cstdint>
#include <string>
#include <vector>

namespace llvm {
class Module;
}

namespace loss {

struct InputInfo {
  std::string name, doc;
  uint32_t kind = LOSS_INPUT_VALUE;
  std::vector<std::string> axes;
  bool hasRows = false, hasClasses = false;
  int32_t gradIndex = -1;
};

struct ParamInfo {
  std::string name, doc;
  double defaultValue = 0;
};

struct KernelInfo {
  uint32_t element = LOSS_F32, target = LOSS_TARGET_NONE, mode = LOSS_VALUE;
  uint32_t scratchRows = 0;
  /// Symbol of the function at each feature level; empty where it is not compiled.
  std::array<std::string, LOSS_LEVEL_COUNT> symbols;
};

/// The contents of a LossModule before it exists.
struct ModuleInfo {
  std::string name, doc, source;
  std::vector<InputInfo> inputs;
  std::vector<ParamInfo> params;
  std::vector<KernelInfo> kernels;
};

/// SHA-256 of a text as 64 hexadecimal digits.
std::string sourceHash(const std::string &text);

/// Adds the exported constant LOSSLANG_MODULE_SYMBOL to `module`. Kernels that `module` does not
/// define are declared.
void emitDescriptor(llvm::Module &module, const ModuleInfo &info);

} // namespace loss

#endif // LOSSLANG_COMPILER_TARGET_MODULEINFO_H
