//===- Roots.h - roots whose gradient is infinite at 0 ----------*- C++ -*-===//
//
// The slope of sqrt(u), and of u^p with p between 0 and 1, is infinite at u = 0; where u is a sum
// of squares, the slope of u is 0 there, and the gradient 0 times infinity. This finds such roots
// of operands that are never negative, can be exactly 0, and have a gradient; also powers that are
// written as exp(p * log(u)), and acos, asin and acosh of what can reach the end of their domain.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_ROOTS_H
#define LOSSLANG_LANG_ROOTS_H

#include "lang/Ranges.h"

#include <string>

namespace loss::lang {

struct RootAtZero {
  NodeId node;
  /// "sqrt", "a power below 1".
  std::string root;
  /// Where the slope is infinite: "0", "1 or -1".
  std::string operand;
  /// What to write instead.
  std::string hint;
};

/// The roots of a program that give an infinite or NaN gradient where their operand is 0.
/// `varies`: by node, whether gradients flow through it to an input.
///
/// What an operand is never below is known from its range, and from its form: squares of the same
/// formula written twice, variances, cosines and other differences of Forms.h. Where neither says
/// so, as of `x - y`, there is no warning.
///
/// A root is left out where its operand gets 0 by underflow alone, where a conditional keeps 0 away
/// from it, where what is made of it ignores it at 0 (`max(sqrt(u), 1e-6)`), and where no gradient
/// reaches it.
std::vector<RootAtZero> rootsAtZero(const Program &program, const std::vector<Range> &ranges,
                                    const std::vector<bool> &varies);

} // namespace loss::lang

#endif // LOSSLANG_LANG_ROOTS_H
