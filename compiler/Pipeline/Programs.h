//===- Programs.h - the programs that kernels are made of -------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_PIPELINE_PROGRAMS_H
#define LOSSLANG_COMPILER_PIPELINE_PROGRAMS_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Pipeline/Compiler.h"
#include "compiler/Target/ModuleInfo.h"

namespace loss {

/// Names of the programs of a mode, and of kernels made of them.
inline constexpr const char *modeNames[] = {"value", "grad", "all", "tangent", "tangent_all"};
inline constexpr const char *optionSuffixes[] = {"", "_options"};

/// Whether a mask of KernelSelection has the bit of a value.
inline bool wants(uint32_t mask, unsigned bit) { return mask >> bit & 1; }

/// Adds the programs of the selected modes beside `base`, which computes the value. All carry the
/// attributes `loss.mode` and `loss.options`, and `loss.by_index` where they serve one kind of
/// target only: class indices have no gradient.
mlir::LogicalResult addGradientPrograms(ir::ProgramOp base, unsigned option, const ModuleInfo &info,
                                        const KernelSelection &selection);

} // namespace loss

#endif // LOSSLANG_COMPILER_PIPELINE_PROGRAMS_H
