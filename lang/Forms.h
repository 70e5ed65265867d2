//===- Forms.h - formulas that are known by their form ----------*- C++ -*-===//
//
// Which nodes of a program compute the same, and what the form of a difference, a sum or a quotient
// says about its values that intervals cannot: a variance and a squared distance are never
// negative, a cosine is never above 1.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_FORMS_H
#define LOSSLANG_LANG_FORMS_H

#include "lang/Program.h"

namespace loss::lang {

class Forms {
public:
  explicit Forms(const Program &program);

  /// Whether two nodes are the same formula: what is written twice is one value.
  bool isSame(NodeId x, NodeId y) const { return same[x] == same[y]; }
  /// The first node that computes the same.
  NodeId first(NodeId id) const { return same[id]; }

  /// Whether x = -y by their form: `a - b` and `b - a`.
  bool isOpposite(NodeId x, NodeId y) const;
  /// `x^2` or `x * x`: x, or nothing.
  std::optional<NodeId> rootOfSquare(NodeId id) const;
  /// The value of a constant, or of an expression of numbers and of parameters at their defaults;
  /// NaN for another one.
  double valueOf(NodeId id) const;
  /// The node below repetitions along axes and below what changes gradients only.
  NodeId strip(NodeId id) const;

  /// A product of two vectors of norm 1 or less: a cosine, an overlap of distributions.
  bool isCosine(NodeId id) const;
  /// The sum or mean of something, with constants as factors and summands.
  bool isAffineOfSum(NodeId id) const;
  /// A difference, or a relative entropy, that is never negative and 0 somewhere.
  bool isGap(NodeId id) const;
  /// Of these: a mean of squares less the square of the mean.
  bool isVariance(NodeId id) const;
  /// Of these: the square of a distance, or one minus the product of two vectors, no probabilities,
  /// which whoever takes its root has made to have length 1.
  bool isDistance(NodeId id) const;

private:
  const Node &at(NodeId id) const { return program.nodes[id]; }
  NodeId operand(NodeId id, size_t i) const { return at(id).operands[i]; }
  bool is(NodeId id, Op op) const { return at(id).op == op; }

  /// A length over some axes: the norm, or the root of a sum or a mean of squares.
  struct Length {
    NodeId vector;
    bool isMean;
    AxisSet axes;
    bool operator==(const Length &) const = default;
  };
  using Lengths = std::vector<Length>;
  /// Sums or means over axes, and what they are of.
  Length summed(NodeId id) const;
  Lengths lengthsOfSquare(NodeId id) const;
  Lengths lengths(NodeId divisor) const;
  bool isDistribution(NodeId id, uint8_t axis) const;
  bool isUnit(NodeId id, uint8_t axis) const;
  bool isCosineOfQuotient(NodeId id) const;

  /// A summand: a coefficient times a node, or times 1.
  struct Term {
    double factor;
    std::optional<NodeId> node;
  };
  bool addTerms(NodeId id, double factor, std::vector<Term> &terms) const;
  std::vector<Term> termsOf(NodeId id) const;
  bool isDot(NodeId id) const;
  bool isComplementOfDot(const std::vector<Term> &terms) const;
  bool isExpandedSquare(const std::vector<Term> &terms) const;
  bool isTangentGap(const std::vector<Term> &terms) const;
  bool isAverage(NodeId sum) const;
  bool isMoment(NodeId second, NodeId first, bool isDivided) const;
  bool isNeverBelow(NodeId x, NodeId y) const;
  bool isLogOf(NodeId log, NodeId x) const;
  bool isRelativeEntropy(NodeId id) const;

  const Program &program;
  std::vector<NodeId> same;
};

} // namespace loss::lang

#endif // LOSSLANG_LANG_FORMS_H
