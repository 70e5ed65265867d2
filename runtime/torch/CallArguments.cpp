#include "runtime/torch/CallArguments.h"

#include <utility>

namespace loss::runtime {

using torch::ScalarType;
using torch::Tensor;

bool isReal(ScalarType type) {
  return type == torch::kFloat || type == torch::kDouble || type == torch::kBFloat16 ||
         type == torch::kHalf;
}

bool isInteger(ScalarType type) {
  return type == torch::kLong || type == torch::kInt || type == torch::kShort ||
         type == torch::kChar || type == torch::kByte;
}

std::string inputName(const LossHandle &loss, uint32_t input) {
  return std::string("input '") + loss.module().inputs[input].name + "'";
}

std::string subject(const LossHandle &loss) { return "loss '" + loss.name() + "': "; }

void checkPlain(const LossHandle &loss, const Tensor &t, const std::string &what) {
  TORCH_CHECK((t.is_cpu() || t.is_meta()) && t.layout() == torch::kStrided, subject(loss), what,
              ": expected a dense CPU tensor, but found one on ", t.device(), " (", t.layout(),
              ")");
}

Tensor materialised(const Tensor &tensor) {
  return tensor.defined() && (tensor.is_neg() || tensor._is_zerotensor()) ? tensor.clone() : tensor;
}

LossCall resolveCall(const LossHandle &loss, const std::vector<Tensor> &positional,
                     const LossCallOptions &options) {
  const LossModule &module = loss.module();
  LossCall call;
  call.inputs = positional;
  TORCH_CHECK_TYPE(positional.size() <= module.input_count, subject(loss), "takes ",
                   module.input_count, " inputs, but ", positional.size(), " were given");
  call.inputs.resize(module.input_count);
  for (const auto &[name, tensor] : options.inputs) {
    const int index = loss.findInput(name);
    TORCH_CHECK_TYPE(index >= 0, "loss '", loss.name(), "' has no input '", name, "'");
    TORCH_CHECK_TYPE(!call.inputs[index].defined(), subject(loss), "the input '", name,
                     "' was given twice");
    TORCH_CHECK_TYPE(tensor.defined(), subject(loss), inputName(loss, index),
                     ": expected a tensor, but it is undefined");
    call.inputs[index] = tensor;
  }
  for (uint32_t i = 0; i < module.input_count; ++i)
    if (!call.inputs[i].defined()) {
      TORCH_CHECK_TYPE(static_cast<int>(i) != loss.targetInput(), subject(loss),
                       "expected a target, but none was given");
      TORCH_CHECK_TYPE(false, subject(loss), "expected the input '", module.inputs[i].name,
                       "', but it was not given");
    }

  for (Tensor &input : call.inputs)
    input = materialised(input);

  call.params = loss.bindParams(options.params);
  call.paramTensors.resize(module.param_count);
  for (const auto &[name, tensor] : options.paramTensors) {
    const uint32_t param = loss.findParam(name);
    TORCH_CHECK_TYPE(tensor.defined() && !call.paramTensors[param].defined(), subject(loss),
                     "the parameter '", name, "' ",
                     tensor.defined() ? "was given twice" : "is undefined");
    checkPlain(loss, tensor, "the parameter '" + name + "'");
    TORCH_CHECK_VALUE(tensor.sym_numel() == 1, subject(loss), "the parameter '", name,
                      "': expected a tensor of one number, but found the shape ",
                      tensor.sym_sizes());
    TORCH_CHECK_TYPE(isReal(tensor.scalar_type()) || isInteger(tensor.scalar_type()), subject(loss),
                     "the parameter '", name, "': expected a real number, but found ",
                     tensor.scalar_type());
    call.paramTensors[param] = tensor;
    if (tensor.is_meta())
      continue;
    call.params[param] = tensor.item<double>();
    loss.checkParam(param, call.params[param]);
  }
  call.reduction = options.reduction;
  call.groups = options.groups;
  call.sampleWeight = materialised(options.sampleWeight);
  call.classWeight = materialised(options.classWeight);
  call.ignoreIndex = options.ignoreIndex;
  call.labelSmoothing = options.labelSmoothing;
  return call;
}

} // namespace loss::runtime
