//===- ModuleCheck.h - is a descriptor one that can be read? ----*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODULE_MODULECHECK_H
#define LOSSLANG_RUNTIME_MODULE_MODULECHECK_H

#include "runtime/abi/LossAbi.h"

#include <string>

namespace loss::runtime {

/// Why the descriptor cannot be used, or empty: every number in it that indexes something does so
/// within bounds then. Reads nothing behind the version before it fits.
std::string explainUnusable(const LossModule &module);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODULE_MODULECHECK_H
