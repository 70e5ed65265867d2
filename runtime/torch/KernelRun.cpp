#include "runtime/torch/KernelRun.h"
#include "runtime/torch/RowBlocks.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <limits>
#include <memory>
#include <new>

namespace loss::runtime {

namespace {

/// Numbers in a chunk: below it a second thread costs more than it brings.
constexpr int64_t chunkElements = 65536;
/// The most rows of a chunk.
constexpr int64_t mostRows = 16384;
/// Bytes of a tile: half of a small second-level cache.
constexpr int64_t tileBytes = 256 << 10;
/// The least rows of a tile: a cache line of the source is used whole where its rows are next to
/// each other.
constexpr int64_t leastTileRows = 16;
/// Sums over rows are formed in at most so many parts.
constexpr int64_t mostGroups = 64;
constexpr int64_t noRow = std::numeric_limits<int64_t>::max();

constexpr int64_t aligned(int64_t bytes) { return (bytes + 63) / 64 * 64; }

template <typename T> double sumLanes(const T *values, int64_t count) {
  constexpr int64_t lanes = 8;
  double sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t l = 0; l < lanes; ++l)
      sums[l] += static_cast<double>(values[i + l]);
  for (int64_t l = 0; i < count; ++i, ++l)
    sums[l] += static_cast<double>(values[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

template <typename T> void addRows(double *sums, const T *tile, int64_t rows, int64_t slab) {
  for (int64_t r = 0; r < rows; ++r)
    for (int64_t k = 0; k < slab; ++k)
      sums[k] += static_cast<double>(tile[r * slab + k]);
}

} // namespace

double sumInOrder(const void *values, int64_t count, c10::ScalarType type) {
  return type == c10::ScalarType::Double ? sumLanes(static_cast<const double *>(values), count)
                                         : sumLanes(static_cast<const float *>(values), count);
}

/// Where things lie in a thread's memory, as offsets in bytes; -1: not there.
struct KernelRun::Layout {
  int64_t elementSize = 4, rowsPerChunk = 1, chunks = 0, chunksPerGroup = 1;
  int64_t kernelScratch = -1, values = -1, bytes = 0;
  /// The rows are the only axis: the kernel takes a range of them as one contiguous array.
  bool rowsTouch = false;
  std::vector<int64_t> inputTiles, tangentTiles, gradientTiles;
  /// Sources without rows that had to be packed, and where they are; by input, then by tangent.
  std::vector<const void *> wholeInputs, wholeTangents;
  std::vector<std::unique_ptr<char, decltype(&std::free)>> wholeMemory;
  /// Numbers of all sums over rows, and the place of each gradient's among them.
  int64_t sumCount = 0;
  std::vector<int64_t> sumPlaces;

  bool fits(const SlabView &view) const { return !rowsTouch || view.rowStride() == 1; }
  bool usesDirectly(const Source &source, c10::ScalarType type) const {
    return source.indices || (source.inner == 0 && source.view.isDirect(type) &&
                              (!source.hasRowAxis || fits(source.view)));
  }
};

/// Memory of one thread: its tiles, and the arrays of LossArgs.
struct KernelRun::Thread {
  Thread(const KernelRun &run, int64_t bytes)
      : memory(bytes == 0 ? nullptr
                          : static_cast<char *>(ThreadScratch::get(static_cast<size_t>(bytes)))),
        inputs(run.inputs.size()), tangents(run.tangents.size()), gradients(run.gradients.size()),
        inputStrides(run.inputs.size()), tangentStrides(run.tangents.size()),
        gradientStrides(run.gradients.size()) {}

  char *memory;
  std::vector<const void *> inputs, tangents;
  std::vector<void *> gradients;
  std::vector<int64_t> inputStrides, tangentStrides, gradientStrides;
};

/// What the threads tell each other.
struct KernelRun::Shared {
  std::atomic<int64_t> badRow = noRow;
  std::atomic<int> inexact = -1;
  std::atomic<bool> outOfMemory = false;
  std::vector<double> chunkSums;

  void reportBad(int64_t row) {
    for (int64_t seen = badRow; row < seen;)
      if (badRow.compare_exchange_weak(seen, row))
        break;
  }
};

void KernelRun::runChunk(const Layout &layout, Shared &shared, int64_t chunk, double *sums,
                         Thread &thread) const {
  char *const memory = thread.memory;
  const int64_t begin = chunk * layout.rowsPerChunk;
  const int64_t end = std::min(rows, begin + layout.rowsPerChunk);
  auto place = [&](const Source &source, int64_t tile, const void *whole, const void *&pointer,
                   int64_t &stride, int name) {
    pointer = nullptr;
    stride = 0;
    if (!source.used)
      return;
    if (whole) {
      pointer = whole;
    } else if (tile < 0) {
      pointer = source.hasRowAxis ? source.view.row(begin) : source.view.row(0);
      stride = source.hasRowAxis ? source.view.rowStride() : 0;
    } else {
      // An array that all rows share is packed again for each selection.
      if (!(source.hasRowAxis ? source.view.pack(begin, end, memory + tile, kernelType)
                              : source.view.pack(0, 1, memory + tile, kernelType)))
        shared.inexact = name;
      if (source.inner > 0)
        selection->gather(begin, memory + tile,
                          source.view.slabSize() / source.inner / selection->size, source.inner,
                          layout.elementSize);
      pointer = memory + tile;
      stride = source.view.slabSize();
    }
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    place(inputs[i], layout.inputTiles[i], layout.wholeInputs[i], thread.inputs[i],
          thread.inputStrides[i], static_cast<int>(i));
  for (size_t i = 0; i < tangents.size(); ++i)
    place(tangents[i], layout.tangentTiles[i], layout.wholeTangents[i], thread.tangents[i],
          thread.tangentStrides[i], static_cast<int>(i));
  for (size_t i = 0; i < gradients.size(); ++i) {
    const Sink &sink = gradients[i];
    const int64_t tile = layout.gradientTiles[i];
    thread.gradients[i] = !sink.computed ? nullptr
                          : tile < 0     ? sink.view.row(begin)
                                         : memory + tile;
    thread.gradientStrides[i] = tile < 0 ? sink.view.rowStride() : sink.view.slabSize();
  }

  const double one = 1;
  const float oneSingle = 1;
  LossArgs args = {};
  args.sizes = sizes.data();
  args.inputs = thread.inputs.data();
  args.input_strides = thread.inputStrides.data();
  args.params = params;
  args.class_weights = classWeights;
  args.label_smoothing = labelSmoothing;
  args.weights = weights
                     ? static_cast<const char *>(weights) + begin * resultSlab * layout.elementSize
                 : layout.elementSize == 8 ? static_cast<const void *>(&one)
                                           : &oneSingle;
  args.weight_stride = weights ? 1 : 0;
  char *value = values ? static_cast<char *>(values) + begin * resultSlab * layout.elementSize
                       : memory + layout.values;
  args.value = value;
  args.grads = thread.gradients.data();
  args.grad_strides = thread.gradientStrides.data();
  args.grad_scale = gradScale;
  args.tangents = thread.tangents.data();
  args.tangent_strides = thread.tangentStrides.data();
  std::vector<int64_t> kept;
  if (selection) {
    kept = sizes;
    kept[selection->axis] = selection->count(begin);
    args.sizes = kept.data();
  }
  if (selection && selection->count(begin) == 0) {
    clearRow(layout, thread, value);
  } else {
    const int64_t bad = kernel.entry(
        &args, 0, end - begin, layout.kernelScratch < 0 ? nullptr : memory + layout.kernelScratch);
    if (bad >= 0)
      return shared.reportBad(begin + bad);
  }
  for (size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i].computed && gradients[i].inner > 0)
      selection->scatter(begin, memory + layout.gradientTiles[i],
                         gradients[i].view.slabSize() / gradients[i].inner / selection->size,
                         gradients[i].inner, layout.elementSize);

  for (size_t i = 0; i < gradients.size(); ++i) {
    const Sink &sink = gradients[i];
    const int64_t tile = layout.gradientTiles[i];
    if (tile < 0 || !sink.wanted)
      continue;
    if (!sink.summed)
      sink.view.unpack(begin, end, memory + tile, kernelType);
    else if (layout.elementSize == 8)
      addRows(sums + layout.sumPlaces[i], reinterpret_cast<const double *>(memory + tile),
              end - begin, sink.view.slabSize());
    else
      addRows(sums + layout.sumPlaces[i], reinterpret_cast<const float *>(memory + tile),
              end - begin, sink.view.slabSize());
  }
  if (!values)
    shared.chunkSums[chunk] = sumInOrder(value, (end - begin) * resultSlab, kernelType);
}

void KernelRun::clearRow(const Layout &layout, const Thread &thread, char *value) const {
  std::memset(value, 0, resultSlab * layout.elementSize);
  for (size_t i = 0; i < gradients.size(); ++i)
    if (gradients[i].computed)
      std::memset(thread.gradients[i], 0, gradients[i].view.slabSize() * layout.elementSize);
}

int64_t KernelRun::run() {
  Layout layout;
  layout.elementSize = kernelType == c10::ScalarType::Double ? 8 : 4;
  layout.rowsTouch = byRows && sizes.size() == 1;
  Shared shared;

  // Numbers that a row brings along, and those of them that go through a tile.
  int64_t work = resultSlab, tiled = 0;
  auto count = [&](const Source &source) {
    if (!source.used || !source.hasRowAxis)
      return;
    work += source.view.slabSize();
    if (!layout.usesDirectly(source, kernelType))
      tiled += source.view.slabSize();
  };
  std::for_each(inputs.begin(), inputs.end(), count);
  std::for_each(tangents.begin(), tangents.end(), count);
  auto sinkIsTiled = [&](const Sink &sink) {
    return sink.computed && (!sink.wanted || sink.summed || sink.inner > 0 ||
                             !sink.view.isDirect(kernelType) || !layout.fits(sink.view));
  };
  bool sums = false;
  for (const Sink &sink : gradients) {
    if (!sink.computed)
      continue;
    work += sink.view.slabSize();
    if (sinkIsTiled(sink))
      tiled += sink.view.slabSize();
    sums |= sink.wanted && sink.summed;
  }
  layout.rowsPerChunk =
      std::clamp<int64_t>(chunkElements / std::max<int64_t>(work, 1), 1, mostRows);
  if (tiled > 0)
    layout.rowsPerChunk =
        std::min(std::max(layout.rowsPerChunk, leastTileRows),
                 std::max(leastTileRows, tileBytes / (tiled * layout.elementSize)));
  if (!byRows || selection)
    layout.rowsPerChunk = 1;
  layout.chunks = (rows + layout.rowsPerChunk - 1) / layout.rowsPerChunk;
  if (sums)
    layout.chunksPerGroup = (layout.chunks + mostGroups - 1) / mostGroups;
  const int64_t groups =
      layout.chunks == 0 ? 0 : (layout.chunks + layout.chunksPerGroup - 1) / layout.chunksPerGroup;

  auto reserve = [&](int64_t elements) {
    const int64_t offset = layout.bytes;
    layout.bytes += aligned(elements * layout.elementSize);
    return offset;
  };
  if (const int64_t scratch = kernel.scratchElements(sizes.data()); scratch > 0)
    layout.kernelScratch = reserve(scratch);
  auto prepare = [&](const Source &source, std::vector<int64_t> &tiles,
                     std::vector<const void *> &whole, int name) {
    tiles.push_back(-1);
    whole.push_back(nullptr);
    if (!source.used || layout.usesDirectly(source, kernelType))
      return;
    const int64_t slab = source.view.slabSize();
    if ((byRows && source.hasRowAxis) || source.inner > 0) {
      tiles.back() = reserve(layout.rowsPerChunk * slab);
      return;
    }
    // One slab for the whole call.
    char *memory = static_cast<char *>(
        std::aligned_alloc(64, std::max<int64_t>(64, aligned(slab * layout.elementSize))));
    if (!memory)
      throw std::bad_alloc();
    layout.wholeMemory.emplace_back(memory, &std::free);
    if (!source.view.pack(0, 1, memory, kernelType))
      shared.inexact = name;
    whole.back() = memory;
  };
  for (size_t i = 0; i < inputs.size(); ++i)
    prepare(inputs[i], layout.inputTiles, layout.wholeInputs, static_cast<int>(i));
  for (size_t i = 0; i < tangents.size(); ++i)
    prepare(tangents[i], layout.tangentTiles, layout.wholeTangents, static_cast<int>(i));
  for (const Sink &sink : gradients) {
    layout.gradientTiles.push_back(
        sinkIsTiled(sink) ? reserve(layout.rowsPerChunk * sink.view.slabSize()) : -1);
    layout.sumPlaces.push_back(layout.sumCount);
    if (sink.wanted && sink.summed)
      layout.sumCount += sink.view.slabSize();
  }
  if (!values) {
    layout.values = reserve(layout.rowsPerChunk * resultSlab);
    shared.chunkSums.assign(layout.chunks, 0);
  }

  std::vector<double> groupSums(groups * layout.sumCount, 0.0);
  forRowBlocks(groups, 1, [&](int64_t groupBegin, int64_t groupEnd) {
    try {
      Thread thread(*this, layout.bytes);
      for (int64_t group = groupBegin; group < groupEnd; ++group) {
        const int64_t first = group * layout.chunksPerGroup;
        const int64_t last = std::min(layout.chunks, first + layout.chunksPerGroup);
        for (int64_t chunk = first; chunk < last; ++chunk)
          runChunk(layout, shared, chunk, groupSums.data() + group * layout.sumCount, thread);
      }
    } catch (const std::bad_alloc &) {
      shared.outOfMemory = true;
    }
  });
  if (shared.outOfMemory)
    throw std::bad_alloc();
  inexactInput = shared.inexact;
  if (shared.badRow != noRow)
    return shared.badRow;

  valueSum = 0;
  for (double part : shared.chunkSums)
    valueSum += part;
  for (size_t i = 0; i < gradients.size(); ++i) {
    Sink &sink = gradients[i];
    if (!sink.wanted || !sink.summed)
      continue;
    sink.sums.assign(sink.view.slabSize(), 0.0);
    for (int64_t group = 0; group < groups; ++group)
      for (size_t k = 0; k < sink.sums.size(); ++k)
        sink.sums[k] += groupSums[group * layout.sumCount + layout.sumPlaces[i] + k];
  }
  return -1;
}

} // namespace loss::runtime
