//===- AtomicFile.h - a file is written whole or not at all -----*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_ATOMICFILE_H
#define LOSSLANG_RUNTIME_TRAIN_ATOMICFILE_H

#include <string>
#include <string_view>

namespace loss::runtime {

/// Writes to a temporary file in the same folder, syncs it to the disk and renames it to `path`.
/// Throws StorageError; then `path` is as it was and no temporary file is left.
void writeFileAtomically(const std::string &path, std::string_view content);

/// The whole content. Throws StorageError.
std::string readWholeFile(const std::string &path);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_ATOMICFILE_H
