//===- Config.h - a configuration as text -----------------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_CONFIG_H
#define LOSSLANG_RUNTIME_TRAIN_CONFIG_H

#include "runtime/train/Trainer.h"

#include <nlohmann/json_fwd.hpp>

namespace loss::runtime {

/// Names of the enumerations, in their order, as they are typed and stored.
const std::vector<std::string> &optimizerNames();
const std::vector<std::string> &scheduleNames();
const std::vector<std::string> &augmentNames();
const std::vector<std::string> &precisionNames();
const std::vector<std::string> &validationNames();

/// All that decides the course of a training: config.json, and what a checkpoint is compared with.
/// Leaves out where and how often something is written.
nlohmann::ordered_json describeConfig(const TrainConfig &config, const TrainLoss &loss,
                                      const Dataset &data);

/// Throws ConfigError when a value makes no sense by itself.
void checkConfig(const TrainConfig &config);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_CONFIG_H
