//===- Checkpoint.h - a training that can go on later -----------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_CHECKPOINT_H
#define LOSSLANG_RUNTIME_TRAIN_CHECKPOINT_H

#include "runtime/models/Models.h"
#include "runtime/train/Trainer.h"

namespace loss::runtime {

/// Everything a training carries from one step to the next.
struct TrainState {
  std::shared_ptr<Network> network;
  std::shared_ptr<torch::optim::Optimizer> optimizer;
  std::vector<StepRecord> history;
};

/// Writes the state, and the configuration (as JSON text) that it belongs to. Throws StorageError.
void saveCheckpoint(const std::string &path, const std::string &configuration,
                    const TrainState &state);

/// The number of threads of the run that wrote the checkpoint. Throws StorageError when the file is
/// damaged.
int recordedThreads(const std::string &path);

/// Reads what saveCheckpoint() wrote into a state with the same network and optimizer. Throws
/// StorageError when the file is damaged, ConfigError when it belongs to another configuration (the
/// first difference is named).
void loadCheckpoint(const std::string &path, const std::string &configuration, TrainState &state);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_CHECKPOINT_H
