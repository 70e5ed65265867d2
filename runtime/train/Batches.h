//===- Batches.h - which images a step sees ---------------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_BATCHES_H
#define LOSSLANG_RUNTIME_TRAIN_BATCHES_H

#include "runtime/data/Augment.h"
#include "runtime/train/Trainer.h"

#include <vector>

namespace loss::runtime {

/// The images of a configuration: training, validation. The held-out images are the same for every
/// seed, so runs can be compared.
class Batches {
public:
  /// Throws ConfigError when the data set is too small for the configuration.
  Batches(const TrainConfig &config, const Dataset &data);

  int64_t trainCount() const { return static_cast<int64_t>(trainIndices.size()); }
  int64_t validationCount() const { return static_cast<int64_t>(validationIndices.size()); }
  /// Whole batches only: the rest of an epoch's images is left out, others each time.
  int64_t stepsPerEpoch() const { return trainCount() / batch; }

  /// The images of a step (from 1): sets `indices` to a batch of indices into Dataset.train.
  void select(int64_t step, std::vector<int64_t> &indices);
  /// How image `slot` of a step is cropped and flipped.
  CropFlip crop(int64_t step, int64_t slot) const;

  /// Where the validation images lie.
  const ImageSet &validationImages() const {
    return validation == ValidationKind::Test ? data.test : data.train;
  }
  const std::vector<int64_t> &validationOrder() const { return validationIndices; }

private:
  const Dataset &data;
  int64_t batch;
  uint64_t seed;
  AugmentKind augment;
  ValidationKind validation;
  std::vector<int64_t> trainIndices, validationIndices;
  int64_t shuffledEpoch = -1;
  std::vector<int64_t> shuffled;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_BATCHES_H
