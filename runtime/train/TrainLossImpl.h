//===- TrainLossImpl.h - a loss to train with, over tensors -----*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_TRAINLOSSIMPL_H
#define LOSSLANG_RUNTIME_TRAIN_TRAINLOSSIMPL_H

#include "runtime/train/TrainLoss.h"

#include <torch/torch.h>

#include <functional>
#include <string>

namespace loss::runtime {

/// A function of (logits, class indices) that gives the mean over the batch, with its name.
struct TrainLoss::Impl {
  std::string name;
  /// Tells one loss from another: the name with parameters and the hash of the source. A checkpoint
  /// is resumed only with the same one.
  std::string identity;
  std::function<torch::Tensor(const torch::Tensor &logits, const torch::Tensor &target)> call;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_TRAINLOSSIMPL_H
