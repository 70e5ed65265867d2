#include "runtime/module/ClassifierFit.h"
#include "runtime/module/AxisBinding.h"

namespace loss::runtime {
namespace {

/// "prediction [element] and y [element]".
std::string describeInputs(const LossModule &module) {
  const AxisBinding axes(module);
  std::string text;
  for (uint32_t i = 0; i < module.input_count; ++i) {
    text += i == 0 ? "" : i + 1 == module.input_count ? " and " : ", ";
    text += module.inputs[i].name + (" " + axes.describe(axesOfInput(module, i)));
  }
  return text;
}

/// Whether the axes of the two inputs take scores and class indices.
bool takesClassifier(const LossHandle &loss) {
  const LossModule &module = loss.module();
  if (loss.targetInput() < 0 || module.input_count != 2)
    return false;
  // Any two sizes that differ.
  const Shape scores = {3, 2}, indices = {3};
  const auto target = static_cast<uint32_t>(loss.targetInput());
  AxisBinding axes(module);
  return axes.bind(axesOfInput(module, static_cast<uint32_t>(loss.mainInput())), scores) &&
         axes.areBound(axesOfInput(module, target)) &&
         axes.size(static_cast<uint32_t>(module.class_axis)) == scores[1] &&
         axes.shapeOf(axesOfInput(module, target, true)) == indices;
}

/// A kernel that computes more than the gradient of the scores does, too.
bool hasKernel(const LossHandle &loss) {
  for (uint32_t mode : {LOSS_VALUE_AND_GRAD, LOSS_VALUE_AND_ALL_GRADS})
    for (uint32_t options : {LOSS_PLAIN, LOSS_WITH_OPTIONS})
      if (loss.offersKernel(LOSS_F32, LOSS_TARGET_INDEX, mode, options))
        return true;
  return false;
}

} // namespace

std::string explainUnfitForClassifier(const LossHandle &loss) {
  const std::string subject = loss.origin() + ": the loss '" + loss.name() + "' ";
  if (!takesClassifier(loss))
    return subject + "takes " + describeInputs(loss.module()) +
           (loss.targetInput() < 0 ? ", none of them a target" : "") +
           ", but a classifier gives it scores [batch, class] and a target, one class index a "
           "sample";
  if (!hasKernel(loss))
    return subject +
           "was compiled without the kernel that training takes: f32, class indices, value "
           "and gradient";
  return {};
}

} // namespace loss::runtime
