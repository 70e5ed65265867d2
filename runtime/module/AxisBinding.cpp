#include "runtime/module/AxisBinding.h"

namespace loss::runtime {

AxisList axesOfInput(const LossModule &module, uint32_t input, bool asIndices) {
  const LossInput &described = module.inputs[input];
  AxisList axes(described.axes, described.axes + described.axis_count);
  if (asIndices)
    axes.erase(std::remove(axes.begin(), axes.end(), static_cast<uint32_t>(module.class_axis)),
               axes.end());
  return axes;
}

AxisList axesOfResult(const LossModule &module) {
  return AxisList(module.result_axes, module.result_axes + module.result_axis_count);
}

bool isSubset(const AxisList &part, const AxisList &whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

} // namespace loss::runtime
