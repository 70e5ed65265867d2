//===- Patterns.h - how an input of a loss is filled ------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_LIBRARY_PATTERNS_H
#define LOSSLANG_TEST_LIBRARY_PATTERNS_H

#include "test/library/Points.h"

#include <functional>
#include <string>
#include <vector>

namespace loss::stress {

using Numbers = std::vector<double>;

/// One way to fill an input.
struct Pattern {
  std::string words;
  /// Number k, of row r (the first axis) and place j in it.
  std::function<double(int64_t r, int64_t j)> at;
};

/// The numbers where functions of the domain are special, ordinary ones first.
Numbers specialNumbers(Domain domain);

/// How inputs of the domain are filled, ordinary numbers first. `masked`: also with classes that
/// are masked.
std::vector<Pattern> patternsOf(Domain domain, bool masked);

} // namespace loss::stress

#endif // LOSSLANG_TEST_LIBRARY_PATTERNS_H
