//===- Array.h - arrays with named axes -------------------------*- C++ -*-===//
#ifndef LOSSLANG_REFERENCE_ARRAY_H
#define LOSSLANG_REFERENCE_ARRAY_H

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace loss::ir::reference {

/// Numbers along named axes, outermost first, the last axis contiguous. A plain number has no axes.
/// Booleans are 0 and 1; class indices are whole numbers.
struct Array {
  std::vector<std::string> axes;
  std::vector<int64_t> sizes;
  std::vector<double> data;

  Array() = default;
  /// A number.
  Array(double number) : data{number} {}
  /// An array filled with `fill`.
  Array(std::vector<std::string> axes, std::vector<int64_t> sizes, double fill = 0)
      : axes(std::move(axes)), sizes(std::move(sizes)) {
    int64_t count = 1;
    for (int64_t size : this->sizes)
      count *= size;
    data.assign(count, fill);
  }
  /// An array of the given elements.
  Array(std::vector<std::string> axes, std::vector<int64_t> sizes, std::vector<double> elements)
      : axes(std::move(axes)), sizes(std::move(sizes)), data(std::move(elements)) {}
};

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_ARRAY_H
