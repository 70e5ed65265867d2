#include "runtime/torch/GradientMemory.h"

#include <array>
#include <cstdlib>
#include <mutex>
#include <new>
#include <utility>

namespace loss::runtime {

namespace {

/// Below it the allocator of the C library recycles memory well enough.
constexpr size_t smallest = 1 << 20;
constexpr size_t alignment = 64;

struct Block {
  void *memory = nullptr;
  size_t bytes = 0;
};

/// The last blocks released. Never destroyed: tensors may outlive all static objects.
class Released {
public:
  static Released &get() {
    static Released *const released = new Released;
    return *released;
  }

  Block take(size_t bytes) {
    std::lock_guard<std::mutex> lock(mutex);
    for (Block &block : blocks)
      // Not one of twice the size: the rest would be lost to everybody.
      if (block.memory && block.bytes >= bytes && block.bytes / 2 < bytes)
        return std::exchange(block, {});
    return {};
  }

  void put(Block block) {
    {
      std::lock_guard<std::mutex> lock(mutex);
      // Into an empty place, or else that of the block which has waited longest.
      for (size_t tried = 0; tried < blocks.size() && blocks[next].memory; ++tried)
        next = (next + 1) % blocks.size();
      std::swap(block, blocks[next]);
      next = (next + 1) % blocks.size();
    }
    std::free(block.memory);
  }

private:
  std::mutex mutex;
  std::array<Block, 2> blocks;
  size_t next = 0;
};

} // namespace

at::Tensor emptyGradient(at::IntArrayRef sizes, at::IntArrayRef strides,
                         at::TensorOptions options) {
  size_t bytes = c10::multiply_integers(sizes) * options.dtype().itemsize();
  if (bytes < smallest)
    return at::empty_strided(sizes, strides, options);
  Block block = Released::get().take(bytes);
  if (!block.memory) {
    block.bytes = (bytes + alignment - 1) / alignment * alignment;
    block.memory = std::aligned_alloc(alignment, block.bytes);
    if (!block.memory)
      throw std::bad_alloc();
  }
  return at::from_blob(
      block.memory, sizes, strides, [block](void *) { Released::get().put(block); }, options);
}

} // namespace loss::runtime
