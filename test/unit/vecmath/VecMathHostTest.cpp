//===- VecMathHostTest.cpp - array loops: tails, aliasing, independence of lanes ---===//
#include "compiler/Target/CPU/VecMath/VecMathHost.h"

#include "runtime/abi/LossAbi.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>
#include <limits>
#include <vector>

using namespace loss::vecmath;

namespace {

template <typename T> void call(Fn fn, const T *x, const T *y, T *z, size_t n) {
  if (info(fn).arity == 1)
    apply(fn, x, z, n);
  else
    apply(fn, x, y, z, n);
}

/// Numbers of all kinds, those that take slow paths among them.
template <typename T> std::vector<T> mixture() {
  constexpr T inf = std::numeric_limits<T>::infinity();
  std::vector<T> x = {
      T(0), T(1e30), T(0.5), inf, T(-3), T(1e-30), std::numeric_limits<T>::quiet_NaN()};
  for (int i = 0; i < 61; ++i)
    x.push_back(T(std::sin(i) * std::pow(1.5, i % 20)));
  return x;
}

template <typename T> bool same(T a, T b) {
  return (std::isnan(a) && std::isnan(b)) || (a == b && std::signbit(a) == std::signbit(b));
}

/// The result of an element depends on nothing but the element: not on its place, on its neighbours
/// (one lane on a slow path), on the length of the array.
template <typename T> void checkLanes(Fn fn) {
  if (fn == Fn::sin_unit || fn == Fn::cos_unit)
    return;
  std::vector<T> x = mixture<T>(), y(x.rbegin(), x.rend()), z(x.size());
  call(fn, x.data(), y.data(), z.data(), x.size());
  for (size_t i = 0; i < x.size(); ++i) {
    T alone;
    call(fn, &x[i], &y[i], &alone, 1);
    EXPECT_TRUE(same(alone, z[i]))
        << info(fn).name << "(" << x[i] << "): alone " << alone << ", among others " << z[i];
  }
}

TEST(VecMathHost, LanesAreIndependent) {
  for (int i = 0; i < functionCount; ++i) {
    checkLanes<float>(static_cast<Fn>(i));
    checkLanes<double>(static_cast<Fn>(i));
  }
}

TEST(VecMathHost, WritesExactlyTheArray) {
  for (size_t n = 0; n < 40; ++n) {
    std::vector<double> x(n, 0.25), z(n + 1, -7);
    apply(Fn::exp, x.data(), z.data(), n);
    for (size_t i = 0; i < n; ++i)
      EXPECT_NEAR(z[i], 1.2840254166877414, 1e-15);
    EXPECT_EQ(z[n], -7);
  }
}

TEST(VecMathHost, WorksInPlace) {
  std::vector<float> x(100, 2.0f), y(100, 3.0f);
  apply(Fn::pow, x.data(), y.data(), x.data(), x.size());
  EXPECT_EQ(x, std::vector<float>(100, 8.0f));
  apply(Fn::log2, x.data(), x.data(), x.size());
  EXPECT_EQ(x, std::vector<float>(100, 3.0f));
}

TEST(VecMathHost, FindsFunctionsByName) {
  EXPECT_EQ(findFunction("bessel_i0e"), Fn::bessel_i0e);
  EXPECT_EQ(findFunction("log_sigmoid"), Fn::log_sigmoid);
  EXPECT_EQ(findFunction("gamma"), std::nullopt);
  EXPECT_EQ(info(Fn::pow).arity, 2);
  EXPECT_EQ(info(Fn::erfc).arity, 1);
}

/// What C and LibTorch say at poles, at infinity and beyond the domain.
TEST(VecMathHost, SpecialValues) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  constexpr double nan = std::numeric_limits<double>::quiet_NaN();
  struct Case {
    Fn fn;
    double x, y, expected;
  };
  for (const Case &c : {Case{Fn::asin, 1.5, 0, nan},
                        {Fn::acos, 1, 0, 0},
                        {Fn::acos, -2, 0, nan},
                        {Fn::acosh, 1, 0, 0},
                        {Fn::acosh, 0.5, 0, nan},
                        {Fn::acosh, -3, 0, nan},
                        {Fn::acosh, inf, 0, inf},
                        {Fn::atanh, 1, 0, inf},
                        {Fn::atanh, -1, 0, -inf},
                        {Fn::atanh, 2, 0, nan},
                        {Fn::atanh, inf, 0, nan},
                        {Fn::atan2, 0.0, 0.0, 0.0},
                        {Fn::atan2, 1, inf, 0},
                        {Fn::atan2, nan, 1, nan},
                        {Fn::atan2, 1, nan, nan},
                        {Fn::hypot, inf, nan, inf},
                        {Fn::hypot, nan, -inf, inf},
                        {Fn::hypot, nan, 1, nan},
                        {Fn::hypot, 1, nan, nan},
                        {Fn::hypot, 0, 0, 0},
                        {Fn::lbeta, 1, 1, 0},
                        {Fn::lbeta, nan, 1, nan},
                        {Fn::lbeta, 0, 2, inf},
                        {Fn::log_rising_factorial, 3, 0, 0},
                        {Fn::log_rising_factorial, 0, 2, -inf},
                        {Fn::log_rising_factorial, 2, inf, inf},
                        {Fn::log_rising_factorial, 1, nan, nan},
                        {Fn::digamma_difference, 3, 0, 0},
                        {Fn::digamma_difference, 2, inf, inf},
                        {Fn::digamma_difference, nan, 1, nan},
                        {Fn::trigamma_difference, 3, 0, 0},
                        {Fn::trigamma_difference, nan, 1, nan},
                        {Fn::xlogy, 0, 0, 0},
                        {Fn::xlogy, 0, -1, 0},
                        {Fn::xlogy, 0, inf, 0},
                        {Fn::xlogy, 0, nan, nan},
                        {Fn::xlogy, 1, 0, -inf},
                        {Fn::xlogy, nan, 1, nan},
                        {Fn::xlogy, 1, -1, nan},
                        {Fn::log1mexp, 0, 0, -inf},
                        {Fn::log1mexp, 1, 0, nan},
                        {Fn::log1mexp, -inf, 0, -0.0},
                        {Fn::log1mexp, nan, 0, nan},
                        {Fn::sigmoid_slope, inf, 0, 0},
                        {Fn::sigmoid_slope, nan, 0, nan},
                        {Fn::erfinv, 1, 0, inf},
                        {Fn::erfinv, -1, 0, -inf},
                        {Fn::erfinv, 1.5, 0, nan},
                        {Fn::erfinv, inf, 0, nan},
                        {Fn::lgamma, 0, 0, inf},
                        {Fn::lgamma, -0.0, 0, inf},
                        {Fn::lgamma, -3, 0, inf},
                        {Fn::lgamma, -3e38, 0, inf},
                        {Fn::lgamma, 1, 0, 0},
                        {Fn::lgamma, 2, 0, 0},
                        {Fn::lgamma, inf, 0, inf},
                        {Fn::lgamma, -inf, 0, inf},
                        {Fn::digamma, 0, 0, -inf},
                        {Fn::digamma, -0.0, 0, inf},
                        {Fn::digamma, -1, 0, nan},
                        {Fn::digamma, inf, 0, inf},
                        {Fn::digamma, -inf, 0, nan},
                        {Fn::trigamma, 0, 0, inf},
                        {Fn::trigamma, -0.0, 0, inf},
                        {Fn::trigamma, -2, 0, inf},
                        {Fn::trigamma, inf, 0, 0},
                        {Fn::trigamma, -inf, 0, nan},
                        {Fn::tetragamma, 0, 0, -inf},
                        {Fn::tetragamma, -0.0, 0, inf},
                        {Fn::tetragamma, -2, 0, nan},
                        {Fn::tetragamma, -inf, 0, nan},
                        {Fn::pentagamma, 0, 0, inf},
                        {Fn::pentagamma, -0.0, 0, inf},
                        {Fn::pentagamma, -2, 0, inf},
                        {Fn::pentagamma, inf, 0, 0},
                        {Fn::pentagamma, -inf, 0, nan}})
    for (int level = 0; level <= hostLevel(); ++level) {
      const HostFunctions &f = hostFunctions(c.fn, level);
      double wide;
      auto x = float(c.x), y = float(c.y), narrow = 0.0f;
      if (info(c.fn).arity == 1) {
        f.unaryF64(&c.x, &wide, 1);
        f.unaryF32(&x, &narrow, 1);
      } else {
        f.binaryF64(&c.x, &c.y, &wide, 1);
        f.binaryF32(&x, &y, &narrow, 1);
      }
      EXPECT_TRUE(same(wide, c.expected))
          << info(c.fn).name << "(" << c.x << ", " << c.y << ") = " << wide;
      EXPECT_TRUE(same(narrow, float(c.expected)))
          << "f32 " << info(c.fn).name << "(" << c.x << ", " << c.y << ") = " << narrow;
    }
}

TEST(VecMathHost, SineStaysWithinOne) {
  std::vector<float> x, y;
  for (int i = 0; i < 4000000; ++i)
    x.push_back(std::bit_cast<float>(0x3f800000u + 20u * i));
  y.resize(x.size());
  for (int level = 0; level <= hostLevel(); ++level)
    for (Fn fn : {Fn::sin, Fn::cos}) {
      hostFunctions(fn, level).unaryF32(x.data(), y.data(), x.size());
      float largest = 0;
      for (float v : y)
        largest = std::fmax(largest, std::fabs(v));
      EXPECT_EQ(largest, 1.0f);
    }
}

} // namespace
