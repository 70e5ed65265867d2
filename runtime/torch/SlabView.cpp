#include "runtime/torch/SlabView.h"
#include "runtime/torch/TileCopy.h"

#include <c10/util/BFloat16.h>
#include <c10/util/Exception.h>
#include <c10/util/Half.h>

#include <algorithm>
#include <cmath>
#include <type_traits>

namespace loss::runtime {

using c10::ScalarType;

namespace {

std::vector<Dimension> coalesce(const std::vector<Dimension> &given) {
  std::vector<Dimension> merged;
  for (const Dimension &next : given) {
    if (next.size == 1)
      continue;
    if (!merged.empty() && merged.back().stride == next.size * next.stride) {
      merged.back().size *= next.size;
      merged.back().stride = next.stride;
    } else {
      merged.push_back(next);
    }
  }
  return merged;
}

template <typename To, typename From> To convert(From value, bool &exact) {
  if constexpr (std::is_integral_v<From> && sizeof(From) >= 4) {
    constexpr int64_t whole = int64_t(1) << (sizeof(To) == 4 ? 24 : 53);
    if constexpr (sizeof(From) == 8 || sizeof(To) == 4)
      exact &= (value >= -whole && value <= whole) ||
               static_cast<long double>(static_cast<To>(value)) == static_cast<long double>(value);
    return static_cast<To>(value);
  } else {
    return static_cast<To>(value);
  }
}

/// Numbers copied at a time where neither side is contiguous in the same direction: whole cache
/// lines of both sides are used while they are in the first cache.
constexpr int64_t blockSide = 16;

/// to[r * toRow + c * toColumn] = from[r * fromRow + c * fromColumn]
template <typename To, typename From>
bool copyPatch(int64_t rows, int64_t columns, To *to, int64_t toRow, int64_t toColumn,
               const From *from, int64_t fromRow, int64_t fromColumn) {
  if (columns == 1 && rows > 1)
    return copyPatch(columns, rows, to, toColumn, toRow, from, fromColumn, fromRow);
  bool exact = true;
  if (toColumn == 1 && fromColumn == 1) {
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t c = 0; c < columns; ++c)
        to[r * toRow + c] = convert<To>(from[r * fromRow + c], exact);
    return exact;
  }
  if (rows == 1) {
    for (int64_t c = 0; c < columns; ++c)
      to[c * toColumn] = convert<To>(from[c * fromColumn], exact);
    return exact;
  }
  auto block = [&](int64_t r0, int64_t c0, int64_t height, int64_t width) {
    // A fixed trip count lets the compiler unroll.
    if (height == blockSide && width == blockSide) {
      for (int64_t c = 0; c < blockSide; ++c)
        for (int64_t r = 0; r < blockSide; ++r)
          to[(r0 + r) * toRow + (c0 + c) * toColumn] =
              convert<To>(from[(r0 + r) * fromRow + (c0 + c) * fromColumn], exact);
    } else {
      for (int64_t c = 0; c < width; ++c)
        for (int64_t r = 0; r < height; ++r)
          to[(r0 + r) * toRow + (c0 + c) * toColumn] =
              convert<To>(from[(r0 + r) * fromRow + (c0 + c) * fromColumn], exact);
    }
  };
  for (int64_t r = 0; r < rows; r += blockSide)
    for (int64_t c = 0; c < columns; c += blockSide)
      block(r, c, std::min(blockSide, rows - r), std::min(blockSide, columns - c));
  return exact;
}

/// Calls `use` with a null pointer of the C++ type.
template <typename Use> void withFloating(ScalarType type, Use use) {
  switch (type) {
  case ScalarType::Float:
    return use(static_cast<float *>(nullptr));
  case ScalarType::Double:
    return use(static_cast<double *>(nullptr));
  case ScalarType::Half:
    return use(static_cast<c10::Half *>(nullptr));
  case ScalarType::BFloat16:
    return use(static_cast<c10::BFloat16 *>(nullptr));
  default:
    TORCH_INTERNAL_ASSERT(false, "unexpected element type ", type);
  }
}

template <typename Use> void withNumber(ScalarType type, Use use) {
  switch (type) {
  case ScalarType::Long:
    return use(static_cast<int64_t *>(nullptr));
  case ScalarType::Int:
    return use(static_cast<int32_t *>(nullptr));
  case ScalarType::Short:
    return use(static_cast<int16_t *>(nullptr));
  case ScalarType::Char:
    return use(static_cast<int8_t *>(nullptr));
  case ScalarType::Byte:
    return use(static_cast<uint8_t *>(nullptr));
  case ScalarType::Bool:
    return use(static_cast<bool *>(nullptr));
  default:
    return withFloating(type, use);
  }
}

template <typename Use> void withKernelType(ScalarType type, Use use) {
  if (type == ScalarType::Double)
    use(static_cast<double *>(nullptr));
  else
    use(static_cast<float *>(nullptr));
}

} // namespace

SlabView::SlabView(void *data, ScalarType type, const std::vector<Dimension> &rowDimensions,
                   const std::vector<Dimension> &slabDimensions)
    : data(static_cast<char *>(data)), type(type), rows(coalesce(rowDimensions)),
      slab(coalesce(slabDimensions)) {
  for (const Dimension &dimension : slab)
    size *= dimension.size;
}

bool SlabView::isDirect(ScalarType kernelType) const {
  return type == kernelType && rows.size() <= 1 &&
         (slab.empty() || (slab.size() == 1 && slab[0].stride == 1));
}

void *SlabView::row(int64_t index) const {
  return data + index * rowStride() * static_cast<int64_t>(c10::elementSize(type));
}

/// Calls `copy(offset in the array, offset in the tile, patch)` for rectangles that cover the rows.
template <typename Copy> void SlabView::forEachPatch(int64_t begin, int64_t end, Copy copy) const {
  const Dimension innerSlab = slab.empty() ? Dimension{1, 1} : slab.back();
  const int64_t innerRows = rows.empty() ? end : rows.back().size;
  Patch patch{0, innerSlab.size, size, rowStride(), innerSlab.stride};
  for (int64_t row = begin; row < end; row += patch.rows) {
    const int64_t within = row % innerRows;
    patch.rows = std::min(end - row, innerRows - within);
    int64_t rowOffset = within * patch.arrayRow;
    int64_t rest = row / innerRows;
    for (size_t d = rows.empty() ? 0 : rows.size() - 1; d-- > 0; rest /= rows[d].size)
      rowOffset += rest % rows[d].size * rows[d].stride;
    for (int64_t start = 0; start < size; start += innerSlab.size) {
      int64_t slabOffset = 0;
      int64_t outer = start / innerSlab.size;
      for (size_t d = slab.empty() ? 0 : slab.size() - 1; d-- > 0; outer /= slab[d].size)
        slabOffset += outer % slab[d].size * slab[d].stride;
      copy(rowOffset + slabOffset, (row - begin) * size + start, patch);
    }
  }
}

bool SlabView::pack(int64_t begin, int64_t end, void *tile, ScalarType kernelType) const {
  bool exact = true;
  if (size == 0)
    return exact;
  withKernelType(kernelType, [&](auto *kernelNull) {
    using Kernel = std::remove_pointer_t<decltype(kernelNull)>;
    withNumber(type, [&](auto *null) {
      using Number = std::remove_pointer_t<decltype(null)>;
      const auto *from = reinterpret_cast<const Number *>(data);
      auto *to = static_cast<Kernel *>(tile);
      forEachPatch(begin, end, [&](int64_t offset, int64_t tileOffset, const Patch &patch) {
        if constexpr (std::is_same_v<Kernel, float>)
          if (copyToTileFast(patch, from + offset, type, to + tileOffset))
            return;
        exact &= copyPatch(patch.rows, patch.columns, to + tileOffset, patch.tileRow, int64_t(1),
                           from + offset, patch.arrayRow, patch.arrayColumn);
      });
    });
  });
  return exact;
}

void SlabView::unpack(int64_t begin, int64_t end, const void *tile, ScalarType kernelType) const {
  if (size == 0)
    return;
  withKernelType(kernelType, [&](auto *kernelNull) {
    using Kernel = std::remove_pointer_t<decltype(kernelNull)>;
    withFloating(type, [&](auto *null) {
      using Number = std::remove_pointer_t<decltype(null)>;
      const auto *from = static_cast<const Kernel *>(tile);
      auto *to = reinterpret_cast<Number *>(data);
      forEachPatch(begin, end, [&](int64_t offset, int64_t tileOffset, const Patch &patch) {
        if constexpr (std::is_same_v<Kernel, float>)
          if (copyFromTileFast(patch, to + offset, type, from + tileOffset))
            return;
        copyPatch(patch.rows, patch.columns, to + offset, patch.arrayRow, patch.arrayColumn,
                  from + tileOffset, patch.tileRow, int64_t(1));
      });
    });
  });
}

} // namespace loss::runtime
