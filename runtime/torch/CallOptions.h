//===- CallOptions.h - which options a loss has a use for -------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_CALLOPTIONS_H
#define LOSSLANG_RUNTIME_TORCH_CALLOPTIONS_H

#include "runtime/module/AxisBinding.h"
#include "runtime/torch/LossFunction.h"

#include <optional>

namespace loss::runtime {

/// The class index that is ignored where nothing else is said, as in LibTorch.
inline constexpr int64_t defaultIgnoreIndex = -100;

/// What an ignored index leaves out.
enum class Ignoring {
  /// Elements of the result: it has one for each class index or label.
  Elements,
  /// Positions of an axis that the loss reduces.
  Positions,
  /// Nothing: an ignored index is an error.
  None
};

/// What ignore_index means to a loss.
struct IgnoreRule {
  Ignoring ignoring = Ignoring::None;
  /// The input with the class indices or the labels.
  uint32_t input = 0;
  /// Positions: the axis that they lie on.
  uint32_t axis = 0;
};

/// For a loss with a target: as its class indices lie. Without: the labels are the only fixed input
/// whose one axis is the row axis, and that of the result; each of its numbers then matters to one
/// element of the result alone.
IgnoreRule ignoreRule(const LossModule &module);

/// Class indices of the target have an element of the result each, so that their weights are
/// factors of the elements.
bool isElementwise(const LossModule &module);

/// Throws c10::ValueError for an option that is out of its range, or that the loss has no use for:
/// class weights (undefined: none), an ignored index (unset: the default), label smoothing.
void checkOptions(const LossHandle &loss, const torch::Tensor &classWeight,
                  std::optional<int64_t> ignoreIndex, double labelSmoothing);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_CALLOPTIONS_H
