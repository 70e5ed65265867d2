#include "OpenLoss.h"

#include <gtest/gtest.h>

#include <thread>

using namespace loss::runtime;
using torch::Tensor;
namespace F = torch::nn::functional;

namespace {

F::CrossEntropyFuncOptions torchOptions(Reduction reduction) {
  F::CrossEntropyFuncOptions options;
  if (reduction == Reduction::None)
    options.reduction(torch::kNone);
  else if (reduction == Reduction::Sum)
    options.reduction(torch::kSum);
  return options;
}

/// Compares value and gradient with LibTorch's cross entropy, with an upstream gradient if given.
void expectLikeTorch(const CompiledLoss &loss, const Tensor &logits, const Tensor &target,
                     Reduction reduction, double tolerance, bool scaled) {
  Tensor ours = logits.detach().requires_grad_(), theirs = logits.detach().requires_grad_();
  LossCallOptions options;
  options.reduction = reduction;
  Tensor value = loss(ours, target, options);
  Tensor expected = F::cross_entropy(theirs, target, torchOptions(reduction));
  ASSERT_EQ(value.sizes(), expected.sizes());
  ASSERT_EQ(value.scalar_type(), expected.scalar_type());
  EXPECT_TRUE(torch::allclose(value, expected, tolerance, tolerance)) << value << expected;
  Tensor upstream = scaled ? torch::randn_like(expected) : torch::ones_like(expected);
  value.backward(upstream);
  expected.backward(upstream);
  ASSERT_EQ(ours.grad().sizes(), theirs.grad().sizes());
  EXPECT_TRUE(torch::allclose(ours.grad(), theirs.grad(), tolerance, tolerance))
      << (ours.grad() - theirs.grad()).abs().max();
  // The value without a gradient comes from another kernel.
  torch::NoGradGuard guard;
  EXPECT_TRUE(torch::allclose(loss(logits, target, options), expected, tolerance, tolerance));
}

TEST(CompiledLoss, AgreesWithTorchForAllShapesTypesAndReductions) {
  torch::manual_seed(1);
  CompiledLoss loss = openLoss("c_cross_entropy");
  const std::vector<std::vector<int64_t>> shapes = {{7}, {5, 7}, {1, 3}, {2, 4, 3}, {2, 5, 3, 4}};
  for (const auto &shape : shapes)
    for (auto type : {torch::kFloat, torch::kDouble})
      for (auto reduction : {Reduction::None, Reduction::Mean, Reduction::Sum})
        for (bool dense : {false, true})
          for (bool scaled : {false, true}) {
            Tensor logits = torch::randn(shape, type);
            const int64_t axis = shape.size() == 1 ? 0 : 1;
            auto indexShape = shape;
            indexShape.erase(indexShape.begin() + axis);
            Tensor target = dense ? torch::softmax(torch::randn(shape, type), axis)
                                  : torch::randint(shape[axis], indexShape, torch::kLong);
            SCOPED_TRACE(testing::Message()
                         << "axes " << shape.size() << " dense " << dense << " scaled " << scaled);
            expectLikeTorch(loss, logits, target, reduction, type == torch::kDouble ? 1e-12 : 2e-6,
                            scaled);
          }
}

TEST(CompiledLoss, TakesStridedInput) {
  torch::manual_seed(2);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor wide = torch::randn({6, 20}, torch::kDouble);
  Tensor target = torch::randint(10, {12}, torch::kLong);
  const Tensor cases[] = {
      wide.slice(1, 3, 13),                                 // rows further apart
      wide.slice(1, 0, 20, 2),                              // classes apart
      torch::randn({10, 6}, torch::kDouble).t(),            // transposed
      torch::randn({10}, torch::kDouble).expand({6, 10}),   // one row for all
      torch::randn({6, 1}, torch::kDouble).expand({6, 10}), // one class for all
  };
  for (const Tensor &logits : cases)
    expectLikeTorch(loss, logits, target.slice(0, 0, 12, 2), Reduction::Mean, 1e-12, true);
  // Channels last: the classes lie next to each other, so no copy is made.
  Tensor images =
      torch::randn({2, 5, 3, 4}, torch::kDouble).contiguous(at::MemoryFormat::ChannelsLast);
  Tensor places = torch::randint(5, {2, 4, 3}, torch::kLong).transpose(1, 2);
  expectLikeTorch(loss, images, places, Reduction::None, 1e-12, true);
}

TEST(CompiledLoss, ComputesHalfTypesInSingle) {
  torch::manual_seed(3);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor target = torch::randint(9, {8}, torch::kLong);
  for (auto type : {torch::kBFloat16, torch::kHalf}) {
    Tensor logits = torch::randn({8, 9}).to(type).requires_grad_();
    Tensor single = logits.detach().to(torch::kFloat).requires_grad_();
    Tensor value = loss(logits, target), expected = loss(single, target);
    EXPECT_EQ(value.scalar_type(), type);
    EXPECT_EQ(value.item<float>(), expected.to(type).item<float>());
    value.backward();
    expected.backward();
    EXPECT_TRUE(torch::equal(logits.grad(), single.grad().to(type)));
  }
}

TEST(CompiledLoss, TreatsAnEmptyBatchLikeTorch) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::empty({0, 4}).requires_grad_();
  Tensor target = torch::empty({0}, torch::kLong);
  Tensor mean = loss(logits, target);
  EXPECT_TRUE(std::isnan(mean.item<float>()));
  mean.backward();
  EXPECT_EQ(logits.grad().sizes(), logits.sizes());
  LossCallOptions options;
  options.reduction = Reduction::Sum;
  EXPECT_EQ(loss(logits, target, options).item<float>(), 0);
  options.reduction = Reduction::None;
  EXPECT_EQ(loss(logits, target, options).numel(), 0);
}

TEST(CompiledLoss, PropagatesNan) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::zeros({2, 3});
  logits[1][2] = std::nan("");
  logits.requires_grad_();
  Tensor value = loss(logits, torch::zeros({2}, torch::kLong));
  EXPECT_TRUE(std::isnan(value.item<float>()));
  value.backward();
  EXPECT_FALSE(logits.grad()[0].isnan().any().item<bool>());
  EXPECT_TRUE(logits.grad()[1].isnan().any().item<bool>());
}

TEST(CompiledLoss, HandsOutTheGradientWithoutACopy) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::randn({64, 50}).requires_grad_();
  Tensor target = torch::randint(50, {64}, torch::kLong);
  loss(logits, target).backward();
  // The leaf has stolen the tensor: nobody else holds it.
  EXPECT_EQ(logits.grad().use_count(), 1);
  EXPECT_EQ(logits.grad().storage().use_count(), 1);
}

TEST(CompiledLoss, UsesTheMemoryOfReleasedGradientsOnly) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor target = torch::randint(1000, {700}, torch::kLong); // a gradient of 2.8 MB
  auto gradient = [&](const Tensor &data) {
    Tensor logits = data.clone().requires_grad_();
    loss(logits, target).backward();
    return logits.grad();
  };
  Tensor a = torch::randn({700, 1000}), b = torch::randn({700, 1000});
  Tensor held = gradient(a);
  const Tensor copy = held.clone();
  for (int i = 0; i < 5; ++i)
    gradient(b);
  EXPECT_TRUE(torch::equal(held, copy)) << "a gradient that somebody holds is not touched";
  void *memory = held.data_ptr();
  held.reset();
  Tensor first = gradient(b), second = gradient(b);
  EXPECT_NE(first.data_ptr(), second.data_ptr());
  EXPECT_TRUE(first.data_ptr() == memory || second.data_ptr() == memory);
}

TEST(CompiledLoss, KeptGraphGivesIndependentGradients) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::randn({6, 5}).requires_grad_();
  Tensor target = torch::randint(5, {6}, torch::kLong);
  for (double factor : {1.0, 3.0}) {
    Tensor value = loss(logits, target);
    Tensor upstream = torch::tensor(factor);
    Tensor first = torch::autograd::grad({value}, {logits}, {upstream}, true)[0];
    Tensor copy = first.clone();
    first.zero_();
    Tensor second = torch::autograd::grad({value}, {logits}, {upstream}, true)[0];
    EXPECT_TRUE(torch::equal(second, copy));
    second.zero_();
    Tensor last = torch::autograd::grad({value}, {logits}, {upstream})[0];
    EXPECT_TRUE(torch::equal(last, copy));
  }
}

TEST(CompiledLoss, AccumulatesOverSeveralUses) {
  torch::manual_seed(4);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::randn({6, 5}, torch::kDouble).requires_grad_();
  Tensor other = logits.detach().clone().requires_grad_();
  Tensor a = torch::randint(5, {6}, torch::kLong), b = torch::randint(5, {6}, torch::kLong);
  (loss(logits * 2, a) + 3 * loss(logits, b) + loss(logits, a)).backward();
  (F::cross_entropy(other * 2, a) + 3 * F::cross_entropy(other, b) + F::cross_entropy(other, a))
      .backward();
  EXPECT_TRUE(torch::allclose(logits.grad(), other.grad(), 1e-12, 1e-12));
}

TEST(CompiledLoss, ResultsDoNotDependOnTheNumberOfThreads) {
  torch::manual_seed(5);
  CompiledLoss loss = openLoss("c_cross_entropy");
  const int before = at::get_num_threads();
  Tensor target = torch::randint(40, {5003}, torch::kLong);
  Tensor data = torch::randn({5003, 40});
  std::vector<Tensor> values, grads;
  for (int threads : {1, 2, 4}) {
    at::set_num_threads(threads);
    Tensor logits = data.clone().requires_grad_();
    Tensor value = loss(logits, target);
    value.backward();
    values.push_back(value.detach());
    grads.push_back(logits.grad());
  }
  at::set_num_threads(before);
  for (size_t i = 1; i < values.size(); ++i) {
    EXPECT_TRUE(torch::equal(values[0], values[i]));
    EXPECT_TRUE(torch::equal(grads[0], grads[i]));
  }
}

TEST(CompiledLoss, WorksInsideAParallelRegionAndOnOtherThreads) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::randn({3000, 40});
  Tensor target = torch::randint(40, {3000}, torch::kLong);
  Tensor expected = loss(logits, target);
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 5; ++j)
        wrong += !torch::equal(loss(logits, target), expected);
    });
  for (std::thread &thread : threads)
    thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(CompiledLoss, PassesEveryKindOfInputAndItsGradient) {
  torch::manual_seed(6);
  CompiledLoss loss = openLoss("weighted_square");
  const auto real = torch::kDouble;
  // Without a target the last axis takes all dimensions that are left over.
  for (const std::vector<int64_t> &shape :
       std::vector<std::vector<int64_t>>{{5, 3}, {2, 3, 4}, {6}})
    for (auto reduction : {Reduction::None, Reduction::Mean, Reduction::Sum}) {
      SCOPED_TRACE(testing::PrintToString(shape));
      const bool batched = shape.size() > 1;
      const std::vector<int64_t> rows(shape.begin(), shape.begin() + batched);
      const std::vector<int64_t> classes(shape.begin() + batched, shape.end());
      Tensor leaves[2][5];
      for (int k = 0; k < 5; ++k) {
        leaves[0][k] = k == 0   ? torch::randn(shape, real)
                       : k == 1 ? torch::randn(rows, real)
                       : k == 2 ? torch::randn(classes, real)
                                : torch::rand({}, real) + 0.5;
        leaves[1][k] = leaves[0][k].clone().requires_grad_();
        leaves[0][k].requires_grad_();
      }
      LossCallOptions options;
      options.reduction = reduction;
      options.inputs = {
          {"class", leaves[0][2]}, {"offset", leaves[0][3]}, {"sample", leaves[0][1]}};
      options.paramTensors = {{"gain", leaves[0][4]}};
      Tensor value = loss(leaves[0][0], {}, options);
      const auto &in = leaves[1];
      Tensor expected = in[3] + in[4] * in[1] * (in[0] * in[0] * in[2]).flatten(batched).sum(-1);
      if (reduction == Reduction::Mean)
        expected = expected.mean();
      else if (reduction == Reduction::Sum)
        expected = expected.sum();
      ASSERT_EQ(value.sizes(), expected.sizes());
      EXPECT_TRUE(torch::allclose(value, expected, 1e-12));
      Tensor upstream = torch::randn_like(expected);
      value.backward(upstream);
      expected.backward(upstream);
      for (int k = 0; k < 5; ++k) {
        ASSERT_EQ(leaves[0][k].grad().sizes(), leaves[1][k].grad().sizes()) << k;
        EXPECT_TRUE(torch::allclose(leaves[0][k].grad(), leaves[1][k].grad(), 1e-12, 1e-12)) << k;
      }
    }
}

TEST(CompiledLoss, ComputesOnlyTheGradientsThatAreWanted) {
  CompiledLoss loss = openLoss("weighted_square");
  Tensor scores = torch::randn({4, 3}, torch::kDouble);
  Tensor weight = torch::randn({3}, torch::kDouble).requires_grad_();
  LossCallOptions options;
  options.inputs = {{"class", weight},
                    {"offset", torch::tensor(0.0, torch::kDouble)},
                    {"sample", torch::ones({4}, torch::kDouble)}};
  loss(scores, {}, options).backward();
  EXPECT_TRUE(torch::allclose(weight.grad(), (scores * scores).mean(0), 1e-12));
  EXPECT_FALSE(scores.grad().defined());
}

} // namespace
