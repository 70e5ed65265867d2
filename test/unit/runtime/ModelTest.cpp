#include "runtime/models/Models.h"
#include "runtime/train/Errors.h"

#include <gtest/gtest.h>

using namespace loss::runtime;

namespace {

TEST(Models, B0NetHasThePapersParameters) {
  auto cifar = makeNetwork("b0net", {3, 10, 0});
  EXPECT_EQ(cifar->parameterAndStatisticCount(), 30666);
  EXPECT_EQ(cifar->parameterCount(), 30426);
  // One channel instead of three: 2 * 9 * 8 weights fewer.
  EXPECT_EQ(makeNetwork("b0net", {1, 10, 0})->parameterAndStatisticCount(), 30666 - 144);
  EXPECT_EQ(makeNetwork("b0net", {3, 100, 0})->parameterCount(), 30426 + 90 * 33);
}

TEST(Models, ResNet9HasThePapersParameters) {
  EXPECT_EQ(makeNetwork("resnet9", {3, 10, 0})->parameterCount(), 6575370);
  EXPECT_EQ(makeNetwork("resnet9", {1, 10, 0})->parameterCount(), 6575370 - 2 * 9 * 64);
  EXPECT_EQ(makeNetwork("resnet9", {3, 100, 0})->parameterCount(), 6575370 + 90 * 513);
}

TEST(Models, GiveOneNumberAClass) {
  torch::NoGradGuard guard;
  for (const std::string &name : modelNames())
    for (auto [channels, size] : {std::pair<int64_t, int64_t>{1, 28}, {3, 32}}) {
      auto network = makeNetwork(name, {channels, 7, 8});
      network->eval();
      torch::Tensor images = torch::randn({5, channels, size, size});
      torch::Tensor logits = network->forward(images);
      EXPECT_EQ(logits.sizes(), (std::vector<int64_t>{5, 7}));
      EXPECT_TRUE(torch::isfinite(logits).all().item<bool>());
      // Without normalisation over the batch, images do not see each other.
      EXPECT_TRUE(torch::allclose(network->forward(images.slice(0, 2, 3)), logits.slice(0, 2, 3),
                                  1e-4, 1e-5));
    }
}

TEST(Models, GradientsReachEveryParameter) {
  for (const std::string &name : modelNames()) {
    auto network = makeNetwork(name, {1, 10, 4});
    network->forward(torch::randn({8, 1, 28, 28})).pow(2).sum().backward();
    for (const auto &parameter : network->named_parameters())
      EXPECT_TRUE(parameter.value().grad().defined()) << name << " " << parameter.key();
  }
}

TEST(Models, DropoutActsInTrainingOnly) {
  auto network = makeNetwork("b0net", {1, 10, 0});
  torch::Tensor images = torch::randn({4, 1, 28, 28});
  EXPECT_FALSE(torch::equal(network->forward(images), network->forward(images)));
  network->eval();
  EXPECT_TRUE(torch::equal(network->forward(images), network->forward(images)));
}

TEST(Models, RefuseUnknownNamesAndWidths) {
  try {
    makeNetwork("resnet99", {});
    FAIL();
  } catch (const ConfigError &error) {
    EXPECT_STREQ(error.what(), "unknown model 'resnet99' (known: b0net, resnet9)");
  }
  EXPECT_THROW(makeNetwork("b0net", {3, 10, -1}), ConfigError);
}

} // namespace
