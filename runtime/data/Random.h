//===- Random.h - random numbers without state ------------------*- C++ -*-===//
//
// Every number is a function of a key, so a training can continue anywhere, and the order in which
// images are prepared does not matter.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_DATA_RANDOM_H
#define LOSSLANG_RUNTIME_DATA_RANDOM_H

#include <cstdint>
#include <numeric>
#include <utility>
#include <vector>

namespace loss::runtime {

/// The finaliser of SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators,
/// OOPSLA 2014): a bijection that scatters its argument.
inline uint64_t mixBits(uint64_t x) {
  x += 0x9e3779b97f4a7c15u;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9u;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebu;
  return x ^ (x >> 31);
}

/// What a stream of random numbers is used for; part of its key.
enum class StreamKind : uint64_t { Shuffle = 1, Augment = 2, Network = 3, Split = 4, Init = 5 };

/// The stream of one purpose, seed and position (an epoch, or a step and an image).
class RandomStream {
public:
  RandomStream(StreamKind kind, uint64_t seed, uint64_t a = 0, uint64_t b = 0)
      : key(mixBits(mixBits(mixBits(mixBits(static_cast<uint64_t>(kind)) ^ seed) ^ a) ^ b)) {}

  uint64_t next() { return mixBits(key + 0x9e3779b97f4a7c15u * ++position); }

  /// Uniform in [0, bound), with a bias below bound / 2^64.
  uint64_t below(uint64_t bound) {
    return static_cast<uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

private:
  uint64_t key, position = 0;
};

/// The numbers 0 .. count - 1 in random order.
inline std::vector<int64_t> permutation(RandomStream stream, int64_t count) {
  std::vector<int64_t> order(count);
  std::iota(order.begin(), order.end(), int64_t(0));
  for (int64_t i = count - 1; i > 0; --i)
    std::swap(order[i], order[stream.below(i + 1)]);
  return order;
}

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_DATA_RANDOM_H
