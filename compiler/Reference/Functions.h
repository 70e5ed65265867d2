//===- Functions.h - the elementwise functions, in double -------*- C++ -*-===//
//
// What <cmath> lacks, written for clarity and accuracy (some units in the last place), not for
// speed.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_REFERENCE_FUNCTIONS_H
#define LOSSLANG_REFERENCE_FUNCTIONS_H

namespace loss::ir::reference {

/// 1 / (1 + exp(-x)).
double sigmoid(double x);
/// log(sigmoid(x)).
double logSigmoid(double x);
/// The derivative of sigmoid.
double sigmoidSlope(double x);
/// log(1 - exp(x)).
double log1mExp(double x);
/// log(1 + exp(x)).
double softplus(double x);
/// -1, 0 or 1; NaN for NaN.
double sign(double x);
/// Modified Bessel functions of the first kind, orders 0 and 1.
double besselI0(double x);
double besselI1(double x);
/// The same times exp(-|x|).
double besselI0e(double x);
double besselI1e(double x);
/// log |Gamma(x)| and its derivatives.
double lgamma(double x);
double digamma(double x);
double trigamma(double x);
double tetragamma(double x);
double pentagamma(double x);
/// lgamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2, and the entropy of a gamma distribution of the
/// shape x: x + lgamma(x) + (1 - x) digamma(x).
double stirlingError(double x);
double gammaEntropy(double x);
/// (exp(x) - 1) / x, and 1 at 0.
double exprel(double x);
/// The inverse of the error function.
double erfinv(double x);
/// x log(y), and 0 at x = 0 unless y is NaN.
double xlogy(double x, double y);
/// lgamma(x) + lgamma(y) - lgamma(x + y).
double lbeta(double x, double y);
/// lgamma(x + y) - lgamma(x), and the same of digamma and trigamma, without cancellation.
double logRisingFactorial(double x, double y);
double digammaDifference(double x, double y);
double trigammaDifference(double x, double y);
/// The nearest whole number, the even one of two.
double roundHalfEven(double x);

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_FUNCTIONS_H
