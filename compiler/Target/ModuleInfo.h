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
  /// Indices into ModuleInfo::axes.
  std::vector<uint32_t> axes;
  bool hasGradient = false;
};

struct ParamInfo {
  std::string name, doc;
  double defaultValue = 0;
  uint32_t constraint = LOSS_ANY;
};

struct KernelInfo {
  uint32_t element = LOSS_F32, target = LOSS_TARGET_NONE, mode = LOSS_VALUE;
  uint32_t options = LOSS_PLAIN;
  /// Symbol of the function that says how much scratch a call needs; empty: none.
  std::string scratch;
  /// Symbol of the function at each feature level; empty where it is not compiled.
  std::array<std::string, LOSS_LEVEL_COUNT> symbols;
};

/// The contents of a LossModule before it exists.
struct ModuleInfo {
  std::string name, doc, source;
  std::vector<std::string> axes;
  std::vector<uint32_t> resultAxes;
  int32_t rowAxis = -1, classAxis = -1;
  uint32_t classWeighting = LOSS_WEIGHTS_NONE;
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
