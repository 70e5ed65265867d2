//===- SlabView.h - a strided array as rows of slabs ------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_SLABVIEW_H
#define LOSSLANG_RUNTIME_TORCH_SLABVIEW_H

#include <c10/core/ScalarType.h>

#include <cstddef>
#include <cstdint>
#include <vector>

namespace loss::runtime {

/// A dimension of an array: how many steps of how many elements.
struct Dimension {
  int64_t size, stride;
};

/// An array of any strides and element type, seen as rows of slabs: a slab is what LossAbi.h calls
/// so. Knows how to copy rows into a tile, an array of contiguous slabs of the kernel's element
/// type, and back.
class SlabView {
public:
  SlabView() = default;
  /// The dimensions of the rows and those of a slab, outermost first. No row dimensions: one slab
  /// for all rows.
  SlabView(void *data, c10::ScalarType type, const std::vector<Dimension> &rows,
           const std::vector<Dimension> &slab);

  /// Elements of a slab.
  int64_t slabSize() const { return size; }
  /// The kernel can use the array in place.
  bool isDirect(c10::ScalarType kernelType) const;
  /// Where the slab of a row lies, and the elements between two rows. Of a direct array only.
  void *row(int64_t index) const;
  int64_t rowStride() const { return rows.empty() ? 0 : rows.back().stride; }

  /// Copies rows [begin, end) to `tile`, converted to `kernelType` (f32 or f64). Returns false when
  /// an integer is not exactly representable in it.
  bool pack(int64_t begin, int64_t end, void *tile, c10::ScalarType kernelType) const;
  /// Copies a tile to rows [begin, end), converted to the array's floating-point type.
  void unpack(int64_t begin, int64_t end, const void *tile, c10::ScalarType kernelType) const;

private:
  template <typename Copy> void forEachPatch(int64_t begin, int64_t end, Copy copy) const;

  char *data = nullptr;
  c10::ScalarType type = c10::ScalarType::Float;
  int64_t size = 1;
  /// Coalesced, no dimension of size 1.
  std::vector<Dimension> rows, slab;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_SLABVIEW_H
