#include "runtime/torch/CallShape.h"

#include "runtime/torch/CallOptions.h"

namespace loss::runtime {

using torch::ScalarType;
using torch::Tensor;

namespace {

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

void checkWeight(const CallKind &kind, const LossCall &call, const Tensor &weight, const char *name,
                 bool integers) {
  checkPlain(kind.loss, weight, name);
  TORCH_CHECK(!weight.is_meta() || call.inputs[0].is_meta(), subject(kind.loss), name,
              ": expected a dense CPU tensor, but found one on meta");
  TORCH_CHECK_TYPE(weight.is_floating_point() || (integers && !weight.is_complex()),
                   subject(kind.loss), name, ": expected floating-point numbers, but found ",
                   weight.scalar_type());
  TORCH_CHECK(!(at::GradMode::is_enabled() && weight.requires_grad()), subject(kind.loss), name,
              " requires a gradient, but there is none for it; multiply the result of reduction "
              "'none' by the weights instead");
}

template <typename Size> std::vector<Size> shapeOfTensor(const Tensor &tensor) {
  if constexpr (std::is_same_v<Size, int64_t>)
    return tensor.sizes().vec();
  else
    return tensor.sym_sizes().vec();
}

/// A shape in a message.
template <typename Size> c10::ArrayRef<Size> show(const std::vector<Size> &shape) { return shape; }

} // namespace

AxisList CallKind::indexAxes() const {
  return axesOfInput(loss.module(), static_cast<uint32_t>(loss.targetInput()), true);
}

bool CallKind::isElementwise() const {
  return target == LOSS_TARGET_INDEX && runtime::isElementwise(loss.module());
}

AxisList CallKind::axesOf(size_t argument) const {
  const LossModule &module = loss.module();
  if (argument >= module.input_count)
    return {};
  const bool indices =
      static_cast<int>(argument) == loss.targetInput() && target == LOSS_TARGET_INDEX;
  return axesOfInput(module, static_cast<uint32_t>(argument), indices);
}

std::string CallKind::nameOf(size_t argument) const {
  const LossModule &module = loss.module();
  if (argument >= module.input_count)
    return std::string("parameter '") + module.params[argument - module.input_count].name + "'";
  return inputName(loss, static_cast<uint32_t>(argument));
}

template <typename Sizes>
BasicCallShape<Sizes>::BasicCallShape(const LossHandle &loss, const LossCall &call)
    : CallKind(loss), axes(loss.module()) {
  const LossModule &module = loss.module();
  size_t metaCount = 0;
  for (uint32_t i = 0; i < module.input_count; ++i) {
    checkPlain(loss, call.inputs[i], inputName(loss, i));
    checkType(loss, i, call.inputs[i]);
    metaCount += call.inputs[i].is_meta();
  }
  TORCH_CHECK(metaCount == 0 || metaCount == module.input_count, subject(loss),
              "expected all inputs on one device, but some are on 'meta'");
  resultType = promote(loss, call);
  element = resultType == torch::kDouble ? LOSS_F64 : LOSS_F32;
  byRows = module.row_axis >= 0;
  bindInputs(call);
  if (loss.targetInput() >= 0)
    bindTarget(call);
  resultShape = axes.shapeOf(resultAxes);
  checkOptions(call);
}

template <typename Sizes> void BasicCallShape<Sizes>::bindInputs(const LossCall &call) {
  const LossModule &module = loss.module();
  // Inputs with more axes first: they say how many dimensions an axis has. The target comes last:
  // its dimensions tell class indices from a distribution.
  std::vector<uint32_t> order;
  for (uint32_t count = module.axis_count + 1; count-- > 0;)
    for (uint32_t i = 0; i < module.input_count; ++i)
      if (module.inputs[i].axis_count == count && static_cast<int>(i) != loss.targetInput())
        order.push_back(i);
  mainInput = order.front();
  for (uint32_t i : order) {
    const AxisList inputAxes = axesOfInput(module, i);
    const Shape given = shapeOfTensor<Size>(call.inputs[i]);
    const bool known = axes.areBound(inputAxes);
    if (axes.bind(inputAxes, given))
      continue;
    const std::string beside = i == mainInput
                                   ? std::string()
                                   : c10::str(" beside ", module.inputs[mainInput].name,
                                              " of shape ", call.inputs[mainInput].sym_sizes());
    TORCH_CHECK_VALUE(!known, subject(loss), inputName(loss, i), ": expected the shape ",
                      show(axes.shapeOf(inputAxes)), beside, ", but found the shape ", show(given));
    TORCH_CHECK_VALUE(false, subject(loss), inputName(loss, i), ": expected dimensions for ",
                      axes.describe(inputAxes), beside, ", but found ",
                      given.empty() ? std::string("a scalar")
                                    : c10::str("the shape ", show(given)));
  }
}

template <typename Sizes> void BasicCallShape<Sizes>::bindTarget(const LossCall &call) {
  const LossModule &module = loss.module();
  const auto input = static_cast<uint32_t>(loss.targetInput());
  const ScalarType type = call.inputs[input].scalar_type();
  const Shape given = shapeOfTensor<Size>(call.inputs[input]);
  const AxisList dense = axesOfInput(module, input), indices = indexAxes();
  auto beside = [&] {
    return c10::str(" beside ", module.inputs[mainInput].name, " of shape ",
                    call.inputs[mainInput].sym_sizes());
  };
  if (!axes.areBound(dense))
    TORCH_CHECK_VALUE(axes.bind(dense, given), subject(loss),
                      "the target: expected dimensions for ", axes.describe(dense),
                      ", but found the shape ", show(given));
  // The number of dimensions tells one from the other, whatever their sizes.
  const bool likeIndices = given.size() == axes.rankOf(indices);
  const bool likeDense = given.size() == axes.rankOf(dense);
  auto fits = [&](const AxisList &list) { return axes.expectEqual(given, axes.shapeOf(list)); };
  if (isInteger(type)) {
    target = likeIndices || !likeDense ? LOSS_TARGET_INDEX : LOSS_TARGET_DENSE;
    TORCH_CHECK_VALUE(fits(target == LOSS_TARGET_INDEX ? indices : dense), subject(loss),
                      "the target: expected class indices of shape ", show(axes.shapeOf(indices)),
                      beside(), ", but found the shape ", show(given));
  } else {
    TORCH_CHECK_TYPE(likeDense || !likeIndices, subject(loss),
                     "the target: expected class indices of an integer type, but found ", type);
    target = LOSS_TARGET_DENSE;
    TORCH_CHECK_VALUE(fits(dense), subject(loss), "the target: expected numbers of the shape ",
                      show(axes.shapeOf(dense)), beside(), ", but found the shape ", show(given));
  }
}

template <typename Sizes> void BasicCallShape<Sizes>::checkOptions(const LossCall &call) const {
  runtime::checkOptions(loss, call.classWeight, call.ignoreIndex, call.labelSmoothing);
  if (call.classWeight.defined()) {
    checkWeight(*this, call, call.classWeight, "class_weight", false);
    const Shape given = shapeOfTensor<Size>(call.classWeight);
    TORCH_CHECK_VALUE(axes.expectEqual(given, {classes()}), subject(loss),
                      "class_weight: expected the shape ", show(Shape{classes()}),
                      ", one number a class, but found the shape ", show(given));
    TORCH_CHECK_VALUE(
        !needsOptionsKernel(*this, call) || loss.module().class_weighting != LOSS_WEIGHTS_NONE,
        subject(loss), "class weights do not apply: the result has no element for each target");
  }
  TORCH_CHECK(target != LOSS_TARGET_DENSE || call.ignoreIndex.value_or(-1) < 0, subject(loss),
              "ignore_index: expected class indices as the target, but found a dense one");
  if (call.sampleWeight.defined()) {
    checkWeight(*this, call, call.sampleWeight, "sample_weight", true);
    const Shape given = shapeOfTensor<Size>(call.sampleWeight);
    TORCH_CHECK_VALUE(broadcastToResult(given), subject(loss),
                      "sample_weight: expected the shape of the result, ", show(resultShape),
                      ", or of its leading dimensions, but found the shape ", show(given));
  }
}

template <typename Sizes>
auto BasicCallShape<Sizes>::broadcastToResult(const Shape &given) const -> std::optional<Shape> {
  const size_t rank = given.size();
  if (rank == resultShape.size())
    return axes.expectEqual(given, resultShape) ? std::optional(resultShape) : std::nullopt;
  if (rank > resultShape.size())
    return std::nullopt;
  // One number for each row, or for each group of leading dimensions.
  Shape broadcast(resultShape.size(), Size(1));
  const Shape leading(resultShape.begin(), resultShape.begin() + static_cast<ptrdiff_t>(rank));
  if (byRows && rank == axes.dimensions(0).size()) {
    const Shape &rows = axes.dimensions(0);
    if (std::equal(given.begin(), given.end(), rows.begin(), Sizes::areEqual)) {
      const std::vector<int64_t> order = axes.orderOf(resultAxes);
      for (size_t i = 0; i < rank; ++i)
        broadcast[order[i]] = rows[i];
      return broadcast;
    }
  }
  if (!axes.expectEqual(given, leading))
    return std::nullopt;
  std::copy(leading.begin(), leading.end(), broadcast.begin());
  return broadcast;
}

bool needsOptionsKernel(const CallKind &kind, const LossCall &call) {
  return call.labelSmoothing > 0 || (call.classWeight.defined() && !kind.isElementwise());
}

template struct BasicCallShape<NumberSizes>;
template struct BasicCallShape<SymbolicSizes>;

} // namespace loss::runtime
