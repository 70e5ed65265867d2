#include "runtime/train/Config.h"

#include <cmath>
#include <nlohmann/json.hpp>

namespace loss::runtime {

#define LOSSLANG_NAMES(function, ...)                                                              \
  const std::vector<std::string> &function() {                                                     \
    static const std::vector<std::string> names = {__VA_ARGS__};                                   \
    return names;                                                                                  \
  }
LOSSLANG_NAMES(optimizerNames, "sgd", "adam", "adamw")
LOSSLANG_NAMES(scheduleNames, "constant", "cosine", "onecycle")
LOSSLANG_NAMES(augmentNames, "none", "base")
LOSSLANG_NAMES(precisionNames, "f32", "bf16", "auto")
LOSSLANG_NAMES(validationNames, "held-out", "test")
#undef LOSSLANG_NAMES

namespace {

template <typename Enum>
const std::string &nameOf(const std::vector<std::string> &names, Enum value) {
  return names.at(static_cast<size_t>(value));
}

/// A number as it was typed: 5 and not 5.0, nan and not JSON's null.
std::string spell(double number) {
  if (!std::isfinite(number))
    return std::isnan(number) ? "nan" : number < 0 ? "-inf" : "inf";
  const bool isWhole = number == std::trunc(number) && std::abs(number) < 1e15;
  return isWhole ? std::to_string(static_cast<int64_t>(number)) : nlohmann::json(number).dump();
}

template <typename Number> void expect(bool fine, const std::string &what, Number found) {
  if (fine)
    return;
  std::string number;
  if constexpr (std::is_integral_v<Number>)
    number = std::to_string(found);
  else
    number = spell(found);
  throw ConfigError("expected " + what + ", but found " + number);
}

} // namespace

const char *statusName(RunStatus status) {
  switch (status) {
  case RunStatus::Completed:
    return "completed";
  case RunStatus::Stopped:
    return "stopped";
  case RunStatus::Diverged:
    return "diverged";
  case RunStatus::Interrupted:
    return "interrupted";
  }
  return "unknown";
}

nlohmann::ordered_json describeConfig(const TrainConfig &config, const TrainLoss &loss,
                                      const Dataset &data) {
  return {
      {"loss", loss.name()},
      {"loss_identity", loss.identity()},
      {"model", config.model},
      {"width", config.width},
      {"data", data.name},
      {"train_images", data.train.count},
      {"train_subset", config.trainSubset},
      {"validation", nameOf(validationNames(), config.validation)},
      {"validation_size", config.validationSize},
      {"batch", config.batch},
      {"steps", config.steps},
      {"epochs", config.epochs},
      {"optimizer", nameOf(optimizerNames(), config.optimizer)},
      {"lr", config.lr},
      {"momentum", config.momentum},
      {"weight_decay", config.weightDecay},
      {"schedule", nameOf(scheduleNames(), config.schedule)},
      {"warmup", config.warmup},
      {"augment", nameOf(augmentNames(), config.augment)},
      {"precision", nameOf(precisionNames(), config.precision)},
      {"seed", config.seed},
      {"threads", config.threads},
      {"eval_every", config.evalEvery},
  };
}

void checkConfig(const TrainConfig &config) {
  expect(config.batch >= 1, "a batch of 1 image or more", config.batch);
  expect(config.steps >= 0, "a number of steps of 0 or more", config.steps);
  expect(config.steps > 0 || config.epochs >= 1, "1 epoch or more", config.epochs);
  expect(std::isfinite(config.lr) && config.lr > 0, "a learning rate above 0 and below infinity",
         config.lr);
  expect(config.momentum >= 0 && config.momentum < 1, "a momentum of 0 or more and below 1",
         config.momentum);
  expect(std::isfinite(config.weightDecay) && config.weightDecay >= 0,
         "a weight decay of 0 or more and below infinity", config.weightDecay);
  expect(config.threads >= 0 && config.threads <= 1024, "0 to 1024 threads", config.threads);
  expect(config.evalEvery >= 0, "0 or more steps between validations", config.evalEvery);
  expect(config.checkpointEvery >= 0, "0 or more steps between checkpoints",
         config.checkpointEvery);
}

} // namespace loss::runtime
