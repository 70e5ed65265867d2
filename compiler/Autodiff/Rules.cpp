//===- Rules.cpp - the table of derivatives -------------------------------===//
//
// One row an operation: for each operand, in order, what the adjoint g of the result r = f(x, y, z)
// gives to it. Conventions where a derivative does not exist, as in LibTorch: |x|' = 0 at 0; a
// maximum or minimum of equal operands gives half to each, over an axis an even share to each.
//
//===----------------------------------------------------------------------===//

#include "compiler/Autodiff/Rules.h"

#include "compiler/Autodiff/SpecialFunctions.h"

#include "llvm/ADT/DenseMap.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

namespace {

using Table = llvm::DenseMap<TypeID, SmallVector<Partial, 3>>;

// The functions of the formulas, under their mathematical names.
Expr exp(Expr x) { return apply<math::ExpOp>(x); }
Expr log(Expr x) { return apply<math::LogOp>(x); }
Expr sqrt(Expr x) { return apply<math::SqrtOp>(x); }
Expr sin(Expr x) { return apply<math::SinOp>(x); }
Expr cos(Expr x) { return apply<math::CosOp>(x); }
Expr sinh(Expr x) { return apply<math::SinhOp>(x); }
Expr cosh(Expr x) { return apply<math::CoshOp>(x); }
Expr tanh(Expr x) { return apply<math::TanhOp>(x); }
Expr expm1(Expr x) { return apply<math::ExpM1Op>(x); }
Expr roundEven(Expr x) { return apply<math::RoundEvenOp>(x); }
Expr sigmoid(Expr x) { return apply<SigmoidOp>(x); }
Expr sigmoidSlope(Expr x) { return apply<SigmoidSlopeOp>(x); }
Expr sign(Expr x) { return apply<SignOp>(x); }
Expr i0(Expr x) { return apply<BesselI0Op>(x); }
Expr i1(Expr x) { return apply<BesselI1Op>(x); }
Expr i0e(Expr x) { return apply<BesselI0eOp>(x); }
Expr i1e(Expr x) { return apply<BesselI1eOp>(x); }

Expr digamma(Expr x) { return apply<DigammaOp>(x); }
Expr trigamma(Expr x) { return apply<TrigammaOp>(x); }
Expr tetragamma(Expr x) { return apply<TetragammaOp>(x); }
Expr pentagamma(Expr x) { return apply<PentagammaOp>(x); }
Expr digammaDifference(Expr x, Expr y) { return apply<DigammaDifferenceOp>(x, y); }
Expr trigammaDifference(Expr x, Expr y) { return apply<TrigammaDifferenceOp>(x, y); }

constexpr double kLn2 = std::numbers::ln2;
constexpr double kLn10 = std::numbers::ln10;
constexpr double kTwoOverSqrtPi = 2 * std::numbers::inv_sqrtpi;

/// All of g where x is the greater, half of it where the two are equal. A NaN is not lost: both get
/// all of g.
Expr winner(Expr g, Expr x, Expr y) { return where(y > x, 0.0, where(x == y, 0.5 * g, g)); }

/// g along the axis that the operand of a rename has.
Expr renameBack(Expr g, const Application &at) {
  auto rename = at.r.value().getDefiningOp<RenameOp>();
  auto program = rename->getParentOfType<ProgramOp>();
  SmallVector<StringAttr> axes(axesOf(g.type()));
  llvm::replace(axes, rename.getToAttr(), rename.getFromAttr());
  return {&g.at(), RenameOp::create(g.at().builder, g.at().loc,
                                    program.typeOver(getElementTypeOrSelf(g.type()), axes),
                                    g.value(), rename.getToAttr(), rename.getFromAttr())};
}

/// The key of a cumulative operation on `x`, or null.
Value keyFor(Expr key, Expr x) { return key.isNothing() ? Value() : key.as(x).value(); }

Expr cumsum(Expr x, Expr key, StringAttr axis, bool reverse) {
  return {&x.at(), CumsumOp::create(x.at().builder, x.at().loc, x.type(), x.value(), keyFor(key, x),
                                    axis, reverse)};
}

Expr decayedCumsum(Expr x, Expr level, Expr key, StringAttr axis, bool reverse) {
  x = x.as(level);
  level = level.as(x);
  return {&x.at(), DecayedCumsumOp::create(x.at().builder, x.at().loc, x.type(), x.value(),
                                           level.value(), keyFor(key, x), axis, reverse)};
}

/// logcumsumexp by x: x_j has the share exp(x_j - r_i) of every result r_i that it is part of,
/// which is exp(x_j - r_j), times exp(r_j - r_i); none where it is -inf.
Expr logCumSumExpPartial(const Application &at) {
  bool reverse = at.r.value().getDefiningOp<LogCumSumExpOp>().getReverse();
  Expr share = where(at.x == -INFINITY, 0.0, exp(at.x - at.r));
  return share * decayedCumsum(at.g, at.r, at.y, at.axis, !reverse);
}

/// decayed_cumsum by x: the same in the other direction.
Expr decayedCumsumByInput(const Application &at) {
  bool reverse = at.r.value().getDefiningOp<DecayedCumsumOp>().getReverse();
  return decayedCumsum(at.g, at.y, at.z, at.axis, !reverse);
}

/// decayed_cumsum by the levels: the result sinks with its own and rises with those of the others.
Expr decayedCumsumByLevel(const Application &at) {
  bool reverse = at.r.value().getDefiningOp<DecayedCumsumOp>().getReverse();
  Expr rise = at.x * decayedCumsum(at.g, at.y, at.z, at.axis, !reverse) - at.g * at.r;
  return reverse ? -rise : rise;
}

/// How many elements share the extremum x: 1, or, where x is one over an axis itself, those there.
Expr sharers(Expr x, ReduceKind kind) {
  auto inner = x.value().getDefiningOp<ReduceOp>();
  if (!inner || inner.getKind() != kind)
    return Expr(1.0).as(x);
  Expr elements = {&x.at(), inner.getInput()};
  return sum(where(elements == spread(x, elements), sharers(elements, kind), 0.0),
             inner.getAxisAttr());
}

/// The share of the extremum over several axes, one after the other, is even among all elements
/// that have it: what is the extremum of many counts for as many.
Expr extremumPartial(const Application &at) {
  ReduceKind kind = at.r.value().getDefiningOp<ReduceOp>().getKind();
  Expr chosen = where(at.x == spread(at.r, at.x), sharers(at.x, kind), 0.0);
  return spread(at.g / sum(chosen, at.axis), at.x) * chosen;
}

/// f(x) / x for the odd functions I1 and I1e, whose slope at 0 is 1/2.
Expr besselSlope(Expr x, Expr r) { return where(x == 0.0, 0.5, r / x); }

/// x^y by x: y x^(y-1), and 0 for y = 0 also at x = 0.
Expr powByBase(Expr g, Expr x, Expr y) {
  return timesLimit(g, y * pow(x, where(y == 0.0, 1.0, y - 1.0)));
}

/// x^y by y: x^y log(x), and 0 at x = 0 unless y is negative.
Expr powByExponent(Expr g, Expr x, Expr y, Expr r) {
  return g * where(x == 0.0 && y >= 0.0, 0.0, r * log(x));
}

/// atan2(x, y) by x: y / (x^2 + y^2), and 0 at the origin. The factors of the square one after the
/// other: it may overflow.
Expr angleSlope(Expr x, Expr y) {
  Expr h = hypot(x, y);
  return where(h == 0.0, 0.0, y / h / h);
}

/// x log(y) by x: log(y), but 0 where x is 0 and y <= 0.
Expr xlogyByFactor(Expr g, Expr x, Expr y) {
  return where(x == 0.0 && Expr(0.0) >= y, 0.0, xlogy(g, y));
}

/// Formulas longer than this are not looked through.
constexpr unsigned kDepth = 8;

/// What a sum, a product or the like is made of, or makes: where one of them is infinite, it is.
bool passesInfinity(Operation *op) {
  return isa<arith::AddFOp, arith::SubFOp, arith::MulFOp, arith::DivFOp, arith::NegFOp,
             arith::SelectOp, arith::MaxNumFOp, arith::MinNumFOp, arith::MaximumFOp,
             arith::MinimumFOp, BroadcastOp, RenameOp, ReduceOp>(op);
}

/// Whether `x` is made of logarithms, which are -inf where a class is masked.
bool isOfLogarithms(Value x, unsigned depth = kDepth) {
  Operation *op = x.getDefiningOp();
  if (!op || depth == 0)
    return false;
  if (isa<LogSoftmaxOp, LogSigmoidOp, Log1mExpOp, math::LogOp>(op))
    return true;
  return passesInfinity(op) && llvm::any_of(op->getOperands(), [&](Value operand) {
           return isOfLogarithms(operand, depth - 1);
         });
}

/// Whether `x` becomes a logit of a softmax, where it is -inf for a masked class.
bool isLogit(Value x, unsigned depth = kDepth) {
  return depth && llvm::any_of(x.getUsers(), [&](Operation *user) {
           if (isa<SoftmaxOp, LogSoftmaxOp, LogSumExpOp>(user))
             return hasAxis(x.getType(), user->getAttrOfType<StringAttr>("axis"));
           return passesInfinity(user) && isLogit(user->getResult(0), depth - 1);
         });
}

/// g * factor for the derivative of the result r, in which the factor may be -inf for a masked
/// class: that gives nothing where g is 0.
Expr timesMaskable(Expr g, Expr factor, Expr r) {
  const bool mayBeMasked = !axesOf(factor.type()).empty() && !constantOf(factor) &&
                           !constantOf(g) && (isOfLogarithms(factor.value()) || isLogit(r.value()));
  return mayBeMasked ? timesLimit(g, factor) : g * factor;
}

/// g / x for a logarithm r of x, also where x is 0 and so is g.
Expr overMaskable(Expr g, Expr x, Expr r) {
  if (axesOf(x.type()).empty() || constantOf(g) || !isLogit(r.value()))
    return g / x;
  return where(g == 0.0 && x == 0.0, 0.0, g / x);
}

// Derivatives whose own derivative, by the rules of their formula, would cancel: it is given beside
// them.

/// 1 / (1 + x^2), with the derivative -2 x / (1 + x^2)^2.
Expr atanSlope(Expr x) {
  Expr v = 1.0 / (1.0 + x * x);
  return given(v, x, -2.0 * x * v * v);
}

/// 1 / sqrt(1 + x^2), with the derivative -x / (1 + x^2)^(3/2).
Expr asinhSlope(Expr x) {
  Expr v = 1.0 / hypot(x, Expr(1.0).as(x));
  return given(v, x, -(x * v * v * v));
}

/// 1 / sqrt(x^2 - 1), with the derivative -x / (x^2 - 1)^(3/2).
Expr acoshSlope(Expr x) {
  Expr v = 1.0 / (sqrt(x - 1.0) * sqrt(x + 1.0));
  return given(v, x, -(x * v * v * v));
}

/// 1 / (1 - x^2), with the derivative 2 x / (1 - x^2)^2.
Expr atanhSlope(Expr x) {
  Expr v = 1.0 / ((1.0 - x) * (1.0 + x));
  return given(v, x, 2.0 * x * v * v);
}

/// 1 / sqrt(1 - x^2), with the derivative x / (1 - x^2)^(3/2).
Expr asinSlope(Expr x) {
  Expr v = 1.0 / sqrt((1.0 - x) * (1.0 + x));
  return given(v, x, x * v * v * v);
}

/// 2/sqrt(pi) exp(-x^2), with the derivative -2 x times that. With h the multiple of 1/64 next to x
/// (whose square is exact where exp does not vanish), x^2 = h^2 + (x - h)(x + h): rounded, a great
/// x^2 would cost as many digits as it has itself. Where exp(-h^2) is 0 the rest may be infinite.
Expr erfSlope(Expr x) {
  Expr h = roundEven(64.0 * x) * (1.0 / 64), square = h * h;
  Expr rest = where(1024.0 > square, (h - x) * (h + x), 0.0);
  Expr v = kTwoOverSqrtPi * (exp(-square) * exp(rest));
  return given(v, x, -2.0 * x * v);
}

/// x / r for r = hypot(x, y), with the derivatives y^2 / r^3 and -x y / r^3; all 0 at the origin,
/// as those of the norm.
Expr hypotSlope(Expr x, Expr y, Expr r) {
  Expr d = where(r == 0.0, 1.0, r), a = x / d, b = y / d;
  return given(given(a, x, b * b / d), y, -(a * b / d));
}

#define D(...)                                                                                     \
  [](const Application &at) -> Expr {                                                              \
    [[maybe_unused]] auto [g, x, y, z, r, axis] = at;                                              \
    return __VA_ARGS__;                                                                            \
  }
#define NO_NUMBER nullptr
#define ZERO D(Expr())
#define RULE(OP, ...) table[TypeID::get<OP>()] = {__VA_ARGS__}

Table makeTable() {
  Table table;
  // Arithmetic.
  RULE(arith::AddFOp, D(g), D(g));  // (x + y)' = x' + y'
  RULE(arith::SubFOp, D(g), D(-g)); // (x - y)' = x' - y'
  // (x y)' = y x' + x y',   (x / y)' = x' / y - (x / y) y' / y
  RULE(arith::MulFOp, D(timesMaskable(g, y, r)), D(timesMaskable(g, x, r)));
  RULE(arith::DivFOp, D(g / y), D(-timesMaskable(g / y, r, r)));
  RULE(arith::NegFOp, D(-g)); // (-x)' = -x'
  RULE(arith::MaximumFOp, D(winner(g, x, y)), D(winner(g, y, x)));
  RULE(arith::MaxNumFOp, D(winner(g, x, y)), D(winner(g, y, x)));
  RULE(arith::MinimumFOp, D(winner(g, y, x)), D(winner(g, x, y)));
  RULE(arith::MinNumFOp, D(winner(g, y, x)), D(winner(g, x, y)));
  // if x then y else z: the branch not taken gets 0.
  RULE(arith::SelectOp, NO_NUMBER, D(where(x, g, 0.0)), D(where(x, 0.0, g)));

  // Exponentials, logarithms, powers.
  RULE(math::AbsFOp, D(g * sign(x)));            // |x|' = sign(x)
  RULE(math::ExpOp, D(g * r));                   // exp' = exp
  RULE(math::Exp2Op, D(g * (kLn2 * r)));         // (2^x)' = ln2 2^x
  RULE(math::ExpM1Op, D(g * exp(x)));            // expm1' = exp
  RULE(math::LogOp, D(overMaskable(g, x, r)));   // log' = 1 / x
  RULE(math::Log1pOp, D(g / (1.0 + x)));         // log1p' = 1 / (1 + x)
  RULE(math::Log2Op, D((1 / kLn2) * (g / x)));   // log2' = 1 / (x ln2)
  RULE(math::Log10Op, D((1 / kLn10) * (g / x))); // log10' = 1 / (x ln10)
  RULE(math::SqrtOp, D(timesLimit(g, 0.5 / r))); // sqrt' = 1 / (2 sqrt)
  RULE(math::RsqrtOp, D(-0.5 * (g * r) / x));    // (x^(-1/2))' = -x^(-1/2) / (2 x)
  RULE(math::PowFOp, D(powByBase(g, x, y)), D(powByExponent(g, x, y, r)));

  RULE(HypotOp, D(g * hypotSlope(x, y, r)), D(g * hypotSlope(y, x, r)));
  RULE(XlogyOp, D(xlogyByFactor(g, x, y)), D(overMaskable(g * x, y, r)));

  // Piecewise constant.
  RULE(math::FloorOp, ZERO);
  RULE(math::CeilOp, ZERO);
  RULE(math::RoundEvenOp, ZERO);
  RULE(SignOp, ZERO);

  // Trigonometric and hyperbolic functions.
  RULE(math::SinOp, D(g * cos(x)));                         // sin' = cos
  RULE(math::CosOp, D(-g * sin(x)));                        // cos' = -sin
  RULE(math::TanOp, D(g * (1.0 + r * r)));                  // tan' = 1 + tan^2
  RULE(math::SinhOp, D(g * cosh(x)));                       // sinh' = cosh
  RULE(math::CoshOp, D(g * sinh(x)));                       // cosh' = sinh
  RULE(math::TanhOp, D(g * (4.0 * sigmoidSlope(2.0 * x)))); // tanh' = 1 / cosh^2
  RULE(math::AsinhOp, D(g * asinhSlope(x)));                // asinh' = 1 / sqrt(1 + x^2)
  RULE(math::AtanOp, D(g * atanSlope(x)));                  // atan' = 1 / (1 + x^2)
  RULE(math::AcoshOp, D(g * acoshSlope(x)));                // acosh' = 1 / sqrt(x^2 - 1)
  RULE(math::AtanhOp, D(g * atanhSlope(x)));                // atanh' = 1 / (1 - x^2)
  RULE(math::AsinOp, D(g * asinSlope(x)));                  // asin' = 1 / sqrt(1 - x^2)
  RULE(math::AcosOp, D(-g * asinSlope(x)));                 // acos' = -asin'
  RULE(math::Atan2Op, D(g * angleSlope(x, y)), D(-g * angleSlope(y, x)));
  RULE(math::ErfOp, D(g * erfSlope(x)));   // erf' = 2/sqrt(pi) exp(-x^2)
  RULE(math::ErfcOp, D(-g * erfSlope(x))); // erfc' = -erf'

  // Elementwise functions of the loss dialect.
  RULE(SigmoidOp, D(g * sigmoidSlope(x)));
  RULE(SigmoidSlopeOp, D(-g * (tanh(0.5 * x) * r)));    // s'' = s' (1 - 2 s)
  RULE(Log1mExpOp, D(g * (exp(x) / expm1(x))));         // -e^x / (1 - e^x)
  RULE(LogSigmoidOp, D(g * sigmoid(-x)));               // (log s(x))' = 1 - s(x) = s(-x)
  RULE(SoftplusOp, D(g * sigmoid(x)));                  // softplus' = s
  RULE(BesselI0Op, D(g * i1(x)));                       // I0' = I1
  RULE(BesselI1Op, D(g * (i0(x) - besselSlope(x, r)))); // I1' = I0 - I1 / x
  RULE(BesselI0eOp, D(g * (i1e(x) - sign(x) * r)));     // I0e' = I1e - sign(x) I0e
  // I1e' = I0e - I1e (sign(x) + 1/x)
  RULE(BesselI1eOp, D(g * (i0e(x) - (sign(x) * r + besselSlope(x, r)))));

  RULE(LgammaOp, D(g * digamma(x)));
  RULE(DigammaOp, D(g * trigamma(x)));
  RULE(TrigammaOp, D(g * tetragamma(x)));
  RULE(TetragammaOp, D(g * pentagamma(x)));
  RULE(LogRisingFactorialOp, D(g * digammaDifference(x, y)), D(g * digamma(x + y)));
  RULE(DigammaDifferenceOp, D(g * trigammaDifference(x, y)), D(g * trigamma(x + y)));
  // No function of its own: the difference may cancel.
  RULE(TrigammaDifferenceOp, D(g * (tetragamma(x + y) - tetragamma(x))), D(g * tetragamma(x + y)));
  // log B(x, y) by x: psi(x) - psi(x + y)
  RULE(LogBetaOp, D(-g * digammaDifference(x, y)), D(-g * digammaDifference(y, x)));
  RULE(ExprelOp, D(g * exprelSlope(x, r)));                 // (exp(x) - exprel(x)) / x
  RULE(StirlingErrorOp, D(g * stirlingErrorSlope(x)));      // digamma(x) - log(x) + 1 / (2 x)
  RULE(GammaEntropyOp, D(g * gammaEntropySlope(x)));        // 1 + (1 - x) trigamma(x)
  RULE(ErfInvOp, D(g * (1 / kTwoOverSqrtPi * exp(r * r)))); // erfinv' = 1 / erf'(erfinv)

  // Axes.
  RULE(BroadcastOp, D(g));                                   // to every use
  RULE(SoftmaxOp, D(r * (g - spread(sum(g * r, axis), x)))); // p_i' = p_i (x_i' - sum_j p_j x_j')
  RULE(LogSoftmaxOp, D(g - softmax(x, axis) * spread(sum(g, axis), x)));
  RULE(LogSumExpOp, D(spread(g, x) * softmax(x, axis))); // logsumexp' = softmax
  RULE(GatherOp, D(spread(g, x) * oneHot(y, axis, x)), NO_NUMBER);
  RULE(NormOp, D(spread(where(r == 0.0, 0.0, g / r), x) * x)); // |x|' = x / |x|, and 0 at 0
  RULE(RenameOp, D(renameBack(g, at)));                        // another name, the same element
  RULE(LogCumSumExpOp, logCumSumExpPartial, NO_NUMBER);
  RULE(DecayedCumsumOp, decayedCumsumByInput, decayedCumsumByLevel, NO_NUMBER);
  // By decree.
  RULE(StopGradientOp, ZERO);
  RULE(CustomGradientOp, D(g), D(spread(g, z) * z), NO_NUMBER);
  return table;
}

#undef RULE
#undef ZERO
#undef NO_NUMBER
#undef D

} // namespace

ArrayRef<Partial> autodiff::derivativeRule(Operation *op) {
  static const Table table = makeTable();
  static const Partial sumRule[] = {[](const Application &at) { return spread(at.g, at.x); }};
  static const Partial extremumRule[] = {extremumPartial};
  // A sum of those before becomes a sum of those after.
  static const Partial cumsumRule[] = {
      [](const Application &at) { return cumsum(at.g, at.y, at.axis, true); }, nullptr};
  static const Partial reverseCumsumRule[] = {
      [](const Application &at) { return cumsum(at.g, at.y, at.axis, false); }, nullptr};
  if (auto reduce = dyn_cast<ReduceOp>(op)) {
    // sum: every element counts once; max, min: the extremal ones share g evenly.
    if (reduce.getKind() == ReduceKind::sum)
      return sumRule;
    return extremumRule;
  }
  if (auto cumsum = dyn_cast<CumsumOp>(op))
    return ArrayRef<Partial>(cumsum.getReverse() ? reverseCumsumRule : cumsumRule)
        .take_front(op->getNumOperands());
  auto row = table.find(op->getName().getTypeID());
  if (row == table.end())
    return {};
  // A key may be absent.
  return ArrayRef<Partial>(row->second).take_front(op->getNumOperands());
}
