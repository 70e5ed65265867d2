//===- TileCopy.h - copies between arrays and tiles, vectorised -*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_TILECOPY_H
#define LOSSLANG_RUNTIME_TORCH_TILECOPY_H

#include <c10/core/ScalarType.h>

#include <cstdint>

namespace loss::runtime {

/// A rectangle of numbers. A tile's columns are next to each other, its rows `tileRow` apart; an
/// array's rows and columns are `arrayRow` and `arrayColumn` elements apart.
struct Patch {
  int64_t rows = 0, columns = 0;
  int64_t tileRow = 0;
  int64_t arrayRow = 0, arrayColumn = 0;
};

/// Copies an array of `type` to a tile of f32, with AVX2 and F16C where this processor has them.
/// Returns false, having done nothing, when there is no fast way: other types, other strides.
bool copyToTileFast(const Patch &patch, const void *array, c10::ScalarType type, float *tile);

/// Copies a tile to an array of f32, f16 or bf16, likewise.
bool copyFromTileFast(const Patch &patch, void *array, c10::ScalarType type, const float *tile);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_TILECOPY_H
