#include "runtime/train/RunDirectory.h"
#include "runtime/train/AtomicFile.h"
#include "runtime/train/Config.h"

#include <nlohmann/json.hpp>

#include <charconv>
#include <cmath>
#include <filesystem>

namespace loss::runtime {
namespace {

namespace fs = std::filesystem;
using Json = nlohmann::ordered_json;

const char header[] =
    "step,epoch,train_loss,train_accuracy,lr,val_accuracy,seconds,seconds_in_loss\n";

/// The shortest text that reads back as the same number.
std::string number(double value) {
  char text[32];
  return std::string(text, std::to_chars(text, text + sizeof text, value).ptr);
}

/// JSON has no infinity: null stands for what is not finite.
Json finiteOrNull(double value) { return std::isfinite(value) ? Json(value) : Json(); }

} // namespace

RunDirectory::RunDirectory(const std::string &path, bool resume, bool overwrite) : path(path) {
  std::error_code error;
  fs::create_directories(path, error);
  if (error)
    throw StorageError(path + ": the folder cannot be made: " + error.message());
  if (fs::exists(path + "/config.json") && !resume && !overwrite)
    throw ConfigError(path + ": already holds a run; give --resume to continue it, --overwrite to "
                             "replace it, or another folder");
  if (!resume)
    for (const char *old : {"summary.json", "metrics.csv", "checkpoint.pt"})
      fs::remove(path + "/" + old, error);
}

void RunDirectory::writeConfig(const TrainConfig &config, const TrainLoss &loss,
                               const Dataset &data) const {
  writeFileAtomically(path + "/config.json", describeConfig(config, loss, data).dump(2) + "\n");
}

void RunDirectory::writeMetrics(const std::vector<StepRecord> &history) const {
  std::string text = header;
  for (const StepRecord &r : history) {
    text += std::to_string(r.step) + ',' + std::to_string(r.epoch) + ',' + number(r.trainLoss) +
            ',' + number(r.trainAccuracy) + ',' + number(r.lr) + ',';
    if (r.valAccuracy)
      text += number(*r.valAccuracy);
    text += ',' + number(r.seconds) + ',' + number(r.secondsInLoss) + '\n';
  }
  writeFileAtomically(path + "/metrics.csv", text);
}

void RunDirectory::writeSummary(const TrainResult &result, const TrainLoss &loss) const {
  const Json summary = {
      {"loss", loss.name()},
      {"status", statusName(result.status)},
      {"steps", result.steps},
      {"total_steps", result.totalSteps},
      {"parameters", result.parameters},
      {"parameters_and_statistics", result.parametersAndStatistics},
      {"precision", result.precision},
      {"threads", result.threads},
      {"train_loss", finiteOrNull(result.finalTrainLoss)},
      {"val_accuracy", result.finalValAccuracy},
      {"best_val_accuracy", result.bestValAccuracy},
      {"test_accuracy", result.testAccuracy ? Json(*result.testAccuracy) : Json()},
      {"seconds", result.seconds},
      {"seconds_in_loss", result.secondsInLoss},
      {"share_in_loss", result.seconds > 0 ? result.secondsInLoss / result.seconds : 0},
  };
  writeFileAtomically(path + "/summary.json", summary.dump(2) + "\n");
}

TrainResult trainInDirectory(TrainConfig config, const TrainLoss &loss, const Dataset &data,
                             const RunDirectory &directory, const ProgressFn &progress) {
  config.checkpointPath = directory.checkpointPath();
  config.threads = threadsOf(config);
  config.onValidation = [&](const auto &history) { directory.writeMetrics(history); };
  // A run that cannot be resumed as asked keeps its configuration: train() refuses it first.
  const bool isResumed = config.resume && fs::exists(config.checkpointPath);
  if (!isResumed)
    directory.writeConfig(config, loss, data);
  TrainResult result = train(config, loss, data, progress);
  if (isResumed)
    directory.writeConfig(config, loss, data);
  directory.writeMetrics(result.history);
  directory.writeSummary(result, loss);
  return result;
}

} // namespace loss::runtime
