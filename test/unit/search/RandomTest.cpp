// The random generator: fixed sequence, streams, saved state, unbiased ranges.

#include "search/operators/Random.h"

#include <gtest/gtest.h>

#include <stdexcept>
#include <vector>

using namespace loss::search;

TEST(Random, sameSeedSameNumbers) {
  Rng a(5), b(5), otherSeed(6), otherStream(5, 1);
  for (int i = 0; i < 100; ++i) {
    uint64_t x = a.next();
    EXPECT_EQ(x, b.next());
    EXPECT_NE(x, otherSeed.next());
    EXPECT_NE(x, otherStream.next());
  }
}

TEST(Random, stateRoundTrips) {
  Rng rng(9, 3);
  for (int i = 0; i < 10; ++i)
    rng.next();
  Rng copy = Rng::restore(rng.save());
  EXPECT_EQ(copy, rng);
  EXPECT_EQ(copy.next(), rng.next());
  EXPECT_THROW(Rng::restore("12"), std::invalid_argument);
  EXPECT_THROW(Rng::restore(std::string(64, 'g')), std::invalid_argument);
}

TEST(Random, rangesAreUniform) {
  Rng rng(1);
  std::vector<int> counts(7);
  double total = 0;
  const int draws = 70000;
  for (int i = 0; i < draws; ++i) {
    counts[rng.below(7)]++;
    double u = rng.uniform();
    ASSERT_GE(u, 0);
    ASSERT_LT(u, 1);
    total += u;
  }
  double chiSquare = 0;
  for (int count : counts)
    chiSquare += (count - 10000.0) * (count - 10000.0) / 10000;
  EXPECT_LT(chiSquare, 30); // six degrees of freedom
  EXPECT_NEAR(total / draws, 0.5, 0.005);
  EXPECT_EQ(rng.below(1), 0u);
  for (int i = 0; i < 100; ++i)
    EXPECT_LT(rng.below((1ull << 63) + 1), (1ull << 63) + 1);
}
