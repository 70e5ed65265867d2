//===- Difference.h - derivatives against central differences ---*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_DIFFERENCE_H
#define LOSSLANG_TEST_RANDOM_DIFFERENCE_H

#include "test/random/Evaluate.h"

#include <functional>

namespace loss::stress {

using RealArray = ir::reference::BasicArray<Real>;

/// F(h): a number made of the results of `program` for the arguments x + h v.
struct Line {
  ir::ProgramOp program;
  /// x, and v of those arguments that move.
  ir::reference::Arguments at, direction;
  std::function<Real(const std::vector<RealArray> &)> number;
  /// Bounds the error of F in Real (with the margin of `Exact`), and the numbers that are added up.
  Real error = 0, magnitude = 0;
  /// F'(0) as it is claimed, and a bound of its error.
  Real slope = 0, slopeBound = 0;
  /// What the slope was computed with: its results but the first.
  ir::ProgramOp derivative;
  ir::reference::Arguments tangents;
};

struct Difference {
  /// Empty, or how the slope and central differences disagree.
  std::string failure;
  /// Whether differences could be taken.
  bool isSmooth = false;
};

/// (F(h) - F(-h)) / 2h is F'(0) up to h^2, which is far below anything that a wrong derivative
/// could be. What stop_gradient gives is held. Points where there is no limit are skipped.
Difference compareDifference(const std::string &what, const Line &line, Tally &counts);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_DIFFERENCE_H
