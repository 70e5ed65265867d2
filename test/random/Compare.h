//===- Compare.h - numbers against bounds -----------------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_COMPARE_H
#define LOSSLANG_TEST_RANDOM_COMPARE_H

#include "compiler/Reference/Array.h"
#include "test/random/Bounded.h"
#include "test/random/Check.h"

namespace loss::stress {

using BoundedArray = ir::reference::BasicArray<Bounded>;

/// The analysis is of first order, and code may group operations otherwise than the program does.
inline constexpr double slack = 4;

/// Compares numbers with exact values, each within `slack` times its bound. Empty, or a message
/// about the first that is beyond.
template <typename T>
std::string compareAll(const std::string &what, const std::vector<T> &actual,
                       const std::vector<Bounded> &expected, Arithmetic arithmetic, Tally &tally) {
  if (actual.size() != expected.size())
    return what + ": " + std::to_string(actual.size()) + " numbers instead of " +
           std::to_string(expected.size());
  for (size_t i = 0; i < actual.size(); ++i) {
    double exact = toDouble(expected[i]), bound = slack * expected[i].error[arithmetic];
    if (!expected[i].value.isFinite() || !std::isfinite(bound)) {
      ++tally.skipped;
      continue;
    }
    ++tally.compared;
    tally.loose += bound > std::abs(exact) / 16;
    double distance = std::abs(toDouble(Real(double(actual[i])) - expected[i].value));
    if (distance <= bound)
      continue;
    char text[200];
    std::snprintf(text, sizeof text, ": element %zu is %.17g, but expected %.17g within %.3g", i,
                  double(actual[i]), exact, bound);
    return what + text;
  }
  return {};
}

/// Two programs of the same value: exact values and their bounds; with what f64 rounds where
/// `isFolded`.
std::string compareExact(const std::string &what, const BoundedArray &actual,
                         const BoundedArray &expected, bool isFolded, Tally &tally);

/// The bounds of a kernel are those of the program that it was made from, around the value of the
/// program as it was written; around its own where that one is not known to 192 bits (log(1 -
/// sigmoid(10000))).
std::vector<BoundedArray> boundsOfKernel(std::vector<BoundedArray> exact,
                                         const std::vector<BoundedArray> &rewritten);

/// LibTorch computes in double but promises nothing about the accuracy of its functions (trigamma
/// has 11 digits), so its bound is that of f32.
std::string compareTorchs(const std::string &what, const std::vector<double> &numbers,
                          std::vector<Bounded> expected, bool isDerivative, Tally &tally);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_COMPARE_H
