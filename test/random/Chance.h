//===- Chance.h - choices that depend on a seed alone -----------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_CHANCE_H
#define LOSSLANG_TEST_RANDOM_CHANCE_H

#include <cstddef>
#include <cstdint>
#include <random>

namespace loss::stress {

class Chance {
protected:
  explicit Chance(uint64_t seed) : random(seed * 0x9e3779b97f4a7c15u + 1) {}

  size_t below(size_t n) { return random() % n; }
  bool chance(unsigned percent) { return below(100) < percent; }
  double between(double lo, double hi) { return lo + (hi - lo) * (double(below(1001)) / 1000); }
  template <typename T, size_t n> const T &oneOf(const T (&list)[n]) { return list[below(n)]; }

  std::mt19937_64 random;
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_CHANCE_H
