//===- Explain.h - what the kernels of a loss do to memory ------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_PIPELINE_EXPLAIN_H
#define LOSSLANG_COMPILER_PIPELINE_EXPLAIN_H

#include "compiler/Pipeline/Pipeline.h"

namespace loss {

/// For people: each kernel's passes over memory, what each reads, reduces and writes, which earlier
/// pass it waits for, and how often each array is read and written. `compilation` stopped after
/// Phase::Fuse.
std::string explainKernels(const Compilation &compilation);

} // namespace loss

#endif // LOSSLANG_COMPILER_PIPELINE_EXPLAIN_H
