//===- BatchedTensors.h - gradients from above in batches -------*- C++ -*-===//
//
// torch.autograd.grad(..., is_grads_batched=True), torch.autograd.functional.jacobian(...,
// vectorize=True) and torch.vmap over autograd.grad run the backward pass of one call for several
// gradients from above at once: tensors that wrap an array with one more dimension.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TORCH_BATCHEDTENSORS_H
#define LOSSLANG_RUNTIME_TORCH_BATCHEDTENSORS_H

#include <torch/torch.h>

#include <functional>
#include <vector>

namespace loss::runtime {

/// Whether one of the tensors is batched. They may be undefined.
bool anyBatched(at::TensorList tensors);

using TensorFunction = std::function<std::vector<torch::Tensor>(std::vector<torch::Tensor>)>;

/// Runs `function` for one sample after another, with tensors that are not batched any more, and
/// batches its results. Where nothing is batched, this is one call.
std::vector<torch::Tensor> forEachSample(std::vector<torch::Tensor> tensors,
                                         const TensorFunction &function);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_BATCHEDTENSORS_H
