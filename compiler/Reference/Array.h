//===- Array.h - arrays with named axes -------------------------*- C++ -*-===//
#ifndef LOSSLANG_REFERENCE_ARRAY_H
#define LOSSLANG_REFERENCE_ARRAY_H

#include <cstdint>
#include <map>
#include <string>
#include <utility>
#include <vector>

namespace loss::ir::reference {

/// Numbers along named axes, outermost first, the last axis contiguous. A plain number has no axes.
/// Booleans are 0 and 1; class indices are whole numbers.
template <typename S> struct BasicArray {
  std::vector<std::string> axes;
  std::vector<int64_t> sizes;
  std::vector<S> data;

  BasicArray() = default;
  /// A number.
  BasicArray(S number) : data{number} {}
  /// An array filled with `fill`.
  BasicArray(std::vector<std::string> axes, std::vector<int64_t> sizes, S fill = 0)
      : axes(std::move(axes)), sizes(std::move(sizes)) {
    int64_t count = 1;
    for (int64_t size : this->sizes)
      count *= size;
    data.assign(count, fill);
  }
  /// An array of the given elements.
  BasicArray(std::vector<std::string> axes, std::vector<int64_t> sizes, std::vector<S> elements)
      : axes(std::move(axes)), sizes(std::move(sizes)), data(std::move(elements)) {}
};

/// Arguments by name. Parameters that are left out have their default.
template <typename S> using BasicArguments = std::map<std::string, BasicArray<S>, std::less<>>;

using Array = BasicArray<double>;
using Arguments = BasicArguments<double>;

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_ARRAY_H
