//===- Random.h - the search's random numbers -------------------*- C++ -*-===//
//
// One generator for the whole search: PCG XSL-RR 128/64 (O'Neill 2014). The same seed gives the
// same numbers on every machine and with every standard library, so no std:: distribution is used.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_OPERATORS_RANDOM_H
#define LOSSLANG_SEARCH_OPERATORS_RANDOM_H

#include <cstdint>
#include <string>

namespace loss::search {

/// A random generator that is passed explicitly, first, to all that draws from it.
class Rng {
public:
  /// Streams of one seed are independent: candidate i of a search draws from stream i.
  explicit Rng(uint64_t seed, uint64_t stream = 0);

  uint64_t next();

  /// Uniform in [0, bound), without bias. `bound` is 1 or more.
  uint64_t below(uint64_t bound);

  /// Uniform in [0, 1), a multiple of 2^-53.
  double uniform() { return static_cast<double>(next() >> 11) * 0x1p-53; }

  bool chance(double probability) { return uniform() < probability; }

  /// The whole state as 64 hexadecimal digits.
  std::string save() const;

  /// Throws std::invalid_argument for a text that save() did not write.
  static Rng restore(const std::string &saved);

  bool operator==(const Rng &) const = default;

private:
  unsigned __int128 state;
  unsigned __int128 increment;
};

/// The finaliser of SplitMix64: spreads every bit of `x` over the result.
uint64_t mixBits(uint64_t x);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_OPERATORS_RANDOM_H
