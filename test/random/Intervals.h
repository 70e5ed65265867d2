//===- Intervals.h - where the values of a formula lie ----------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_INTERVALS_H
#define LOSSLANG_TEST_RANDOM_INTERVALS_H

#include <algorithm>
#include <cmath>
#include <string_view>

namespace loss::stress {

struct Interval {
  double lo = 0, hi = 0;

  bool within(const Interval &other) const { return lo >= other.lo && hi <= other.hi; }
  double reach() const { return std::max(std::abs(lo), std::abs(hi)); }
  bool isPositive() const { return lo > 0; }
};

inline Interval around(double reach) { return {-reach, reach}; }
inline Interval join(const Interval &a, const Interval &b) {
  return {std::min(a.lo, b.lo), std::max(a.hi, b.hi)};
}
inline Interval operator+(const Interval &a, const Interval &b) {
  return {a.lo + b.lo, a.hi + b.hi};
}
inline Interval operator-(const Interval &a, const Interval &b) {
  return {a.lo - b.hi, a.hi - b.lo};
}
inline Interval operator*(const Interval &a, const Interval &b) {
  double products[] = {a.lo * b.lo, a.lo * b.hi, a.hi * b.lo, a.hi * b.hi};
  return {*std::min_element(products, products + 4), *std::max_element(products, products + 4)};
}

/// What an elementwise function of one operand takes without harm, and gives for that.
struct FunctionRange {
  std::string_view name;
  Interval operand, result;
};

/// Functions without a row take [0.1, 0.9] and are trusted to give [-10, 10].
inline FunctionRange functionRange(std::string_view name) {
  constexpr double big = 1e4, inf = INFINITY;
  static const FunctionRange rows[] = {
      {"abs", {-inf, inf}, {0, big}},
      {"exp", {-big, 6}, {0, 404}},
      {"expm1", {-big, 6}, {-1, 403}},
      {"exp2", {-big, 8}, {0, 256}},
      {"log", {1e-3, inf}, {-7, 10}},
      {"log2", {1e-3, inf}, {-10, 14}},
      {"log10", {1e-3, inf}, {-3, 4}},
      {"log1p", {-0.98, inf}, {-4, 10}},
      {"log1mexp", {-100, -1e-3}, {-7, 0}},
      {"sqrt", {1e-3, inf}, {0.03, 100}},
      {"sin", {-100, 100}, {-1, 1}},
      {"cos", {-100, 100}, {-1, 1}},
      {"tan", {-1.3, 1.3}, {-3.7, 3.7}},
      {"sinh", {-6, 6}, {-202, 202}},
      {"cosh", {-6, 6}, {1, 202}},
      {"tanh", {-inf, inf}, {-1, 1}},
      {"asin", {-0.95, 0.95}, {-1.3, 1.3}},
      {"acos", {-0.95, 0.95}, {0.3, 2.9}},
      {"atan", {-inf, inf}, {-1.6, 1.6}},
      {"asinh", {-inf, inf}, {-10, 10}},
      {"acosh", {1.05, inf}, {0.3, 10}},
      {"atanh", {-0.95, 0.95}, {-2, 2}},
      {"erf", {-inf, inf}, {-1, 1}},
      {"erfc", {-inf, 5}, {0, 2}},
      {"erfinv", {-0.95, 0.95}, {-1.4, 1.4}},
      {"lgamma", {0.1, 30}, {-0.2, 72}},
      {"digamma", {0.1, 100}, {-11, 5}},
      {"trigamma", {0.1, 100}, {0, 102}},
      {"exprel", {-big, 6}, {0, 67}},
      {"stirling_error", {0.1, 100}, {0, 1}},
      {"gamma_entropy", {0.6, 100}, {0.2, 4}},
      {"sigmoid", {-inf, inf}, {0, 1}},
      {"log_sigmoid", {-inf, inf}, {-big, 0}},
      {"softplus", {-inf, inf}, {0, big}},
      {"relu", {-inf, inf}, {0, big}},
      {"gelu", {-inf, inf}, {-0.2, big}},
      {"silu", {-inf, inf}, {-0.3, big}},
      {"sign", {-inf, inf}, {-1, 1}},
      {"floor", {-inf, inf}, {-big, big}},
      {"ceil", {-inf, inf}, {-big, big}},
      {"round", {-inf, inf}, {-big, big}},
      {"stop_gradient", {-inf, inf}, {-big, big}},
      {"bessel_i0", {-6, 6}, {1, 68}},
      {"bessel_i0e", {-inf, inf}, {0, 1}},
      {"bessel_i1", {-6, 6}, {-62, 62}},
      {"bessel_i1e", {-inf, inf}, {-0.3, 0.3}},
  };
  for (const FunctionRange &row : rows)
    if (row.name == name)
      return row;
  return {name, {0.1, 0.9}, {-10, 10}};
}

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_INTERVALS_H
