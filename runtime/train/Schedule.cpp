#include "runtime/train/Schedule.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <numbers>

namespace loss::runtime {
namespace {

/// From 0 at x = 0 to 1 at x = 1 along half a cosine.
double halfCosine(double x) { return 0.5 * (1 - std::cos(std::numbers::pi * x)); }

} // namespace

double learningRate(const TrainConfig &config, int64_t step, int64_t totalSteps) {
  const bool oneCycle = config.schedule == ScheduleKind::OneCycle;
  int64_t warmup = config.warmup;
  if (warmup < 0)
    warmup = oneCycle ? std::max<int64_t>(1, totalSteps / 20) : 0;
  if (step <= warmup) {
    const double x = static_cast<double>(step) / static_cast<double>(warmup);
    return config.lr * (oneCycle ? halfCosine(x) : x);
  }
  if (config.schedule == ScheduleKind::Constant || totalSteps <= warmup)
    return config.lr;
  const double x =
      static_cast<double>(step - warmup - 1) / static_cast<double>(totalSteps - warmup);
  return config.lr * (1 - halfCosine(x));
}

std::string warnOfLongWarmup(const TrainConfig &config, int64_t totalSteps) {
  if (config.warmup <= totalSteps)
    return {};
  const double last = learningRate(config, totalSteps, totalSteps);
  char text[160];
  std::snprintf(text, sizeof text,
                "the warm-up of %lld steps is longer than the training of %lld: the learning rate "
                "ends at %g, below --lr %g",
                static_cast<long long>(config.warmup), static_cast<long long>(totalSteps), last,
                config.lr);
  return text;
}

} // namespace loss::runtime
