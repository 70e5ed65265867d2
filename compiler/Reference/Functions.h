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

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_FUNCTIONS_H
