//===- Jet.h - numbers with their derivatives -------------------*- C++ -*-===//
//
// A number of many bits and its derivatives by the elements of the arguments: forward mode, with
// rules of its own (JetFunctions.def). It shares nothing with the compiler's differentiation.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_LIBRARY_JET_H
#define LOSSLANG_TEST_LIBRARY_JET_H

#include "test/random/Real.h"

#include <utility>
#include <vector>

namespace loss::stress {

class Jet {
public:
  /// By the number of an argument's element, ascending. Those that are not there are 0.
  using Slopes = std::vector<std::pair<unsigned, Real>>;

  Jet() = default;
  Jet(double constant) : value(constant) {
    if (deviation && double(float(constant)) != constant)
      value = value + value * *deviation;
  }
  Jet(Real value) : value(std::move(value)) {}
  /// Element number `i` of the arguments.
  Jet(Real value, unsigned i) : value(std::move(value)), slopes{{i, Real(1)}} {}
  Jet(Real value, Slopes slopes) : value(std::move(value)), slopes(std::move(slopes)) {}

  /// While one lives, constants that f32 has to round are off by so much, relatively.
  class Deviation {
  public:
    explicit Deviation(const Real &relative) : relative(relative) { deviation = &this->relative; }
    ~Deviation() { deviation = nullptr; }

  private:
    Real relative;
  };

  Real value;
  Slopes slopes;

private:
  static thread_local const Real *deviation;
};

inline double toDouble(const Jet &x) { return toDouble(x.value); }

Jet operator-(const Jet &x);
Jet operator+(const Jet &x, const Jet &y);
Jet operator-(const Jet &x, const Jet &y);
Jet operator*(const Jet &x, const Jet &y);
Jet operator/(const Jet &x, const Jet &y);

#define LOSS_REAL_UNARY(NAME) Jet NAME(const Jet &x);
#define LOSS_REAL_BINARY(NAME) Jet NAME(const Jet &x, const Jet &y);
#include "test/random/RealFunctions.def"

Jet total(llvm::ArrayRef<Jet> row);
Jet compare(mlir::arith::CmpFPredicate predicate, const Jet &x, const Jet &y);
Jet logicalAnd(const Jet &x, const Jet &y);
Jet logicalOr(const Jet &x, const Jet &y);
Jet logicalXor(const Jet &x, const Jet &y);
Jet select(const Jet &condition, const Jet &x, const Jet &y);

/// x as a constant; x whose derivative by `argument` is `slope`.
Jet withoutSlope(const Jet &x);
Jet withSlope(const Jet &x, const Jet &argument, const Jet &slope);

} // namespace loss::stress

#endif // LOSSLANG_TEST_LIBRARY_JET_H
