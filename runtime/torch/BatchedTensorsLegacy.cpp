#include "runtime/torch/BatchedTensorKinds.h"

#include <ATen/LegacyBatchedTensorImpl.h>

namespace loss::runtime::legacy {

using torch::Tensor;

std::optional<int64_t> levelOf(const Tensor &tensor) {
  if (auto *impl = at::maybeGetBatchedImpl(tensor))
    return impl->bdims().back().level();
  return std::nullopt;
}

Tensor samplesOf(const Tensor &tensor) {
  auto *impl = at::maybeGetBatchedImpl(tensor);
  // A tensor may belong to several levels; the innermost is the last.
  const int64_t dimension = impl->bdims().back().dim();
  Tensor samples = impl->value().movedim(dimension, 0);
  at::BatchDims around(impl->bdims().begin(), impl->bdims().end() - 1);
  for (at::BatchDim &other : around)
    other = at::BatchDim(other.level(), other.dim() + (other.dim() < dimension));
  return around.empty() ? samples : at::makeBatched(std::move(samples), std::move(around));
}

Tensor batched(Tensor samples, int64_t level) {
  return at::addBatchDim(std::move(samples), level, 0);
}

} // namespace loss::runtime::legacy
