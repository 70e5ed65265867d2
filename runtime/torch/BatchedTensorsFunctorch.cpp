#include "runtime/torch/BatchedTensorKinds.h"

#include <ATen/functorch/BatchedTensorImpl.h>

namespace loss::runtime::functorch {

using torch::Tensor;

std::optional<int64_t> levelOf(const Tensor &tensor) {
  if (auto *impl = at::functorch::maybeGetBatchedImpl(tensor))
    return impl->level();
  return std::nullopt;
}

Tensor samplesOf(const Tensor &tensor) {
  auto *impl = at::functorch::maybeGetBatchedImpl(tensor);
  return impl->value().movedim(impl->bdim(), 0);
}

Tensor batched(Tensor samples, int64_t level) {
  return at::functorch::makeBatched(std::move(samples), 0, level);
}

} // namespace loss::runtime::functorch
