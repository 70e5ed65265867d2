//===- Trainer.h - trains a network with a loss -----------------*- C++ -*-===//
//
// The library behind losstrain and the search. Shows no LibTorch type.
//
// Everything random is a function of (seed, step, image), so a run that was interrupted and resumed
// is bit for bit the run that was not, on the same machine with the same number of threads.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TRAIN_TRAINER_H
#define LOSSLANG_RUNTIME_TRAIN_TRAINER_H

#include "runtime/data/ImageSet.h"
#include "runtime/train/Errors.h"
#include "runtime/train/TrainLoss.h"

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace loss::runtime {

enum class OptimizerKind { Sgd, Adam, AdamW };
enum class ScheduleKind { Constant, Cosine, OneCycle };
enum class AugmentKind { None, Base };
enum class PrecisionKind { F32, BF16, Auto };
/// Where the validation images come from: held out of the training images, or the test images (as
/// some papers do; then the best accuracy is one on the test set).
enum class ValidationKind { HeldOut, Test };

struct StepRecord;

struct TrainConfig {
  /// One of modelNames().
  std::string model = "b0net";
  /// Channels of the first layer; 0 is the model's own (b0net 8, resnet9 64).
  int64_t width = 0;
  int64_t batch = 128;
  /// Length: steps, or epochs when steps is 0.
  int64_t steps = 0;
  int64_t epochs = 1;
  OptimizerKind optimizer = OptimizerKind::Adam;
  double lr = 1e-3;
  /// SGD only; Nesterov.
  double momentum = 0.9;
  double weightDecay = 0;
  ScheduleKind schedule = ScheduleKind::Cosine;
  /// Steps of warm-up from 0; -1: 5 % of the steps for onecycle, none otherwise.
  int64_t warmup = -1;
  AugmentKind augment = AugmentKind::Base;
  uint64_t seed = 1;
  /// Threads of LibTorch in this process; 0: see threadsOf(). 1 is what the search uses.
  int threads = 0;
  PrecisionKind precision = PrecisionKind::Auto;
  /// Use only the first N training images after the fixed shuffle (0: all).
  int64_t trainSubset = 0;
  ValidationKind validation = ValidationKind::HeldOut;
  /// Validation images (0: 5,000 held out, or all test images).
  int64_t validationSize = 0;
  /// Validate every N steps (0: at the end of each epoch); always at the end.
  int64_t evalEvery = 0;
  /// Also measure the accuracy on all test images at the end.
  bool testAtEnd = true;
  /// File for checkpoints; empty: none.
  std::string checkpointPath;
  /// Write one every N steps (0: only when interrupted and at the end).
  int64_t checkpointEvery = 0;
  /// Continue from checkpointPath when it exists.
  bool resume = false;
  /// Called after every validation with all steps so far, also those before a resume.
  std::function<void(const std::vector<StepRecord> &history)> onValidation;
};

/// What is known of one training step.
struct StepRecord {
  int64_t step = 0; // counts from 1
  int64_t epoch = 0;
  double trainLoss = 0;
  /// Share of the step's images that were classified rightly, before the update.
  double trainAccuracy = 0;
  double lr = 0;
  /// Of the validation after this step, when there was one.
  std::optional<double> valAccuracy;
  /// Since the start, without validation; resumed runs count on.
  double seconds = 0;
  /// Spent in the loss, forward and backward, since the start.
  double secondsInLoss = 0;
};

enum class RunStatus {
  Completed,
  /// The progress callback ended it.
  Stopped,
  /// The loss or the weights became infinite or not a number.
  Diverged,
  /// requestStop() was called (SIGINT); a checkpoint was written if a path was given.
  Interrupted,
};

/// "completed", "stopped", "diverged", "interrupted".
const char *statusName(RunStatus status);

struct TrainResult {
  RunStatus status = RunStatus::Completed;
  int64_t steps = 0, totalSteps = 0;
  /// Trainable numbers, and those together with the running statistics.
  int64_t parameters = 0, parametersAndStatistics = 0;
  double finalTrainLoss = 0;
  double finalValAccuracy = 0, bestValAccuracy = 0;
  std::optional<double> testAccuracy;
  double seconds = 0, secondsInLoss = 0;
  /// Effective: "f32" or "bf16".
  std::string precision;
  /// Effective, as threadsOf() tells.
  int threads = 0;
  /// One a step, from the first on (also after a resume).
  std::vector<StepRecord> history;
};

enum class ProgressAction { Continue, Stop };

/// Called after every step, and its validation. May end the run.
using ProgressFn = std::function<ProgressAction(const StepRecord &record, int64_t totalSteps)>;

/// Names of the networks: "b0net", "resnet9".
const std::vector<std::string> &modelNames();

/// The number of threads of a training, which stays the same from its start to its end: `threads`;
/// if that is 0, the number of the run that it resumes, or else what LibTorch chooses in this
/// process. Throws StorageError.
int threadsOf(const TrainConfig &config);

/// Trains. Throws ConfigError, StorageError, and what the loss throws (bad class index and so on).
TrainResult train(const TrainConfig &config, const TrainLoss &loss, const Dataset &data,
                  const ProgressFn &progress = {});

/// Ends the running training after its step; safe in a signal handler.
void requestStop();

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_TRAINER_H
