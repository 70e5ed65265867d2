//===- Ranges.h - what values an operation can have -------------*- C++ -*-===//
//
// Interval analysis of a typed program: for every operation an interval that contains each of its
// elements, for all inputs, all parameters that keep their constraints, and all sizes of the axes,
// in floating-point arithmetic with underflow. NaN stands outside: an operation whose result is NaN
// is in no interval, so a claim made of ranges is one about the elements that are numbers.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_RANGES_H
#define LOSSLANG_LANG_RANGES_H

#include "lang/Program.h"

#include <limits>

namespace loss::lang {

/// All numbers from `low` to `high`, which may be infinite. A truth value is 0 or 1.
struct Range {
  double low = -std::numeric_limits<double>::infinity();
  double high = std::numeric_limits<double>::infinity();

  bool isPoint() const { return low == high; }
  bool operator==(const Range &) const = default;
};

/// The range of each operation of the program.
std::vector<Range> rangesOf(const Program &program);

} // namespace loss::lang

#endif // LOSSLANG_LANG_RANGES_H
