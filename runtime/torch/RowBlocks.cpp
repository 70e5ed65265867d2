#include "runtime/torch/RowBlocks.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <atomic>
#include <cstdlib>
#include <memory>
#include <new>

// at::parallel_for is a template over OpenMP pragmas. Clang would compile those for its own OpenMP
// runtime, a second pool of threads beside LibTorch's. GCC's entry points, which LibTorch itself
// calls, reach the one pool that is there.
extern "C" {
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
}

namespace loss::runtime {
namespace {

/// Blocks for each thread, where there are rows enough: a thread whose core is busy with another
/// program takes fewer of them, and the others do not wait for half of the rows.
constexpr int64_t blocksPerThread = 8;

struct Division {
  int64_t rows, blockRows;
  const std::function<void(int64_t, int64_t)> &body;
  /// The first row that no thread has taken.
  std::atomic<int64_t> next = 0;
};

/// What each thread does: takes the next block while there is one.
void runBlocks(void *data) {
  auto &division = *static_cast<Division *>(data);
  for (;;) {
    const int64_t begin = division.next.fetch_add(division.blockRows, std::memory_order_relaxed);
    if (begin >= division.rows)
      return;
    division.body(begin, std::min(division.rows, begin + division.blockRows));
  }
}

struct Buffer {
  void *data = nullptr;
  size_t size = 0;
  ~Buffer() { std::free(data); }
};

constexpr size_t keptBytes = size_t(1) << 20;

} // namespace

void forRowBlocks(int64_t rows, int64_t grain, const std::function<void(int64_t, int64_t)> &body) {
  if (rows <= 0)
    return;
  at::internal::lazy_init_num_threads();
  const int64_t threads = at::get_num_threads();
  if (rows <= grain || threads == 1 || at::in_parallel_region())
    return body(0, rows);
  const int64_t blocks = threads * blocksPerThread;
  Division division{rows, std::max<int64_t>({1, grain, (rows + blocks - 1) / blocks}), body};
  GOMP_parallel(runBlocks, &division, 0, 0);
}

void *ThreadScratch::get(size_t bytes) {
  thread_local Buffer buffer;
  if (bytes > buffer.size || (buffer.size > keptBytes && bytes <= keptBytes)) {
    std::free(buffer.data);
    buffer = {};
    const size_t size = (std::max<size_t>(bytes, 4096) + 63) / 64 * 64;
    buffer.data = std::aligned_alloc(64, size);
    if (!buffer.data)
      throw std::bad_alloc();
    buffer.size = size;
  }
  return buffer.data;
}

} // namespace loss::runtime
