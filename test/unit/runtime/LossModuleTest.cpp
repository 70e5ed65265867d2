// losslang::Loss beside torch::nn::CrossEntropyLoss.

#include "runtime/torch/Loss.h"
#include "test/Paths.h"

#include <gtest/gtest.h>

#include <sstream>

using torch::Tensor;

namespace {

std::string path(const std::string &name) {
  return std::string(LOSSLANG_TEST_MODULES) + "/" + name + ".so";
}

TEST(LossModule, StandsInForCrossEntropyLoss) {
  torch::manual_seed(41);
  Tensor logits = torch::randn({6, 5}), target = torch::randint(5, {6}, torch::kLong);
  target[2] = 3;
  Tensor weight = torch::rand({5});
  losslang::Loss ours(path("c_cross_entropy"), losslang::LossOptions()
                                                   .weight(weight)
                                                   .ignore_index(3)
                                                   .reduction(torch::kSum)
                                                   .label_smoothing(0.1));
  torch::nn::CrossEntropyLoss theirs(torch::nn::CrossEntropyLossOptions()
                                         .weight(weight)
                                         .ignore_index(3)
                                         .reduction(torch::kSum)
                                         .label_smoothing(0.1));
  EXPECT_TRUE(torch::allclose(ours(logits, target), theirs(logits, target), 1e-6));
  EXPECT_EQ(ours->buffers().size(), 1u);
  std::ostringstream text;
  text << ours;
  EXPECT_EQ(text.str(), "losslang::Loss(c_cross_entropy, reduction=sum, ignore_index=3, "
                        "label_smoothing=0.1)");
  // In a sequence of modules.
  torch::nn::Linear layer(5, 5);
  losslang::Loss mean(path("c_cross_entropy"));
  EXPECT_TRUE(torch::allclose(mean(layer(logits), target),
                              torch::nn::CrossEntropyLoss()(layer(logits), target), 1e-6));
}

TEST(LossModule, LearnsParameters) {
  losslang::Loss loss(path("weighted_square"),
                      losslang::LossOptions().param("gain", 3).learn("gain"));
  ASSERT_EQ(loss->parameters().size(), 1u);
  const losslang::NamedTensors inputs = {{"sample", torch::ones({2}, torch::kDouble)},
                                         {"class", torch::ones({3}, torch::kDouble)},
                                         {"offset", torch::tensor(0.0, torch::kDouble)}};
  Tensor scores = torch::ones({2, 3}, torch::kDouble);
  torch::optim::SGD optimizer(loss->parameters(), 0.1);
  Tensor value = loss(scores, Tensor(), inputs);
  EXPECT_DOUBLE_EQ(value.item<double>(), 9);
  value.backward();
  optimizer.step();
  EXPECT_DOUBLE_EQ(loss->named_parameters()["gain"].item<double>(), 3 - 0.1 * 3);
  EXPECT_DOUBLE_EQ(loss(scores, Tensor(), inputs).item<double>(), 8.1);

  // A copy has its own parameter of the same value.
  auto copy = std::dynamic_pointer_cast<losslang::LossImpl>(loss->clone());
  ASSERT_TRUE(copy);
  EXPECT_DOUBLE_EQ(copy->named_parameters()["gain"].item<double>(), 2.7);
  EXPECT_FALSE(copy->parameters()[0].is_same(loss->parameters()[0]));

  // And it is saved and loaded.
  std::stringstream stream;
  torch::save(loss, stream);
  losslang::Loss other(path("weighted_square"), losslang::LossOptions().learn("gain"));
  torch::load(other, stream);
  EXPECT_DOUBLE_EQ(other->named_parameters()["gain"].item<double>(), 2.7);
}

TEST(LossModule, NamesWrongOptions) {
  using losslang::LossOptions;
  EXPECT_THROW(losslang::Loss(path("weighted_square"), LossOptions().param("gain", -1)),
               loss::runtime::ParamError);
  EXPECT_THROW(losslang::Loss(path("weighted_square"), LossOptions().learn("gian")),
               loss::runtime::ParamError);
  EXPECT_THROW(losslang::Loss("/nonexistent.so"), loss::runtime::LoadError);
}

} // namespace
