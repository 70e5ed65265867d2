//===- Loss.h - a compiled loss as a LibTorch module ------------*- C++ -*-===//
//
//   losslang::Loss criterion("focal.so", losslang::LossOptions().param("gamma", 1).learn("gamma"));
//   criterion(model->forward(images), labels).backward();
//
// In place of torch::nn::CrossEntropyLoss.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TORCH_LOSS_H
#define LOSSLANG_RUNTIME_TORCH_LOSS_H

#include "runtime/torch/LossFunction.h"

#include <torch/torch.h>

#include <map>
#include <optional>
#include <string>
#include <variant>

namespace losslang {

using loss::runtime::LossHandle;
using loss::runtime::NamedTensors;

/// Options of a Loss, named as those of torch::nn::CrossEntropyLossOptions.
struct LossOptions {
  using Reduction =
      std::variant<torch::enumtype::kNone, torch::enumtype::kMean, torch::enumtype::kSum>;

  /// One factor a class, shape (C).
  TORCH_ARG(torch::Tensor, weight) = {};
  /// Class indices (of a loss without a target: labels) with this value are left out. Unset: class
  /// indices of -100.
  TORCH_ARG(std::optional<int64_t>, ignore_index) = std::nullopt;
  TORCH_ARG(Reduction, reduction) = torch::kMean;
  TORCH_ARG(double, label_smoothing) = 0.0;

public:
  /// A parameter of the loss that differs from its default.
  LossOptions &param(const std::string &name, double value) {
    values[name] = value;
    return *this;
  }
  /// Makes a parameter of the loss one of the module: an f64 tensor that an optimiser trains.
  LossOptions &learn(const std::string &name) {
    learned[name] = true;
    return *this;
  }
  const std::map<std::string, double> &params() const { return values; }
  const std::map<std::string, bool> &learnedParams() const { return learned; }

private:
  std::map<std::string, double> values;
  std::map<std::string, bool> learned;
};

class LossImpl : public torch::nn::Cloneable<LossImpl> {
public:
  /// A library that lossc wrote. Throws loss::runtime::LoadError and ParamError, and
  /// c10::ValueError for an option that the loss has no use for.
  explicit LossImpl(const std::string &path, LossOptions options = {})
      : LossImpl(LossHandle::open(path), std::move(options)) {}
  /// A loss that is loaded, or compiled in process (loadLoss() in LoadLoss.h).
  explicit LossImpl(LossHandle handle, LossOptions options = {});

  void reset() override;
  void pretty_print(std::ostream &stream) const override;

  /// `target`: see loss::runtime::CompiledLoss. `inputs`: those beside the two, by name.
  torch::Tensor forward(const torch::Tensor &input, const torch::Tensor &target = {},
                        const NamedTensors &inputs = {}, const torch::Tensor &sampleWeight = {});

  const LossHandle &handle() const { return compiled.loss(); }

  /// What the next call uses, but for the values of learned parameters: param() has them.
  const LossOptions &options() const { return settings; }
  /// The weights of the classes; undefined without.
  const torch::Tensor &weight() const { return classWeight; }

  /// The value of a parameter of the loss, learned or not. Throws ParamError for an unknown name.
  double param(const std::string &name) const;

  // Changes from the next call on; they throw what the constructor throws. A parameter that is
  // learned stays so: its tensor gets the value.
  void set_param(const std::string &name, double value);
  void set_reduction(const LossOptions::Reduction &reduction) { settings.reduction(reduction); }
  void set_ignore_index(std::optional<int64_t> index);
  void set_label_smoothing(double smoothing);
  /// Weights for as many classes as before, if there were any.
  void set_weight(const torch::Tensor &weight);

protected:
  FORWARD_HAS_DEFAULT_ARGS({1, torch::nn::AnyValue(torch::Tensor())},
                           {2, torch::nn::AnyValue(NamedTensors())},
                           {3, torch::nn::AnyValue(torch::Tensor())})

private:
  void check(const LossOptions &options) const;

  LossOptions settings;
  torch::Tensor classWeight;
  loss::runtime::CompiledLoss compiled;
};

/// A compiled loss as a module. Its state is the weights of the classes and the parameters that are
/// learned.
TORCH_MODULE(Loss);

} // namespace losslang

#endif // LOSSLANG_RUNTIME_TORCH_LOSS_H
