//===- RowSelection.h - what ignored targets leave of a row -----*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_ROWSELECTION_H
#define LOSSLANG_RUNTIME_TORCH_ROWSELECTION_H

#include <cstddef>
#include <cstdint>
#include <vector>

namespace loss::runtime {

/// The places along one axis that each row of a call is left with. The kernel sees rows in which
/// that axis is shorter: the others take no part, whatever the loss does along the axis.
class RowSelection {
public:
  /// Of no row yet: addRow() is called for each in order. `axis`: index into LossModule.axes.
  RowSelection(uint32_t axis, int64_t size) : axis(axis), size(size) {}

  /// The next row keeps the places where `values` is not the ignored value; the kept values move
  /// to the front, zeros follow.
  void addRow(int64_t *values, int64_t ignoredValue);

  /// How many places a row keeps.
  int64_t count(int64_t row) const { return rows[row].count; }

  /// Moves what a row keeps of a full slab to its front. `inner`: elements behind the axis.
  void gather(int64_t row, char *slab, int64_t outer, int64_t inner, size_t elementSize) const;
  /// The way back: 0 at the other places.
  void scatter(int64_t row, char *slab, int64_t outer, int64_t inner, size_t elementSize) const;

  const uint32_t axis;
  const int64_t size;

private:
  /// Places that follow one another: ignored ones lie together, too (borders, padding).
  struct Run {
    int64_t begin, length;
  };
  /// Of a row: runs[first] to runs[last - 1], ascending.
  struct Row {
    size_t first, last;
    int64_t count;
  };
  std::vector<Run> runs;
  std::vector<Row> rows;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_ROWSELECTION_H
