#include "runtime/python/Call.h"

#include "runtime/python/Registry.h"
#include "runtime/torch/LossFunction.h"

namespace loss::python {

using at::Tensor;
using runtime::CompiledLoss;
using runtime::LossCallOptions;
using runtime::LossHandle;
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

/// Inside a kernel of the dispatcher autograd is switched off: on again, as for a caller outside.
class WithAutograd {
public:
  WithAutograd() : keys(c10::default_included_set, c10::default_excluded_set), mode(true) {}

private:
  c10::impl::ForceDispatchKeyGuard keys;
  at::AutoGradMode mode;
};

/// The tensors as leaves of a graph of their own, those at the given places with a gradient.
Tensors asLeaves(at::TensorList tensors, at::IntArrayRef first, at::IntArrayRef second = {}) {
  Tensors leaves;
  for (const Tensor &tensor : tensors)
    leaves.push_back(tensor.detach());
  for (at::IntArrayRef places : {first, second})
    for (int64_t place : places)
      leaves[place].requires_grad_();
  return leaves;
}

Tensors pick(const Tensors &tensors, at::IntArrayRef places) {
  Tensors picked;
  for (int64_t place : places)
    picked.push_back(tensors[place]);
  return picked;
}

/// Contiguous, and of the tensor's own shape where autograd found no path to it: what the fake
/// kernels promise.
Tensors complete(Tensors gradients, const Tensors &of) {
  for (size_t i = 0; i < gradients.size(); ++i)
    gradients[i] = gradients[i].defined() ? gradients[i].contiguous()
                                          : at::zeros_like(of[i], at::MemoryFormat::Contiguous);
  return gradients;
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
  Tensors tensors = inputs.vec();
  tensors.insert(tensors.end(), params.begin(), params.end());
  if (weight)
    tensors.push_back(*weight);
  if (sampleWeight)
    tensors.push_back(*sampleWeight);
  return {std::move(call), std::move(tensors)};
}

Tensor evaluate(const Call &call, at::TensorList tensors) {
  LossHandle handle = findLoss(call.key, LOSS_F32);
  const LossModule &module = handle.module();
  TORCH_CHECK(call.inputCount == module.input_count, "loss '", handle.name(), "': expected ",
              module.input_count, " inputs, but found ", call.inputCount);
  TORCH_CHECK(call.values.size() == module.param_count, "loss '", handle.name(), "': expected ",
              module.param_count, " parameters, but found ", call.values.size());
  const Tensor &main = tensors[handle.mainInput()];
  if (main.scalar_type() == at::kDouble)
    handle = findLoss(call.key, LOSS_F64);

  LossCallOptions options;
  options.reduction = parseReduction(call.reduction);
  for (uint32_t i = 0; i < module.param_count; ++i)
    options.params.emplace_back(module.params[i].name, call.values[i]);
  TORCH_CHECK(call.paramCount == 0 && !call.hasWeight && !call.hasSampleWeight &&
                  call.labelSmoothing == 0,
              "not yet");
  Tensor target;
  for (uint32_t i = 0; i < module.input_count; ++i)
    if (static_cast<int>(i) == handle.targetInput())
      target = tensors[i];
    else if (static_cast<int>(i) != handle.mainInput())
      options.inputs.emplace_back(module.inputs[i].name, tensors[i]);
  return CompiledLoss(handle)(main, target, options);
}

Tensors gradients(const Tensor &upstream, const Call &call, at::TensorList tensors,
                  at::IntArrayRef wanted) {
  WithAutograd guard;
  const Tensors leaves = asLeaves(tensors, wanted);
  const Tensors of = pick(leaves, wanted);
  return complete(torch::autograd::grad({evaluate(call, leaves)}, of, {upstream.detach()},
                                        /*retain_graph=*/false, /*create_graph=*/false,
                                        /*allow_unused=*/true),
                  of);
}

std::tuple<Tensor, Tensors> lossAndGradients(const Call &call, at::TensorList tensors,
                                             at::IntArrayRef wanted) {
  WithAutograd guard;
  const Tensors leaves = asLeaves(tensors, wanted);
  const Tensors of = pick(leaves, wanted);
  Tensor value = evaluate(call, leaves);
  Tensors found = torch::autograd::grad({value}, of, {}, false, false, /*allow_unused=*/true);
  return {value.detach(), complete(std::move(found), of)};
}

std::tuple<Tensor, Tensors> secondGradients(const Tensor &upstream, at::TensorList tangents,
                                            const Call &call, at::TensorList tensors,
                                            at::IntArrayRef wanted, at::IntArrayRef secondWanted) {
  WithAutograd guard;
  const Tensors leaves = asLeaves(tensors, wanted, secondWanted);
  const Tensor factor = upstream.detach().requires_grad_();
  const Tensors first =
      torch::autograd::grad({evaluate(call, leaves)}, pick(leaves, wanted), {factor},
                            /*retain_graph=*/true, /*create_graph=*/true, /*allow_unused=*/true);
  // Where a first gradient is constantly zero, so are its derivatives.
  Tensors from, along;
  for (size_t i = 0; i < first.size(); ++i)
    if (first[i].defined() && first[i].requires_grad()) {
      from.push_back(first[i]);
      along.push_back(tangents[i].detach());
    }
  Tensors of = pick(leaves, secondWanted);
  of.insert(of.begin(), factor);
  Tensors found(of.size());
  if (!from.empty())
    found = torch::autograd::grad(from, of, along, false, false, /*allow_unused=*/true);
  found = complete(std::move(found), of);
  Tensor forUpstream = std::move(found.front());
  found.erase(found.begin());
  return {std::move(forUpstream), std::move(found)};
}

} // namespace loss::python
