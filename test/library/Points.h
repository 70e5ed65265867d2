//===- Points.h - the arguments that a loss is tried with -------*- C++ -*-===//
//
// Where formulas break: parameters at and near their bounds and at the numbers that the formula
// compares them with; inputs that are extreme, equal, zero, tiny, masked, or sure.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_LIBRARY_POINTS_H
#define LOSSLANG_TEST_LIBRARY_POINTS_H

#include "lang/Program.h"
#include "test/random/Data.h"

#include <string>
#include <vector>

namespace loss::stress {

/// What numbers an input may be; Domains.def says how its documentation tells.
enum class Domain {
  Target,
  Real,
  Logits,
  Positive,
  Nonnegative,
  Unit,
  Sign,
  Binary,
  Cosine,
  LogProbability,
  AboveOne,
  AboveMinusOne,
  Count,
  Group,
  Level,
  IndexList,
  Relevance,
  Box,
};

Domain domainOf(const lang::ProgramInput &input, const lang::Program &program);

/// Whether numbers of the domain are counted or compared, so that one nearby means nothing.
bool isDiscrete(Domain domain);

/// The least and greatest number of a domain, or of a parameter's constraint.
struct Range {
  double least, greatest;
};
Range rangeOf(Domain domain);
Range rangeOf(lang::Constraint constraint);

/// Arguments of one call. Every number is one of f32.
struct Point {
  Data data;
  /// What is special about it.
  std::string words;
  /// The first point with these parameters: all inputs are ordinary.
  bool isFirst = false;
};

struct PointOptions {
  /// Rows are apart: one is enough.
  bool byRow = true;
  /// A few of each kind.
  bool few = false;
};

/// Whether the loss treats every element alone: a row is one.
bool isElementwise(const lang::Program &program, const PointOptions &options);

/// All points of a loss with these options.
std::vector<Point> pointsOf(const lang::Program &program, const PointOptions &options);

} // namespace loss::stress

#endif // LOSSLANG_TEST_LIBRARY_POINTS_H
