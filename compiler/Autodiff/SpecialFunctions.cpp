//===- SpecialFunctions.cpp - functions that kernels put together ----------===//

#include "compiler/Autodiff/SpecialFunctions.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

namespace {

Expr exp(Expr x) { return apply<math::ExpOp>(x); }
Expr expm1(Expr x) { return apply<math::ExpM1Op>(x); }
Expr log(Expr x) { return apply<math::LogOp>(x); }
Expr log1p(Expr x) { return apply<math::Log1pOp>(x); }
Expr abs(Expr x) { return apply<math::AbsFOp>(x); }

using Coefficients = SmallVector<double, 32>;

/// c_0 + c_1 x + c_2 x^2 + ...
Expr polynomial(ArrayRef<double> c, Expr x) {
  Expr sum = c.back();
  for (double next : llvm::reverse(c.drop_back()))
    sum = sum * x + next;
  return sum;
}

/// The first `count` coefficients of a power series.
template <typename F> Coefficients series(unsigned count, F coefficient) {
  return llvm::map_to_vector<32>(llvm::seq(count), coefficient);
}

double factorial(unsigned n) { return std::tgamma(n + 1.0); }

/// atanh(s) / s = 1 + s^2 * atanhExcess(s^2), for s up to 1/4.
Expr atanhExcess(Expr square) {
  return polynomial(series(14, [](unsigned n) { return 1 / (2.0 * n + 3); }), square);
}

//===----------------------------------------------------------------------===//
// Stirling's formula
//===----------------------------------------------------------------------===//

// By stirling.py.

// d(1/t) = t P(t^2), z from 2.
/// Relative error 5.5e-17.
constexpr double kStirlingFar[] = {
    0.08333333333333333,   -0.0027777777777760466, 0.0007936507931963778, -0.0005952380307250545,
    0.0008417451029408833, -0.0019171768343999988, 0.006394670503654695,  -0.029019590092750333,
    0.16522277374463218,   -1.0677872624788076,    7.075495246018642,     -44.319107148150934,
    248.16853652080593,    -1197.1079733715974,    4844.094200582975,     -16077.671429424165,
    42765.48863452136,     -88608.19786241036,     137426.70204964824,    -149825.90810751473,
    102270.026058205,      -32851.928041707084};

// d(3/2 + u) = P(u), z from 1 to 2.
/// Relative error 8.2e-17.
constexpr double kStirlingNear[] = {
    0.05481412105191765,    -0.03564180079625453,    0.02295665582789521,    -0.01467598391559673,
    0.009329410367385568,   -0.0059068143991617495,  0.0037299514768530657,  -0.0023517828445156733,
    0.00148193931796791,    -0.0009339201285127534,  0.000588933566190982,   -0.0003717649880442905,
    0.00023498033007120307, -0.00014873583121564985, 9.429711158848283e-05,  -5.992318979715256e-05,
    3.811295208927395e-05,  -2.4052539599730535e-05, 1.5351149956900432e-05, -1.062095100454939e-05,
    6.787595712193371e-06,  -2.495747387497904e-06,  1.6143312379421527e-06, -3.499856917338128e-06,
    2.2436592209913755e-06};

/// Where an argument lies: from 2 on, between 1 and 2, or below 1, where that of z + 1 stands for
/// it.
struct StirlingRange {
  Expr isNear, isSmall, t, u;

  explicit StirlingRange(Expr z)
      : isNear(Expr(2.0) > z), isSmall(Expr(1.0) > z), t(where(isNear, 0.0, 1.0 / z)),
        u(where(isNear, where(isSmall, z - 0.5, z - 1.5), 0.0)) {}

  /// The pieces together; `step` is the function of z less that of z + 1.
  Expr join(Expr near, Expr step, Expr far) const {
    return where(isNear, near + where(isSmall, step, 0.0), far);
  }
};

/// The `order`-th derivative of kStirlingNear's polynomial.
Expr stirlingNear(unsigned order, Expr u) {
  Coefficients c(ArrayRef<double>{kStirlingNear});
  for (; order; --order) {
    for (unsigned k = 0; k < c.size(); ++k)
      c[k] *= k;
    c.erase(c.begin());
  }
  return polynomial(c, u);
}

/// That of t P(t^2) by z = 1/t, without the power t^(order + 1) and the sign: every term z^-n takes
/// the factors n (n + 1) ...
Expr stirlingFar(unsigned order, Expr t) {
  Coefficients c(ArrayRef<double>{kStirlingFar});
  for (unsigned k = 0; k < c.size(); ++k)
    for (unsigned i = 0; i < order; ++i)
      c[k] *= 2 * k + 1 + i;
  return polynomial(c, t * t);
}

Expr slopeOfStirlingError(Expr z, const StirlingRange &range) {
  Expr step = log1p(z) - log(z) - (z + 0.5) / (z * (z + 1.0));
  return range.join(stirlingNear(1, range.u), step, -(range.t * range.t * stirlingFar(1, range.t)));
}

Expr curvatureOfStirlingError(Expr z, const StirlingRange &range) {
  Expr r = 1.0 / (z * (z + 1.0)), t = range.t;
  return range.join(stirlingNear(2, range.u), 0.5 * (r * r), t * t * t * stirlingFar(2, t));
}

} // namespace

//===----------------------------------------------------------------------===//
// Exponentials and logarithms
//===----------------------------------------------------------------------===//

Expr autodiff::exprel(Expr x) {
  // By h = exp(x/2) - 1, which does not overflow before the result does.
  Expr h = expm1(0.5 * x);
  return where(x == 0.0, 1.0, h / x * (h + 2.0));
}

Expr autodiff::exprelSlope(Expr x, Expr value) {
  Expr near = polynomial(series(19, [](unsigned k) { return 1 / (factorial(k) * (k + 2)); }), x);
  // exp(x) = x value + 1, where the exponential may overflow before its share in the result does.
  Expr above = value * (1.0 - 1.0 / x) + 1.0 / x, below = (exp(x) - value) / x;
  return where(Expr(1.0) > abs(x), near, where(x > 0.0, above, below));
}

Expr autodiff::log1pRatio(Expr x) {
  // No quotient by x: the simplification would take it for one that it has not rewritten yet.
  return where(Expr(1e-30) > abs(x), 1.0, log1p(x) * (1.0 / x));
}

Expr autodiff::log1pRatioSlope(Expr x) {
  // With s = x / (2 + x), log(1 + x) = 2 atanh(s) and x / (1 + x) = 2 s / (1 + s).
  Expr isNear = Expr(0.4) > abs(x);
  Expr s = where(isNear, x / (2.0 + x), 0.0), rest = 1.0 - s;
  Expr near = -0.5 * (rest * rest) * (1.0 / (1.0 + s) + s * atanhExcess(s * s));
  return where(isNear, near, (1.0 / (1.0 + x) - log1pRatio(x)) / x);
}

//===----------------------------------------------------------------------===//
// Gamma functions
//===----------------------------------------------------------------------===//

Expr autodiff::stirlingError(Expr z) {
  StirlingRange range(z);
  Expr step = (z + 0.5) * (log1p(z) - log(z)) - 1.0;
  return range.join(stirlingNear(0, range.u), step, range.t * stirlingFar(0, range.t));
}

Expr autodiff::stirlingErrorSlope(Expr z) {
  StirlingRange range(z);
  return given(slopeOfStirlingError(z, range), z, curvatureOfStirlingError(z, range));
}

Expr autodiff::gammaEntropy(Expr z) {
  StirlingRange range(z);
  Expr main = 0.5 * log(2 * std::numbers::pi * z) + (0.5 - 0.5 / z);
  return main + (stirlingError(z) - (z - 1.0) * slopeOfStirlingError(z, range));
}

Expr autodiff::gammaEntropySlope(Expr z) {
  return 0.5 / z * (1.0 + 1.0 / z) - (z - 1.0) * curvatureOfStirlingError(z, StirlingRange(z));
}
