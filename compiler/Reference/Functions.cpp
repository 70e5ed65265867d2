//===- Functions.cpp - the elementwise functions, in double ---------------===//

#include "compiler/Reference/Functions.h"

#include <cmath>
#include <numbers>

namespace loss::ir {

double reference::sigmoid(double x) {
  return x < 0 ? std::exp(x) / (1 + std::exp(x)) : 1 / (1 + std::exp(-x));
}

double reference::logSigmoid(double x) { return -softplus(-x); }

double reference::sigmoidSlope(double x) {
  double e = std::exp(-std::abs(x));
  return e / ((1 + e) * (1 + e));
}

double reference::log1mExp(double x) {
  return x < -std::numbers::ln2 ? std::log1p(-std::exp(x)) : std::log(-std::expm1(x));
}

double reference::exprel(double x) {
  if (x == 0)
    return 1;
  // In two factors, of which the first does not overflow before the result does.
  double half = std::expm1(x / 2);
  return half / x * (half + 2);
}

double reference::softplus(double x) {
  return x > 0 ? x + std::log1p(std::exp(-x)) : std::log1p(std::exp(x));
}

double reference::sign(double x) { return std::isnan(x) ? x : double(x > 0) - double(x < 0); }

namespace {

/// From here on the asymptotic series is exact to double precision: its least term is near
/// exp(-2x).
constexpr double kLarge = 30;

/// I_n(x) = sum_k (x/2)^(2k+n) / (k! (k+n)!), every term positive (DLMF 10.25.2).
double besselSeries(int n, double x) {
  long double half = x / 2.0L, term = n == 0 ? 1.0L : half, sum = term;
  for (int k = 1; term > sum * 1e-20L; ++k) {
    term *= half * half / (k * (long double)(k + n));
    sum += term;
  }
  return double(sum);
}

/// exp(-x) I_n(x) ~ 1/sqrt(2 pi x) sum_k (-1)^k a_k(n) / x^k (DLMF 10.40.1), where
/// a_k = a_(k-1) (4 n^2 - (2k-1)^2) / (8 k).
double besselAsymptotic(int n, double x) {
  long double term = 1, sum = 1;
  for (int k = 1; k < 60 && std::abs(term) > 1e-20L; ++k) {
    term *= -(4.0L * n * n - (2.0L * k - 1) * (2.0L * k - 1)) / (8.0L * k * x);
    sum += term;
  }
  return double(sum / std::sqrt(2 * std::numbers::pi_v<long double> * x));
}

/// For x >= 0.
double bessel(int n, double x) {
  if (x < kLarge)
    return besselSeries(n, x);
  // In two steps: exp(x) overflows before I_n(x) does.
  return besselAsymptotic(n, x) * std::exp(x / 2) * std::exp(x / 2);
}
double besselScaled(int n, double x) {
  if (x < kLarge)
    return besselSeries(n, x) * std::exp(-x);
  return std::isinf(x) ? 0 : besselAsymptotic(n, x);
}

} // namespace

double reference::besselI0(double x) {
  return std::isinf(x) ? std::abs(x) : std::isnan(x) ? x : bessel(0, std::abs(x));
}
double reference::besselI1(double x) {
  return std::isinf(x) || std::isnan(x) ? x : std::copysign(bessel(1, std::abs(x)), x);
}
double reference::besselI0e(double x) { return std::isnan(x) ? x : besselScaled(0, std::abs(x)); }
double reference::besselI1e(double x) {
  return std::isnan(x) ? x : std::copysign(besselScaled(1, std::abs(x)), x);
}

} // namespace loss::ir
