// The contract of a drop-in loss, against LibTorch's cross entropy: weights, ignored targets, label
// smoothing, divisors, types of targets, empty batches.

#include "OpenLoss.h"

#include <gtest/gtest.h>

using namespace loss::runtime;
using torch::Tensor;
namespace F = torch::nn::functional;

namespace {

F::CrossEntropyFuncOptions torchOptions(const LossCallOptions &ours) {
  F::CrossEntropyFuncOptions options;
  if (ours.reduction == Reduction::None)
    options.reduction(torch::kNone);
  else if (ours.reduction == Reduction::Sum)
    options.reduction(torch::kSum);
  return options.weight(ours.classWeight)
      .ignore_index(ours.ignoreIndex.value_or(-100))
      .label_smoothing(ours.labelSmoothing);
}

constexpr Reduction reductions[] = {Reduction::None, Reduction::Mean, Reduction::Sum};

void expectClose(const Tensor &ours, const Tensor &theirs, double tolerance) {
  ASSERT_EQ(ours.sizes(), theirs.sizes());
  ASSERT_EQ(ours.scalar_type(), theirs.scalar_type());
  EXPECT_TRUE(torch::allclose(ours, theirs, tolerance, tolerance, /*equal_nan=*/true))
      << ours << "\nexpected\n"
      << theirs;
}

/// Value and gradient beside LibTorch's, with an incoming gradient that is not 1.
void expectLikeTorch(const CompiledLoss &loss, const Tensor &logits, const Tensor &target,
                     const LossCallOptions &options) {
  const double tolerance = logits.scalar_type() == torch::kDouble ? 1e-12 : 4e-6;
  Tensor ours = logits.detach().requires_grad_(), theirs = logits.detach().requires_grad_();
  Tensor value = loss(ours, target, options);
  Tensor expected = F::cross_entropy(theirs, target, torchOptions(options));
  expectClose(value, expected, tolerance);
  Tensor upstream = torch::randn_like(expected);
  value.backward(upstream);
  expected.backward(upstream);
  expectClose(ours.grad(), theirs.grad(), tolerance);
  EXPECT_EQ(ours.grad().strides(), torch::empty_like(logits).strides());
  torch::NoGradGuard guard;
  expectClose(loss(logits, target, options), expected.detach(), tolerance);
}

TEST(DropIn, AllOptionsTogetherLikeTorch) {
  torch::manual_seed(11);
  CompiledLoss loss = openLoss("c_cross_entropy");
  int combinations = 0;
  for (const std::vector<int64_t> &shape :
       std::vector<std::vector<int64_t>>{{6}, {5, 6}, {2, 6, 3}, {2, 6, 3, 4}})
    for (auto type : {torch::kFloat, torch::kDouble})
      for (Reduction reduction : reductions)
        for (bool dense : {false, true})
          for (bool weighted : {false, true})
            for (double smoothing : {0.0, 0.1, 1.0})
              for (int64_t ignore : {-100, 2}) {
                if (dense && ignore != -100)
                  continue; // an error in LibTorch
                const int64_t axis = shape.size() == 1 ? 0 : 1;
                auto indexShape = shape;
                indexShape.erase(indexShape.begin() + axis);
                LossCallOptions options;
                options.reduction = reduction;
                options.labelSmoothing = smoothing;
                options.ignoreIndex = ignore;
                if (weighted)
                  options.classWeight = torch::rand({6}, type) + 0.1;
                Tensor target = dense ? torch::softmax(torch::randn(shape, type), axis)
                                      : torch::randint(6, indexShape, torch::kLong);
                if (!dense && ignore == -100 && target.numel() > 2)
                  target.view(-1).slice(0, 0, target.numel(), 3).fill_(-100);
                SCOPED_TRACE(testing::Message()
                             << "dimensions " << shape.size() << " dense " << dense << " weighted "
                             << weighted << " smoothing " << smoothing << " ignore " << ignore);
                expectLikeTorch(loss, torch::randn(shape, type), target, options);
                ++combinations;
              }
  EXPECT_EQ(combinations, 4 * 2 * 3 * 2 * 3 * 3);
}

TEST(DropIn, SampleWeightsMultiplyEveryWay) {
  torch::manual_seed(12);
  CompiledLoss loss = openLoss("c_cross_entropy");
  const auto real = torch::kDouble;
  Tensor logits = torch::randn({2, 6, 3}, real), target = torch::randint(6, {2, 3}, torch::kLong);
  target[1][1] = -100;
  Tensor classes = torch::rand({6}, real) + 0.1;
  Tensor dense = torch::softmax(torch::randn({2, 6, 3}, real), 1);
  for (const std::vector<int64_t> &shape : std::vector<std::vector<int64_t>>{{2, 3}, {2}, {}})
    for (bool byIndex : {true, false})
      for (bool weighted : {false, true})
        for (Reduction reduction : reductions) {
          LossCallOptions options;
          options.reduction = reduction;
          options.sampleWeight = torch::rand(shape, real) + 0.1;
          if (weighted)
            options.classWeight = classes;
          Tensor ours = logits.clone().requires_grad_(), theirs = logits.clone().requires_grad_();
          Tensor value = loss(ours, byIndex ? target : dense, options);
          LossCallOptions plain;
          plain.reduction = Reduction::None;
          plain.classWeight = options.classWeight;
          Tensor sample = options.sampleWeight;
          if (shape.size() == 1)
            sample = sample.unsqueeze(1);
          sample = sample.expand({2, 3});
          Tensor expected =
              F::cross_entropy(theirs, byIndex ? target : dense, torchOptions(plain)) * sample;
          Tensor divisor = sample;
          if (byIndex) {
            divisor = divisor * target.ne(-100);
            if (weighted)
              divisor = divisor * classes.index({target.clamp_min(0)});
          }
          if (reduction == Reduction::Mean)
            expected = expected.sum() / divisor.sum();
          else if (reduction == Reduction::Sum)
            expected = expected.sum();
          expectClose(value, expected, 1e-12);
          Tensor upstream = torch::randn_like(expected);
          value.backward(upstream);
          expected.backward(upstream);
          expectClose(ours.grad(), theirs.grad(), 1e-12);
        }
}

TEST(DropIn, AllIgnoredAndEmptyLikeTorch) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor ignored = torch::full({3}, -100, torch::kLong);
  for (Reduction reduction : reductions)
    for (double smoothing : {0.0, 0.2})
      for (bool weighted : {false, true}) {
        LossCallOptions options;
        options.reduction = reduction;
        options.labelSmoothing = smoothing;
        if (weighted)
          options.classWeight = torch::rand({4});
        SCOPED_TRACE(testing::Message() << "smoothing " << smoothing << " weighted " << weighted);
        // LibTorch smooths a batch without a row to a gradient of NaN; there it has no meaning.
        Tensor logits = torch::randn({3, 4}).requires_grad_();
        Tensor value = loss(logits, ignored, options);
        expectClose(value.detach(),
                    F::cross_entropy(logits, ignored, torchOptions(options)).detach(), 1e-6);
        value.backward(torch::ones_like(value));
        EXPECT_TRUE(torch::equal(logits.grad(), torch::zeros({3, 4})));

        Tensor none = torch::empty({0, 4}).requires_grad_();
        Tensor nobody = torch::empty({0}, torch::kLong);
        Tensor empty = loss(none, nobody, options);
        expectClose(empty.detach(), F::cross_entropy(none, nobody, torchOptions(options)).detach(),
                    1e-6);
        empty.backward(torch::ones_like(empty));
        EXPECT_EQ(none.grad().sizes(), none.sizes());
      }
}

TEST(DropIn, IgnoredRowsMayHoldNan) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::zeros({3, 4});
  logits[1].fill_(std::nan(""));
  logits.requires_grad_();
  Tensor value = loss(logits, torch::tensor({int64_t(0), int64_t(-100), int64_t(2)}));
  EXPECT_FLOAT_EQ(value.item<float>(), std::log(4.0f));
  value.backward();
  EXPECT_TRUE(torch::equal(logits.grad()[1], torch::zeros({4})));
}

TEST(DropIn, ClassIndicesOfEveryIntegerType) {
  torch::manual_seed(13);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::randn({5, 3}), target = torch::randint(3, {5}, torch::kLong);
  Tensor expected = loss(logits, target);
  for (auto type : {torch::kInt, torch::kShort, torch::kChar, torch::kByte})
    EXPECT_TRUE(torch::equal(loss(logits, target.to(type)), expected)) << type;
  // Integers and truth values of the shape of the logits are a dense target.
  Tensor several = torch::randint(2, {5, 3}, torch::kLong);
  Tensor dense = loss(logits, several.to(torch::kFloat));
  for (auto type : {torch::kLong, torch::kByte, torch::kBool, torch::kHalf})
    EXPECT_TRUE(torch::equal(loss(logits, several.to(type)), dense)) << type;
  // A dense target has a say in the type.
  Tensor wide = loss(logits, several.to(torch::kDouble));
  EXPECT_EQ(wide.scalar_type(), torch::kDouble);
  EXPECT_TRUE(torch::equal(wide, loss(logits.to(torch::kDouble), several)));
}

TEST(DropIn, ElementLossesTakeEveryShapeAndPromoteTypes) {
  torch::manual_seed(14);
  CompiledLoss loss = openLoss("square_error");
  for (const std::vector<int64_t> &shape :
       std::vector<std::vector<int64_t>>{{}, {5}, {3, 4}, {2, 3, 2, 2}, {0, 3}, {70001}})
    for (Reduction reduction : reductions)
      for (auto [xType, yType] : {std::pair(torch::kFloat, torch::kFloat),
                                  {torch::kDouble, torch::kDouble},
                                  {torch::kFloat, torch::kDouble},
                                  {torch::kBFloat16, torch::kFloat},
                                  {torch::kFloat, torch::kLong}}) {
        SCOPED_TRACE(testing::PrintToString(shape));
        LossCallOptions options;
        options.reduction = reduction;
        F::MSELossFuncOptions theirOptions;
        if (reduction == Reduction::None)
          theirOptions.reduction(torch::kNone);
        else if (reduction == Reduction::Sum)
          theirOptions.reduction(torch::kSum);
        Tensor x = torch::randint(-5, 5, shape).to(xType),
               y = torch::randint(-5, 5, shape).to(yType);
        Tensor ours = x.clone().requires_grad_(), theirs = x.clone().requires_grad_();
        Tensor value = loss(ours, y, options);
        Tensor expected = F::mse_loss(theirs, y, theirOptions);
        expectClose(value, expected, 1e-6);
        value.backward(torch::ones_like(value));
        expected.backward(torch::ones_like(expected));
        expectClose(ours.grad(), theirs.grad(), xType == torch::kBFloat16 ? 0.01 : 1e-6);
      }
}

TEST(DropIn, SeveralResultsARow) {
  torch::manual_seed(15);
  CompiledLoss loss = openLoss("segments");
  Tensor x = torch::randn({2, 4, 3, 5}, torch::kDouble);
  Tensor y = torch::randint(4, {2, 3, 5}, torch::kLong);
  y[1][2][4] = -100;
  y[0][0][0] = -100;
  Tensor classes = torch::rand({4}, torch::kDouble);
  for (bool weighted : {false, true})
    for (Reduction reduction : reductions) {
      LossCallOptions options;
      options.reduction = reduction;
      if (weighted)
        options.classWeight = classes;
      Tensor ours = x.clone().requires_grad_(), theirs = x.clone().requires_grad_();
      Tensor value = loss(ours, y, options);
      Tensor kept = y.ne(-100).to(torch::kDouble), index = y.clamp_min(0);
      Tensor weight = weighted ? kept * classes.index({index}) : kept;
      Tensor expected = theirs.gather(1, index.unsqueeze(1)).squeeze(1).pow(2) * weight;
      if (reduction == Reduction::Mean)
        expected = expected.sum() / weight.sum();
      else if (reduction == Reduction::Sum)
        expected = expected.sum();
      expectClose(value, expected, 1e-12);
      Tensor upstream = torch::randn_like(expected);
      value.backward(upstream);
      expected.backward(upstream);
      expectClose(ours.grad(), theirs.grad(), 1e-12);
    }
}

TEST(DropIn, MetaTensorsHaveTheResultsShape) {
  for (auto type : {torch::kFloat, torch::kHalf, torch::kDouble})
    for (Reduction reduction : reductions) {
      CompiledLoss loss = openLoss("c_cross_entropy");
      LossCallOptions options;
      options.reduction = reduction;
      Tensor logits = torch::randn({2, 6, 3, 4}, type), target = torch::randint(6, {2, 3, 4});
      LossEvaluation real =
          loss.evaluate({logits, target.to(torch::kLong)}, options, {true, false});
      LossEvaluation fake =
          loss.evaluate({logits.to(torch::kMeta), target.to(torch::kLong).to(torch::kMeta)},
                        options, {true, false});
      EXPECT_TRUE(fake.result.is_meta());
      EXPECT_EQ(fake.result.sizes(), real.result.sizes());
      EXPECT_EQ(fake.result.strides(), real.result.strides());
      EXPECT_EQ(fake.result.scalar_type(), real.result.scalar_type());
      EXPECT_TRUE(fake.gradients[0].is_meta());
      EXPECT_EQ(fake.gradients[0].sizes(), real.gradients[0].sizes());
      EXPECT_EQ(fake.gradients[0].strides(), real.gradients[0].strides());
      EXPECT_EQ(fake.gradients[0].scalar_type(), type);
      EXPECT_FALSE(fake.gradients[1].defined());
      // Through autograd as well.
      Tensor leaf = logits.to(torch::kMeta).requires_grad_();
      Tensor value = loss(leaf, target.to(torch::kLong).to(torch::kMeta), options);
      value.backward(torch::ones_like(value));
      EXPECT_EQ(leaf.grad().sizes(), logits.sizes());
    }
}

} // namespace
