//===- TrainFixture.h - small trainings for tests ---------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_RUNTIME_TRAINFIXTURE_H
#define LOSSLANG_TEST_UNIT_RUNTIME_TRAINFIXTURE_H

#include "runtime/data/Random.h"
#include "runtime/train/Trainer.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <unistd.h>

namespace loss::runtime {

/// Images whose class is the quarter that is bright: easy to learn.
inline ImageSet brightQuarters(int64_t count, int64_t channels, int64_t size, uint64_t seed) {
  ImageSet set{count, channels, size, size, {}, {}};
  for (int64_t i = 0; i < count; ++i) {
    RandomStream stream(StreamKind::Split, seed, static_cast<uint64_t>(i));
    const auto label = static_cast<uint8_t>(stream.below(4));
    set.labels.push_back(label);
    for (int64_t p = 0; p < channels * size * size; ++p) {
      const bool lower = p / size % size >= size / 2, right = p % size >= size / 2;
      const bool bright = label == 2 * lower + right;
      set.pixels.push_back(static_cast<uint8_t>(stream.below(100) + (bright ? 120 : 0)));
    }
  }
  return set;
}

inline Dataset quarterData(int64_t channels = 1, int64_t size = 16) {
  Dataset data;
  data.name = "quarters";
  data.classes = 4;
  data.train = brightQuarters(400, channels, size, 1);
  data.test = brightQuarters(100, channels, size, 2);
  data.mean.assign(channels, 0.3f);
  data.deviation.assign(channels, 0.2f);
  return data;
}

/// A training of some steps on quarterData().
inline TrainConfig quickConfig(int64_t steps) {
  TrainConfig config;
  config.steps = steps;
  config.batch = 40;
  config.lr = 3e-3;
  config.augment = AugmentKind::None;
  config.validationSize = 80;
  config.threads = 1;
  config.precision = PrecisionKind::F32;
  return config;
}

/// A fresh folder that goes with the object.
class TempFolder {
public:
  TempFolder() {
    std::string pattern = testing::TempDir() + "losslang-XXXXXX";
    path = mkdtemp(pattern.data());
  }
  ~TempFolder() { std::filesystem::remove_all(path); }
  std::string operator/(const std::string &name) const { return path + "/" + name; }
  std::string path;
};

} // namespace loss::runtime

#endif // LOSSLANG_TEST_UNIT_RUNTIME_TRAINFIXTURE_H
