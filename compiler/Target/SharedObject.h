//===- SharedObject.h - linking in process ----------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_TARGET_SHAREDOBJECT_H
#define LOSSLANG_COMPILER_TARGET_SHAREDOBJECT_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/SmallVector.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"

namespace loss {

/// Links object files into one shared object that exports LOSSLANG_MODULE_SYMBOL alone, with LLD in
/// this process. Not thread-safe.
llvm::Error linkSharedObject(llvm::ArrayRef<llvm::StringRef> objects,
                             llvm::SmallVectorImpl<char> &out);

/// Writes to a temporary file beside `path` and renames it: the file appears whole or not at all.
/// A device or pipe is written to directly.
llvm::Error writeFileAtomically(llvm::StringRef path, llvm::StringRef contents,
                                bool executable = false);

} // namespace loss

#endif // LOSSLANG_COMPILER_TARGET_SHAREDOBJECT_H
