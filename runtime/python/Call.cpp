#include "runtime/python/Call.h"

#include "runtime/python/Registry.h"
#include "runtime/torch/Infer.h"
#include "runtime/torch/LossFunction.h"

namespace loss::python {

using at::Tensor;
using runtime::CompiledLoss;
using runtime::LossCallOptions;
using runtime::LossEvaluation;
using runtime::Reduction;

namespace {

Reduction parseReduction(const std::string &name) {
  if (name == "mean")
    return Reduction::Mean;
  if (name == "sum")
    return Reduction::Sum;
  TORCH_CHECK_VALUE(name == "none", "expected reduction to be 'none', 'mean' or 'sum', but found '",
                    name, "'");
  return Reduction::None;
}

/// A call as CompiledLoss takes it.
struct Prepared {
  Prepared(const Call &call, at::TensorList tensors)
      : loss(findLoss(call.key, call.program)),
        inputs(tensors.begin(), tensors.begin() + call.inputCount), call(call) {
    const LossModule &module = loss.loss().module();
    const std::string subject = "loss '" + loss.loss().name() + "': ";
    TORCH_CHECK_TYPE(call.inputCount == module.input_count, subject, "expected ",
                     module.input_count, " inputs, but found ", call.inputCount);
    TORCH_CHECK_TYPE(
        call.values.size() == module.param_count && call.paramAt.size() == call.paramCount, subject,
        "expected ", module.param_count, " parameters, but found ", call.values.size());
    options.reduction = parseReduction(call.reduction);
    std::vector<bool> isTensor(module.param_count);
    for (size_t i = 0; i < call.paramCount; ++i) {
      const int64_t at = call.paramAt[i];
      TORCH_CHECK_INDEX(at >= 0 && at < static_cast<int64_t>(module.param_count), subject,
                        "there is no parameter ", at);
      isTensor[at] = true;
      options.paramTensors.emplace_back(module.params[at].name, tensors[call.inputCount + i]);
    }
    for (uint32_t i = 0; i < module.param_count; ++i)
      if (!isTensor[i])
        options.params.emplace_back(module.params[i].name, call.values[i]);
    size_t next = call.inputCount + call.paramCount;
    if (call.hasWeight)
      options.classWeight = tensors[next++];
    if (call.hasSampleWeight)
      options.sampleWeight = tensors[next];
    options.ignoreIndex = call.ignoreIndex;
    options.labelSmoothing = call.labelSmoothing;
    // A symbol only where there is nothing to reduce: infer().
    options.groups = call.groups.maybe_as_int().value_or(1);
  }

  /// The place of a tensor of the call among the arguments of the loss.
  size_t argument(int64_t place) const {
    if (place < static_cast<int64_t>(call.inputCount))
      return static_cast<size_t>(place);
    const size_t param = static_cast<size_t>(place) - call.inputCount;
    TORCH_CHECK(param < call.paramCount, "loss '", loss.loss().name(),
                "': weights of classes and samples have no gradient; multiply the result of "
                "reduction 'none' by the weights instead");
    return call.inputCount + static_cast<size_t>(call.paramAt[param]);
  }

  std::vector<bool> mask(at::IntArrayRef places) const {
    std::vector<bool> wanted(call.inputCount + call.values.size());
    for (int64_t place : places)
      wanted[argument(place)] = true;
    return wanted;
  }

  /// The gradients of the arguments as those of the tensors at `places`.
  Tensors pick(const Tensors &gradients, at::IntArrayRef places) const {
    Tensors picked;
    for (int64_t place : places)
      picked.push_back(gradients[argument(place)]);
    return picked;
  }

  /// Of the tensors at `places`, by argument.
  Tensors spread(at::TensorList tangents, at::IntArrayRef places) const {
    Tensors directions(call.inputCount + call.values.size());
    for (size_t i = 0; i < places.size(); ++i)
      directions[argument(places[i])] = tangents[i];
    return directions;
  }

  CompiledLoss loss;
  Tensors inputs;
  LossCallOptions options;
  const Call &call;
};

/// Runs `body`, and makes the errors of the loader those that Python knows.
template <typename Body> auto translated(Body body) -> decltype(body()) {
  try {
    return body();
  } catch (const runtime::ParamError &error) {
    TORCH_CHECK_VALUE(false, error.what());
  }
}

} // namespace

std::pair<CallPtr, Tensors> gather(LOSSLANG_CALL_PARAMETERS) {
  auto call = c10::make_intrusive<Call>();
  call->key = std::move(key);
  call->inputCount = inputs.size();
  call->paramCount = params.size();
  call->hasWeight = weight.has_value();
  call->hasSampleWeight = sampleWeight.has_value();
  call->values = values.vec();
  call->paramAt = paramAt.vec();
  call->ignoreIndex = ignoreIndex;
  call->labelSmoothing = labelSmoothing;
  call->reduction = std::move(reduction);
  call->groups = std::move(groups);
  call->program = std::move(program);
  Tensors tensors = inputs.vec();
  tensors.insert(tensors.end(), params.begin(), params.end());
  if (weight)
    tensors.push_back(*weight);
  if (sampleWeight)
    tensors.push_back(*sampleWeight);
  return {std::move(call), std::move(tensors)};
}

Tensor evaluate(const Call &call, at::TensorList tensors) {
  return translated([&] {
    const Prepared prepared(call, tensors);
    return prepared.loss.call(prepared.inputs, prepared.options);
  });
}

std::tuple<Tensor, Tensors> lossAndGradients(const Call &call, at::TensorList tensors,
                                             at::IntArrayRef wanted) {
  return translated([&] {
    const Prepared prepared(call, tensors);
    LossEvaluation found =
        prepared.loss.evaluate(prepared.inputs, prepared.options, prepared.mask(wanted));
    return std::tuple(std::move(found.result), prepared.pick(found.gradients, wanted));
  });
}

Tensors gradients(const Tensor &upstream, const Call &call, at::TensorList tensors,
                  at::IntArrayRef wanted) {
  return translated([&] {
    const Prepared prepared(call, tensors);
    return prepared.pick(prepared.loss.vectorJacobian(prepared.inputs, prepared.options, upstream,
                                                      prepared.mask(wanted)),
                         wanted);
  });
}

std::tuple<Tensor, Tensors> secondGradients(const Tensor &upstream, at::TensorList tangents,
                                            const Call &call, at::TensorList tensors,
                                            at::IntArrayRef wanted, at::IntArrayRef secondWanted) {
  return translated([&] {
    const Prepared prepared(call, tensors);
    LossEvaluation found =
        prepared.loss.hessianVector(prepared.inputs, prepared.options, upstream,
                                    prepared.spread(tangents, wanted), prepared.mask(secondWanted));
    return std::tuple(std::move(found.result), prepared.pick(found.gradients, secondWanted));
  });
}

Tensor directionalDerivative(at::TensorList tangents, const Call &call, at::TensorList tensors,
                             at::IntArrayRef wanted) {
  return translated([&] {
    const Prepared prepared(call, tensors);
    return prepared.loss
        .hessianVector(prepared.inputs, prepared.options, /*upstream=*/{},
                       prepared.spread(tangents, wanted), /*wanted=*/{})
        .result;
  });
}

std::tuple<Tensor, int64_t> infer(const Call &call, at::TensorList tensors,
                                  at::IntArrayRef wanted) {
  return translated([&] {
    const Prepared prepared(call, tensors);
    prepared.mask(wanted);
    const auto [result, layoutOf] = runtime::inferResult(
        prepared.loss.loss(),
        runtime::resolveCall(prepared.loss.loss(), prepared.inputs, prepared.options), call.groups);
    return std::tuple(result, layoutOf ? static_cast<int64_t>(*layoutOf) : -1);
  });
}

} // namespace loss::python
