#include "runtime/python/Dispatch.h"

namespace loss::python {

using at::Tensor;

namespace {

/// Everything of a call as the schemas list it.
struct Unpacked {
  Unpacked(const Call &call, at::TensorList tensors)
      : inputs(tensors.slice(0, call.inputCount)),
        params(tensors.slice(call.inputCount, call.paramCount)) {
    size_t next = call.inputCount + call.paramCount;
    if (call.hasWeight)
      weight = tensors[next++];
    if (call.hasSampleWeight)
      sampleWeight = tensors[next];
  }
  at::TensorList inputs, params;
  std::optional<Tensor> weight, sampleWeight;
};

template <typename Signature> auto findOperator(const char *name) {
  return c10::Dispatcher::singleton().findSchemaOrThrow(name, "").typed<Signature>();
}

} // namespace

Tensor callLoss(const Call &c, at::TensorList tensors) {
  static const auto op = findOperator<Tensor(LOSSLANG_CALL_PARAMETERS)>("losslang::loss");
  const Unpacked u(c, tensors);
  return op.call(c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, c.program);
}

std::tuple<Tensor, Tensors> callLossAndGradients(const Call &c, at::TensorList tensors,
                                                 at::IntArrayRef wanted) {
  static const auto op =
      findOperator<std::tuple<Tensor, Tensors>(LOSSLANG_CALL_PARAMETERS, at::IntArrayRef)>(
          "losslang::loss_and_gradients");
  const Unpacked u(c, tensors);
  return op.call(c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, c.program, wanted);
}

Tensors callGradients(const Tensor &upstream, const Call &c, at::TensorList tensors,
                      at::IntArrayRef wanted) {
  static const auto op =
      findOperator<Tensors(const Tensor &, LOSSLANG_CALL_PARAMETERS, at::IntArrayRef)>(
          "losslang::gradients");
  const Unpacked u(c, tensors);
  return op.call(upstream, c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, c.program, wanted);
}

std::tuple<Tensor, Tensors> callSecondGradients(const Tensor &upstream, at::TensorList tangents,
                                                const Call &c, at::TensorList tensors,
                                                at::IntArrayRef wanted,
                                                at::IntArrayRef secondWanted) {
  static const auto op = findOperator<std::tuple<Tensor, Tensors>(
      const Tensor &, at::TensorList, LOSSLANG_CALL_PARAMETERS, at::IntArrayRef, at::IntArrayRef)>(
      "losslang::second_gradients");
  const Unpacked u(c, tensors);
  return op.call(upstream, tangents, c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values,
                 c.paramAt, c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, c.program,
                 wanted, secondWanted);
}

Tensor callDirectionalDerivative(at::TensorList tangents, const Call &c, at::TensorList tensors,
                                 at::IntArrayRef wanted) {
  static const auto op =
      findOperator<Tensor(at::TensorList, LOSSLANG_CALL_PARAMETERS, at::IntArrayRef)>(
          "losslang::directional_derivative");
  const Unpacked u(c, tensors);
  return op.call(tangents, c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, c.program, wanted);
}

} // namespace loss::python
