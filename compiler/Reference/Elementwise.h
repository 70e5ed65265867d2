//===- Elementwise.h - the table of elementwise operations ------*- C++ -*-===//
//
// One row an operation: its textbook definition. `S` is the scalar type. Functions that <cmath> has
// not are in Functions.h; for other scalar types than double both are found in the type's
// namespace.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_REFERENCE_ELEMENTWISE_H
#define LOSSLANG_REFERENCE_ELEMENTWISE_H

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Reference/Functions.h"
#include "compiler/Reference/Scalar.h"

#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

namespace loss::ir::reference {

// Seen beside the functions of the scalar's own namespace.
using std::abs, std::exp, std::exp2, std::expm1, std::log, std::log1p, std::log2, std::log10;
using std::acos, std::acosh, std::asin, std::asinh, std::atan, std::atan2, std::atanh;
using std::ceil, std::floor, std::fmax, std::fmin, std::hypot, std::pow, std::sqrt;
using std::cos, std::cosh, std::erf, std::erfc, std::sin, std::sinh, std::tan, std::tanh;

template <typename S> using Unary = S (*)(const S &);
template <typename S> using Binary = S (*)(const S &, const S &);

/// The function of an operation of one operand, or null.
template <typename S> Unary<S> unaryFunction(mlir::Operation *op) {
  namespace arith = mlir::arith;
  namespace math = mlir::math;
#define FUNCTION(OP, ...)                                                                          \
  .template Case<OP>(                                                                              \
      [](mlir::Operation *) -> Unary<S> { return [](const S &x) -> S { return __VA_ARGS__; }; })
  return llvm::TypeSwitch<mlir::Operation *, Unary<S>>(op)
      // clang-format off
      FUNCTION(arith::NegFOp, -x)
      FUNCTION(math::AbsFOp, abs(x))
      FUNCTION(math::ExpOp, exp(x))
      FUNCTION(math::Exp2Op, exp2(x))
      FUNCTION(math::ExpM1Op, expm1(x))
      FUNCTION(math::LogOp, log(x))
      FUNCTION(math::Log1pOp, log1p(x))
      FUNCTION(math::Log2Op, log2(x))
      FUNCTION(math::Log10Op, log10(x))
      FUNCTION(math::SqrtOp, sqrt(x))
      FUNCTION(math::RsqrtOp, S(1) / sqrt(x))
      FUNCTION(math::SinOp, sin(x))
      FUNCTION(math::CosOp, cos(x))
      FUNCTION(math::TanOp, tan(x))
      FUNCTION(math::SinhOp, sinh(x))
      FUNCTION(math::CoshOp, cosh(x))
      FUNCTION(math::TanhOp, tanh(x))
      FUNCTION(math::AsinhOp, asinh(x))
      FUNCTION(math::AcoshOp, acosh(x))
      FUNCTION(math::AtanhOp, atanh(x))
      FUNCTION(math::AsinOp, asin(x))
      FUNCTION(math::AcosOp, acos(x))
      FUNCTION(math::AtanOp, atan(x))
      FUNCTION(math::FloorOp, floor(x))
      FUNCTION(math::CeilOp, ceil(x))
      FUNCTION(math::RoundEvenOp, roundHalfEven(x))
      FUNCTION(math::ErfOp, erf(x))
      FUNCTION(math::ErfcOp, erfc(x))
      FUNCTION(ErfInvOp, erfinv(x))
      FUNCTION(LgammaOp, lgamma(x))
      FUNCTION(DigammaOp, digamma(x))
      FUNCTION(TrigammaOp, trigamma(x))
      FUNCTION(TetragammaOp, tetragamma(x))
      FUNCTION(PentagammaOp, pentagamma(x))
      FUNCTION(ExprelOp, exprel(x))
      FUNCTION(StirlingErrorOp, stirlingError(x))
      FUNCTION(GammaEntropyOp, gammaEntropy(x))
      FUNCTION(SigmoidOp, sigmoid(x))
      FUNCTION(LogSigmoidOp, logSigmoid(x))
      FUNCTION(SigmoidSlopeOp, sigmoidSlope(x))
      FUNCTION(Log1mExpOp, log1mExp(x))
      FUNCTION(SoftplusOp, softplus(x))
      FUNCTION(SignOp, sign(x))
      FUNCTION(BesselI0Op, besselI0(x))
      FUNCTION(BesselI1Op, besselI1(x))
      FUNCTION(BesselI0eOp, besselI0e(x))
      FUNCTION(BesselI1eOp, besselI1e(x))
      .Default(Unary<S>());
  // clang-format on
#undef FUNCTION
}

/// The function of an operation of two operands, or null. A comparison is `compare`.
template <typename S> Binary<S> binaryFunction(mlir::Operation *op) {
  namespace arith = mlir::arith;
  namespace math = mlir::math;
#define FUNCTION(OP, ...)                                                                          \
  .template Case<OP>([](mlir::Operation *) -> Binary<S> {                                          \
    return [](const S &x, const S &y) -> S { return __VA_ARGS__; };                                \
  })
  return llvm::TypeSwitch<mlir::Operation *, Binary<S>>(op)
      // clang-format off
      FUNCTION(arith::AddFOp, x + y)
      FUNCTION(arith::SubFOp, x - y)
      FUNCTION(arith::MulFOp, x * y)
      FUNCTION(arith::DivFOp, x / y)
      FUNCTION(arith::MaximumFOp, maximum(x, y))
      FUNCTION(arith::MinimumFOp, minimum(x, y))
      FUNCTION(arith::MaxNumFOp, fmax(x, y))
      FUNCTION(arith::MinNumFOp, fmin(x, y))
      FUNCTION(arith::AndIOp, logicalAnd(x, y))
      FUNCTION(arith::OrIOp, logicalOr(x, y))
      FUNCTION(arith::XOrIOp, logicalXor(x, y))
      FUNCTION(math::PowFOp, pow(x, y))
      FUNCTION(math::Atan2Op, atan2(x, y))
      FUNCTION(HypotOp, hypot(x, y))
      FUNCTION(XlogyOp, xlogy(x, y))
      FUNCTION(LogBetaOp, lbeta(x, y))
      FUNCTION(LogRisingFactorialOp, logRisingFactorial(x, y))
      FUNCTION(DigammaDifferenceOp, digammaDifference(x, y))
      FUNCTION(TrigammaDifferenceOp, trigammaDifference(x, y))
      .Default(Binary<S>());
  // clang-format on
#undef FUNCTION
}

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_ELEMENTWISE_H
