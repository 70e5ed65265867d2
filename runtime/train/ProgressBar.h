//===- ProgressBar.h - tells a person how a training goes -------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_PROGRESSBAR_H
#define LOSSLANG_RUNTIME_TRAIN_PROGRESSBAR_H

#include "runtime/train/Trainer.h"

#include <chrono>
#include <cstdio>
#include <string>

namespace loss::runtime {

/// On a terminal one line that is drawn again, with a bar and the time that is left; elsewhere a
/// line at each validation.
class ProgressBar {
public:
  ProgressBar(std::string title, std::FILE *out, bool terminal)
      : title(std::move(title)), out(out), terminal(terminal) {}

  void show(const StepRecord &record, int64_t totalSteps);
  /// Ends the line.
  void finish();

private:
  std::string title;
  std::FILE *out;
  bool terminal;
  using Clock = std::chrono::steady_clock;
  Clock::time_point start = Clock::now(), lastShown = {};
  int64_t firstStep = 0;
  double smoothLoss = 0;
  std::optional<double> valAccuracy;
  bool open = false;
};

/// One line on how a training ended: "ngl: completed after 500 of 500 steps, ...".
std::string describeResult(const TrainResult &result, const std::string &lossName);

/// "1:23:45" or "2:03".
std::string formatDuration(double seconds);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_PROGRESSBAR_H
