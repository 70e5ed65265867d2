//===- ElementMath.cpp - math functions on arrays -------------------------===//

#include "search/spaces/ElementMath.h"

#include <cmath>

using namespace loss::search;

namespace {
template <typename F> void each(const double *in, double *out, size_t count, F f) {
  for (size_t i = 0; i < count; ++i)
    out[i] = f(in[i]);
}

/// I_order(x), scaled by exp(-|x|) on request: power series, or for large |x| Hankel's expansion.
double bessel(int order, double x, bool scaled) {
  double a = std::fabs(x), sign = order % 2 && x < 0 ? -1.0 : 1.0;
  if (a < 20) {
    double q = a * a / 4, term = order ? a / 2 : 1.0, sum = term;
    for (int k = 1; term > 1e-17 * sum; ++k) {
      term *= q / (static_cast<double>(k) * (k + order));
      sum += term;
    }
    return sign * sum * (scaled ? std::exp(-a) : 1.0);
  }
  double mu = 4.0 * order * order, term = 1, sum = 1;
  for (int k = 1; k < 30 && std::fabs(term) > 1e-17; ++k) {
    double next = -term * (mu - (2.0 * k - 1) * (2.0 * k - 1)) / (k * 8.0 * a);
    if (std::fabs(next) > std::fabs(term))
      break;
    term = next;
    sum += term;
  }
  double scaledValue = sum / std::sqrt(2 * M_PI * a);
  return sign * (scaled ? scaledValue : scaledValue * std::exp(a));
}
} // namespace

void loss::search::applyElement(ElementFn fn, const double *in, double *out, size_t count) {
  switch (fn) {
  case ElementFn::Exp:
    return each(in, out, count, [](double x) { return std::exp(x); });
  case ElementFn::Log:
    return each(in, out, count, [](double x) { return std::log(x); });
  case ElementFn::Log10:
    return each(in, out, count, [](double x) { return std::log10(x); });
  case ElementFn::Sigmoid:
    return each(in, out, count, [](double x) { return 1 / (1 + std::exp(-x)); });
  case ElementFn::Erf:
    return each(in, out, count, [](double x) { return std::erf(x); });
  case ElementFn::Erfc:
    return each(in, out, count, [](double x) { return std::erfc(x); });
  case ElementFn::Sin:
    return each(in, out, count, [](double x) { return std::sin(x); });
  case ElementFn::Cos:
    return each(in, out, count, [](double x) { return std::cos(x); });
  case ElementFn::Sinh:
    return each(in, out, count, [](double x) { return std::sinh(x); });
  case ElementFn::Cosh:
    return each(in, out, count, [](double x) { return std::cosh(x); });
  case ElementFn::Tanh:
    return each(in, out, count, [](double x) { return std::tanh(x); });
  case ElementFn::Asinh:
    return each(in, out, count, [](double x) { return std::asinh(x); });
  case ElementFn::Atan:
    return each(in, out, count, [](double x) { return std::atan(x); });
  case ElementFn::BesselI0:
    return each(in, out, count, [](double x) { return bessel(0, x, false); });
  case ElementFn::BesselI0e:
    return each(in, out, count, [](double x) { return bessel(0, x, true); });
  case ElementFn::BesselI1:
    return each(in, out, count, [](double x) { return bessel(1, x, false); });
  case ElementFn::BesselI1e:
    return each(in, out, count, [](double x) { return bessel(1, x, true); });
  }
}
