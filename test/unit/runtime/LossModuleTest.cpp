// losslang::Loss beside torch::nn::CrossEntropyLoss.

#include "runtime/torch/Loss.h"
#include "test/Paths.h"

#include <gtest/gtest.h>

#include <cmath>

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
  EXPECT_EQ(text.str(), "losslang::Loss(c_cross_entropy, unused=0.5, other=2, reduction=sum, "
                        "ignore_index=3, label_smoothing=0.1)");
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

TEST(LossModule, SettingsChangeFromTheNextCallOn) {
  losslang::Loss loss(path("weighted_square"));
  const losslang::NamedTensors inputs = {{"sample", torch::ones({2}, torch::kDouble)},
                                         {"class", torch::ones({3}, torch::kDouble)},
                                         {"offset", torch::tensor(0.0, torch::kDouble)}};
  Tensor scores = torch::ones({2, 3}, torch::kDouble);
  auto shown = [](const losslang::Loss &each) {
    std::ostringstream text;
    text << each;
    return text.str();
  };
  const double before = loss(scores, Tensor(), inputs).item<double>();
  const double gain = loss->param("gain");
  loss->set_param("gain", 2.5 * gain);
  EXPECT_DOUBLE_EQ(loss(scores, Tensor(), inputs).item<double>(), 2.5 * before);
  EXPECT_DOUBLE_EQ(loss->param("gain"), 2.5 * gain);
  EXPECT_THROW(loss->set_param("gain", -1), loss::runtime::ParamError);
  EXPECT_THROW(loss->set_param("gain", NAN), loss::runtime::ParamError);
  EXPECT_THROW(loss->set_param("gian", 1), loss::runtime::ParamError);
  EXPECT_THROW(loss->param("gian"), loss::runtime::ParamError);
  EXPECT_DOUBLE_EQ(loss->param("gain"), 2.5 * gain);
  loss->set_reduction(torch::kNone);
  EXPECT_GT(loss(scores, Tensor(), inputs).dim(), 0);

  // A learned parameter stays learned, by the optimiser that has it.
  losslang::Loss learning(path("weighted_square"), losslang::LossOptions().learn("gain"));
  Tensor tensor = learning->parameters()[0];
  learning->set_param("gain", 4);
  EXPECT_DOUBLE_EQ(tensor.item<double>(), 4);
  EXPECT_DOUBLE_EQ(learning->param("gain"), 4);
  EXPECT_TRUE(tensor.requires_grad());
  EXPECT_NE(shown(learning).find("gain=4 (learned)"), std::string::npos) << shown(learning);
  auto copy = std::dynamic_pointer_cast<losslang::LossImpl>(learning->clone());
  copy->set_param("gain", 7);
  EXPECT_DOUBLE_EQ(copy->param("gain"), 7);
  EXPECT_DOUBLE_EQ(learning->param("gain"), 4);
}

TEST(LossModule, OptionsOfCrossEntropyChangeFromTheNextCallOn) {
  torch::manual_seed(43);
  Tensor logits = torch::randn({6, 5}), target = torch::randint(5, {6}, torch::kLong);
  target[2] = 3;
  Tensor weight = torch::rand({5});
  losslang::Loss ours(path("c_cross_entropy"));
  ours->set_weight(torch::ones({5}));
  ours->set_weight(weight);
  ours->set_ignore_index(3);
  ours->set_label_smoothing(0.1);
  ours->set_reduction(torch::kSum);
  torch::nn::CrossEntropyLoss theirs(torch::nn::CrossEntropyLossOptions()
                                         .weight(weight)
                                         .ignore_index(3)
                                         .reduction(torch::kSum)
                                         .label_smoothing(0.1));
  EXPECT_TRUE(torch::allclose(ours(logits, target), theirs(logits, target), 1e-6));
  EXPECT_TRUE(torch::equal(ours->named_buffers()["weight"], weight));
  auto copy = std::dynamic_pointer_cast<losslang::LossImpl>(ours->clone());
  EXPECT_TRUE(torch::allclose(copy->forward(logits, target), theirs(logits, target), 1e-6));
  EXPECT_THROW(ours->set_label_smoothing(1.5), c10::ValueError);
  EXPECT_DOUBLE_EQ(ours->options().label_smoothing(), 0.1);
}

TEST(LossModule, RefusesOptionsThatDoNotApply) {
  using losslang::LossOptions;
  const std::string noTarget = path("weighted_square");
  for (const LossOptions &options :
       {LossOptions().weight(torch::ones({3})), LossOptions().label_smoothing(0.1),
        LossOptions().ignore_index(255)})
    EXPECT_THROW(losslang::Loss(noTarget, options), c10::ValueError);
  losslang::Loss loss(noTarget);
  EXPECT_THROW(loss->set_ignore_index(255), c10::ValueError);
  EXPECT_THROW(loss->set_label_smoothing(0.1), c10::ValueError);
  EXPECT_THROW(loss->set_weight(torch::ones({3})), c10::ValueError);
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
