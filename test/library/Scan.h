//===- Scan.h - a loss against its formula, at all its points ---*- C++ -*-===//
#ifndef LOSSLANG_TEST_LIBRARY_SCAN_H
#define LOSSLANG_TEST_LIBRARY_SCAN_H

#include <cstdint>
#include <string>
#include <vector>

namespace loss::stress {

struct ScanOptions {
  /// The compiler under test: a lossc, or that of this process without some laws.
  std::string lossc;
  std::vector<std::string> disabledLaws;
  /// Folder of the losses under test, and of the formulas that they are compared with.
  std::string stdlib, formulas;
  /// Where libraries are written.
  std::string folder;
  bool few = false;
};

/// Numbers of one kind that are wrong: the one that is furthest off.
struct Finding {
  std::string loss, element, what, kind;
  std::string words, found, right;
  /// Error in units in the last place of the exact number, and as a multiple of the bound.
  double ulps = 0, excess = 0;
  uint64_t count = 0;
  /// Listed as known.
  bool isKnown = false;
};

struct ScanResult {
  std::vector<Finding> findings;
  /// What is wrong with the loss as a whole.
  std::string failure;
  uint64_t points = 0, compared = 0, limits = 0, infinite = 0, excepted = 0;
};

/// Scans one loss, with all values of its options.
ScanResult scanLoss(const std::string &loss, const ScanOptions &options);

/// Rows of Exceptions.def that have not applied so far.
std::vector<std::string> unusedExceptions();

} // namespace loss::stress

#endif // LOSSLANG_TEST_LIBRARY_SCAN_H
