//===- ElfCheck.h - is this file a whole shared library? --------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODULE_ELFCHECK_H
#define LOSSLANG_RUNTIME_MODULE_ELFCHECK_H

#include <string>

namespace loss::runtime {

/// Why the file at `path` cannot be loaded as a shared library of this processor, or empty when it
/// can. The dynamic loader maps a truncated file without complaint and crashes later.
std::string explainUnloadable(const std::string &path);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODULE_ELFCHECK_H
