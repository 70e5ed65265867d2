//===- Describe.h - what a module says of a program -------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_PIPELINE_DESCRIBE_H
#define LOSSLANG_COMPILER_PIPELINE_DESCRIBE_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Target/ModuleInfo.h"
#include "lang/Program.h"

namespace loss {

/// All but rows and kernels. `source`: the text that the module carries.
ModuleInfo describe(const lang::Program &program, const std::string &source);

/// What the row axis, known once the program is simplified, means for callers.
void describeRows(ModuleInfo &info, ir::ProgramOp program);

} // namespace loss

#endif // LOSSLANG_COMPILER_PIPELINE_DESCRIBE_H
