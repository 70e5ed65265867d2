#include "test/unit/vecmath/Accuracy.h"

#include "test/unit/vecmath/Reference.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <limits>
#include <random>
#include <type_traits>
#include <vector>

namespace loss::vecmath::test {
namespace {

template <typename T> using Bits = std::conditional_t<sizeof(T) == 4, uint32_t, uint64_t>;
template <typename T> constexpr int fractionBits = sizeof(T) == 4 ? 23 : 52;

template <typename T> T fromBits(uint64_t bits) {
  return std::bit_cast<T>(static_cast<Bits<T>>(bits));
}

/// x and its neighbours, both signs.
template <typename T> void addAround(std::vector<T> &out, T x) {
  constexpr T inf = std::numeric_limits<T>::infinity();
  for (T v : {x, std::nextafter(x, inf), std::nextafter(x, -inf)}) {
    out.push_back(v);
    out.push_back(-v);
  }
}

template <typename T> std::vector<T> unarySamples(int perExponent) {
  using Limits = std::numeric_limits<T>;
  std::vector<T> out = {T(0),
                        -T(0),
                        Limits::infinity(),
                        -Limits::infinity(),
                        Limits::quiet_NaN(),
                        Limits::denorm_min(),
                        -Limits::denorm_min(),
                        Limits::max(),
                        -Limits::max(),
                        Limits::min(),
                        -Limits::min()};
  std::mt19937_64 random(20);
  constexpr int exponents = sizeof(T) == 4 ? 255 : 2047;
  for (int e = 0; e < exponents; ++e) {
    // Most functions are decided between 2^-12 and 2^11.
    bool busy = std::abs(e - exponents / 2) < 12;
    for (int i = 0; i < perExponent * (busy ? 16 : 1); ++i) {
      uint64_t fraction = random() & ((uint64_t(1) << fractionBits<T>)-1);
      T x = fromBits<T>(uint64_t(e) << fractionBits<T> | fraction);
      out.push_back(random() & 1 ? x : -x);
    }
    if (busy)
      addAround(out, fromBits<T>(uint64_t(e) << fractionBits<T>));
  }
  // Borders of intervals, ends of ranges, zeros of the trigonometric functions.
  for (double b : {0.25,    0.34657359, 0.5,        0.625,   0.6931471805599453,
                   0.75,    1.5,        3.0,        8.0,     10.5,
                   12.0,    28.0,       88.722839,  89.0,    89.4159,
                   91.9007, 93.0,       103.972,    104.0,   127.99999,
                   149.0,   150.0,      709.782712, 710.0,   713.9869,
                   715.0,   745.133219, 746.0,      1023.99, 1074.0,
                   1075.0,  8192.0,     4194304.0})
    addAround(out, T(b));
  for (int k = 1; k <= 400; ++k)
    addAround(out, T(k * 1.57079632679489661923));
  for (double k = 500; k < 3e6; k *= 1.37)
    addAround(out, T(std::floor(k) * 1.57079632679489661923));
  // Near 1, for the logarithms; near 0 with an argument near -1 for log1p.
  for (int i = 1; i < 54; ++i) {
    addAround(out, T(1 + std::ldexp(1.0, -i)));
    addAround(out, T(1 - std::ldexp(1.0, -i)));
  }
  // Poles of the gamma function, zeros of its logarithm and of the derivatives of that (also below
  // 0), borders.
  for (int k = 1; k <= 60; ++k)
    for (double d : {0.0, 1e-3, 0.25, 0.5})
      addAround(out, T(k + d));
  for (double zero :
       {1.46163214496836234, -0.50408300826445540, -1.57349847316239046, -2.61072086844414465,
        -2.45702473822080, -2.74768264672741, -3.14358088834998, -3.95529428482, -4.03936139,
        0.99366797, 0.0, 2.0, -0.49571567691303839, -1.4987861940097745, -2.4994443912584825})
    for (int i = 2; i < 54; ++i)
      addAround(out, T(zero + std::ldexp(1.0, -i)));
  return out;
}

bool inDomain(Fn fn, double x) {
  return (fn != Fn::sin_unit && fn != Fn::cos_unit) || !(std::fabs(x) > 1);
}

template <typename T> void fillPow(std::vector<T> &x, std::vector<T> &y, int perExponent) {
  using Limits = std::numeric_limits<T>;
  const T special[] = {T(0),
                       -T(0),
                       T(1),
                       T(-1),
                       T(0.5),
                       T(2),
                       T(-2),
                       T(3),
                       T(-3),
                       T(-0.5),
                       T(2.5),
                       Limits::infinity(),
                       -Limits::infinity(),
                       Limits::quiet_NaN(),
                       Limits::max(),
                       -Limits::max(),
                       Limits::min(),
                       Limits::denorm_min(),
                       -Limits::denorm_min(),
                       std::nextafter(T(1), T(2)),
                       std::nextafter(T(1), T(0)),
                       T(std::ldexp(1.0, fractionBits<T>)) + 1,
                       T(1e9)};
  for (T a : special)
    for (T b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  std::mt19937_64 random(21);
  std::uniform_real_distribution<double> uniform(-1, 1);
  constexpr int exponents = sizeof(T) == 4 ? 255 : 2047;
  const double range = sizeof(T) == 4 ? 160 : 1100;
  for (int e = 0; e < exponents; ++e)
    for (int i = 0; i < perExponent * 8; ++i) {
      uint64_t fraction = random() & ((uint64_t(1) << fractionBits<T>)-1);
      T a = fromBits<T>(uint64_t(e) << fractionBits<T> | fraction);
      // Exponents whose results lie in range, so that the whole range of results is seen.
      double l = std::log2(double(a));
      double b = uniform(random) * (l != 0 ? range / l : 1e6);
      if (i % 8 == 0) {
        b = std::rint(b);
        a = -a;
      } else if (i % 8 == 1) {
        a = T(1 + uniform(random) * 1e-3);
        b = uniform(random) * range * 1000;
      }
      x.push_back(a);
      y.push_back(T(b));
    }
}

bool isGammaDifference(Fn fn) {
  return fn == Fn::lbeta || fn == Fn::log_rising_factorial || fn == Fn::digamma_difference ||
         fn == Fn::trigamma_difference;
}

/// a > 0 of all sizes, and x with a + x > 0, of all sizes and near -a (unless only positive ones
/// are wanted), or a whole number.
template <typename T>
void fillEnds(std::vector<T> &x, std::vector<T> &y, int perExponent, bool isPositive) {
  using Limits = std::numeric_limits<T>;
  for (T a : {T(1), T(2), T(0.5), T(5), T(8), T(1e3), T(1e8), Limits::min(), Limits::denorm_min()})
    for (T b : {T(0), T(1), T(2), T(0.5), T(3), T(100), T(1e8), T(1e-8), Limits::infinity(),
                Limits::quiet_NaN()}) {
      x.push_back(a);
      y.push_back(b);
    }
  std::mt19937_64 random(23);
  std::uniform_real_distribution<double> uniform(0, 1);
  constexpr int exponents = sizeof(T) == 4 ? 255 : 2047;
  auto number = [&](int exponent) {
    uint64_t fraction = random() & ((uint64_t(1) << fractionBits<T>)-1);
    return fromBits<T>(uint64_t(exponent) << fractionBits<T> | fraction);
  };
  auto add = [&](T a, T b) {
    // Results that overflow say nothing.
    if (a + b > 0 && std::isfinite(T(a + b)) && !(isPositive && b < 0) && double(a) < 1e300 &&
        std::abs(double(b)) < 1e300) {
      x.push_back(a);
      y.push_back(b);
    }
  };
  for (int e = 0; e < exponents; ++e)
    for (int i = 0; i < perExponent; ++i) {
      T a = number(e);
      add(a, number(int(random() % exponents)));
      add(number(int(random() % exponents)), a);
      add(a, T(a * std::exp2(60 * uniform(random) - 30)));
      add(a, T(-a * uniform(random)));
      add(a, T(-a * std::exp2(-20 * uniform(random))));
    }
  // Where the intervals meet.
  for (int i = 0; i < 2000 * perExponent; ++i) {
    T a = T(std::exp2(10 * uniform(random) - 4));
    T b = T(std::exp2(10 * uniform(random) - 5));
    add(a, b);
    add(a, std::rint(4 * b));
    add(std::rint(a) + 1, b);
    add(T(std::rint(a) + T(1) + T(std::exp2(-30 * uniform(random)))), std::rint(b));
  }
}

/// Pairs of numbers of all sizes and signs, half of them near each other.
template <typename T> void fillPairs(std::vector<T> &x, std::vector<T> &y, int perExponent) {
  using Limits = std::numeric_limits<T>;
  const T special[] = {T(0),          -T(0),
                       T(1),          T(-1),
                       T(0.5),        T(3),
                       Limits::max(), -Limits::max(),
                       Limits::min(), Limits::denorm_min(),
                       -T(4e-30),     Limits::infinity(),
                       T(1e30),       -Limits::infinity(),
                       T(4),          Limits::quiet_NaN()};
  for (T a : special)
    for (T b : special) {
      x.push_back(a);
      y.push_back(b);
    }
  std::mt19937_64 random(22);
  std::uniform_real_distribution<double> uniform(-1, 1);
  constexpr int exponents = sizeof(T) == 4 ? 255 : 2047;
  auto number = [&](int exponent) {
    uint64_t fraction = random() & ((uint64_t(1) << fractionBits<T>)-1);
    T v = fromBits<T>(uint64_t(exponent) << fractionBits<T> | fraction);
    return random() & 1 ? v : -v;
  };
  for (int e = 0; e < exponents; ++e)
    for (int i = 0; i < perExponent * 8; ++i) {
      T a = number(e);
      double near = std::exp2(uniform(random) * (i % 4 < 2 ? 3 : 30));
      T b = i % 2 ? number(int(random() % exponents)) : T(a * near);
      x.push_back(i % 8 == 4 ? T(3 * uniform(random)) : a);
      // Near 1, for the logarithm.
      y.push_back(i % 8 == 6 ? T(1 + uniform(random) * 1e-3) : i % 8 == 7 ? std::abs(b) : b);
    }
}

template <typename T> void call(const HostFunctions &f, const T *x, const T *y, T *z, size_t n) {
  if constexpr (sizeof(T) == 4)
    f.unaryF32 ? f.unaryF32(x, z, n) : f.binaryF32(x, y, z, n);
  else
    f.unaryF64 ? f.unaryF64(x, z, n) : f.binaryF64(x, y, z, n);
}

} // namespace

template <typename T> WorstByLevel measureSampled(Fn fn, int perExponent) {
  bool binary = info(fn).arity == 2;
  std::vector<T> x, y;
  if (binary) {
    if (fn == Fn::pow)
      fillPow(x, y, perExponent);
    else if (isGammaDifference(fn))
      fillEnds(x, y, perExponent, fn == Fn::lbeta);
    else
      fillPairs(x, y, perExponent);
  } else {
    for (T v : unarySamples<T>(perExponent))
      if (inDomain(fn, double(v)))
        x.push_back(v);
    y.resize(x.size());
  }
  std::vector<T> z[3];
  for (int level = 0; level <= hostLevel(); ++level) {
    z[level].resize(x.size());
    call(hostFunctions(fn, level), x.data(), y.data(), z[level].data(), x.size());
  }
  const Format &format = sizeof(T) == 4 ? f32Format : f64Format;
  WorstByLevel worst;
  Reference reference(isGammaDifference(fn) ? 480 : 160);
  for (size_t i = 0; i < x.size(); ++i) {
    for (int level = 0; level <= hostLevel(); ++level) {
      // Evaluated again each time where the result differs: measuring may alter the reference.
      if (level > 0 &&
          std::bit_cast<Bits<T>>(z[level][i]) == std::bit_cast<Bits<T>>(z[level - 1][i]))
        continue;
      reference.evaluate(fn, double(x[i]), double(y[i]));
      double expected = reference.value();
      double ulp = reference.ulpError(double(z[level][i]), format);
      // A result shared with the levels above counts for them too.
      for (int l = level; l <= hostLevel(); ++l) {
        if (std::bit_cast<Bits<T>>(z[l][i]) != std::bit_cast<Bits<T>>(z[level][i]))
          break;
        if (!(ulp <= worst.level[l].ulp))
          worst.level[l] = {ulp, double(x[i]), double(y[i]), double(z[l][i]), expected, 0};
      }
    }
  }
  for (Worst &w : worst.level)
    w.samples = x.size();
  return worst;
}

template WorstByLevel measureSampled<float>(Fn, int);
template WorstByLevel measureSampled<double>(Fn, int);

Worst measureExhaustively(Fn fn, int level, float from, float to) {
  constexpr size_t block = 4096;
  std::vector<float> x(block), z(block);
  std::vector<double> wide(block), exact(block), next(block), term(block);
  // Below 0 the bound is relative to fn(1 - x), where that is greater: see VecMathFunctions.def.
  bool hasTerm = fn == Fn::lgamma || fn == Fn::digamma || fn == Fn::tetragamma;
  Worst worst;
  // Magnitudes as integers, the sign in the lowest bit.
  uint64_t first = 2 * uint64_t(std::bit_cast<uint32_t>(from));
  uint64_t last = to < 0 ? 0xffffffff : 2 * uint64_t(std::bit_cast<uint32_t>(to)) + 1;
  for (uint64_t begin = first; begin <= last; begin += block) {
    for (size_t i = 0; i < block; ++i) {
      auto n = static_cast<uint32_t>(std::min(begin + i, last));
      float v = std::bit_cast<float>(n >> 1 | n << 31);
      x[i] = inDomain(fn, v) ? v : 0.0f;
      wide[i] = x[i];
      next[i] = 1 - wide[i];
    }
    hostFunctions(fn, level).unaryF32(x.data(), z.data(), block);
    apply(fn, wide.data(), exact.data(), block);
    if (hasTerm)
      apply(fn, next.data(), term.data(), block);
    for (size_t i = 0; i < block; ++i) {
      double e = exact[i], r = z[i];
      // Nearly all: closer to the rounded reference than the worst so far.
      auto distance = int32_t(std::bit_cast<uint32_t>(z[i]) - std::bit_cast<uint32_t>(float(e)));
      if (double(std::abs(int64_t(distance))) + 0.5 <= worst.ulp)
        continue;
      double ulp;
      if (std::isnan(e) || std::isnan(r)) {
        ulp = std::isnan(e) && std::isnan(r) ? 0 : std::numeric_limits<double>::infinity();
      } else {
        // Outside the range: the power of two just outside, as in Reference::ulpError.
        e = std::fmin(std::fmax(e, -0x1p128), 0x1p128);
        r = std::fmin(std::fmax(r, -0x1p128), 0x1p128);
        // An exponent below that of denormals is theirs; 2^128 has that of the largest number.
        double scale = hasTerm && x[i] < 0 ? std::fmax(std::fabs(e), std::fabs(term[i])) : e;
        int64_t exponent = int64_t(std::bit_cast<uint64_t>(scale) >> 52 & 0x7ff) - 1023;
        exponent = exponent < -126 ? -126 : exponent > 127 ? 127 : exponent;
        ulp = std::fabs(r - e) * std::bit_cast<double>(uint64_t(23 - exponent + 1023) << 52);
        if (e == 0 && r == 0 && x[i] == 0 && std::signbit(e) != std::signbit(r))
          ulp = std::numeric_limits<double>::infinity();
      }
      if (!(ulp <= worst.ulp))
        worst = {ulp, x[i], 0, z[i], exact[i], 0};
    }
  }
  worst.samples = last - first + 1;
  return worst;
}

} // namespace loss::vecmath::test
