#include "runtime/train/Batches.h"

#include <algorithm>
#include <numeric>

namespace loss::runtime {

Batches::Batches(const TrainConfig &config, const Dataset &data)
    : data(data), batch(config.batch), seed(config.seed), augment(config.augment),
      validation(config.validation) {
  const bool heldOut = validation == ValidationKind::HeldOut;
  int64_t wanted = config.validationSize;
  if (wanted == 0)
    wanted = heldOut ? 5000 : data.test.count;
  const int64_t available = heldOut ? data.train.count - 1 : data.test.count;
  if (wanted < 1 || wanted > available)
    throw ConfigError("expected 1 to " + std::to_string(available) +
                      " validation images, but found " + std::to_string(wanted));
  // One split for every seed.
  std::vector<int64_t> order = permutation(RandomStream(StreamKind::Split, 0), data.train.count);
  if (heldOut) {
    validationIndices.assign(order.end() - wanted, order.end());
    order.resize(order.size() - wanted);
  } else {
    validationIndices.resize(wanted);
    std::iota(validationIndices.begin(), validationIndices.end(), int64_t(0));
  }
  if (config.trainSubset < 0 || config.trainSubset > static_cast<int64_t>(order.size()))
    throw ConfigError("expected a subset of 0 (all) to " + std::to_string(order.size()) +
                      " training images, but found " + std::to_string(config.trainSubset));
  if (config.trainSubset > 0)
    order.resize(config.trainSubset);
  trainIndices = std::move(order);
  if (batch < 1 || batch > trainCount())
    throw ConfigError("expected a batch of 1 to " + std::to_string(trainCount()) +
                      " images (the training images), but found " + std::to_string(batch));
}

void Batches::select(int64_t step, std::vector<int64_t> &indices) {
  const int64_t epoch = (step - 1) / stepsPerEpoch();
  if (epoch != shuffledEpoch) {
    shuffled = permutation(RandomStream(StreamKind::Shuffle, seed, static_cast<uint64_t>(epoch)),
                           trainCount());
    shuffledEpoch = epoch;
  }
  const int64_t first = (step - 1) % stepsPerEpoch() * batch;
  indices.resize(batch);
  for (int64_t i = 0; i < batch; ++i)
    indices[i] = trainIndices[shuffled[first + i]];
}

CropFlip Batches::crop(int64_t step, int64_t slot) const {
  if (augment == AugmentKind::None)
    return {};
  return CropFlip::random(RandomStream(StreamKind::Augment, seed, static_cast<uint64_t>(step),
                                       static_cast<uint64_t>(slot)));
}

} // namespace loss::runtime
