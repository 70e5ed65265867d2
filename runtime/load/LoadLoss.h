//===- LoadLoss.h - a loss by name, from a file or from text ----*- C++ -*-===//
//
//   losslang::Loss criterion(losslang::load("focal"), losslang::LossOptions().param("gamma", 1));
//
// Holds the compiler, and with it LLVM, in the program; LossHandle::open() alone does not.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_LOAD_LOADLOSS_H
#define LOSSLANG_RUNTIME_LOAD_LOADLOSS_H

#include "compiler/Pipeline/Compiler.h"
#include "runtime/module/LossHandle.h"

#include <string>
#include <vector>

namespace losslang {

/// Loads a library x.so, compiles a file x.loss, or compiles a loss of the library by its name.
/// `alsoKnown` ends the list of what was expected in the message for an unknown name. `warnings`
/// gets what the compiler warns of, each as lossc prints it. Throws loss::runtime::LoadError and
/// loss::CompileError.
loss::runtime::LossHandle load(const std::string &spec, const loss::KernelSelection &selection = {},
                               const std::string &alsoKnown = "",
                               std::vector<std::string> *warnings = nullptr);

/// Compiles the text of a loss. `fileName` appears in diagnostics; `warnings` as in load(). Throws
/// loss::CompileError.
loss::runtime::LossHandle compile(const std::string &text,
                                  const loss::KernelSelection &selection = {},
                                  const std::string &fileName = "<text>",
                                  std::vector<std::string> *warnings = nullptr);

} // namespace losslang

#endif // LOSSLANG_RUNTIME_LOAD_LOADLOSS_H
