#include "runtime/train/Trainer.h"
#include "runtime/models/Models.h"
#include "runtime/torch/RowBlocks.h"
#include "runtime/train/Batches.h"
#include "runtime/train/Checkpoint.h"
#include "runtime/train/Config.h"
#include "runtime/train/Precision.h"
#include "runtime/train/Schedule.h"
#include "runtime/train/TrainLossImpl.h"

#include <ATen/CPUGeneratorImpl.h>
#include <nlohmann/json.hpp>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <filesystem>

// A function of LibTorch's OpenMP runtime: whether it may use fewer threads than asked for.
extern "C" void omp_set_dynamic(int may);

namespace loss::runtime {
namespace {

using torch::Tensor;
using Clock = std::chrono::steady_clock;

std::atomic<bool> stopRequested = false;

double secondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

/// Makes what the network draws (weights, dropout) a function of the stream.
void seedGenerator(RandomStream stream) {
  at::Generator generator = at::detail::getDefaultCPUGenerator();
  std::lock_guard<std::mutex> lock(generator.mutex());
  generator.set_current_seed(stream.next());
}

std::shared_ptr<torch::optim::Optimizer> makeOptimizer(const TrainConfig &config,
                                                       const Network &network) {
  const auto parameters = network.parameters();
  switch (config.optimizer) {
  case OptimizerKind::Sgd:
    return std::make_shared<torch::optim::SGD>(parameters, torch::optim::SGDOptions(config.lr)
                                                               .momentum(config.momentum)
                                                               .nesterov(config.momentum > 0)
                                                               .weight_decay(config.weightDecay));
  case OptimizerKind::Adam:
    return std::make_shared<torch::optim::Adam>(
        parameters, torch::optim::AdamOptions(config.lr).weight_decay(config.weightDecay));
  case OptimizerKind::AdamW:
    return std::make_shared<torch::optim::AdamW>(
        parameters, torch::optim::AdamWOptions(config.lr).weight_decay(config.weightDecay));
  }
  throw ConfigError("unknown optimizer");
}

/// One training from its configuration to its result.
class Training {
public:
  Training(const TrainConfig &config, const TrainLoss &loss, const Dataset &data,
           const ProgressFn &progress)
      : config(config), loss(loss), data(data), progress(progress),
        configuration(describeConfig(config, loss, data).dump()), batches(config, data),
        pixelScale(data), bf16(choosesBf16(config.precision)) {}

  TrainResult run() {
    prepare();
    RunStatus status = RunStatus::Completed;
    while (status == RunStatus::Completed && nextStep() <= totalSteps) {
      status = trainStep();
      const bool due = config.checkpointEvery && state.history.size() % config.checkpointEvery == 0;
      if (due && status == RunStatus::Completed)
        writeCheckpoint();
    }
    if (status == RunStatus::Completed && !weightsAreFinite())
      status = RunStatus::Diverged;
    if (status != RunStatus::Diverged)
      writeCheckpoint();
    return makeResult(status);
  }

private:
  int64_t nextStep() const { return static_cast<int64_t>(state.history.size()) + 1; }

  void prepare() {
    totalSteps = config.steps ? config.steps : config.epochs * batches.stepsPerEpoch();
    seedGenerator(RandomStream(StreamKind::Init, config.seed));
    state.network = makeNetwork(config.model, {data.train.channels, data.classes, config.width});
    state.optimizer = makeOptimizer(config, *state.network);
    if (config.resume && std::filesystem::exists(config.checkpointPath)) {
      loadCheckpoint(config.checkpointPath, configuration, state);
      if (!state.history.empty()) {
        secondsBefore = state.history.back().seconds;
        secondsInLoss = state.history.back().secondsInLoss;
      }
    }
    if (bf16)
      useChannelsLast(*state.network);
    const int64_t rows = std::max(config.batch, evaluationBatch);
    images =
        torch::empty({rows, data.train.channels, data.train.height, data.train.width},
                     torch::TensorOptions().memory_format(bf16 ? at::MemoryFormat::ChannelsLast
                                                               : at::MemoryFormat::Contiguous));
    labels = torch::empty({rows}, torch::kLong);
    start = Clock::now();
  }

  /// The images of `indices` as a batch in `images` and `labels`.
  std::pair<Tensor, Tensor> fill(const ImageSet &set, const int64_t *indices, int64_t count,
                                 int64_t step) {
    float *to = images.mutable_data_ptr<float>();
    int64_t *toLabels = labels.mutable_data_ptr<int64_t>();
    forRowBlocks(count, 16, [&](int64_t begin, int64_t end) {
      for (int64_t i = begin; i < end; ++i) {
        const CropFlip crop = step ? batches.crop(step, i) : CropFlip();
        writeImage(set, indices[i], pixelScale, crop, bf16, to + i * set.imageSize());
        toLabels[i] = set.labels[indices[i]];
      }
    });
    return {images.slice(0, 0, count), labels.slice(0, 0, count)};
  }

  RunStatus trainStep() {
    StepRecord record;
    record.step = nextStep();
    record.epoch = (record.step - 1) / batches.stepsPerEpoch() + 1;
    record.lr = learningRate(config, record.step, totalSteps);
    batches.select(record.step, indices);
    auto [x, y] = fill(data.train, indices.data(), config.batch, record.step);

    state.network->train();
    seedGenerator(RandomStream(StreamKind::Network, config.seed, record.step));
    Tensor logits;
    {
      Bf16Scope scope(bf16);
      logits = state.network->forward(x);
    }
    // The loss stands between two leaves, so that its forward and backward pass are measured alone.
    Tensor scores = logits.detach().to(torch::kFloat).requires_grad_();
    const auto lossStart = Clock::now();
    Tensor value = loss.get().call(scores, y);
    value.backward();
    secondsInLoss += secondsSince(lossStart);

    record.trainLoss = value.item<double>();
    record.trainAccuracy =
        scores.detach().argmax(1).eq(y).sum().item<double>() / static_cast<double>(config.batch);
    const bool finite = std::isfinite(record.trainLoss);
    if (finite) {
      logits.backward(scores.grad().to(logits.scalar_type()));
      for (auto &group : state.optimizer->param_groups())
        group.options().set_lr(record.lr);
      state.optimizer->step();
      state.optimizer->zero_grad();
    }
    record.seconds = secondsBefore + secondsSince(start) - secondsOutside;
    record.secondsInLoss = secondsInLoss;
    return finish(record, finite);
  }

  /// Validates if it is time, notes the step, and asks whether to go on.
  RunStatus finish(StepRecord record, bool finite) {
    const int64_t every = config.evalEvery ? config.evalEvery : batches.stepsPerEpoch();
    const auto outside = Clock::now();
    if (finite && (record.step % every == 0 || record.step == totalSteps))
      record.valAccuracy = accuracy(batches.validationImages(), batches.validationOrder());
    state.history.push_back(record);
    if (record.valAccuracy && config.onValidation)
      config.onValidation(state.history);
    const auto action = progress ? progress(record, totalSteps) : ProgressAction::Continue;
    secondsOutside += secondsSince(outside);
    if (!finite)
      return RunStatus::Diverged;
    if (stopRequested.exchange(false))
      return RunStatus::Interrupted;
    return action == ProgressAction::Stop ? RunStatus::Stopped : RunStatus::Completed;
  }

  double accuracy(const ImageSet &set, const std::vector<int64_t> &order) {
    torch::NoGradGuard guard;
    state.network->eval();
    int64_t right = 0;
    const auto count = static_cast<int64_t>(order.size());
    for (int64_t at = 0; at < count; at += evaluationBatch) {
      auto [x, y] = fill(set, order.data() + at, std::min(evaluationBatch, count - at), 0);
      Bf16Scope scope(bf16);
      right += state.network->forward(x).argmax(1).eq(y).sum().item<int64_t>();
    }
    return static_cast<double>(right) / static_cast<double>(count);
  }

  bool weightsAreFinite() const {
    torch::NoGradGuard guard;
    for (const Tensor &p : state.network->parameters())
      if (!torch::isfinite(p).all().item<bool>())
        return false;
    return true;
  }

  void writeCheckpoint() {
    if (config.checkpointPath.empty())
      return;
    const auto outside = Clock::now();
    saveCheckpoint(config.checkpointPath, configuration, state);
    secondsOutside += secondsSince(outside);
  }

  TrainResult makeResult(RunStatus status) {
    TrainResult result;
    result.status = status;
    result.totalSteps = totalSteps;
    result.parameters = state.network->parameterCount();
    result.parametersAndStatistics = state.network->parameterAndStatisticCount();
    result.precision = bf16 ? "bf16" : "f32";
    result.threads = config.threads;
    result.history = std::move(state.history);
    for (const StepRecord &record : result.history)
      if (record.valAccuracy) {
        result.finalValAccuracy = *record.valAccuracy;
        result.bestValAccuracy = std::max(result.bestValAccuracy, *record.valAccuracy);
      }
    if (!result.history.empty()) {
      const StepRecord &last = result.history.back();
      result.steps = last.step;
      result.finalTrainLoss = last.trainLoss;
      result.seconds = last.seconds;
      result.secondsInLoss = last.secondsInLoss;
    }
    if (status == RunStatus::Completed && config.testAtEnd) {
      std::vector<int64_t> all(data.test.count);
      for (int64_t i = 0; i < data.test.count; ++i)
        all[i] = i;
      result.testAccuracy = accuracy(data.test, all);
    }
    return result;
  }

  static constexpr int64_t evaluationBatch = 250;

  const TrainConfig &config;
  const TrainLoss &loss;
  const Dataset &data;
  const ProgressFn &progress;
  std::string configuration;
  Batches batches;
  PixelScale pixelScale;
  bool bf16;
  int64_t totalSteps = 0;
  TrainState state;
  Tensor images, labels;
  std::vector<int64_t> indices;
  Clock::time_point start;
  /// Validation, checkpoints and the callback, which are not training.
  double secondsOutside = 0;
  double secondsBefore = 0, secondsInLoss = 0;
};

} // namespace

void requestStop() { stopRequested = true; }

int threadsOf(const TrainConfig &config) {
  if (config.threads != 0)
    return config.threads;
  if (config.resume && std::filesystem::exists(config.checkpointPath))
    if (const int recorded = recordedThreads(config.checkpointPath); recorded > 0)
      return recorded;
  return at::get_num_threads();
}

TrainResult train(const TrainConfig &asked, const TrainLoss &loss, const Dataset &data,
                  const ProgressFn &progress) {
  checkConfig(asked);
  TrainConfig config = asked;
  config.threads = threadsOf(config);
  omp_set_dynamic(0);
  at::set_num_threads(config.threads);
  return Training(config, loss, data, progress).run();
}

} // namespace loss::runtime
