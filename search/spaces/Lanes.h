//===- Lanes.h - arithmetic on many points at once --------------*- C++ -*-===//
//
// GraphOps.def gives each operation once as a C++ expression. Over `Lanes` it is evaluated on a
// block of points, one vector function call an operation; over `double` it is the same formula on
// one number.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_SPACES_LANES_H
#define LOSSLANG_SEARCH_SPACES_LANES_H

#include "compiler/Target/CPU/VecMath/VecMathHost.h"

#include <cmath>
#include <cstddef>

namespace loss::search {

/// Values at up to `capacity` points, small enough that a graph's blocks stay in the first-level
/// cache.
struct Lanes {
  static constexpr size_t capacity = 256;

  explicit Lanes(size_t count) : count(count) {}
  // Copies only what is used.
  Lanes(const Lanes &other) : count(other.count) { copyFrom(other); }
  Lanes &operator=(const Lanes &other) {
    count = other.count;
    copyFrom(other);
    return *this;
  }

  size_t count;
  alignas(64) double at[capacity];

private:
  void copyFrom(const Lanes &other) {
    for (size_t i = 0; i < count; ++i)
      at[i] = other.at[i];
  }
};

/// The vocabulary of GraphOps.def.
namespace elements {

// On one number. NaN is never hidden by a comparison.
inline double sign(double x) { return x > 0 ? 1.0 : x < 0 ? -1.0 : x; }
inline double max(double a, double b) { return a != a || a >= b ? a : b; }
inline double min(double a, double b) { return a != a || a <= b ? a : b; }
/// 1 where a >= b, else 0.
inline double notBelow(double a, double b) { return a >= b ? 1.0 : 0.0; }
/// a / b, or `otherwise` where b = 0.
inline double quotientOr(double a, double b, double otherwise) {
  return b == 0 ? otherwise : a / b;
}
inline double constant(double, double value) { return value; }
inline double abs(double x) { return std::fabs(x); }
inline double sqrt(double x) { return std::sqrt(x); }

// On a block: the same, lane by lane.
template <typename F> Lanes map(const Lanes &x, F f) {
  Lanes result(x.count);
  for (size_t i = 0; i < x.count; ++i)
    result.at[i] = f(x.at[i]);
  return result;
}
template <typename F> Lanes map(const Lanes &a, const Lanes &b, F f) {
  Lanes result(a.count);
  for (size_t i = 0; i < a.count; ++i)
    result.at[i] = f(a.at[i], b.at[i]);
  return result;
}

#define LOSS_LANES_OPERATOR(op)                                                                    \
  inline Lanes operator op(const Lanes &a, const Lanes &b) {                                       \
    return map(a, b, [](double u, double v) { return u op v; });                                   \
  }                                                                                                \
  inline Lanes operator op(const Lanes &a, double b) {                                             \
    return map(a, [b](double u) { return u op b; });                                               \
  }                                                                                                \
  inline Lanes operator op(double a, const Lanes &b) {                                             \
    return map(b, [a](double v) { return a op v; });                                               \
  }
LOSS_LANES_OPERATOR(+)
LOSS_LANES_OPERATOR(-)
LOSS_LANES_OPERATOR(*)
LOSS_LANES_OPERATOR(/)
#undef LOSS_LANES_OPERATOR

inline Lanes operator-(const Lanes &x) {
  return map(x, [](double u) { return -u; });
}
inline Lanes sign(const Lanes &x) {
  return map(x, [](double u) { return sign(u); });
}
inline Lanes abs(const Lanes &x) {
  return map(x, [](double u) { return abs(u); });
}
inline Lanes sqrt(const Lanes &x) {
  return map(x, [](double u) { return std::sqrt(u); });
}
inline Lanes max(const Lanes &a, const Lanes &b) {
  return map(a, b, [](double u, double v) { return max(u, v); });
}
inline Lanes max(const Lanes &a, double b) {
  return map(a, [b](double u) { return max(u, b); });
}
inline Lanes min(const Lanes &a, const Lanes &b) {
  return map(a, b, [](double u, double v) { return min(u, v); });
}
inline Lanes min(const Lanes &a, double b) {
  return map(a, [b](double u) { return min(u, b); });
}
inline Lanes notBelow(const Lanes &a, const Lanes &b) {
  return map(a, b, [](double u, double v) { return notBelow(u, v); });
}
inline Lanes notBelow(const Lanes &a, double b) {
  return map(a, [b](double u) { return notBelow(u, b); });
}
inline Lanes quotientOr(const Lanes &a, const Lanes &b, double otherwise) {
  return map(a, b, [otherwise](double u, double v) { return quotientOr(u, v, otherwise); });
}
inline Lanes constant(const Lanes &x, double value) {
  return map(x, [value](double) { return value; });
}

// Through the vector library, on a block and on one number alike.
#define LOSS_ELEMENT_FUNCTION(name)                                                                \
  inline Lanes name(const Lanes &x) {                                                              \
    Lanes result(x.count);                                                                         \
    vecmath::apply(vecmath::Fn::name, x.at, result.at, x.count);                                   \
    return result;                                                                                 \
  }                                                                                                \
  inline double name(double x) {                                                                   \
    double result;                                                                                 \
    vecmath::apply(vecmath::Fn::name, &x, &result, 1);                                             \
    return result;                                                                                 \
  }
LOSS_ELEMENT_FUNCTION(exp)
LOSS_ELEMENT_FUNCTION(log)
LOSS_ELEMENT_FUNCTION(log10)
LOSS_ELEMENT_FUNCTION(sigmoid)
LOSS_ELEMENT_FUNCTION(erf)
LOSS_ELEMENT_FUNCTION(erfc)
LOSS_ELEMENT_FUNCTION(sin)
LOSS_ELEMENT_FUNCTION(cos)
LOSS_ELEMENT_FUNCTION(sinh)
LOSS_ELEMENT_FUNCTION(cosh)
LOSS_ELEMENT_FUNCTION(tanh)
LOSS_ELEMENT_FUNCTION(asinh)
LOSS_ELEMENT_FUNCTION(atan)
LOSS_ELEMENT_FUNCTION(bessel_i0)
LOSS_ELEMENT_FUNCTION(bessel_i0e)
LOSS_ELEMENT_FUNCTION(bessel_i1)
LOSS_ELEMENT_FUNCTION(bessel_i1e)
#undef LOSS_ELEMENT_FUNCTION

} // namespace elements
} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_LANES_H
