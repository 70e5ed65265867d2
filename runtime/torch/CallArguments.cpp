#include "runtime/torch/CallArguments.h"

#include <algorithm>
#include <climits>
#include <numeric>
#include <utility>

namespace loss::runtime {

using torch::ScalarType;
using torch::Tensor;

namespace {

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

void checkPlain(const LossHandle &loss, const Tensor &t, const std::string &what) {
  TORCH_CHECK((t.is_cpu() || t.is_meta()) && t.layout() == torch::kStrided, subject(loss), what,
              ": expected a dense CPU tensor, but found one on ", t.device(), " (", t.layout(),
              ")");
}

/// The type of the result: what LibTorch's own operations would promote the inputs to. Integers, as
/// labels are, have no say.
ScalarType promote(const LossHandle &loss, const LossCall &call) {
  const LossModule &module = loss.module();
  ScalarType types[2] = {ScalarType::Undefined, ScalarType::Undefined};
  for (uint32_t i = 0; i < module.input_count; ++i) {
    const Tensor &input = call.inputs[i];
    if (!isReal(input.scalar_type()))
      continue;
    ScalarType &type = types[input.dim() == 0];
    type = type == ScalarType::Undefined ? input.scalar_type()
                                         : c10::promoteTypes(type, input.scalar_type());
  }
  return types[0] != ScalarType::Undefined ? types[0] : types[1];
}

void checkType(const LossHandle &loss, uint32_t input, const Tensor &t) {
  const ScalarType type = t.scalar_type();
  if (loss.module().inputs[input].kind == LOSS_INPUT_VALUE) {
    TORCH_CHECK_TYPE(isReal(type), subject(loss), inputName(loss, input),
                     ": expected floating-point numbers, but found ", type);
  } else {
    TORCH_CHECK_TYPE(isReal(type) || isInteger(type) || type == torch::kBool, subject(loss),
                     inputName(loss, input), ": expected real numbers, but found ", type);
  }
}

} // namespace

std::string subject(const LossHandle &loss) { return "loss '" + loss.name() + "': "; }

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
    TORCH_CHECK_VALUE(tensor.numel() == 1, subject(loss), "the parameter '", name,
                      "': expected a tensor of one number, but found the shape ", tensor.sizes());
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

CallPlan::CallPlan(const LossHandle &loss, const LossCall &call)
    : loss(loss), axes(loss.module()), resultAxes(axesOfResult(loss.module())) {
  const LossModule &module = loss.module();
  size_t metaCount = 0;
  for (uint32_t i = 0; i < module.input_count; ++i) {
    checkPlain(loss, call.inputs[i], inputName(loss, i));
    checkType(loss, i, call.inputs[i]);
    metaCount += call.inputs[i].is_meta();
  }
  meta = metaCount > 0;
  TORCH_CHECK(metaCount == 0 || metaCount == module.input_count, subject(loss),
              "expected all inputs on one device, but some are on 'meta'");
  resultType = promote(loss, call);
  element = resultType == torch::kDouble ? LOSS_F64 : LOSS_F32;

  // Inputs with more axes first: they say how many dimensions an axis has. The target comes last:
  // its dimensions tell class indices from a distribution.
  std::vector<uint32_t> order;
  for (uint32_t count = module.axis_count + 1; count-- > 0;)
    for (uint32_t i = 0; i < module.input_count; ++i)
      if (module.inputs[i].axis_count == count && static_cast<int>(i) != loss.targetInput())
        order.push_back(i);
  const Tensor &main = call.inputs[order.front()];
  auto beside = [&] {
    return c10::str(" beside ", module.inputs[order.front()].name, " of shape ", main.sizes());
  };
  for (uint32_t i : order) {
    const AxisList inputAxes = axesOfInput(module, i);
    const Tensor &given = call.inputs[i];
    const bool known = axes.areBound(inputAxes);
    if (axes.bind(inputAxes, given.sizes().vec()))
      continue;
    TORCH_CHECK_VALUE(!known, subject(loss), inputName(loss, i), ": expected the shape ",
                      torch::IntArrayRef(axes.shapeOf(inputAxes)), beside(),
                      ", but found the shape ", given.sizes());
    TORCH_CHECK_VALUE(
        false, subject(loss), inputName(loss, i), ": expected dimensions for ",
        axes.describe(inputAxes), i == order.front() ? std::string() : beside(), ", but found ",
        given.dim() == 0 ? std::string("a scalar") : c10::str("the shape ", given.sizes()));
  }
  if (loss.targetInput() >= 0) {
    const uint32_t i = static_cast<uint32_t>(loss.targetInput());
    const Tensor &given = call.inputs[i];
    const AxisList dense = axesOfInput(module, i), indices = axesOfInput(module, i, true);
    if (!axes.areBound(dense))
      TORCH_CHECK_VALUE(axes.bind(dense, given.sizes().vec()), subject(loss),
                        "the target: expected dimensions for ", axes.describe(dense),
                        ", but found the shape ", given.sizes());
    const bool fitsDense = given.sizes() == torch::IntArrayRef(axes.shapeOf(dense));
    const bool fitsIndices = given.sizes() == torch::IntArrayRef(axes.shapeOf(indices));
    if (isInteger(given.scalar_type())) {
      TORCH_CHECK_VALUE(fitsDense || fitsIndices, subject(loss),
                        "the target: expected class indices of shape ",
                        torch::IntArrayRef(axes.shapeOf(indices)), beside(),
                        ", but found the shape ", given.sizes());
      target = fitsIndices ? LOSS_TARGET_INDEX : LOSS_TARGET_DENSE;
    } else {
      TORCH_CHECK_TYPE(fitsDense || !fitsIndices, subject(loss),
                       "the target: expected class indices of an integer type, but found ",
                       given.scalar_type());
      TORCH_CHECK_VALUE(fitsDense, subject(loss), "the target: expected numbers of the shape ",
                        torch::IntArrayRef(axes.shapeOf(dense)), beside(), ", but found the shape ",
                        given.sizes());
      target = LOSS_TARGET_DENSE;
    }
    TORCH_CHECK_VALUE(classes() >= 1, subject(loss), inputName(loss, order.front()),
                      ": expected 1 class or more, but found the shape ", main.sizes());
  }

  byRows = module.row_axis >= 0;
  resultShape = axes.shapeOf(resultAxes);
  groups = call.groups;
  TORCH_CHECK_VALUE(groups == 1 || (groups > 1 && byRows && !axes.dimensions(0).empty() &&
                                    axes.dimensions(0).front() % groups == 0),
                    subject(loss), "expected rows for ", groups, " groups of one size");
  if (byRows && module.axis_count == 1 && groups == 1)
    chooseMemoryOrder(main);
  rows = byRows ? axes.size(0) : 1;
  resultSlab = axes.elements(AxisList(resultAxes.begin() + (byRows ? 1 : 0), resultAxes.end()));
  for (uint32_t axis = byRows ? 1 : 0; axis < module.axis_count; ++axis) {
    TORCH_CHECK_VALUE(axes.size(axis) <= INT_MAX, subject(loss), "the axis '", module.axes[axis],
                      "' has ", axes.size(axis), " elements, more than 2^31 - 1");
    TORCH_CHECK_VALUE(axes.size(axis) > 0 || resultElements() == 0, subject(loss), "the axis '",
                      module.axes[axis], "' is empty, but the result is not");
  }
}

void CallPlan::chooseMemoryOrder(const Tensor &main) {
  if (main.is_contiguous() || !main.is_non_overlapping_and_dense())
    return;
  memoryOrder.resize(main.dim());
  std::iota(memoryOrder.begin(), memoryOrder.end(), 0);
  auto place = [&](int64_t d) { return std::pair(-main.stride(d), d); };
  std::sort(memoryOrder.begin(), memoryOrder.end(),
            [&](int64_t a, int64_t b) { return place(a) < place(b); });
}

std::vector<int64_t> CallPlan::orderOf(const AxisList &list) const {
  return memoryOrder.empty() || list.empty() ? axes.orderOf(list) : memoryOrder;
}

int64_t CallPlan::classes() const { return axes.size(loss.module().class_axis); }

AxisList CallPlan::axesOf(size_t argument) const {
  const LossModule &module = loss.module();
  if (argument >= module.input_count)
    return {};
  const bool indices =
      static_cast<int>(argument) == loss.targetInput() && target == LOSS_TARGET_INDEX;
  return axesOfInput(module, static_cast<uint32_t>(argument), indices);
}

bool CallPlan::hasRowAxis(size_t argument) const {
  const AxisList list = axesOf(argument);
  return byRows && !list.empty() && list[0] == 0;
}

std::string CallPlan::nameOf(size_t argument) const {
  const LossModule &module = loss.module();
  if (argument >= module.input_count)
    return std::string("parameter '") + module.params[argument - module.input_count].name + "'";
  return inputName(loss, static_cast<uint32_t>(argument));
}

SlabView CallPlan::view(const Tensor &tensor, const AxisList &list) const {
  const std::vector<int64_t> order = orderOf(list);
  const size_t rowDimensions =
      byRows && !list.empty() && list[0] == 0 ? axes.dimensions(0).size() : 0;
  std::vector<Dimension> rowPart, slabPart;
  for (size_t i = 0; i < order.size(); ++i)
    (i < rowDimensions ? rowPart : slabPart)
        .push_back({tensor.size(order[i]), tensor.stride(order[i])});
  void *data = tensor.is_meta() ? nullptr : const_cast<void *>(tensor.const_data_ptr());
  return SlabView(data, tensor.scalar_type(), rowPart, slabPart);
}

} // namespace loss::runtime
