#include "TrainFixture.h"

#include "runtime/train/TrainLossImpl.h"
#include "test/Paths.h"

#include <gmock/gmock.h>

#include <cmath>
#include <fstream>

using namespace loss::runtime;
using testing::HasSubstr;

namespace {

const TrainLoss crossEntropy = TrainLoss::builtin("cross_entropy");

/// The training losses of all steps.
std::vector<double> losses(const TrainResult &result) {
  std::vector<double> list;
  for (const StepRecord &record : result.history)
    list.push_back(record.trainLoss);
  return list;
}

/// A loss given by a function of tensors.
TrainLoss customLoss(std::function<torch::Tensor(const torch::Tensor &, const torch::Tensor &)> f) {
  auto impl = std::make_shared<TrainLoss::Impl>();
  impl->name = impl->identity = "custom";
  impl->call = std::move(f);
  return TrainLoss(impl);
}

template <typename Error, typename Action> std::string errorOf(Action action) {
  try {
    action();
  } catch (const Error &error) {
    EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
    return error.what();
  }
  return "(no error)";
}

/// Both checkpoints hold the same weights and running statistics, bit for bit. (The optimizer's
/// state shows in the steps after a resume.)
void expectSameWeights(const std::string &a, const std::string &b) {
  torch::serialize::InputArchive whole, parts, one, other;
  whole.load_from(a);
  parts.load_from(b);
  whole.read("network", one);
  parts.read("network", other);
  std::function<int(torch::serialize::InputArchive &, torch::serialize::InputArchive &)> compare =
      [&](auto &x, auto &y) {
        int tensors = 0;
        for (const std::string &key : x.keys()) {
          c10::IValue p, q;
          x.read(key, p);
          y.read(key, q);
          if (p.isTensor()) {
            EXPECT_TRUE(torch::equal(p.toTensor(), q.toTensor())) << key;
            ++tensors;
          } else if (p.isObject() || p.isModule()) {
            torch::serialize::InputArchive inner, innerOther;
            if (x.try_read(key, inner) && y.try_read(key, innerOther))
              tensors += compare(inner, innerOther);
          }
        }
        return tensors;
      };
  EXPECT_GT(compare(one, other), 20);
}

TEST(Trainer, Learns) {
  const Dataset data = quarterData();
  for (const char *model : {"b0net", "resnet9"}) {
    TrainConfig config = quickConfig(40);
    config.model = model;
    config.width = 4;
    const TrainResult result = train(config, crossEntropy, data);
    EXPECT_EQ(result.status, RunStatus::Completed);
    EXPECT_EQ(result.steps, 40);
    EXPECT_EQ(result.history.size(), 40u);
    EXPECT_GT(result.finalValAccuracy, 0.9) << model;
    EXPECT_GT(*result.testAccuracy, 0.9) << model;
    EXPECT_LT(result.finalTrainLoss, result.history.front().trainLoss);
    EXPECT_GT(result.secondsInLoss, 0);
    EXPECT_LT(result.secondsInLoss, result.seconds);
    EXPECT_EQ(result.precision, "f32");
  }
}

TEST(Trainer, ThreeChannelsAugmentationAndEveryOptimizer) {
  const Dataset data = quarterData(3);
  for (auto optimizer : {OptimizerKind::Sgd, OptimizerKind::Adam, OptimizerKind::AdamW}) {
    TrainConfig config = quickConfig(3);
    config.optimizer = optimizer;
    config.weightDecay = 0.01;
    config.augment = AugmentKind::Base;
    EXPECT_EQ(train(config, crossEntropy, data).status, RunStatus::Completed);
  }
}

TEST(Trainer, IsAFunctionOfTheSeed) {
  const Dataset data = quarterData();
  TrainConfig config = quickConfig(12);
  config.augment = AugmentKind::Base;
  const auto first = losses(train(config, crossEntropy, data));
  EXPECT_EQ(first, losses(train(config, crossEntropy, data)));
  config.seed = 2;
  EXPECT_NE(first, losses(train(config, crossEntropy, data)));
}

TEST(Trainer, EpochsCountSteps) {
  const Dataset data = quarterData();
  TrainConfig config = quickConfig(0);
  config.epochs = 2;
  const TrainResult result = train(config, crossEntropy, data);
  EXPECT_EQ(result.totalSteps, 2 * (320 / 40));
  EXPECT_EQ(result.history.back().epoch, 2);
  EXPECT_TRUE(result.history[7].valAccuracy.has_value());
  EXPECT_FALSE(result.history[6].valAccuracy.has_value());
}

struct ResumeCase {
  const char *model;
  OptimizerKind optimizer;
  PrecisionKind precision;
};

void PrintTo(const ResumeCase &c, std::ostream *out) {
  *out << c.model << " optimizer " << static_cast<int>(c.optimizer) << " precision "
       << static_cast<int>(c.precision);
}

class Resume : public testing::TestWithParam<ResumeCase> {};

TEST_P(Resume, IsTheUninterruptedRunBitForBit) {
  const Dataset data = quarterData();
  TempFolder folder;
  TrainConfig config = quickConfig(14);
  config.model = GetParam().model;
  config.width = 4;
  config.optimizer = GetParam().optimizer;
  config.precision = GetParam().precision;
  config.augment = AugmentKind::Base;
  config.schedule = ScheduleKind::OneCycle;
  config.weightDecay = 1e-3;
  config.evalEvery = 4;

  config.checkpointPath = folder / "whole.pt";
  const TrainResult whole = train(config, crossEntropy, data);

  config.checkpointPath = folder / "parts.pt";
  config.resume = true;
  int64_t stopAt = 5;
  auto stop = [&](const StepRecord &record, int64_t) {
    return record.step == stopAt ? ProgressAction::Stop : ProgressAction::Continue;
  };
  const TrainResult first = train(config, crossEntropy, data, stop);
  EXPECT_EQ(first.status, RunStatus::Stopped);
  EXPECT_EQ(first.steps, 5);
  stopAt = 11;
  train(config, crossEntropy, data, stop);
  const TrainResult last = train(config, crossEntropy, data);

  EXPECT_EQ(last.status, RunStatus::Completed);
  EXPECT_EQ(losses(whole), losses(last));
  EXPECT_EQ(whole.finalValAccuracy, last.finalValAccuracy);
  EXPECT_EQ(whole.testAccuracy, last.testAccuracy);
  for (size_t i = 0; i < whole.history.size(); ++i)
    EXPECT_EQ(whole.history[i].valAccuracy, last.history[i].valAccuracy);
  expectSameWeights(folder / "whole.pt", folder / "parts.pt");

  // Once more: nothing is left to do.
  EXPECT_EQ(losses(train(config, crossEntropy, data)), losses(whole));
}

INSTANTIATE_TEST_SUITE_P(
    Trainer, Resume,
    testing::Values(ResumeCase{"b0net", OptimizerKind::Adam, PrecisionKind::F32},
                    ResumeCase{"b0net", OptimizerKind::Sgd, PrecisionKind::F32},
                    ResumeCase{"b0net", OptimizerKind::AdamW, PrecisionKind::Auto},
                    ResumeCase{"resnet9", OptimizerKind::Adam, PrecisionKind::Auto},
                    ResumeCase{"resnet9", OptimizerKind::Sgd, PrecisionKind::F32}));

TEST(Trainer, RefusesAnotherConfigurationsCheckpoint) {
  const Dataset data = quarterData();
  TempFolder folder;
  TrainConfig config = quickConfig(2);
  config.checkpointPath = folder / "c.pt";
  train(config, crossEntropy, data);
  config.resume = true;
  config.lr = 0.5;
  EXPECT_THAT(errorOf<ConfigError>([&] { train(config, crossEntropy, data); }),
              HasSubstr("belongs to another configuration: lr was 0.003 and is 0.5"));
}

TEST(Trainer, RefusesADamagedCheckpoint) {
  const Dataset data = quarterData();
  TempFolder folder;
  TrainConfig config = quickConfig(1);
  config.resume = true;
  config.checkpointPath = folder / "whole.pt";
  train(config, crossEntropy, data);
  std::ifstream file(config.checkpointPath, std::ios::binary);
  const std::string whole{std::istreambuf_iterator<char>(file), {}};
  config.checkpointPath = folder / "bad.pt";
  for (const std::string &bytes :
       {std::string(), std::string("text"), whole.substr(0, whole.size() / 2),
        whole.substr(0, whole.size() - 30)}) {
    std::ofstream(config.checkpointPath, std::ios::binary | std::ios::trunc) << bytes;
    EXPECT_THAT(errorOf<StorageError>([&] { train(config, crossEntropy, data); }),
                HasSubstr("bad.pt: the checkpoint is damaged"))
        << bytes.size();
  }
}

TEST(Trainer, ReportsDivergence) {
  const Dataset data = quarterData();
  TrainConfig config = quickConfig(30);
  config.optimizer = OptimizerKind::Sgd;
  config.schedule = ScheduleKind::Constant;
  config.lr = 1e30;
  const TrainResult result = train(config, crossEntropy, data);
  EXPECT_EQ(result.status, RunStatus::Diverged);
  EXPECT_LT(result.steps, 30);
  EXPECT_FALSE(result.testAccuracy.has_value());
}

TEST(Trainer, ReportsALossThatIsNotANumber) {
  const Dataset data = quarterData();
  int calls = 0;
  const TrainLoss loss = customLoss([&](const torch::Tensor &logits, const torch::Tensor &) {
    return ++calls == 3 ? logits.sum() * std::nan("") : logits.pow(2).mean();
  });
  const TrainResult result = train(quickConfig(10), loss, data);
  EXPECT_EQ(result.status, RunStatus::Diverged);
  EXPECT_EQ(result.steps, 3);
  EXPECT_TRUE(std::isnan(result.finalTrainLoss));
}

TEST(Trainer, ReportsWeightsThatAreNotFiniteAtTheEnd) {
  const Dataset data = quarterData();
  const TrainLoss loss = customLoss([](const torch::Tensor &logits, const torch::Tensor &) {
    return (logits - logits.detach()).abs().sqrt().sum(); // value 0, gradient infinite
  });
  EXPECT_EQ(train(quickConfig(1), loss, data).status, RunStatus::Diverged);
}

TEST(Trainer, StopsWhenAsked) {
  const Dataset data = quarterData();
  TempFolder folder;
  TrainConfig config = quickConfig(10);
  config.checkpointPath = folder / "c.pt";
  const TrainResult result = train(config, crossEntropy, data, [](const StepRecord &r, int64_t) {
    if (r.step == 4)
      requestStop();
    return ProgressAction::Continue;
  });
  EXPECT_EQ(result.status, RunStatus::Interrupted);
  EXPECT_EQ(result.steps, 4);
  EXPECT_TRUE(std::filesystem::exists(config.checkpointPath));
}

TEST(Trainer, ValidatesOnWhatIsAskedFor) {
  const Dataset data = quarterData();
  TrainConfig config = quickConfig(20);
  config.validation = ValidationKind::Test;
  config.validationSize = 0;
  const TrainResult result = train(config, crossEntropy, data);
  EXPECT_EQ(result.finalValAccuracy, *result.testAccuracy);
}

TEST(Trainer, RefusesConfigurationsWithoutSense) {
  const Dataset data = quarterData();
  auto message = [&](auto change) {
    TrainConfig config = quickConfig(1);
    change(config);
    return errorOf<ConfigError>([&] { train(config, crossEntropy, data); });
  };
  EXPECT_THAT(message([](auto &c) { c.batch = 0; }), HasSubstr("a batch of 1 image or more"));
  EXPECT_THAT(message([](auto &c) { c.batch = 321; }), HasSubstr("expected a batch of 1 to 320"));
  EXPECT_THAT(message([](auto &c) { c.lr = std::nan(""); }), HasSubstr("a learning rate above 0"));
  EXPECT_THAT(message([](auto &c) { c.steps = c.epochs = 0; }), HasSubstr("1 epoch or more"));
  EXPECT_THAT(message([](auto &c) { c.trainSubset = 321; }), HasSubstr("0 (all) to 320 training"));
  EXPECT_THAT(message([](auto &c) { c.validationSize = 400; }), HasSubstr("1 to 399 validation"));
  EXPECT_THAT(message([](auto &c) { c.model = "vgg"; }), HasSubstr("unknown model 'vgg'"));
}

TEST(Trainer, ReportsACheckpointThatCannotBeWritten) {
  const Dataset data = quarterData();
  TrainConfig config = quickConfig(1);
  config.checkpointPath = "/proc/nowhere/c.pt";
  EXPECT_THAT(errorOf<StorageError>([&] { train(config, crossEntropy, data); }),
              HasSubstr("/proc/nowhere/c.pt: cannot be written: No such file"));
}

TEST(TrainLoss, CompiledModulesTrain) {
  const Dataset data = quarterData();
  const LossHandle handle =
      LossHandle::open(std::string(LOSSLANG_TEST_MODULES) + "/c_cross_entropy.so");
  const TrainConfig config = quickConfig(10);
  const auto ours = losses(train(config, TrainLoss::compiled(handle), data));
  const auto theirs = losses(train(config, crossEntropy, data));
  for (size_t i = 0; i < ours.size(); ++i)
    EXPECT_NEAR(ours[i], theirs[i], 1e-3);
  EXPECT_NE(TrainLoss::compiled(handle).identity(),
            TrainLoss::compiled(handle, {{"other", 3}}).identity());
}

TEST(TrainLoss, RefusesWhatCannotTrain) {
  EXPECT_THAT(errorOf<LoadError>([] { TrainLoss::builtin("nll"); }),
              HasSubstr("unknown loss 'torch:nll'"));
  const LossHandle square =
      LossHandle::open(std::string(LOSSLANG_TEST_MODULES) + "/weighted_square.so");
  EXPECT_THAT(errorOf<LoadError>([&] { TrainLoss::compiled(square); }),
              HasSubstr("none of them a target"));
}

} // namespace
