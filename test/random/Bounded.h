//===- Bounded.h - exact values with bounds of rounding errors --*- C++ -*-===//
//
// What an operation of a kernel may deviate from the exact value, found by computing along: a
// running error analysis. Each number is the exact value (to 192 bits) and, for each arithmetic, a
// bound of the distance of the value that this arithmetic computes. An operation passes the errors
// of its operands on as far as the function moves within them, and adds its own rounding: what the
// processor or the vector math library promises. Where an operand's error reaches a jump, a pole or
// the end of the domain, the bound becomes large or infinite by itself: no number is skipped by
// hand.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_RANDOM_BOUNDED_H
#define LOSSLANG_TEST_RANDOM_BOUNDED_H

#include "test/random/Real.h"

#include <array>

namespace loss::stress {

/// F32 and F64 are those of kernels. Exact bounds the errors of `Real` itself, with a margin: two
/// programs of the same value agree within it.
enum Arithmetic : unsigned { F32, F64, Exact };
inline constexpr unsigned arithmetics = 3;

using Errors = std::array<double, arithmetics>;

struct Bounded {
  Real value;
  Errors error = {};
  /// If this is 0, then +0 however the formula is rewritten, so its reciprocal is known.
  bool zeroIsPositive = false;

  Bounded() = default;
  /// A constant, rounded to the arithmetic where it is not one of its numbers.
  Bounded(double constant);
  Bounded(Real value, Errors error) : value(value), error(error) {}
};

/// While one lives, constants with more digits than a f32 number count as rounded to f64: passes
/// fold constants and derivatives bring some, so the programs they make agree no better.
class RoundedConstants {
public:
  RoundedConstants() { ++depth; }
  ~RoundedConstants() { --depth; }
  static bool active() { return depth != 0; }

private:
  static thread_local unsigned depth;
};

double toDouble(const Bounded &x);

Bounded operator-(const Bounded &x);
Bounded operator+(const Bounded &x, const Bounded &y);
Bounded operator-(const Bounded &x, const Bounded &y);
Bounded operator*(const Bounded &x, const Bounded &y);
Bounded operator/(const Bounded &x, const Bounded &y);

#define LOSS_REAL_UNARY(NAME) Bounded NAME(const Bounded &x);
#define LOSS_REAL_BINARY(NAME) Bounded NAME(const Bounded &x, const Bounded &y);
#include "test/random/RealFunctions.def"

/// In any order of summation.
Bounded total(llvm::ArrayRef<Bounded> row);
/// A truth value has error 0 where it is certain, else 1.
Bounded compare(mlir::arith::CmpFPredicate predicate, const Bounded &x, const Bounded &y);
Bounded logicalAnd(const Bounded &x, const Bounded &y);
Bounded logicalOr(const Bounded &x, const Bounded &y);
Bounded logicalXor(const Bounded &x, const Bounded &y);
Bounded select(const Bounded &condition, const Bounded &x, const Bounded &y);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_BOUNDED_H
