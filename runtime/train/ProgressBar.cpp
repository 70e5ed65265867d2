#include "runtime/train/ProgressBar.h"

#include <algorithm>
#include <cmath>

namespace loss::runtime {

std::string formatDuration(double seconds) {
  const auto total = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  char text[32];
  if (total >= 3600)
    std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", static_cast<long long>(total / 3600),
                  static_cast<long long>(total / 60 % 60), static_cast<long long>(total % 60));
  else
    std::snprintf(text, sizeof text, "%lld:%02lld", static_cast<long long>(total / 60),
                  static_cast<long long>(total % 60));
  return text;
}

std::string describeResult(const TrainResult &result, const std::string &lossName) {
  char text[160];
  std::snprintf(text, sizeof text, "after %lld of %lld steps", static_cast<long long>(result.steps),
                static_cast<long long>(result.totalSteps));
  std::string line = lossName + ": " + statusName(result.status) + " " + text;
  if (result.status == RunStatus::Diverged) {
    std::snprintf(text, sizeof text, ": the training loss is %g", result.finalTrainLoss);
    return line + text;
  }
  std::snprintf(text, sizeof text, ", val. accuracy %.2f %%", 100 * result.finalValAccuracy);
  line += text;
  if (result.testAccuracy) {
    std::snprintf(text, sizeof text, ", test accuracy %.2f %%", 100 * *result.testAccuracy);
    line += text;
  }
  std::snprintf(text, sizeof text, ", %.1f s, %.2f %% of it in the loss", result.seconds,
                result.seconds > 0 ? 100 * result.secondsInLoss / result.seconds : 0.0);
  return line + text;
}

void ProgressBar::show(const StepRecord &record, int64_t totalSteps) {
  if (firstStep == 0) {
    firstStep = record.step;
    smoothLoss = record.trainLoss;
  }
  smoothLoss += 0.05 * (record.trainLoss - smoothLoss);
  const bool validated = record.valAccuracy.has_value();
  if (validated)
    valAccuracy = record.valAccuracy;

  const auto now = Clock::now();
  const bool last = record.step == totalSteps;
  if (terminal ? !last && now - lastShown < std::chrono::milliseconds(100) : !validated && !last)
    return;
  lastShown = now;

  const double share = static_cast<double>(record.step) / static_cast<double>(totalSteps);
  const double elapsed = std::chrono::duration<double>(now - start).count();
  const double left = elapsed / static_cast<double>(record.step - firstStep + 1) *
                      static_cast<double>(totalSteps - record.step);
  std::string text = title;
  if (terminal) {
    constexpr int width = 24;
    const int full = static_cast<int>(share * width);
    text += "  [" + std::string(full, '#') + std::string(width - full, '.') + "]";
  }
  char numbers[128];
  std::snprintf(numbers, sizeof numbers, "  step %lld/%lld  loss %.4f",
                static_cast<long long>(record.step), static_cast<long long>(totalSteps),
                smoothLoss);
  text += numbers;
  if (valAccuracy) {
    std::snprintf(numbers, sizeof numbers, "  val. %.2f %%", 100 * *valAccuracy);
    text += numbers;
  }
  text += "  " + formatDuration(elapsed) + " < " + formatDuration(left);
  // \r and "erase to the end of the line" redraw it.
  std::fprintf(out, terminal ? "\r%s\033[K" : "%s\n", text.c_str());
  std::fflush(out);
  open = terminal;
}

void ProgressBar::finish() {
  if (open)
    std::fprintf(out, "\n");
  open = false;
}

} // namespace loss::runtime
