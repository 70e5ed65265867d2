//===- BatchedTensorKinds.h - LibTorch's two vmaps --------------*- C++ -*-===//
//
// torch.autograd batches with an older kind of tensor than torch.vmap. Their headers cannot be
// included together, so each kind has a file of its own.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TORCH_BATCHEDTENSORKINDS_H
#define LOSSLANG_RUNTIME_TORCH_BATCHEDTENSORKINDS_H

#include <torch/torch.h>

#include <optional>

#define LOSSLANG_BATCHED_TENSOR_KIND                                                               \
  /** The innermost vmap that the tensor belongs to, if it is of this kind. */                     \
  std::optional<int64_t> levelOf(const torch::Tensor &tensor);                                     \
  /** The array behind a tensor of this kind, with the samples in the first dimension. */          \
  torch::Tensor samplesOf(const torch::Tensor &tensor);                                            \
  /** The way back. */                                                                             \
  torch::Tensor batched(torch::Tensor samples, int64_t level);

namespace loss::runtime {
/// Of torch.vmap.
namespace functorch {
LOSSLANG_BATCHED_TENSOR_KIND
}
/// Of torch.autograd.
namespace legacy {
LOSSLANG_BATCHED_TENSOR_KIND
}
} // namespace loss::runtime

#undef LOSSLANG_BATCHED_TENSOR_KIND

#endif // LOSSLANG_RUNTIME_TORCH_BATCHEDTENSORKINDS_H
