#include "runtime/module/ModuleCheck.h"

#include <algorithm>

namespace loss::runtime {
namespace {

/// Whether the indices are axes of the module, ascending.
bool areAxes(const uint32_t *axes, uint32_t count, const LossModule &module) {
  for (uint32_t i = 0; i < count; ++i)
    if (axes[i] >= module.axis_count || (i > 0 && axes[i] <= axes[i - 1]))
      return false;
  return true;
}

} // namespace

std::string explainUnusable(const LossModule &module) {
  if (module.magic != LOSSLANG_ABI_MAGIC)
    return "'" LOSSLANG_MODULE_SYMBOL "' is no loss descriptor (wrong magic number)";
  if (module.abi_version != LOSSLANG_ABI_VERSION)
    return "expected interface version " + std::to_string(LOSSLANG_ABI_VERSION) +
           ", but found version " + std::to_string(module.abi_version) +
           "; compile the loss again with this version's lossc";
  const std::string damaged = "the loss descriptor is damaged";
  if (!module.name || (module.axis_count && !module.axes) ||
      (module.input_count && !module.inputs) || (module.param_count && !module.params) ||
      (module.kernel_count && !module.kernels) ||
      (module.result_axis_count && !module.result_axes) ||
      !areAxes(module.result_axes, module.result_axis_count, module) || module.row_axis < -1 ||
      module.row_axis > 0 || module.class_axis < -1 ||
      module.class_axis >= static_cast<int32_t>(module.axis_count) ||
      module.class_weighting >= LOSS_WEIGHTS_COUNT)
    return damaged;
  // A row axis is an axis, and the result has it.
  if (module.row_axis == 0 && (module.result_axis_count == 0 || module.result_axes[0] != 0))
    return damaged;
  for (uint32_t i = 0; i < module.axis_count; ++i)
    if (!module.axes[i])
      return damaged;
  uint32_t targets = 0;
  for (uint32_t i = 0; i < module.input_count; ++i) {
    const LossInput &input = module.inputs[i];
    if (!input.name || input.kind >= LOSS_INPUT_KIND_COUNT || input.has_gradient > 1 ||
        (input.axis_count && !input.axes) || !areAxes(input.axes, input.axis_count, module))
      return damaged;
    if (input.kind == LOSS_INPUT_TARGET) {
      ++targets;
      const uint32_t *end = input.axes + input.axis_count;
      if (std::find(input.axes, end, static_cast<uint32_t>(module.class_axis)) == end)
        return damaged;
    }
  }
  if (targets > 1 || (targets == 1) != (module.class_axis >= 0))
    return damaged;
  for (uint32_t i = 0; i < module.param_count; ++i)
    if (!module.params[i].name || module.params[i].constraint >= LOSS_CONSTRAINT_COUNT)
      return damaged;
  for (uint32_t i = 0; i < module.kernel_count; ++i) {
    const LossKernel &kernel = module.kernels[i];
    if (kernel.element >= LOSS_ELEMENT_COUNT || kernel.target >= LOSS_TARGET_COUNT ||
        kernel.mode >= LOSS_MODE_COUNT || kernel.options >= LOSS_OPTIONS_COUNT)
      return damaged;
  }
  return {};
}

} // namespace loss::runtime
