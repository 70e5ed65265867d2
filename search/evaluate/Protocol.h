//===- Protocol.h - how a loss is evaluated ---------------------*- C++ -*-===//
//
// Shows no LibTorch type: the search describes the training, its workers do it.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_EVALUATE_PROTOCOL_H
#define LOSSLANG_SEARCH_EVALUATE_PROTOCOL_H

#include <nlohmann/json_fwd.hpp>

#include <cstdint>
#include <string>

namespace loss::search {

/// Everything that a fitness depends on besides the loss. Two evaluations with the same program and
/// the same protocol are the same evaluation.
///
/// The fitness is the best validation accuracy over the validations of one training. The validation
/// images are held out of the training images; the test images are never looked at.
struct Protocol {
  std::string data = "fashion-mnist";
  std::string model = "b0net";
  /// Channels of the first layer; 0 is the model's own.
  int64_t width = 0;
  int64_t steps = 1000;
  int64_t batch = 128;
  /// sgd, adam or adamw.
  std::string optimizer = "adam";
  double lr = 1e-3;
  /// Linear warm-up, then a cosine to 0. -1: a tenth of the steps, as published.
  int64_t warmup = -1;
  /// none or base (pad, crop, flip).
  std::string augment = "base";
  /// f32, bf16 or auto.
  std::string precision = "f32";
  /// Training images to use; 0: all that are not held out.
  int64_t trainSubset = 0;
  int64_t validation = 5000;
  /// Steps between validations. -1: a tenth of the steps.
  int64_t evalEvery = -1;
  /// Seed of the training, the same for all losses.
  uint64_t seed = 1;

  /// Early stop: the training ends as soon as the mean training accuracy over the last
  /// `stopWindow` steps is below `stopBelow`, from step `stopFrom` on. Published: below 0.35 from
  /// epoch 6 of 80 (of 100 steps each) on. 0 switches it off. -1: as published, and as late in
  /// longer trainings.
  double stopBelow = 0.35;
  int64_t stopFrom = -1;
  int64_t stopWindow = 100;

  bool operator==(const Protocol &) const = default;

  /// With the -1 replaced by what they stand for.
  Protocol resolved() const;
  /// Throws SearchError for a value that cannot be.
  void check() const;

  nlohmann::json toJson() const;
  /// Throws SearchError for a missing or unknown field.
  static Protocol fromJson(const nlohmann::json &json);

  /// Calls f(name, field, help) for each field: the one list behind JSON and command line.
  template <typename P, typename F> static void forEachField(P &protocol, F f) {
    f("data", protocol.data, "data set");
    f("model", protocol.model, "network to train");
    f("width", protocol.width, "channels of its first layer (0: its own)");
    f("steps", protocol.steps, "training steps of each evaluation");
    f("batch", protocol.batch, "images a step");
    f("optimizer", protocol.optimizer, "sgd, adam or adamw");
    f("lr", protocol.lr, "greatest learning rate");
    f("warmup", protocol.warmup, "steps of linear warm-up (-1: steps / 10)");
    f("augment", protocol.augment, "none or base (pad, crop, flip)");
    f("precision", protocol.precision, "f32, bf16 or auto");
    f("train-subset", protocol.trainSubset, "training images to use (0: all)");
    f("validation", protocol.validation, "held-out images that the fitness is measured on");
    f("eval-every", protocol.evalEvery, "steps between validations (-1: steps / 10)");
    f("train-seed", protocol.seed, "seed of the training, the same for all losses");
    f("stop-below", protocol.stopBelow, "give up below this training accuracy (0: never)");
    f("stop-from", protocol.stopFrom, "... from this step on (-1: 600, or steps * 6 / 80 if more)");
    f("stop-window", protocol.stopWindow, "... in the mean over so many steps");
  }
};

/// The content address of an evaluation.
std::string evaluationAddress(const std::string &program, const Protocol &protocol);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_EVALUATE_PROTOCOL_H
