//===- Programs.h - the programs that kernels are made of -------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_PIPELINE_PROGRAMS_H
#define LOSSLANG_COMPILER_PIPELINE_PROGRAMS_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Pipeline/Compiler.h"
#include "compiler/Target/ModuleInfo.h"
#include "runtime/abi/LossNames.h"

namespace loss {

/// Ends the names of the programs, and of kernels made of them, that serve the options or do not.
inline const char *optionSuffix(unsigned option) { return option == LOSS_PLAIN ? "" : "_options"; }

/// The mode whose abi::modeKey() a program carries.
inline unsigned modeOfKey(llvm::StringRef key) {
  unsigned mode = LOSS_VALUE;
  while (mode < LOSS_MODE_COUNT && key != abi::modeKey(mode))
    ++mode;
  return mode;
}

/// Whether a mask of KernelSelection has the bit of a value.
inline bool wants(uint32_t mask, unsigned bit) { return mask >> bit & 1; }

/// Adds the programs of the selected modes beside `base`, which computes the value. All carry the
/// attributes `loss.mode` and `loss.options`, and `loss.by_index` where they serve one kind of
/// target only: class indices have no gradient.
mlir::LogicalResult addGradientPrograms(ir::ProgramOp base, unsigned option, const ModuleInfo &info,
                                        const KernelSelection &selection);

} // namespace loss

#endif // LOSSLANG_COMPILER_PIPELINE_PROGRAMS_H
