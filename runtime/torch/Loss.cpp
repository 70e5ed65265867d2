#include "runtime/torch/Loss.h"

#include "runtime/torch/CallOptions.h"

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
    : settings(std::move(given)), compiled(std::move(handle)) {
  check(settings);
  reset();
}

void LossImpl::check(const LossOptions &options) const {
  for (const auto &[name, value] : options.params())
    handle().checkParam(handle().findParam(name), value);
  loss::runtime::checkOptions(handle(), options.weight(), options.ignore_index(),
                              options.label_smoothing());
}

void LossImpl::reset() {
  if (settings.weight().defined())
    classWeight = register_buffer("weight", settings.weight().detach().clone());
  for (const auto &[name, learned] : settings.learnedParams()) {
    const uint32_t param = handle().findParam(name);
    const auto value = settings.params().find(name);
    register_parameter(name, torch::tensor(value != settings.params().end()
                                               ? value->second
                                               : handle().module().params[param].default_value,
                                           torch::kDouble));
  }
}

double LossImpl::param(const std::string &name) const {
  const double initial = handle().module().params[handle().findParam(name)].default_value;
  const auto learned = named_parameters(/*recurse=*/false);
  if (const Tensor *tensor = learned.find(name))
    return tensor->item<double>();
  const auto value = settings.params().find(name);
  return value != settings.params().end() ? value->second : initial;
}

void LossImpl::set_param(const std::string &name, double value) {
  handle().checkParam(handle().findParam(name), value);
  settings.param(name, value);
  auto learned = named_parameters(/*recurse=*/false);
  if (Tensor *tensor = learned.find(name)) {
    torch::NoGradGuard guard;
    tensor->fill_(value);
  }
}

void LossImpl::set_ignore_index(std::optional<int64_t> index) {
  check(LossOptions(settings).ignore_index(index));
  settings.ignore_index(index);
}

void LossImpl::set_label_smoothing(double smoothing) {
  check(LossOptions(settings).label_smoothing(smoothing));
  settings.label_smoothing(smoothing);
}

void LossImpl::set_weight(const Tensor &weight) {
  TORCH_CHECK_VALUE(weight.defined(), "expected weights of the classes, but found no tensor");
  check(LossOptions(settings).weight(weight));
  settings.weight(weight);
  if (!classWeight.defined()) {
    classWeight = register_buffer("weight", weight.detach().clone());
    return;
  }
  torch::NoGradGuard guard;
  classWeight.copy_(weight);
}

void LossImpl::pretty_print(std::ostream &stream) const {
  const LossModule &module = handle().module();
  stream << "losslang::Loss(" << handle().name();
  for (uint32_t i = 0; i < module.param_count; ++i)
    stream << ", " << module.params[i].name << "=" << param(module.params[i].name)
           << (settings.learnedParams().count(module.params[i].name) ? " (learned)" : "");
  stream << ", reduction=" << nameOf(reductionOf(settings.reduction()));
  if (settings.ignore_index())
    stream << ", ignore_index=" << *settings.ignore_index();
  if (settings.label_smoothing() != 0)
    stream << ", label_smoothing=" << settings.label_smoothing();
  stream << ")";
}

Tensor LossImpl::forward(const Tensor &input, const Tensor &target, const NamedTensors &inputs,
                         const Tensor &sampleWeight) {
  LossCallOptions call;
  call.reduction = reductionOf(settings.reduction());
  call.ignoreIndex = settings.ignore_index();
  call.labelSmoothing = settings.label_smoothing();
  call.classWeight = classWeight;
  call.sampleWeight = sampleWeight;
  call.inputs = inputs;
  for (const auto &[name, value] : settings.params())
    call.params.emplace_back(name, value);
  for (const auto &parameter : named_parameters(/*recurse=*/false))
    call.paramTensors.emplace_back(parameter.key(), parameter.value());
  return compiled(input, target, call);
}

} // namespace losslang
