//===- Jet.cpp - numbers with their derivatives ---------------------------===//

#include "test/library/Jet.h"

namespace loss::stress {

thread_local const Real *Jet::deviation = nullptr;

static Real pi() { return atan2(Real(0), Real(-1)); }

/// The slopes of a x + b y.
static Jet::Slopes combined(const Real &a, const Jet::Slopes &x, const Real &b,
                            const Jet::Slopes &y) {
  Jet::Slopes result;
  result.reserve(x.size() + y.size());
  auto i = x.begin(), j = y.begin();
  while (i != x.end() || j != y.end())
    if (j == y.end() || (i != x.end() && i->first < j->first)) {
      result.emplace_back(i->first, a * i->second);
      ++i;
    } else if (i == x.end() || j->first < i->first) {
      result.emplace_back(j->first, b * j->second);
      ++j;
    } else {
      result.emplace_back(i->first, a * i->second + b * j->second);
      ++i, ++j;
    }
  return result;
}

static Jet::Slopes scaled(const Real &a, const Jet::Slopes &x) {
  return combined(a, x, Real(0), {});
}

Jet operator-(const Jet &x) { return {-x.value, scaled(Real(-1), x.slopes)}; }
Jet operator+(const Jet &x, const Jet &y) {
  return {x.value + y.value, combined(Real(1), x.slopes, Real(1), y.slopes)};
}
Jet operator-(const Jet &x, const Jet &y) {
  return {x.value - y.value, combined(Real(1), x.slopes, Real(-1), y.slopes)};
}
Jet operator*(const Jet &x, const Jet &y) {
  return {x.value * y.value, combined(y.value, x.slopes, x.value, y.slopes)};
}
Jet operator/(const Jet &x, const Jet &y) {
  Real f = x.value / y.value;
  if (y.slopes.empty())
    return {f, scaled(Real(1) / y.value, x.slopes)};
  return {f, combined(Real(1) / y.value, x.slopes, -(f / y.value), y.slopes)};
}

#define LOSS_JET_UNARY(NAME, SLOPE)                                                                \
  Jet NAME(const Jet &jet) {                                                                       \
    const Real &x = jet.value;                                                                     \
    Real f = NAME(x);                                                                              \
    if (jet.slopes.empty())                                                                        \
      return f;                                                                                    \
    Real slope = SLOPE;                                                                            \
    return {f, scaled(slope, jet.slopes)};                                                         \
  }
#define LOSS_JET_BINARY(NAME, BY_X, BY_Y)                                                          \
  Jet NAME(const Jet &a, const Jet &b) {                                                           \
    const Real &x = a.value, &y = b.value;                                                         \
    Real f = NAME(x, y);                                                                           \
    Real byX = a.slopes.empty() ? Real(0) : Real(BY_X);                                            \
    Real byY = b.slopes.empty() ? Real(0) : Real(BY_Y);                                            \
    return {f, combined(byX, a.slopes, byY, b.slopes)};                                            \
  }
#include "test/library/JetFunctions.def"

Jet maximum(const Jet &x, const Jet &y) { return x.value.isNaN() || x.value > y.value ? x : y; }
Jet minimum(const Jet &x, const Jet &y) { return x.value.isNaN() || x.value < y.value ? x : y; }
Jet fmax(const Jet &x, const Jet &y) { return y.value.isNaN() || x.value > y.value ? x : y; }
Jet fmin(const Jet &x, const Jet &y) { return y.value.isNaN() || x.value < y.value ? x : y; }

Jet total(llvm::ArrayRef<Jet> row) {
  Jet sum;
  for (const Jet &x : row)
    sum = sum + x;
  return sum;
}

Jet compare(mlir::arith::CmpFPredicate predicate, const Jet &x, const Jet &y) {
  return compare(predicate, x.value, y.value);
}
Jet logicalAnd(const Jet &x, const Jet &y) { return logicalAnd(x.value, y.value); }
Jet logicalOr(const Jet &x, const Jet &y) { return logicalOr(x.value, y.value); }
Jet logicalXor(const Jet &x, const Jet &y) { return logicalXor(x.value, y.value); }
Jet select(const Jet &condition, const Jet &x, const Jet &y) {
  return condition.value.isZero() ? y : x;
}

Jet withoutSlope(const Jet &x) { return x.value; }
Jet withSlope(const Jet &x, const Jet &argument, const Jet &slope) {
  return {x.value, combined(Real(1), x.slopes, slope.value, argument.slopes)};
}

} // namespace loss::stress
