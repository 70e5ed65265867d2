//===- Version.h - the compiler's version -----------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_TARGET_VERSION_H
#define LOSSLANG_COMPILER_TARGET_VERSION_H

#include <string>

namespace loss {
/// "0.1.0 (LLVM 22.1.8)".
std::string compilerVersion();
} // namespace loss

#endif // LOSSLANG_COMPILER_TARGET_VERSION_H
