//===- LossFunction.h - a compiled loss as a LibTorch operation -*- C++ -*-===//
//
//   loss::runtime::CompiledLoss ngl(loss::runtime::LossHandle::open("ngl.so"));
//   ngl(model->forward(images), labels).backward();
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TORCH_LOSSFUNCTION_H
#define LOSSLANG_RUNTIME_TORCH_LOSSFUNCTION_H

#include "runtime/module/LossHandle.h"

#include <torch/torch.h>

#include <string>
#include <utility>
#include <vector>

namespace loss::runtime {

/// How the losses of the rows become the result.
enum class Reduction { None, Mean, Sum };

struct LossCallOptions {
  Reduction reduction = Reduction::Mean;
  /// Parameters that differ from their defaults.
  ParamValues params;
  /// The inputs that are neither the logits nor the target, by name.
  std::vector<std::pair<std::string, torch::Tensor>> inputs;
};

/// A compiled loss as a differentiable operation on CPU tensors.
///
/// logits: (C), (N, C) or (N, C, d1, ..., dk), any strides, f32 or f64. bfloat16 and half are
/// computed in f32; the value and the gradient come back in the type of the logits. target: int64
/// class indices of the shape of the logits without the class axis, or probabilities of the shape
/// of the logits. It is left out when the loss has no target.
///
/// Where a gradient is wanted, one kernel call computes it together with the value, and the
/// backward pass hands it out. The classes of a row must lie next to each other in memory; where
/// they do not (N, C, d1, ... in the usual layout), a copy of the logits is made.
///
/// The values of the rows are summed in f64 in a fixed order, so results do not depend on the
/// number of threads. An empty batch gives nan for the mean and 0 for the sum.
///
/// Throws c10::IndexError for a class index that is out of bounds (with its row, its value and the
/// number of classes), c10::Error or c10::TypeError for tensors that do not fit, and ParamError.
/// A second derivative is an error.
class CompiledLoss {
public:
  explicit CompiledLoss(LossHandle handle) : handle(std::move(handle)) {}

  torch::Tensor operator()(const torch::Tensor &logits, const torch::Tensor &target = {},
                           const LossCallOptions &options = {}) const;

  const LossHandle &loss() const { return handle; }

private:
  LossHandle handle;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_LOSSFUNCTION_H
