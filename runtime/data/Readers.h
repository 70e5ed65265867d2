//===- Readers.h - the original file formats --------------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_DATA_READERS_H
#define LOSSLANG_RUNTIME_DATA_READERS_H

#include "runtime/data/ImageSet.h"

#include <string>
#include <vector>

namespace loss::runtime {

/// Reads images and labels from two IDX files (the format of MNIST), gzipped or not: magic number
/// 0x803 (bytes, 3 axes) for images, 0x801 for labels, sizes as big-endian 32-bit numbers.
/// Throws DataError; labels must lie below `classes`.
ImageSet readIdx(const std::string &imageFile, const std::string &labelFile, int64_t classes);

/// Reads files of the CIFAR binary format: records of `labelBytes` labels, the last of which is
/// taken, and 3 x 32 x 32 bytes. Throws DataError; labels must lie below `classes`.
ImageSet readCifar(const std::vector<std::string> &files, int64_t labelBytes, int64_t classes);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_DATA_READERS_H
