//===- StableValues.cpp - differences that cancel -------------------------===//
//
// What is small as the difference of two numbers near each other, written so that it keeps its
// digits. The name of a pattern is its debug label.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/StableForms.h"

#include "compiler/Autodiff/SpecialFunctions.h"

#include <cmath>
#include <numbers>

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

namespace {

Expr abs(Expr x) { return apply<math::AbsFOp>(x); }
Expr log(Expr x) { return apply<math::LogOp>(x); }
Expr sin(Expr x) { return apply<math::SinOp>(x); }
Expr sinh(Expr x) { return apply<math::SinhOp>(x); }
Expr tanh(Expr x) { return apply<math::TanhOp>(x); }
Expr log1p(Expr x) { return apply<math::Log1pOp>(x); }
Expr softplus(Expr x) { return apply<SoftplusOp>(x); }

/// log cosh(x), with the derivative tanh(x): log1p(2 sinh(x/2)^2) for small x, else
/// |x| + log1p(exp(-2 |x|)) - log 2.
Expr logCosh(Expr x) {
  Expr size = abs(x), half = sinh(0.5 * x);
  Expr value = where(1.0 > size, log1p(2.0 * (half * half)),
                     size + (softplus(-2.0 * size) - std::numbers::ln2));
  return given(value, x, tanh(x));
}

/// x for x * factor.
Value unscaled(Value value, double factor) {
  auto product = value.getDefiningOp<arith::MulFOp>();
  return product && isConstant(product.getRhs(), factor) ? product.getLhs() : Value();
}

// log(cosh(x))  =  log1p(2 sinh(x/2)^2) or |x| + log1p(exp(-2 |x|)) - log 2;
// log(c cosh(x))  =  log(cosh(x)) + log(c)
struct LogOfCosh : OpRewritePattern<math::LogOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(math::LogOp op, PatternRewriter &rewriter) const override {
    Value operand = op.getOperand();
    double factor = 1;
    if (auto product = operand.getDefiningOp<arith::MulFOp>())
      if (std::optional<double> c = constantOf(product.getRhs()); c && *c > 0) {
        factor = *c;
        operand = product.getLhs();
      }
    auto cosh = operand.getDefiningOp<math::CoshOp>();
    if (!cosh)
      return failure();
    Site site{rewriter, op.getLoc()};
    Expr result = logCosh({&site, cosh.getOperand()});
    if (factor != 1)
      result = result + std::log(factor);
    rewriter.replaceOp(op, result.value());
    return success();
  }
};

// (x + softplus(-2 x)) - log 2  =  log(cosh(x))
struct LogCoshBySoftplus : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto sum = op.getLhs().getDefiningOp<arith::AddFOp>();
    if (!sum || !isConstant(op.getRhs(), std::numbers::ln2))
      return failure();
    for (auto [x, tail] :
         {std::pair(sum.getLhs(), sum.getRhs()), std::pair(sum.getRhs(), sum.getLhs())}) {
      auto inner = tail.getDefiningOp<SoftplusOp>();
      if (!inner || unscaled(inner.getInput(), -2) != x)
        continue;
      Site site{rewriter, op.getLoc()};
      rewriter.replaceOp(op, logCosh({&site, x}).value());
      return success();
    }
    return failure();
  }
};

// (x + c) - c  =  x     for a constant c
struct PlusMinusConstant : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto sum = op.getLhs().getDefiningOp<arith::AddFOp>();
    std::optional<double> c = sum ? constantOf(sum.getRhs()) : std::nullopt;
    if (!c || !std::isfinite(*c) || constantOf(op.getRhs()) != c)
      return failure();
    rewriter.replaceOp(op, sum.getLhs());
    return success();
  }
};

/// Which of `x - 1` and `1 - x` it is: x, and the sign.
std::pair<Value, double> distanceFromOne(arith::SubFOp op) {
  if (isConstant(op.getRhs(), 1))
    return {op.getLhs(), 1};
  if (isConstant(op.getLhs(), 1))
    return {op.getRhs(), -1};
  return {};
}

// 1 - cos(x)  =  2 sin(x/2)^2,   cosh(x) - 1  =  2 sinh(x/2)^2
struct CosineMinusOne : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto [value, sign] = distanceFromOne(op);
    Operation *source = value ? value.getDefiningOp() : nullptr;
    if (!isa_and_nonnull<math::CosOp, math::CoshOp>(source))
      return failure();
    Site site{rewriter, op.getLoc()};
    Expr half = 0.5 * Expr(&site, source->getOperand(0));
    Expr root = isa<math::CosOp>(source) ? sin(half) : sinh(half);
    double factor = isa<math::CosOp>(source) ? -2 * sign : 2 * sign;
    rewriter.replaceOp(op, (factor * (root * root)).value());
    return success();
  }
};

// sqrt(1 + s) - 1  =  s / (sqrt(1 + s) + 1)     for |s| < 1
struct RootMinusOne : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto [value, sign] = distanceFromOne(op);
    auto root = value ? value.getDefiningOp<math::SqrtOp>() : math::SqrtOp();
    Operation *sum = root ? root.getOperand().getDefiningOp() : nullptr;
    if (!isa_and_nonnull<arith::AddFOp, arith::SubFOp>(sum))
      return failure();
    Site site{rewriter, op.getLoc()};
    Value left = sum->getOperand(0), right = sum->getOperand(1);
    const bool isAdded = isa<arith::AddFOp>(sum);
    if (!(isAdded ? isConstant(right, 1) || isConstant(left, 1) : isConstant(left, 1)))
      return failure();
    Expr s = isAdded ? Expr(&site, isConstant(right, 1) ? left : right) : -Expr(&site, right);
    Expr r(&site, value);
    Expr small = given(s / (r + 1.0), s, 0.5 / r);
    // A sum, which is not taken for the difference again.
    Expr result = where(1.0 > abs(s), small, r + -1.0);
    rewriter.replaceOp(op, (sign < 0 ? -result : result).value());
    return success();
  }
};

/// Whether `value` is the square of `root`, seen through broadcasts.
bool isSquareOf(Value value, Value root) {
  auto behindBroadcasts = [](Value inner) {
    while (auto broadcast = inner.getDefiningOp<BroadcastOp>())
      inner = broadcast.getInput();
    return inner;
  };
  if (std::optional<double> square = constantOf(value), r = constantOf(root); square && r)
    return std::abs(*square - *r * *r) <= 1e-15 * *square;
  auto product = behindBroadcasts(value).getDefiningOp<arith::MulFOp>();
  return product && behindBroadcasts(product.getLhs()) == behindBroadcasts(root) &&
         behindBroadcasts(product.getRhs()) == behindBroadcasts(root);
}

// sqrt(s + r r) - r  =  s / (sqrt(s + r r) + |r|)     for 0 <= r and s < r r
struct RootMinusItsPart : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto root = op.getLhs().getDefiningOp<math::SqrtOp>();
    auto sum = root ? root.getOperand().getDefiningOp<arith::AddFOp>() : arith::AddFOp();
    if (!sum)
      return failure();
    const bool isLeft = isSquareOf(sum.getLhs(), op.getRhs());
    if (!isLeft && !isSquareOf(sum.getRhs(), op.getRhs()))
      return failure();
    Site site{rewriter, op.getLoc()};
    Expr s(&site, isLeft ? sum.getRhs() : sum.getLhs());
    Expr square(&site, isLeft ? sum.getLhs() : sum.getRhs());
    Expr r(&site, op.getRhs()), whole(&site, root.getResult());
    // Elsewhere not as this difference, which would be taken for it again.
    if (std::optional<double> c = constantOf(op.getRhs())) {
      if (*c <= 0)
        return failure();
      rewriter.replaceOp(op, where(square > s, s / (whole + r), whole + -*c).value());
      return success();
    }
    // |r|, with the slope 1 at 0.
    Expr size = where(r >= 0.0, r, -r);
    Expr near = where(square > s, s / (whole + size), whole - size);
    rewriter.replaceOp(op, (near + where(r >= 0.0, 0.0, -2.0 * r)).value());
    return success();
  }
};

/// The terms of a sum, however it is grouped, and whether each is subtracted.
void collectTerms(Operation *sum, bool negative, SmallVectorImpl<std::pair<Value, bool>> &terms) {
  for (OpOperand &operand : sum->getOpOperands()) {
    const bool subtracted =
        isa<arith::NegFOp>(sum) || (isa<arith::SubFOp>(sum) && operand.getOperandNumber() == 1);
    Operation *inner = operand.get().getDefiningOp();
    if (isa_and_nonnull<arith::AddFOp, arith::SubFOp, arith::NegFOp>(inner) && inner->hasOneUse())
      collectTerms(inner, negative != subtracted, terms);
    else
      terms.push_back({operand.get(), negative != subtracted});
  }
}

/// exp(x) - 1 - x, with the derivative expm1(x): its series for small x.
Expr expRest(Expr x) {
  Expr slope = apply<math::ExpM1Op>(x);
  Expr isNear = 0.125 > abs(x);
  // Not as a difference, which would be taken for this one again.
  Expr far = x * (slope / where(isNear, 1.0, x) + -1.0);
  return given(where(isNear, x * expRestOver(x), far), x, slope);
}

// exp(x) - 1 - x  =  x^2 / 2 + ..., wherever in a sum the three stand: the KL divergence of normal
// distributions
template <typename Op> struct ExpRest : OpRewritePattern<Op> {
  explicit ExpRest(MLIRContext *context, PatternBenefit benefit)
      : OpRewritePattern<Op>(context, benefit) {
    this->setDebugName("ExpRest");
  }
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (op->hasOneUse() && isa<arith::AddFOp, arith::SubFOp, arith::NegFOp>(*op->user_begin()))
      return failure();
    SmallVector<std::pair<Value, bool>> terms;
    collectTerms(op, false, terms);
    for (unsigned i = 0; i < terms.size(); ++i) {
      auto [value, negative] = terms[i];
      Operation *source = value.getDefiningOp();
      if (!isa_and_nonnull<math::ExpOp, math::ExpM1Op>(source))
        continue;
      Value x = source->getOperand(0);
      // One of these, or none: what is taken out of the sum besides.
      const bool needsOne = isa<math::ExpOp>(source);
      std::optional<unsigned> own, one;
      for (unsigned k = 0; k < terms.size(); ++k) {
        if (terms[k].first == x && terms[k].second != negative)
          own = k;
        else if (isConstant(terms[k].first, terms[k].second != negative ? 1 : -1))
          one = k;
      }
      if (!own || (needsOne && !one))
        continue;
      Site site{rewriter, op.getLoc()};
      Expr rest = expRest({&site, x});
      Expr sum = negative ? -rest : rest;
      for (unsigned k = 0; k < terms.size(); ++k)
        if (k != i && k != *own && !(needsOne && k == *one)) {
          Expr term(&site, terms[k].first);
          sum = terms[k].second ? sum - term : sum + term;
        }
      rewriter.replaceOp(op, sum.value());
      return success();
    }
    return failure();
  }
};

// x log(x)  =  0  at x = 0, and so is x log(x / y)
struct ProductWithOwnLogarithm : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulFOp op, PatternRewriter &rewriter) const override {
    for (auto [x, factor] :
         {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto logarithm = factor.getDefiningOp<math::LogOp>();
      Value inner = logarithm ? logarithm.getOperand() : Value();
      auto quotient = inner ? inner.getDefiningOp<arith::DivFOp>() : arith::DivFOp();
      if (!inner || (inner != x && !(quotient && quotient.getLhs() == x)))
        continue;
      Site site{rewriter, op.getLoc()};
      Expr own(&site, x), safe = where(own == 0.0, 1.0, own);
      Expr operand = quotient && inner != x ? safe / Expr(&site, quotient.getRhs()) : safe;
      rewriter.replaceOp(op, (own * log(operand)).value());
      return success();
    }
    return failure();
  }
};

// x^c - 1  =  expm1(c log(x))     where |c log(x)| < 1, for c that is no whole number
struct PowerMinusOne : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto [value, sign] = distanceFromOne(op);
    auto power = value ? value.getDefiningOp<math::PowFOp>() : math::PowFOp();
    if (!power || isWhole(power.getRhs()))
      return failure();
    Site site{rewriter, op.getLoc()};
    Expr c(&site, power.getRhs()), logarithm = c * log(Expr(&site, power.getLhs()));
    Expr near = apply<math::ExpM1Op>(logarithm);
    // A sum, which is not taken for the difference again.
    Expr result = where(1.0 > abs(logarithm), near, Expr(&site, value) + -1.0);
    rewriter.replaceOp(op, (sign < 0 ? -result : result).value());
    return success();
  }
};

Value withoutBroadcasts(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getInput();
  return value;
}

/// A product: a number, and factors that are none.
struct Product {
  double number = 1;
  SmallVector<Value, 4> factors;

  explicit Product(Value value) { add(value); }

  void add(Value value) {
    value = withoutBroadcasts(value);
    if (auto product = value.getDefiningOp<arith::MulFOp>()) {
      add(product.getLhs());
      add(product.getRhs());
    } else if (auto negated = value.getDefiningOp<arith::NegFOp>()) {
      number = -number;
      add(negated.getOperand());
    } else if (std::optional<double> c = constantOf(value)) {
      number *= *c;
    } else {
      factors.push_back(value);
    }
  }
};

// (exp(a x) - 1) / a and log(1 + a x) / a, which are x at a = 0, also with a factor before the
// quotient: with z = a x, x exprel(z) and x log1p(z) / z, whose derivatives by x and a are exp(z),
// x^2 exprel'(z) and 1 / (1 + z), x^2 (log1p(z) / z)'.
template <typename Op> struct QuotientByFactor : OpRewritePattern<arith::DivFOp> {
  using OpRewritePattern<arith::DivFOp>::OpRewritePattern;

  /// The derivative by a, (x f'(z) - value) / a, is x^2 times the quotient's where it would cancel.
  static Expr of(Expr x, Expr a) {
    Expr z = a * x;
    if constexpr (std::is_same_v<Op, math::ExpM1Op>) {
      Expr ratio = apply<ExprelOp>(z), value = x * ratio, slope = apply<math::ExpOp>(z);
      Expr byA = where(Expr(-1.0) > z, (x * slope - value) / a, x * (x * exprelSlope(z, ratio)));
      return given(given(value, x, slope), a, byA);
    } else {
      Expr value = x * log1pRatio(z), slope = 1.0 / (1.0 + z);
      Expr byA = where(Expr(0.4) > abs(z), x * (x * log1pRatioSlope(z)), (x * slope - value) / a);
      return given(given(value, x, slope), a, byA);
    }
  }

  LogicalResult matchAndRewrite(arith::DivFOp op, PatternRewriter &rewriter) const override {
    auto function = op.getLhs().getDefiningOp<Op>();
    Value weight;
    if (auto weighted = op.getLhs().getDefiningOp<arith::MulFOp>())
      for (auto [one, other] : {std::pair(weighted.getLhs(), weighted.getRhs()),
                                std::pair(weighted.getRhs(), weighted.getLhs())})
        if (!function && (function = one.getDefiningOp<Op>()))
          weight = other;
    if (!function)
      return failure();
    Product product(function.getOperand()), divisor(op.getRhs());
    if (divisor.factors.empty() || divisor.number == 0 || !std::isfinite(divisor.number))
      return failure();
    for (Value factor : divisor.factors) {
      Value *found = llvm::find(product.factors, factor);
      if (found == product.factors.end())
        return failure();
      product.factors.erase(found);
    }
    Site site{rewriter, op.getLoc()};
    // x with the axes of the result.
    Expr x = Expr(product.number / divisor.number).as({&site, op.getResult()});
    for (Value factor : product.factors)
      x = Expr(&site, factor) * x;
    Expr result = of(x, {&site, op.getRhs()});
    if (weight)
      result = Expr(&site, weight) * result;
    rewriter.replaceOp(op, result.value());
    return success();
  }
};

// r log(1 + x / r), which tends to x for great r: with z = x / r, x log1p(z) / z, whose derivatives
// by x and r are 1 / (1 + z) and log1p(z) - z / (1 + z).
struct FactorTimesLog : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulFOp op, PatternRewriter &rewriter) const override {
    for (auto [factor, logarithm] :
         {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto log = logarithm.getDefiningOp<math::Log1pOp>();
      auto quotient = log ? log.getOperand().getDefiningOp<arith::DivFOp>() : nullptr;
      if (!quotient || withoutBroadcasts(quotient.getRhs()) != withoutBroadcasts(factor))
        continue;
      Site site{rewriter, op.getLoc()};
      Expr x(&site, quotient.getLhs()), z(&site, quotient), r(&site, factor);
      Expr byR = where(Expr(0.4) > abs(z), -(z * (z * log1pRatioSlope(z))),
                       Expr(&site, log) - z / (1.0 + z));
      rewriter.replaceOp(op, given(given(x * log1pRatio(z), x, 1.0 / (1.0 + z)), r, byR).value());
      return success();
    }
    return failure();
  }
};

} // namespace

void loss::ir::addStableValues(RewritePatternSet &patterns) {
  patterns.add<LogOfCosh, LogCoshBySoftplus, PlusMinusConstant, CosineMinusOne, RootMinusOne,
               RootMinusItsPart, PowerMinusOne, ProductWithOwnLogarithm, ExpRest<arith::AddFOp>,
               ExpRest<arith::SubFOp>, FactorTimesLog, QuotientByFactor<math::ExpM1Op>,
               QuotientByFactor<math::Log1pOp>>(patterns.getContext(), /*benefit=*/2);
}
