#include "runtime/torch/BatchedTensors.h"

#include "runtime/torch/BatchedTensorKinds.h"

#include <algorithm>
#include <optional>

namespace loss::runtime {

using torch::Tensor;

namespace {

/// One vmap around the call; each kind has levels of its own.
struct Level {
  bool isFunctorch = false;
  int64_t number = -1;

  bool operator<(const Level &other) const {
    return std::pair(isFunctorch, number) < std::pair(other.isFunctorch, other.number);
  }
};

/// The innermost level that a tensor belongs to.
std::optional<Level> levelOf(const Tensor &tensor) {
  if (!tensor.defined())
    return std::nullopt;
  if (std::optional<int64_t> level = functorch::levelOf(tensor))
    return Level{true, *level};
  if (std::optional<int64_t> level = legacy::levelOf(tensor))
    return Level{false, *level};
  return std::nullopt;
}

} // namespace

bool anyBatched(at::TensorList tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const Tensor &tensor) { return levelOf(tensor).has_value(); });
}

std::vector<Tensor> forEachSample(std::vector<Tensor> tensors, const TensorFunction &function) {
  std::optional<Level> level;
  for (const Tensor &tensor : tensors)
    level = std::max(level, levelOf(tensor));
  if (!level)
    return function(std::move(tensors));
  std::vector<bool> isBatched;
  int64_t count = 0;
  for (Tensor &tensor : tensors) {
    const std::optional<Level> own = levelOf(tensor);
    // Of another kind or from further outside: the same for all samples here.
    isBatched.push_back(own && !(*own < *level));
    if (!isBatched.back())
      continue;
    tensor = level->isFunctorch ? functorch::samplesOf(tensor) : legacy::samplesOf(tensor);
    count = tensor.size(0);
  }
  TORCH_CHECK_VALUE(count > 0, "expected a batch of gradients from above, but found an empty one");
  std::vector<std::vector<Tensor>> results;
  for (int64_t i = 0; i < count; ++i) {
    std::vector<Tensor> sample = tensors;
    for (size_t k = 0; k < sample.size(); ++k)
      if (isBatched[k])
        sample[k] = sample[k][i];
    std::vector<Tensor> found = forEachSample(std::move(sample), function);
    results.resize(found.size());
    for (size_t k = 0; k < found.size(); ++k)
      results[k].push_back(std::move(found[k]));
  }
  std::vector<Tensor> whole;
  for (const std::vector<Tensor> &samples : results) {
    if (!samples.front().defined())
      whole.emplace_back();
    else if (level->isFunctorch)
      whole.push_back(functorch::batched(at::stack(samples), level->number));
    else
      whole.push_back(legacy::batched(at::stack(samples), level->number));
  }
  return whole;
}

} // namespace loss::runtime
