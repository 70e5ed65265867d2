//===- RunDirectory.h - what a run leaves behind ----------------*- C++ -*-===//
//
//   config.json      what was run
//   metrics.csv      one line a step
//   summary.json     how it ended
//   checkpoint.pt    to go on from
//
// Every file is written whole or not at all.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TRAIN_RUNDIRECTORY_H
#define LOSSLANG_RUNTIME_TRAIN_RUNDIRECTORY_H

#include "runtime/train/Trainer.h"

namespace loss::runtime {

class RunDirectory {
public:
  /// Makes the folder, with its parents. A folder that already holds a run is refused unless it is
  /// resumed or overwritten. Throws ConfigError, StorageError.
  RunDirectory(const std::string &path, bool resume, bool overwrite);

  /// Where the checkpoint of the run in the folder `path` lies.
  static std::string checkpointIn(const std::string &path) { return path + "/checkpoint.pt"; }
  std::string checkpointPath() const { return checkpointIn(path); }

  void writeConfig(const TrainConfig &config, const TrainLoss &loss, const Dataset &data) const;
  void writeMetrics(const std::vector<StepRecord> &history) const;
  void writeSummary(const TrainResult &result, const TrainLoss &loss) const;

private:
  std::string path;
};

/// Trains and keeps the folder up to date: the configuration at the start (of a resumed run at the
/// end), metrics at every validation, all of it at the end. The checkpoint path of `config` is
/// replaced, and the number of threads is settled (threadsOf()).
TrainResult trainInDirectory(TrainConfig config, const TrainLoss &loss, const Dataset &data,
                             const RunDirectory &directory, const ProgressFn &progress = {});

/// A run as its folder tells it.
struct StoredRun {
  std::string path, loss, status;
  int64_t steps = 0;
  double trainLoss = 0, valAccuracy = 0, seconds = 0, secondsInLoss = 0;
  std::optional<double> testAccuracy;
  std::vector<double> trainLosses;
};

/// Throws StorageError.
StoredRun readRun(const std::string &path);
std::vector<StoredRun> readRuns(const std::vector<std::string> &paths);

/// Several runs as a table: accuracy, loss, seconds, share of time in the loss, and the largest
/// difference of the training loss from the first run over the first `comparedSteps` steps.
std::string formatRunTable(const std::vector<StoredRun> &runs, int64_t comparedSteps = 50);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_RUNDIRECTORY_H
