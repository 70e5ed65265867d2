#include "runtime/torch/LossFunction.h"
#include "runtime/torch/Evaluate.h"
#include "runtime/torch/LossBackward.h"

#include <torch/csrc/autograd/functions/utils.h>

#include <algorithm>

namespace loss::runtime {

using torch::Tensor;

namespace {

/// The arguments that require a gradient now; empty when none does.
std::vector<bool> wantedGradients(const LossCall &call) {
  std::vector<bool> wanted(call.argumentCount());
  bool any = false;
  for (size_t i = 0; i < wanted.size(); ++i) {
    const Tensor &argument = call.argument(i);
    wanted[i] = argument.defined() && argument.requires_grad();
    any |= wanted[i];
  }
  if (!any || !at::GradMode::is_enabled())
    wanted.clear();
  return wanted;
}

} // namespace

Tensor CompiledLoss::operator()(const Tensor &input, const Tensor &target,
                                const LossCallOptions &options) const {
  const LossModule &module = handle.module();
  TORCH_CHECK_TYPE(input.defined(), "loss '", handle.name(), "': input '",
                   module.inputs[handle.mainInput()].name,
                   "': expected a tensor, but it is undefined");
  std::vector<Tensor> inputs(module.input_count);
  inputs[handle.mainInput()] = input;
  if (target.defined()) {
    int second = handle.targetInput();
    for (uint32_t i = 0; second < 0 && i < module.input_count; ++i) {
      const bool named = std::any_of(options.inputs.begin(), options.inputs.end(), [&](auto &each) {
        return each.first == module.inputs[i].name;
      });
      if (!named && static_cast<int>(i) != handle.mainInput())
        second = static_cast<int>(i);
    }
    TORCH_CHECK_TYPE(second >= 0, "loss '", handle.name(), "': takes no target, but one was given");
    inputs[second] = target;
  }
  return call(inputs, options);
}

Tensor CompiledLoss::call(const std::vector<Tensor> &inputs, const LossCallOptions &options) const {
  const LossCall call = resolveCall(handle, inputs, options);
  // Without this a tangent would silently be lost.
  for (size_t i = 0; i < call.argumentCount(); ++i)
    TORCH_CHECK_NOT_IMPLEMENTED(!torch::autograd::isFwGradDefined(call.argument(i)), "loss '",
                                handle.name(),
                                "': forward mode is not for CompiledLoss; the Python package and "
                                "hessianVector() have it");
  EvaluateRequest request;
  request.wanted = wantedGradients(call);
  if (request.wanted.empty()) {
    at::AutoDispatchBelowADInplaceOrView guard;
    return evaluateCall(handle, call, request).result;
  }

  const GradientPlan plan = planGradients(handle, call, request.wanted);
  auto node = c10::make_intrusive<LossBackward>(handle, call.reduction, plan, request.wanted);
  Tensor result;
  {
    at::AutoDispatchBelowADInplaceOrView guard;
    if (plan.deferred)
      request.wanted.clear();
    request.unscaled = plan.unscaled;
    Evaluated evaluated = evaluateCall(handle, call, request);
    result = std::move(evaluated.result);
    if (!plan.deferred)
      node->gradients = std::move(evaluated.gradients);
    if (plan.unscaled)
      node->scale = evaluated.meanScale;
  }
  if (plan.deferred || plan.secondOrder || plan.secondOrderOfAll)
    node->call = SavedCall(call);
  torch::autograd::edge_list edges(call.argumentCount());
  for (size_t i = 0; i < edges.size(); ++i)
    if (call.argument(i).defined() && call.argument(i).requires_grad())
      edges[i] = torch::autograd::impl::gradient_edge(call.argument(i));
  node->set_next_edges(std::move(edges));
  torch::autograd::set_history(result, node);
  return result;
}

LossEvaluation CompiledLoss::evaluate(const std::vector<Tensor> &inputs,
                                      const LossCallOptions &options,
                                      const std::vector<bool> &wanted) const {
  at::AutoDispatchBelowADInplaceOrView guard;
  const LossCall call = resolveCall(handle, inputs, options);
  EvaluateRequest request;
  request.wanted = wanted;
  Evaluated evaluated = evaluateCall(handle, call, request);
  return {std::move(evaluated.result), std::move(evaluated.gradients)};
}

std::vector<Tensor> CompiledLoss::vectorJacobian(const std::vector<Tensor> &inputs,
                                                 const LossCallOptions &options,
                                                 const Tensor &upstream,
                                                 const std::vector<bool> &wanted) const {
  at::AutoDispatchBelowADInplaceOrView guard;
  const LossCall call = resolveCall(handle, inputs, options);
  EvaluateRequest request;
  request.wanted = wanted;
  request.upstream = upstream;
  return evaluateCall(handle, call, request).gradients;
}

LossEvaluation CompiledLoss::hessianVector(const std::vector<Tensor> &inputs,
                                           const LossCallOptions &options, const Tensor &upstream,
                                           const std::vector<Tensor> &tangents,
                                           const std::vector<bool> &wanted) const {
  at::AutoDispatchBelowADInplaceOrView guard;
  const LossCall call = resolveCall(handle, inputs, options);
  std::vector<Tensor> directions = tangents;
  directions.resize(call.argumentCount());
  EvaluateRequest request;
  request.wanted = wanted;
  request.upstream = upstream;
  request.tangents = &directions;
  Evaluated evaluated = evaluateCall(handle, call, request);
  return {std::move(evaluated.result), std::move(evaluated.gradients)};
}

} // namespace loss::runtime
