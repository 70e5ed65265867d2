#include "runtime/torch/RowBlocks.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <cstdlib>
#include <memory>
#include <new>

// at::parallel_for is a template over OpenMP pragmas. Clang would compile those for its own OpenMP
// runtime, a second pool of threads beside LibTorch's. GCC's entry points, which LibTorch itself
// calls, reach the one pool that is there.
extern "C" {
void GOMP_parallel(void (*body)(void *), void *data, unsigned threads, unsigned flags);
int omp_get_thread_num(void);
int omp_get_num_threads(void);
}

namespace loss::runtime {
namespace {

struct Division {
  int64_t rows, grain;
  const std::function<void(int64_t, int64_t)> &body;
};

void runBlock(void *data) {
  const auto &division = *static_cast<const Division *>(data);
  const int64_t mostBlocks = (division.rows + division.grain - 1) / division.grain;
  const int64_t blocks = std::min<int64_t>(omp_get_num_threads(), mostBlocks);
  const int64_t size = (division.rows + blocks - 1) / blocks;
  const int64_t begin = omp_get_thread_num() * size;
  if (begin < division.rows)
    division.body(begin, std::min(division.rows, begin + size));
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
  if (rows <= grain || at::get_num_threads() == 1 || at::in_parallel_region())
    return body(0, rows);
  Division division{rows, std::max<int64_t>(grain, 1), body};
  GOMP_parallel(runBlock, &division, 0, 0);
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
