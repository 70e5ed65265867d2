//===- Schedule.h - the learning rate over the steps ------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_SCHEDULE_H
#define LOSSLANG_RUNTIME_TRAIN_SCHEDULE_H

#include "runtime/train/Trainer.h"

#include <string>

namespace loss::runtime {

/// Learning rate of a step (from 1). Warm-up rises linearly from 0 and reaches `lr` at step
/// `warmup`; what follows stays there (constant), or falls along half a cosine that reaches 0
/// behind the last step (cosine, onecycle). onecycle's rise is a half cosine, too.
double learningRate(const TrainConfig &config, int64_t step, int64_t totalSteps);

/// What to warn of when the training ends within its warm-up, which may be meant (the beginning of
/// a longer training); otherwise empty.
std::string warnOfLongWarmup(const TrainConfig &config, int64_t totalSteps);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_SCHEDULE_H
