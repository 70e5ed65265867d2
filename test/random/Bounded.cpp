//===- Bounded.cpp - exact values with bounds of rounding errors ----------===//

#include "test/random/Bounded.h"

#include <algorithm>
#include <cfloat>
#include <cmath>
#include <limits>
#include <string_view>

namespace loss::stress {

namespace {

constexpr double infinity = std::numeric_limits<double>::infinity();

/// Unit roundoff, the largest finite number, and the distance of the smallest ones.
struct Format {
  double unit, largest, smallest;
};
const Format formats[arithmetics] = {{0x1p-24, FLT_MAX, 0x1p-149},
                                     {0x1p-53, DBL_MAX, 0x1p-1074},
                                     // Real's own is 2^-192; this leaves room for what follows it.
                                     // Real does not underflow, but the bounds here would.
                                     {0x1p-140, infinity, DBL_TRUE_MIN}};

/// Errors in units in the last place.
struct Accuracy {
  double ulps[arithmetics];
};
/// Addition and the like: correctly rounded (half a unit), with as much again for code that groups
/// otherwise, such as the product with a reciprocal in place of a quotient.
constexpr Accuracy arithmetic{{1, 1, 1}};
constexpr Accuracy exact{{0, 0, 0}};

/// What docs/numerics.md promises of a function, by its C++ name.
Accuracy accuracyOf(std::string_view function) {
  for (const char *name : {"abs", "floor", "ceil", "roundHalfEven", "sign"})
    if (function == name)
      return exact;
#define LOSS_VM_UNARY(name, cxx, inlining, ulpF32, ulpF64)                                         \
  if (function == #cxx)                                                                            \
    return {{ulpF32, ulpF64, 8}};
#define LOSS_VM_BINARY(name, cxx, inlining, ulpF32, ulpF64)                                        \
  if (function == #cxx)                                                                            \
    return {{ulpF32, ulpF64, 8}};
#include "compiler/Target/CPU/VecMath/VecMathFunctions.def"
  if (function == "sqrt")
    return arithmetic;
  // A function that kernels put together from others.
  return {{16, 16, 16}};
}

/// |x|, rounded up.
double magnitude(const Real &x) {
  double result = std::abs(toDouble(x));
  return result == 0 && !x.isZero() ? DBL_TRUE_MIN : result * (1 + 0x1p-50);
}

/// True where the format has this number.
bool isRepresentable(const Real &x, unsigned arithmetic) {
  if (x.isInf() || arithmetic == Exact)
    return true;
  double d = toDouble(x);
  return Real(d) == x && std::isfinite(d) && (arithmetic == F64 || double(float(d)) == d);
}

/// Adds the rounding of one operation to the errors passed on. Exact operands and an exact result
/// stay exact when `mayBeExact` (a correctly rounded operation, not an approximation).
Bounded rounded(Real value, const Errors &passedOn, const Accuracy &accuracy, bool mayBeExact) {
  Bounded result(std::move(value), {});
  double size = magnitude(result.value);
  for (unsigned a = 0; a < arithmetics; ++a) {
    double &error = result.error[a];
    const Format &format = formats[a];
    error = passedOn[a];
    if (result.value.isNaN() || std::isnan(error)) {
      error = infinity;
      continue;
    }
    if (result.value.isInf()) // Exactly there, or anywhere.
      continue;
    if (!(error == 0 && mayBeExact && isRepresentable(result.value, a)))
      // One unit in the last place is at most 2 unit |x|.
      error = error * (1 + 0x1p-40) +
              accuracy.ulps[a] * (2 * format.unit * (size + error) + format.smallest);
    if (a == Exact ? !std::isfinite(error) : !(size + error <= format.largest))
      error = infinity;
  }
  return result;
}

/// How far `f` moves when its operands move by their errors: to the ends and the corners.
template <typename F> Errors moved(const F &f, const Real &centre, const Bounded &x) {
  Errors result = {};
  for (unsigned a = 0; a < arithmetics; ++a) {
    double e = x.error[a];
    if (e == 0)
      continue;
    if (!std::isfinite(e)) {
      result[a] = infinity;
      continue;
    }
    auto look = [&](const Real &at) {
      Real distance = f(at) - centre;
      result[a] = distance.isFinite() ? std::max(result[a], magnitude(distance)) : infinity;
    };
    look(x.value + Real(e));
    look(x.value - Real(e));
    // Whole numbers are where gamma functions have poles.
    if (Real whole = roundHalfEven(x.value); abs(x.value - whole) < Real(e))
      look(whole);
  }
  return result;
}

/// How far the values of a function that repeats itself lie apart; 0 of others. The ends of a wide
/// interval say nothing of such a function.
double swingOf(std::string_view function) {
  return function == "sin" || function == "cos" ? 2 : function == "tan" ? infinity : 0;
}

template <typename F>
Errors moved(const F &f, const Real &centre, const Bounded &x, const Bounded &y) {
  Errors result = {};
  for (unsigned a = 0; a < arithmetics; ++a) {
    double ex = x.error[a], ey = y.error[a];
    if (!std::isfinite(ex) || !std::isfinite(ey)) {
      result[a] = infinity;
      continue;
    }
    for (double dx : {ex, -ex}) {
      for (double dy : {ey, -ey}) {
        if ((ex != 0 || ey != 0) && !std::isinf(result[a])) {
          Real distance = f(x.value + Real(dx), y.value + Real(dy)) - centre;
          result[a] = distance.isFinite() ? std::max(result[a], magnitude(distance)) : infinity;
        }
        if (ey == 0)
          break;
      }
      if (ex == 0)
        break;
    }
  }
  return result;
}

/// A real number has no sign of 0, and rewriting a formula may change it: where a function depends
/// on it (a pole, or the cut of atan2) it is not defined here.
Real definedAtZero(const Real &value, const Real &atOtherZero) {
  return value == atOtherZero ? value : Real(std::numeric_limits<double>::quiet_NaN());
}

template <typename F> Errors each(const F &f) {
  Errors result;
  for (unsigned a = 0; a < arithmetics; ++a)
    result[a] = f(a);
  return result;
}

/// An error of infinity stands for a value that may be infinite, so 0 times it is unknown. A bound
/// does not vanish by underflow.
double times(double factor, double error) {
  if (std::isinf(error))
    return infinity;
  return factor == 0 || error == 0 ? 0 : std::max(factor * error, DBL_TRUE_MIN);
}

} // namespace

thread_local unsigned RoundedConstants::depth = 0;

Bounded::Bounded(double constant) : value(constant) {
  if (RoundedConstants::active() && !isRepresentable(value, F32))
    error[Exact] = formats[F64].unit * std::abs(constant);
  for (unsigned a = 0; a < arithmetics; ++a)
    if (a == Exact && !std::isnan(constant))
      continue;
    else if (std::isnan(constant) ||
             (std::isfinite(constant) && std::abs(constant) > formats[a].largest))
      error[a] = infinity;
    else if (!isRepresentable(value, a))
      error[a] = formats[a].unit * std::abs(constant) + formats[a].smallest;
}

double toDouble(const Bounded &x) { return toDouble(x.value); }

Bounded operator-(const Bounded &x) { return {-x.value, x.error}; }

Bounded operator+(const Bounded &x, const Bounded &y) {
  // 1 + exp(-1000) is 1 to 192 bits, but not exactly.
  Real sum = x.value + y.value;
  bool isExact = sum - x.value == y.value && sum - y.value == x.value;
  return rounded(sum, each([&](unsigned a) { return x.error[a] + y.error[a]; }), arithmetic,
                 isExact);
}

Bounded operator-(const Bounded &x, const Bounded &y) { return x + -y; }

Bounded operator*(const Bounded &x, const Bounded &y) {
  double sizeX = magnitude(x.value), sizeY = magnitude(y.value);
  Bounded product = rounded(x.value * y.value, each([&](unsigned a) {
                              return times(sizeX, y.error[a]) + times(sizeY, x.error[a]) +
                                     times(x.error[a], y.error[a]);
                            }),
                            arithmetic, true);
  // A square is an operation with one value for both operands.
  product.zeroIsPositive = &x == &y || (x.zeroIsPositive && y.zeroIsPositive);
  return product;
}

Bounded operator/(const Bounded &x, const Bounded &y) {
  double sizeY = magnitude(y.value) * (1 - 0x1p-40);
  Real quotient = x.value / y.value;
  if (y.value.isZero())
    quotient = y.zeroIsPositive ? x.value / abs(y.value) : definedAtZero(quotient, -quotient);
  double size = magnitude(quotient);
  return rounded(quotient, each([&](unsigned a) {
                   if (x.error[a] == 0 && y.error[a] == 0)
                     return 0.0;
                   // The divisor may be 0, or of the other sign.
                   if (!(y.error[a] < sizeY))
                     return infinity;
                   return (x.error[a] + times(size, y.error[a])) / (sizeY - y.error[a]);
                 }),
                 arithmetic, true);
}

namespace {

/// The greater one by its value, and the errors of those that may be it.
Bounded extremum(const Bounded &x, const Bounded &y, const Real &value) {
  Bounded result(value, {});
  double apart = magnitude(x.value - y.value);
  bool isX = value == x.value;
  for (unsigned a = 0; a < arithmetics; ++a) {
    // What has no bound may be NaN, beside which there is no extremum.
    double error = x.error[a] + y.error[a];
    bool certain = apart > error || ((x.value.isInf() || y.value.isInf()) && std::isfinite(error));
    result.error[a] = value.isNaN() ? infinity
                      : certain     ? (isX ? x : y).error[a]
                                    : std::max(x.error[a], y.error[a]);
  }
  return result;
}

} // namespace

Bounded maximum(const Bounded &x, const Bounded &y) {
  return extremum(x, y, maximum(x.value, y.value));
}
Bounded minimum(const Bounded &x, const Bounded &y) {
  return extremum(x, y, minimum(x.value, y.value));
}
Bounded fmax(const Bounded &x, const Bounded &y) { return extremum(x, y, fmax(x.value, y.value)); }
Bounded fmin(const Bounded &x, const Bounded &y) { return extremum(x, y, fmin(x.value, y.value)); }

#define LOSS_REAL_UNARY(NAME)                                                                      \
  Bounded NAME(const Bounded &x) {                                                                 \
    static const Accuracy accuracy = accuracyOf(#NAME);                                            \
    auto f = [](const Real &at) { return NAME(at); };                                              \
    Real centre = NAME(x.value);                                                                   \
    if (x.value.isZero())                                                                          \
      centre = definedAtZero(centre, NAME(-x.value));                                              \
    static const double swing = swingOf(#NAME);                                                    \
    Errors errors = moved(f, centre, x);                                                           \
    for (unsigned a = 0; a < arithmetics; ++a)                                                     \
      if (swing != 0 && x.error[a] >= 1 && std::isfinite(errors[a]))                               \
        errors[a] = swing;                                                                         \
    return rounded(centre, errors, accuracy, accuracy.ulps[0] <= 1);                               \
  }
#include "test/random/RealFunctions.def"

#define BINARY(NAME)                                                                               \
  Bounded NAME(const Bounded &x, const Bounded &y) {                                               \
    static const Accuracy accuracy = accuracyOf(#NAME);                                            \
    auto f = [](const Real &x, const Real &y) { return NAME(x, y); };                              \
    Real centre = NAME(x.value, y.value);                                                          \
    if (x.value.isZero())                                                                          \
      centre = definedAtZero(centre, NAME(-x.value, y.value));                                     \
    if (y.value.isZero())                                                                          \
      centre = definedAtZero(centre, NAME(x.value, -y.value));                                     \
    return rounded(centre, moved(f, centre, x, y), accuracy, false);                               \
  }
BINARY(atan2)
BINARY(hypot)
BINARY(pow)
BINARY(xlogy)
BINARY(lbeta)
BINARY(logRisingFactorial)
BINARY(digammaDifference)
BINARY(trigammaDifference)
#undef BINARY

Bounded total(llvm::ArrayRef<Bounded> row) {
  Real sum;
  Errors errors = {};
  double size = 0, terms = 0;
  bool whole = true;
  for (const Bounded &x : row) {
    sum = sum + x.value;
    if (!x.value.isZero() || x.error[F32] != 0)
      ++terms;
    size += magnitude(x.value);
    whole &= x.value.isFinite() && mpfr_integer_p(x.value.get());
    for (unsigned a = 0; a < arithmetics; ++a) {
      errors[a] += x.error[a];
      whole &= x.error[a] == 0;
    }
  }
  // Counts are exact; one term is not added to anything.
  if (terms <= 1 || (whole && size < 0x1p24))
    return rounded(sum, errors, exact, true);
  // n - 1 additions, none of a result greater than the sum of the magnitudes.
  for (unsigned a = 0; a < arithmetics; ++a) {
    errors[a] += (terms - 1) * 2 * formats[a].unit * (size + errors[a]);
    if (a != Exact && !(size + errors[a] <= formats[a].largest) && !sum.isInf())
      errors[a] = infinity;
  }
  return rounded(sum, errors, exact, true);
}

Bounded compare(mlir::arith::CmpFPredicate predicate, const Bounded &x, const Bounded &y) {
  Bounded result(compare(predicate, x.value, y.value), {});
  Real apart = abs(x.value - y.value);
  for (unsigned a = 0; a < arithmetics; ++a) {
    double error = x.error[a] + y.error[a];
    if (error != 0 && !(apart > Real(error)))
      result.error[a] = 1;
  }
  return result;
}

namespace {

bool isCertain(const Bounded &x, unsigned a, bool value) {
  return x.error[a] == 0 && x.value.isZero() != value;
}

} // namespace

Bounded logicalAnd(const Bounded &x, const Bounded &y) {
  return {logicalAnd(x.value, y.value), each([&](unsigned a) {
            if (isCertain(x, a, false) || isCertain(y, a, false))
              return 0.0;
            return std::max(x.error[a], y.error[a]);
          })};
}

Bounded logicalOr(const Bounded &x, const Bounded &y) {
  return {logicalOr(x.value, y.value), each([&](unsigned a) {
            if (isCertain(x, a, true) || isCertain(y, a, true))
              return 0.0;
            return std::max(x.error[a], y.error[a]);
          })};
}

Bounded logicalXor(const Bounded &x, const Bounded &y) {
  return {logicalXor(x.value, y.value),
          each([&](unsigned a) { return std::max(x.error[a], y.error[a]); })};
}

Bounded select(const Bounded &condition, const Bounded &x, const Bounded &y) {
  const Bounded &chosen = condition.value.isZero() ? y : x;
  const Bounded &other = condition.value.isZero() ? x : y;
  Bounded result = chosen;
  for (unsigned a = 0; a < arithmetics; ++a)
    if (condition.error[a] != 0) {
      Real apart = x.value - y.value;
      bool same = x.value == y.value;
      double reach = same ? other.error[a] : magnitude(apart) + other.error[a];
      result.error[a] =
          std::isnan(reach) || apart.isNaN() ? infinity : std::max(chosen.error[a], reach);
    }
  return result;
}

} // namespace loss::stress
