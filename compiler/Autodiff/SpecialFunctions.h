//===- SpecialFunctions.h - functions that kernels put together -*- C++ -*-===//
//
// Values and derivatives of functions that have no vector code of their own, as formulas that do
// not cancel: a polynomial where the plain form would, the plain form elsewhere. Their own
// derivatives, of any order, follow by the rules of the formulas.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_AUTODIFF_SPECIALFUNCTIONS_H
#define LOSSLANG_AUTODIFF_SPECIALFUNCTIONS_H

#include "compiler/Autodiff/Expr.h"

namespace loss::ir::autodiff {

/// (exp(x) - 1) / x, 1 at 0.
Expr exprel(Expr x);
/// Its derivative, where `value` is exprel(x).
Expr exprelSlope(Expr x, Expr value);
/// log(1 + x) / x, 1 at 0, and its derivative.
Expr log1pRatio(Expr x);
Expr log1pRatioSlope(Expr x);

/// What Stirling's formula leaves of lgamma(z): lgamma(z) - (z - 1/2) log z + z - log(2 pi) / 2.
Expr stirlingError(Expr z);
Expr stirlingErrorSlope(Expr z);
/// The entropy of a gamma distribution: z + lgamma(z) + (1 - z) digamma(z).
Expr gammaEntropy(Expr z);
Expr gammaEntropySlope(Expr z);

} // namespace loss::ir::autodiff

#endif // LOSSLANG_AUTODIFF_SPECIALFUNCTIONS_H
