//===- GraphOps.h - the operation table of the graph space ------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_SPACES_GRAPHOPS_H
#define LOSSLANG_SEARCH_SPACES_GRAPHOPS_H

#include "search/spaces/Formula.h"
#include "search/spaces/Lanes.h"

namespace loss::search {

/// A row of GraphOps.def. A unary operation has one operand, called x, a binary one two, a and b.
struct GraphOp {
  int id;
  int arity;
  /// Names the `let` that holds the result.
  const char *noun;
  /// In the loss language.
  FormulaPtr formula;
  /// Whether the operands may be exchanged.
  bool commutative;

  /// f on a block. `b` is not read by a unary operation.
  void (*value)(const Lanes &a, const Lanes &b, Lanes &out);
  /// The derivatives of f by each operand, where f = value(a, b). `db` is left alone by a unary
  /// one.
  void (*derivative)(const Lanes &a, const Lanes &b, const Lanes &f, Lanes &da, Lanes &db);

  // The same on one number.
  double (*valueAt)(double a, double b);
  double (*derivativeAt)(double a, double b, int operand);
};

inline constexpr int unaryOpCount = 27;
inline constexpr int binaryOpCount = 7;

/// The operation with this arity (1 or 2) and id.
const GraphOp &graphOp(int arity, int id);

inline int graphOpCount(int arity) { return arity == 1 ? unaryOpCount : binaryOpCount; }

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_GRAPHOPS_H
