#include "runtime/python/TracedLoss.h"

#include <c10/core/impl/TorchDispatchModeTLS.h>

#include <algorithm>

namespace loss::python {

using at::Tensor;
using torch::autograd::AutogradContext;
using torch::autograd::variable_list;

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

Tensor callLoss(const Call &c, at::TensorList tensors) {
  static const auto op = findOperator<Tensor(LOSSLANG_CALL_PARAMETERS)>("losslang::loss");
  const Unpacked u(c, tensors);
  return op.call(c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction);
}

std::tuple<Tensor, Tensors> callLossAndGradients(const Call &c, at::TensorList tensors,
                                                 at::IntArrayRef wanted) {
  static const auto op =
      findOperator<std::tuple<Tensor, Tensors>(LOSSLANG_CALL_PARAMETERS, at::IntArrayRef)>(
          "losslang::loss_and_gradients");
  const Unpacked u(c, tensors);
  return op.call(c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, wanted);
}

Tensors callGradients(const Tensor &upstream, const Call &c, at::TensorList tensors,
                      at::IntArrayRef wanted) {
  static const auto op =
      findOperator<Tensors(const Tensor &, LOSSLANG_CALL_PARAMETERS, at::IntArrayRef)>(
          "losslang::gradients");
  const Unpacked u(c, tensors);
  return op.call(upstream, c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, wanted);
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
                 c.paramAt, c.ignoreIndex, c.labelSmoothing, c.reduction, wanted, secondWanted);
}

/// Places of the tensors that require a gradient.
std::vector<int64_t> requiringGradient(at::TensorList tensors) {
  std::vector<int64_t> places;
  for (size_t i = 0; i < tensors.size(); ++i)
    if (tensors[i].requires_grad())
      places.push_back(static_cast<int64_t>(i));
  return places;
}

const c10::DispatchKeySet functorchKeys({c10::DispatchKey::FuncTorchBatched,
                                         c10::DispatchKey::FuncTorchGradWrapper});

bool underFunctorch(at::TensorList tensors) {
  return std::any_of(tensors.begin(), tensors.end(),
                     [](const Tensor &t) { return t.key_set().has_any(functorchKeys); });
}

void keep(AutogradContext *context, const CallPtr &call, std::vector<int64_t> wanted) {
  context->saved_data["call"] = c10::IValue::make_capsule(call);
  context->saved_data["wanted"] = std::move(wanted);
}

CallPtr keptCall(AutogradContext *context) {
  return c10::static_intrusive_pointer_cast<Call>(context->saved_data["call"].toCapsule());
}

class LossNode : public torch::autograd::Function<LossNode> {
public:
  static Tensor forward(AutogradContext *context, const CallPtr &call, at::TensorList tensors) {
    at::AutoDispatchBelowAutograd guard;
    const std::vector<int64_t> wanted = requiringGradient(tensors);
    keep(context, call, wanted);
    variable_list saved = tensors.vec();
    // One run of the kernel gives both, if nothing but the scale of the gradient is open yet. torch.func
    // differentiates the gradients too, and needs them as an operation of their own.
    Tensor value;
    const bool together =
        call->reduction != "none" && !wanted.empty() && !underFunctorch(tensors);
    if (together) {
      Tensors found;
      std::tie(value, found) = callLossAndGradients(*call, tensors, wanted);
      saved.insert(saved.end(), found.begin(), found.end());
    } else {
      value = callLoss(*call, tensors);
    }
    context->saved_data["together"] = together;
    context->saved_data["count"] = static_cast<int64_t>(tensors.size());
    context->save_for_backward(std::move(saved));
    return value;
  }

  static variable_list backward(AutogradContext *context, variable_list upstream) {
    const CallPtr call = keptCall(context);
    const std::vector<int64_t> wanted = context->saved_data["wanted"].toIntVector();
    const auto count = static_cast<size_t>(context->saved_data["count"].toInt());
    variable_list saved = context->get_saved_variables();
    variable_list result(1 + count);
    if (!upstream[0].defined())
      return result;
    if (context->saved_data["together"].toBool() && !at::GradMode::is_enabled()) {
      for (size_t i = 0; i < wanted.size(); ++i) {
        const Tensor &gradient = saved[count + i];
        result[1 + wanted[i]] = gradient * upstream[0].to(gradient.scalar_type());
      }
      return result;
    }
    saved.resize(count);
    Tensors found = callGradients(upstream[0], *call, saved, wanted);
    for (size_t i = 0; i < wanted.size(); ++i)
      result[1 + wanted[i]] = std::move(found[i]);
    return result;
  }
};

class GradientsNode : public torch::autograd::Function<GradientsNode> {
public:
  static variable_list forward(AutogradContext *context, const CallPtr &call, at::TensorList tensors,
                               const Tensor &upstream, const std::vector<int64_t> &wanted) {
    at::AutoDispatchBelowAutograd guard;
    keep(context, call, wanted);
    context->saved_data["second"] = requiringGradient(tensors);
    variable_list saved = tensors.vec();
    saved.push_back(upstream);
    context->save_for_backward(std::move(saved));
    return callGradients(upstream, *call, tensors, wanted);
  }

  static variable_list backward(AutogradContext *context, variable_list given) {
    const CallPtr call = keptCall(context);
    const std::vector<int64_t> wanted = context->saved_data["wanted"].toIntVector();
    const std::vector<int64_t> second = context->saved_data["second"].toIntVector();
    variable_list tensors = context->get_saved_variables();
    const Tensor upstream = std::move(tensors.back());
    tensors.pop_back();
    Tensors tangents;
    for (size_t i = 0; i < wanted.size(); ++i)
      tangents.push_back(given[i].defined() ? given[i] : at::zeros_like(tensors[wanted[i]]));
    auto [forUpstream, found] =
        callSecondGradients(upstream, tangents, *call, tensors, wanted, second);
    variable_list result(1 + tensors.size() + 2);
    for (size_t i = 0; i < second.size(); ++i)
      result[1 + second[i]] = std::move(found[i]);
    result[1 + tensors.size()] = std::move(forUpstream);
    return result;
  }
};

} // namespace

bool arePlain(at::TensorList tensors) {
  const c10::DispatchKeySet watched =
      functorchKeys |
      c10::DispatchKeySet({c10::DispatchKey::Python, c10::DispatchKey::Functionalize});
  if (c10::impl::TorchDispatchModeTLS::any_modes_set())
    return false;
  return std::all_of(tensors.begin(), tensors.end(), [&](const Tensor &t) {
    return t.is_cpu() && !t.key_set().has_any(watched);
  });
}

Tensor tracedLoss(const CallPtr &call, at::TensorList tensors) {
  return LossNode::apply(call, tensors);
}

Tensors tracedGradients(const Tensor &upstream, const CallPtr &call, at::TensorList tensors,
                        at::IntArrayRef wanted) {
  return GradientsNode::apply(call, tensors, upstream, wanted.vec());
}

} // namespace loss::python
