//===- RandomLossesTest.cpp - losses nobody wrote -------------------------===//
//
// 2000 random losses: all that computes them agrees with the exact oracle of test/random. `./dev
// stress` checks others; see there how to repeat a failure.
//
//===----------------------------------------------------------------------===//

#include "test/random/Check.h"
#include "test/random/Generator.h"
#ifdef LOSSLANG_RANDOM_TORCH
#include "test/random/Torch.h"
#endif

#include "gtest/gtest.h"

using namespace loss::stress;

namespace {

constexpr uint64_t shards = 10, programsPerShard = 200;

/// lit runs each case in a process of its own, so the shards share the cores.
class RandomLosses : public testing::TestWithParam<uint64_t> {};

TEST_P(RandomLosses, AgreeWithTheOracle) {
  CheckOptions options;
#ifdef LOSSLANG_RANDOM_TORCH
  options.torch = evaluateInTorch;
#endif
  Checker checker(options);
  uint64_t first = 1 + GetParam() * programsPerShard;
  for (uint64_t seed = first; seed < first + programsPerShard; ++seed) {
    std::string text = randomProgram(seed);
    Verdict verdict = checker.check(text, seed);
    ASSERT_TRUE(verdict.failure.empty())
        << verdict.failure << "\n"
        << text << "\n./dev stress --programs=1 --seed=" << seed << " makes it smaller";
  }
  // The oracle has something to say about most numbers.
  for (unsigned i = 0; i < subjects; ++i) {
    const Tally &tally = checker.tallies()[i];
#ifndef LOSSLANG_RANDOM_TORCH
    if (Subject(i) == Subject::Torch || Subject(i) == Subject::TorchSecond)
      continue;
#endif
    EXPECT_EQ(tally.missing, 0u) << "every builtin has derivatives of the second order";
    // Of the extreme data, most is at a kink, where there are no central differences.
    EXPECT_GT(tally.compared * 2, tally.skipped) << subjectName(Subject(i));
    // Without stable forms many bounds are wide, so those of unoptimised kernels are not counted.
    if (Subject(i) != Subject::KernelAsWritten)
      EXPECT_LT(tally.loose * 2, tally.compared) << subjectName(Subject(i));
  }
}

INSTANTIATE_TEST_SUITE_P(Seeds, RandomLosses, testing::Range(uint64_t(0), shards));

} // namespace
