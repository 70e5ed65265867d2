#include "runtime/torch/Loss.h"

#include <ostream>

namespace losslang {

using loss::runtime::LossCallOptions;
using loss::runtime::Reduction;
using torch::Tensor;

namespace {

Reduction reductionOf(const LossOptions::Reduction &reduction) {
  if (std::holds_alternative<torch::enumtype::kNone>(reduction))
    return Reduction::None;
  return std::holds_alternative<torch::enumtype::kSum>(reduction) ? Reduction::Sum
                                                                  : Reduction::Mean;
}

const char *nameOf(Reduction reduction) {
  switch (reduction) {
  case Reduction::None:
    return "none";
  case Reduction::Mean:
    return "mean";
  case Reduction::Sum:
    return "sum";
  }
  return "unknown";
}

} // namespace

LossImpl::LossImpl(LossHandle handle, LossOptions given)
    : options(std::move(given)), compiled(std::move(handle)) {
  for (const auto &[name, value] : options.params())
    this->handle().checkParam(this->handle().findParam(name), value);
  reset();
}

void LossImpl::reset() {
  if (options.weight().defined())
    weight = register_buffer("weight", options.weight().detach().clone());
  for (const auto &[name, learned] : options.learnedParams()) {
    const uint32_t param = handle().findParam(name);
    const auto value = options.params().find(name);
    register_parameter(name, torch::tensor(value != options.params().end()
                                               ? value->second
                                               : handle().module().params[param].default_value,
                                           torch::kDouble));
  }
}

void LossImpl::pretty_print(std::ostream &stream) const {
  stream << "losslang::Loss(" << handle().name();
  for (const auto &[name, value] : options.params())
    stream << ", " << name << "=" << value;
  for (const auto &[name, learned] : options.learnedParams())
    stream << ", learned " << name;
  stream << ", reduction=" << nameOf(reductionOf(options.reduction()));
  if (options.ignore_index() != -100)
    stream << ", ignore_index=" << options.ignore_index();
  if (options.label_smoothing() != 0)
    stream << ", label_smoothing=" << options.label_smoothing();
  stream << ")";
}

Tensor LossImpl::forward(const Tensor &input, const Tensor &target, const NamedTensors &inputs,
                         const Tensor &sampleWeight) {
  LossCallOptions call;
  call.reduction = reductionOf(options.reduction());
  call.ignoreIndex = options.ignore_index();
  call.labelSmoothing = options.label_smoothing();
  call.classWeight = weight;
  call.sampleWeight = sampleWeight;
  call.inputs = inputs;
  for (const auto &[name, value] : options.params())
    call.params.emplace_back(name, value);
  for (const auto &parameter : named_parameters(/*recurse=*/false))
    call.paramTensors.emplace_back(parameter.key(), parameter.value());
  return compiled(input, target, call);
}

} // namespace losslang
