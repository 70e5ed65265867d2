//===- Random.cpp - the search's random numbers ---------------------------===//

#include "search/operators/Random.h"

#include <stdexcept>

using namespace loss::search;

namespace {
using U128 = unsigned __int128;

constexpr U128 multiplier =
    (static_cast<U128>(0x2360ed051fc65da4ULL) << 64) | 0x4385df649fccf645ULL;
constexpr int hexDigits = 32;

void appendHex(std::string &out, U128 value) {
  for (int shift = 124; shift >= 0; shift -= 4)
    out += "0123456789abcdef"[static_cast<unsigned>(value >> shift) & 15];
}

U128 readHex(const std::string &text, size_t begin) {
  U128 value = 0;
  for (size_t i = begin; i < begin + hexDigits; ++i) {
    char c = text[i];
    unsigned digit = c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : 16;
    if (digit > 15)
      throw std::invalid_argument("not the saved state of a random generator: '" + text + "'");
    value = value << 4 | digit;
  }
  return value;
}
} // namespace

uint64_t loss::search::mixBits(uint64_t x) {
  x += 0x9e3779b97f4a7c15ULL;
  x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ULL;
  x = (x ^ (x >> 27)) * 0x94d049bb133111ebULL;
  return x ^ (x >> 31);
}

Rng::Rng(uint64_t seed, uint64_t stream)
    : state(0), increment((static_cast<U128>(mixBits(stream)) << 64 | mixBits(~stream)) | 1) {
  next();
  state += static_cast<U128>(mixBits(seed)) << 64 | mixBits(~seed);
  next();
}

uint64_t Rng::next() {
  state = state * multiplier + increment;
  uint64_t folded = static_cast<uint64_t>(state >> 64) ^ static_cast<uint64_t>(state);
  unsigned rotation = static_cast<unsigned>(state >> 122);
  return folded >> rotation | folded << (-rotation & 63);
}

uint64_t Rng::below(uint64_t bound) {
  // Lemire 2019: multiply, and redraw the few low parts that would be counted once too often.
  U128 product = static_cast<U128>(next()) * bound;
  if (static_cast<uint64_t>(product) < bound) {
    uint64_t threshold = -bound % bound;
    while (static_cast<uint64_t>(product) < threshold)
      product = static_cast<U128>(next()) * bound;
  }
  return static_cast<uint64_t>(product >> 64);
}

std::string Rng::save() const {
  std::string out;
  appendHex(out, state);
  appendHex(out, increment);
  return out;
}

Rng Rng::restore(const std::string &saved) {
  if (saved.size() != 2 * hexDigits)
    throw std::invalid_argument("not the saved state of a random generator: '" + saved + "'");
  Rng rng(0);
  rng.state = readHex(saved, 0);
  rng.increment = readHex(saved, hexDigits);
  return rng;
}
