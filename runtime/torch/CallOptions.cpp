#include "runtime/torch/CallOptions.h"

#include "runtime/torch/CallArguments.h"

namespace loss::runtime {

using torch::Tensor;

namespace {

IgnoreRule ruleOfTarget(const LossModule &module, uint32_t target) {
  AxisList axes = axesOfInput(module, target, /*asIndices=*/true);
  if (isSubset(axes, axesOfResult(module)))
    return {Ignoring::Elements, target};
  // Apart from the row axis it must be the only one of the class indices, so that what is left of a
  // row is an array again.
  if (module.row_axis >= 0) {
    if (axes.empty() || axes.front() != 0)
      return {};
    axes.erase(axes.begin());
  }
  if (axes.size() != 1 || isSubset(axes, axesOfResult(module)))
    return {};
  return {Ignoring::Positions, target, axes.front()};
}

IgnoreRule ruleOfLabels(const LossModule &module) {
  const AxisList rows = {0};
  if (module.row_axis < 0 || axesOfResult(module) != rows)
    return {};
  std::optional<uint32_t> labels;
  for (uint32_t i = 0; i < module.input_count; ++i) {
    if (module.inputs[i].kind != LOSS_INPUT_FIXED || axesOfInput(module, i) != rows)
      continue;
    if (labels)
      return {};
    labels = i;
  }
  return labels ? IgnoreRule{Ignoring::Elements, *labels} : IgnoreRule{};
}

std::optional<uint32_t> targetOf(const LossModule &module) {
  for (uint32_t i = 0; i < module.input_count; ++i)
    if (module.inputs[i].kind == LOSS_INPUT_TARGET)
      return i;
  return std::nullopt;
}

} // namespace

IgnoreRule ignoreRule(const LossModule &module) {
  const std::optional<uint32_t> target = targetOf(module);
  return target ? ruleOfTarget(module, *target) : ruleOfLabels(module);
}

bool isElementwise(const LossModule &module) {
  const std::optional<uint32_t> target = targetOf(module);
  return target && isSubset(axesOfInput(module, *target, true), axesOfResult(module));
}

void checkOptions(const LossHandle &loss, const Tensor &classWeight,
                  std::optional<int64_t> ignoreIndex, double labelSmoothing) {
  const LossModule &module = loss.module();
  TORCH_CHECK_VALUE(labelSmoothing >= 0 && labelSmoothing <= 1, subject(loss),
                    "label_smoothing: expected a number from 0 to 1, but found ", labelSmoothing);
  TORCH_CHECK_VALUE(loss.targetInput() >= 0 || (labelSmoothing == 0 && !classWeight.defined()),
                    subject(loss),
                    "class weights and label smoothing need a target over classes, but the loss "
                    "has none");
  TORCH_CHECK_VALUE(!classWeight.defined() || module.class_weighting != LOSS_WEIGHTS_NONE ||
                        isElementwise(module),
                    subject(loss),
                    "class weights do not apply: the result has no element for each target");
  TORCH_CHECK_VALUE(!ignoreIndex || ignoreRule(module).ignoring != Ignoring::None, subject(loss),
                    "ignore_index does not apply: ",
                    loss.targetInput() >= 0
                        ? "the result has no element for each target, and the targets of a row "
                          "that are left are no array"
                        : "the loss has no target over classes, and no labels that have an element "
                          "of the result each (one fixed input with the axis of the rows alone); "
                          "leave such samples out of the inputs, or where they have an element of "
                          "the result give them the weight 0 in sample_weight");
}

} // namespace loss::runtime
