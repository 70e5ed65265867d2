//===- Models.h - the papers' networks --------------------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODELS_MODELS_H
#define LOSSLANG_RUNTIME_MODELS_MODELS_H

#include <torch/torch.h>

#include <memory>
#include <string>
#include <vector>

namespace loss::runtime {

/// A network from images (N, channels, height, width) to logits (N, classes).
class Network : public torch::nn::Module {
public:
  virtual torch::Tensor forward(torch::Tensor images) = 0;

  /// Trainable numbers.
  int64_t parameterCount() const;
  /// Those and the running means and variances of the normalisations, as Keras counts.
  int64_t parameterAndStatisticCount() const;
};

/// Names of the networks: "b0net", "resnet9".
const std::vector<std::string> &modelNames();

struct NetworkShape {
  int64_t channels = 3;
  int64_t classes = 10;
  /// Channels of the first layer; 0 is the network's own.
  int64_t width = 0;
};

/// Builds a network with random weights from LibTorch's default generator. Throws ConfigError for
/// an unknown name or a width that makes no sense.
///
/// b0net: the surrogate of Morgan & Hougen 2024 (arXiv 2403.08793), 30,666 parameters and running
///   statistics for CIFAR-10, of which 30,426 are trained.
/// resnet9: a pre-activation ResNet-9 (64-128-256-512), 6,575,370 parameters for CIFAR-10.
std::shared_ptr<Network> makeNetwork(const std::string &name, const NetworkShape &shape);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODELS_MODELS_H
