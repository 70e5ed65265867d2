#include "runtime/python/TracedLoss.h"

#include <c10/core/impl/TorchDispatchModeTLS.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <algorithm>

namespace loss::python {

using at::Tensor;
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
                 c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups);
}

std::tuple<Tensor, Tensors> callLossAndGradients(const Call &c, at::TensorList tensors,
                                                 at::IntArrayRef wanted) {
  static const auto op =
      findOperator<std::tuple<Tensor, Tensors>(LOSSLANG_CALL_PARAMETERS, at::IntArrayRef)>(
          "losslang::loss_and_gradients");
  const Unpacked u(c, tensors);
  return op.call(c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, wanted);
}

Tensors callGradients(const Tensor &upstream, const Call &c, at::TensorList tensors,
                      at::IntArrayRef wanted) {
  static const auto op =
      findOperator<Tensors(const Tensor &, LOSSLANG_CALL_PARAMETERS, at::IntArrayRef)>(
          "losslang::gradients");
  const Unpacked u(c, tensors);
  return op.call(upstream, c.key, u.inputs, u.params, u.weight, u.sampleWeight, c.values, c.paramAt,
                 c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, wanted);
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
                 c.paramAt, c.ignoreIndex, c.labelSmoothing, c.reduction, c.groups, wanted,
                 secondWanted);
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

/// What a node remembers of a call: as the generated nodes of LibTorch, because torch.func refuses
/// nodes that are made with torch::autograd::Function.
class CallNode : public torch::autograd::Node {
public:
  /// Edges to the tensors at `wanted`, then to `more`.
  CallNode(CallPtr call, at::TensorList tensors, std::vector<int64_t> wanted,
           at::TensorList more = {})
      : call(std::move(call)), wanted(std::move(wanted)) {
    torch::autograd::edge_list edges;
    for (int64_t place : this->wanted)
      edges.push_back(torch::autograd::impl::gradient_edge(tensors[place]));
    for (const Tensor &tensor : more)
      edges.push_back(torch::autograd::impl::gradient_edge(tensor));
    set_next_edges(std::move(edges));
    saved = save(tensors);
  }

  void release_variables() override {
    std::lock_guard<std::mutex> lock(mutex_);
    for (auto &variable : saved)
      variable.reset_data();
    releaseMore();
  }

protected:
  static std::vector<torch::autograd::SavedVariable> save(at::TensorList tensors) {
    std::vector<torch::autograd::SavedVariable> variables;
    for (const Tensor &tensor : tensors)
      variables.emplace_back(tensor, /*is_output=*/false);
    return variables;
  }
  static Tensors unpack(const std::vector<torch::autograd::SavedVariable> &variables) {
    Tensors tensors;
    for (const auto &variable : variables)
      tensors.push_back(variable.unpack());
    return tensors;
  }
  virtual void releaseMore() {}

  CallPtr call;
  std::vector<int64_t> wanted;
  std::vector<torch::autograd::SavedVariable> saved;
};

/// The node behind the loss. `gradients` were computed together with the value, or are empty.
class LossNode final : public CallNode {
public:
  LossNode(const CallPtr &call, at::TensorList tensors, std::vector<int64_t> wanted,
           at::TensorList gradients)
      : CallNode(call, tensors, std::move(wanted)), ready(save(gradients)) {}

  variable_list apply(variable_list &&given) override {
    std::lock_guard<std::mutex> lock(mutex_);
    variable_list result(wanted.size());
    const Tensor upstream = std::move(given[0]);
    if (!upstream.defined())
      return result;
    if (ready.empty() || at::GradMode::is_enabled())
      return callGradients(upstream, *call, unpack(saved), wanted);
    for (size_t i = 0; i < result.size(); ++i) {
      const Tensor gradient = ready[i].unpack();
      result[i] = gradient * upstream.to(gradient.scalar_type());
    }
    return result;
  }
  std::string name() const override { return "LossBackward"; }

private:
  void releaseMore() override {
    for (auto &variable : ready)
      variable.reset_data();
  }
  std::vector<torch::autograd::SavedVariable> ready;
};

/// The node behind the gradients: second derivatives.
class GradientsNode final : public CallNode {
public:
  GradientsNode(const CallPtr &call, at::TensorList tensors, const Tensor &upstream,
                std::vector<int64_t> first)
      : CallNode(call, tensors, requiringGradient(tensors), {upstream}), first(std::move(first)),
        upstream(upstream, false) {}

  variable_list apply(variable_list &&given) override {
    std::lock_guard<std::mutex> lock(mutex_);
    const Tensors tensors = unpack(saved);
    Tensors tangents;
    for (size_t i = 0; i < first.size(); ++i)
      tangents.push_back(given[i].defined() ? given[i] : at::zeros_like(tensors[first[i]]));
    // Not everything that requires a gradient has a second one.
    std::vector<int64_t> asked;
    for (size_t i = 0; i < wanted.size(); ++i)
      if (task_should_compute_output(i))
        asked.push_back(wanted[i]);
    auto [forUpstream, found] =
        callSecondGradients(upstream.unpack(), tangents, *call, tensors, first, asked);
    variable_list result(wanted.size() + 1);
    for (size_t i = 0, next = 0; i < wanted.size(); ++i)
      if (task_should_compute_output(i))
        result[i] = std::move(found[next++]);
    result.back() = std::move(forUpstream);
    return result;
  }
  std::string name() const override { return "LossGradientsBackward"; }

private:
  void releaseMore() override { upstream.reset_data(); }
  std::vector<int64_t> first;
  torch::autograd::SavedVariable upstream;
};

/// The node behind second derivatives.
class SecondGradientsNode final : public torch::autograd::Node {
public:
  explicit SecondGradientsNode(std::string loss) : loss(std::move(loss)) {}
  variable_list apply(variable_list &&) override {
    TORCH_CHECK(false, "the compiled loss '", loss, "' has no third derivative");
  }
  std::string name() const override { return "LossSecondGradientsBackward"; }

private:
  std::string loss;
};

} // namespace

bool arePlain(at::TensorList tensors) {
  const c10::DispatchKeySet watched =
      functorchKeys |
      c10::DispatchKeySet({c10::DispatchKey::Python, c10::DispatchKey::Functionalize});
  if (c10::impl::TorchDispatchModeTLS::any_modes_set())
    return false;
  return std::all_of(tensors.begin(), tensors.end(),
                     [&](const Tensor &t) { return t.is_cpu() && !t.key_set().has_any(watched); });
}

Tensor tracedLoss(const CallPtr &call, at::TensorList tensors) {
  const std::vector<int64_t> wanted = requiringGradient(tensors);
  if (wanted.empty() || !at::GradMode::is_enabled()) {
    at::AutoDispatchBelowAutograd guard;
    return callLoss(*call, tensors);
  }
  Tensor value;
  Tensors gradients;
  {
    at::AutoDispatchBelowAutograd guard;
    // One run of the kernel gives both, if nothing but the scale of the gradient is open yet.
    // torch.func differentiates the gradients too, and needs them as an operation of their own.
    // Half-precision gradients of a mean would be lost before a loss scale comes from above, and
    // groups have one scale each.
    const bool isTiny =
        call->reduction == "mean" && std::any_of(wanted.begin(), wanted.end(), [&](int64_t place) {
          return tensors[place].scalar_type() == at::kHalf;
        });
    if (call->reduction != "none" && call->groups == 1 && !isTiny && !underFunctorch(tensors))
      std::tie(value, gradients) = callLossAndGradients(*call, tensors, wanted);
    else
      value = callLoss(*call, tensors);
  }
  torch::autograd::set_history(value,
                               c10::make_intrusive<LossNode>(call, tensors, wanted, gradients));
  return value;
}

Tensors tracedGradients(const Tensor &upstream, const CallPtr &call, at::TensorList tensors,
                        at::IntArrayRef wanted) {
  Tensors gradients;
  {
    at::AutoDispatchBelowAutograd guard;
    gradients = callGradients(upstream, *call, tensors, wanted);
  }
  if (at::GradMode::is_enabled() &&
      (upstream.requires_grad() || !requiringGradient(tensors).empty()))
    torch::autograd::set_history(
        gradients, c10::make_intrusive<GradientsNode>(call, tensors, upstream, wanted.vec()));
  return gradients;
}

std::tuple<Tensor, Tensors> tracedSecondGradients(const Tensor &upstream, at::TensorList tangents,
                                                  const CallPtr &call, at::TensorList tensors,
                                                  at::IntArrayRef wanted,
                                                  at::IntArrayRef secondWanted) {
  std::tuple<Tensor, Tensors> result;
  {
    at::AutoDispatchBelowAutograd guard;
    result = callSecondGradients(upstream, tangents, *call, tensors, wanted, secondWanted);
  }
  Tensors sources = {upstream};
  sources.insert(sources.end(), tangents.begin(), tangents.end());
  sources.insert(sources.end(), tensors.begin(), tensors.end());
  if (!at::GradMode::is_enabled() || requiringGradient(sources).empty())
    return result;
  auto node = c10::make_intrusive<SecondGradientsNode>(call->key.substr(0, call->key.find(':')));
  torch::autograd::edge_list edges;
  for (int64_t place : requiringGradient(sources))
    edges.push_back(torch::autograd::impl::gradient_edge(sources[place]));
  node->set_next_edges(std::move(edges));
  torch::autograd::set_history(std::get<0>(result), node);
  torch::autograd::set_history(std::get<1>(result), node);
  return result;
}

} // namespace loss::python
