//===- VecMathAccuracyTest.cpp - the bounds promised in VecMathFunctions.def ------===//
//
// LOSSLANG_STRESS=1 in the environment: f32 over all 2^32 arguments instead of samples.
//
//===----------------------------------------------------------------------===//
#include "test/unit/vecmath/Accuracy.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <string>

using namespace loss::vecmath;
using namespace loss::vecmath::test;

namespace {

class VecMathAccuracy : public testing::TestWithParam<int> {
protected:
  Fn fn() const { return static_cast<Fn>(GetParam()); }

  static void expectWithin(const Worst &w, double bound, int level) {
    EXPECT_LE(w.ulp, bound) << "x86-64-v" << level + 2 << ", x = " << std::hexfloat << w.x
                            << ", y = " << w.y << std::defaultfloat << ": found " << w.result
                            << ", expected " << w.expected;
    EXPECT_GT(w.samples, 1000u);
  }
};

TEST_P(VecMathAccuracy, F32) {
  bool stress = std::getenv("LOSSLANG_STRESS") && info(fn()).arity == 1;
  WorstByLevel worst = measureSampled<float>(fn(), 4);
  for (int level = 0; level <= hostLevel(); ++level) {
    expectWithin(worst.level[level], info(fn()).ulpF32, level);
    if (stress)
      expectWithin(measureExhaustively(fn(), level), info(fn()).ulpF32, level);
  }
}

TEST_P(VecMathAccuracy, F64) {
  WorstByLevel worst = measureSampled<double>(fn(), 1);
  for (int level = 0; level <= hostLevel(); ++level)
    expectWithin(worst.level[level], info(fn()).ulpF64, level);
}

std::string testName(const testing::TestParamInfo<int> &test) {
  return std::string(info(static_cast<Fn>(test.param)).name);
}

INSTANTIATE_TEST_SUITE_P(Functions, VecMathAccuracy, testing::Range(0, functionCount), testName);

} // namespace
