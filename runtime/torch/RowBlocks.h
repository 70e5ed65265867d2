//===- RowBlocks.h - divides rows over LibTorch's threads -------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_ROWBLOCKS_H
#define LOSSLANG_RUNTIME_TORCH_ROWBLOCKS_H

#include <cstddef>
#include <cstdint>
#include <functional>

namespace loss::runtime {

/// Calls `body(begin, end)` for consecutive ranges that cover [0, rows), at least `grain` rows
/// each but the last, on the threads that LibTorch uses inside an operation. A thread takes the
/// next range when it is done with one. `body` must not throw.
void forRowBlocks(int64_t rows, int64_t grain,
                  const std::function<void(int64_t begin, int64_t end)> &body);

/// Memory of the calling thread, 64-byte aligned, kept for its next calls; a large request is given
/// back by the call that follows it. Contents are undefined.
class ThreadScratch {
public:
  static void *get(size_t bytes);
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_ROWBLOCKS_H
