//===- Scalar.h - what the interpreter asks of a number ---------*- C++ -*-===//
//
// The interpreter is a template over its scalar type. Here is what it needs beyond arithmetic and
// the elementwise functions, for double. Another type (test/random has numbers of high precision
// that know bounds of their rounding errors) brings functions of the same names in its own
// namespace.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_REFERENCE_SCALAR_H
#define LOSSLANG_REFERENCE_SCALAR_H

#include "mlir/Dialect/Arith/IR/Arith.h"

#include <cmath>
#include <limits>

namespace loss::ir::reference {

/// The sum of a row.
inline double total(llvm::ArrayRef<double> row) {
  long double sum = 0;
  for (double x : row)
    sum += x;
  return double(sum);
}

/// The nearest double, for class indices and the like.
inline double toDouble(double x) { return x; }

/// NaN where one of them is.
inline double maximum(double a, double b) { return std::isnan(a) || a > b ? a : b; }
inline double minimum(double a, double b) { return std::isnan(a) || a < b ? a : b; }

/// What stop_gradient and the given derivative of a function mean to scalars that carry
/// derivatives: x as a constant, and x whose derivative by `argument` is `slope`. Others are values
/// alone.
template <typename S> S withoutSlope(const S &x) { return x; }
template <typename S> S withSlope(const S &x, const S & /*argument*/, const S & /*slope*/) {
  return x;
}

/// Ordered predicates are false for NaN, unordered ones true.
inline double compare(mlir::arith::CmpFPredicate predicate, double x, double y) {
  using P = mlir::arith::CmpFPredicate;
  switch (predicate) {
  case P::AlwaysFalse:
    return false;
  case P::OEQ:
    return x == y;
  case P::OGT:
    return x > y;
  case P::OGE:
    return x >= y;
  case P::OLT:
    return x < y;
  case P::OLE:
    return x <= y;
  case P::ONE:
    return x < y || x > y;
  case P::ORD:
    return !std::isunordered(x, y);
  case P::UEQ:
    return !(x < y || x > y);
  case P::UGT:
    return !(x <= y);
  case P::UGE:
    return !(x < y);
  case P::ULT:
    return !(x >= y);
  case P::ULE:
    return !(x > y);
  case P::UNE:
    return x != y;
  case P::UNO:
    return std::isunordered(x, y);
  case P::AlwaysTrue:
    return true;
  }
  return std::numeric_limits<double>::quiet_NaN();
}

inline double logicalAnd(double x, double y) { return x != 0 && y != 0; }
inline double logicalOr(double x, double y) { return x != 0 || y != 0; }
inline double logicalXor(double x, double y) { return x != y; }
inline double select(double condition, double x, double y) { return condition != 0 ? x : y; }

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_SCALAR_H
