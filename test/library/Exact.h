//===- Exact.h - what a kernel should give ----------------------*- C++ -*-===//
//
// The formula as it was written, evaluated in so many bits that its own cancellation does not
// matter, with derivatives in forward mode; and from it what rounding may do to the best code for
// the exact function.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_LIBRARY_EXACT_H
#define LOSSLANG_TEST_LIBRARY_EXACT_H

#include "test/library/Jet.h"
#include "test/library/Points.h"

#include "compiler/Dialect/Loss/IR/Loss.h"

namespace loss::stress {

/// One number.
struct ExactNumber {
  /// Between which values it lies: one value, but at kinks and jumps.
  Real least, greatest;
  /// How far it moves for relative changes of all arguments by 1 (to the first order), and its own
  /// magnitude.
  Real condition;
  /// There is no finite number: a pole, or no limit.
  bool isInfinite = false;
  /// The formula has no value here, and none nearby.
  bool isNaN = false;
  /// Only nearby points have a value: this is the limit.
  bool isLimit = false;
};

struct Exact {
  std::vector<ExactNumber> value;
  /// Derivatives of the sum of the values by the elements of each argument: inputs, then
  /// parameters.
  std::vector<std::vector<ExactNumber>> gradients;
  /// Nearby points have nearly the same numbers, in all directions.
  bool isSmooth = true;
};

/// Roundings that a kernel may make for a value of `program`: four for each operation, which is
/// what docs/numerics.md promises for functions, and one for each term of the longest sum.
double roundings(ir::ProgramOp program, const Point &point);

/// Whether probabilities of a softmax, or their logarithms, are in the formula.
bool hasSoftmax(ir::ProgramOp program);
/// Whether vectors of the norm 1, of any kind of norm, may be in it.
bool hasUnitVectors(ir::ProgramOp program);

mlir::FailureOr<Exact> evaluateExactly(ir::ProgramOp program, const lang::Program &typed,
                                       const Point &point);

/// Makes room in `exact` for what rounding of the arguments gives, and for subgradients: for the
/// numbers of other arguments, each off by `relative` times itself in one direction or the other (a
/// code is numerically stable if it gives nearly one of them: Higham 2002, Accuracy and Stability
/// of Numerical Algorithms, section 1.5, mixed forward-backward error), and where the function has
/// a kink, for its limits from more directions. `isSum`: elements of an input are added up with
/// others, so that for a gradient they may be off by `relative` times 1.
mlir::LogicalResult admitNeighbours(Exact &exact, double relative, bool isSum,
                                    ir::ProgramOp program, const lang::Program &typed,
                                    const Point &point);

} // namespace loss::stress

#endif // LOSSLANG_TEST_LIBRARY_EXACT_H
