//===- Laws.h - laws that need a computation --------------------*- C++ -*-===//
//
// Simplify.td has the laws that are one pattern each. Those here are shared by, or too long for,
// it.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_DIALECT_LOSS_TRANSFORMS_LAWS_H
#define LOSSLANG_DIALECT_LOSS_TRANSFORMS_LAWS_H

#include "mlir/IR/PatternMatch.h"

#include <optional>

namespace loss::ir {

/// The number that `value` is everywhere, if it is a constant, seen through broadcasts.
std::optional<double> constantOf(mlir::Value value);
/// Whether `value` is this number everywhere.
bool isConstant(mlir::Value value, double expected);
/// A power of these exponents is a product, as accurate as its factors.
bool isWhole(mlir::Value exponent);
/// Whether a use depends on the relative accuracy of `value` near 0.
bool isUsedNearZero(mlir::Value value);

/// Logarithms, powers and quotients of exponentials (StableForms.cpp).
void addStableForms(mlir::RewritePatternSet &patterns);
/// Probabilities times logarithms (StableProducts.cpp).
void addStableProducts(mlir::RewritePatternSet &patterns);
/// Differences that cancel (StableValues.cpp).
void addStableValues(mlir::RewritePatternSet &patterns);
/// Sums of log-gammas of nearby arguments, or of their derivatives (GammaSums.cpp).
void addGammaSums(mlir::RewritePatternSet &patterns);

} // namespace loss::ir

#endif // LOSSLANG_DIALECT_LOSS_TRANSFORMS_LAWS_H
