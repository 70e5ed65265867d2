//===- LongSumsTest.cpp - sums of more numbers than f32 can count ---------===//

#include "runtime/load/LoadLoss.h"
#include "runtime/torch/LossFunction.h"

#include <gtest/gtest.h>

#include <limits>

using loss::runtime::CompiledLoss;
using torch::Tensor;

namespace {

/// The sum over the outer axis is formed one row after the other.
CompiledLoss columns() {
  return CompiledLoss(losslang::compile(
      "loss columns(x: [element, column]) { return sum(sum(x over element) over column) }"));
}

TEST(LongSums, CountBeyondTheIntegersOfTheType) {
  const int64_t rows = (1 << 24) + (1 << 20);
  Tensor ones = torch::ones({1, 1}).expand({rows, 1});
  EXPECT_EQ(columns()(ones).item<float>(), float(rows));
}

TEST(LongSums, AreAsGoodAsOneRounding) {
  torch::manual_seed(1);
  Tensor x = torch::rand({1 << 20, 3});
  double exact = x.to(torch::kDouble).sum().item<double>();
  // Kahan's bound: 2 units of roundoff of each column's sum, and 3 for adding up the columns.
  EXPECT_NEAR(columns()(x).item<float>(), exact, 5 * std::ldexp(exact, -24));
}

TEST(LongSums, KeepInfinities) {
  const float infinity = std::numeric_limits<float>::infinity();
  Tensor x = torch::ones({9, 2});
  x[3][0] = infinity;
  EXPECT_EQ(columns()(x).item<float>(), infinity);
  x[5][0] = -infinity;
  EXPECT_TRUE(std::isnan(columns()(x).item<float>()));
}

} // namespace
