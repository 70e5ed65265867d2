#include "runtime/python/TracedLoss.h"

#include "runtime/python/Dispatch.h"
#include "runtime/python/ForwardMode.h"
#include "runtime/torch/LossBackward.h"

#include <c10/core/impl/TorchDispatchModeTLS.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/saved_variable.h>

#include <algorithm>

namespace loss::python {

using at::Tensor;
using torch::autograd::variable_list;

namespace {

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

  void compiled_args(torch::autograd::CompiledNodeArgs &) const override {
    runtime::refuseCompiledAutograd(name());
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

/// The node behind a derivative along tangents: reverse mode over forward mode.
class DirectionalNode final : public CallNode {
public:
  DirectionalNode(const CallPtr &call, at::TensorList tensors, at::TensorList tangents,
                  std::vector<int64_t> first)
      : CallNode(call, tensors, requiringGradient(tensors), tangents), first(std::move(first)),
        tangents(save(tangents)) {}

  variable_list apply(variable_list &&given) override {
    std::lock_guard<std::mutex> lock(mutex_);
    variable_list result(wanted.size() + first.size());
    const Tensor upstream = std::move(given[0]);
    if (!upstream.defined())
      return result;
    const Tensors tensors = unpack(saved);
    std::vector<int64_t> asked, askedTangents;
    for (size_t i = 0; i < result.size(); ++i)
      if (task_should_compute_output(i))
        i < wanted.size() ? asked.push_back(wanted[i])
                          : askedTangents.push_back(first[i - wanted.size()]);
    Tensors found, foundTangents;
    if (!asked.empty())
      found = std::get<1>(
          callSecondGradients(upstream, unpack(tangents), *call, tensors, first, asked));
    // Linear in the tangents.
    if (!askedTangents.empty())
      foundTangents = callGradients(upstream, *call, tensors, askedTangents);
    auto next = found.begin(), nextTangent = foundTangents.begin();
    for (size_t i = 0; i < result.size(); ++i)
      if (task_should_compute_output(i))
        result[i] = std::move(i < wanted.size() ? *next++ : *nextTangent++);
    return result;
  }
  std::string name() const override { return "LossDirectionalBackward"; }

private:
  void releaseMore() override {
    for (auto &variable : tangents)
      variable.reset_data();
  }
  std::vector<int64_t> first;
  std::vector<torch::autograd::SavedVariable> tangents;
};

/// The node behind second derivatives, which are linear in their tangents: the derivative by those
/// is one more of the second order. Its outputs are upstream, the tensors and the tangents.
class SecondGradientsNode final : public CallNode {
public:
  SecondGradientsNode(const CallPtr &call, at::TensorList tensors, const Tensor &upstream,
                      at::TensorList tangents, std::vector<int64_t> first,
                      std::vector<int64_t> second)
      : CallNode(call, tensors, requiringGradient(tensors), joined(upstream, tangents)),
        first(std::move(first)), second(std::move(second)), upstream(upstream, false),
        tangents(save(tangents)) {}

  variable_list apply(variable_list &&given) override {
    std::lock_guard<std::mutex> lock(mutex_);
    const Tensors tensors = unpack(saved);
    const Tensor forLoss = given[0];
    const bool ofGradients =
        std::any_of(given.begin() + 1, given.end(), [](const Tensor &t) { return t.defined(); });
    variable_list result(wanted.size() + 1 + first.size());
    std::vector<int64_t> asked, askedTangents;
    std::vector<size_t> askedAt, askedTangentsAt;
    for (size_t i = 0; i < result.size(); ++i) {
      if (!task_should_compute_output(i))
        continue;
      if (i > wanted.size()) {
        askedTangents.push_back(first[i - wanted.size() - 1]);
        askedTangentsAt.push_back(i);
        continue;
      }
      TORCH_CHECK(!ofGradients, "the compiled loss '", call->key.substr(0, call->key.find(':')),
                  "' has no third derivative");
      if (i < wanted.size()) {
        asked.push_back(wanted[i]);
        askedAt.push_back(i);
      }
    }
    if (!asked.empty() && forLoss.defined()) {
      Tensors found =
          std::get<1>(callSecondGradients(forLoss, unpack(tangents), *call, tensors, first, asked));
      for (size_t i = 0; i < found.size(); ++i)
        result[askedAt[i]] = std::move(found[i]);
    }
    if (!askedTangents.empty() && ofGradients) {
      Tensors directions;
      for (size_t i = 0; i < second.size(); ++i)
        directions.push_back(given[1 + i].defined() ? given[1 + i]
                                                    : at::zeros_like(tensors[second[i]]));
      Tensors found = std::get<1>(callSecondGradients(upstream.unpack(), directions, *call, tensors,
                                                      second, askedTangents));
      for (size_t i = 0; i < found.size(); ++i)
        result[askedTangentsAt[i]] = std::move(found[i]);
    }
    if (!askedTangents.empty() && forLoss.defined()) {
      Tensors found = callGradients(forLoss, *call, tensors, askedTangents);
      for (size_t i = 0; i < found.size(); ++i) {
        Tensor &sum = result[askedTangentsAt[i]];
        sum = sum.defined() ? sum + found[i] : found[i];
      }
    }
    return result;
  }
  std::string name() const override { return "LossSecondGradientsBackward"; }

private:
  static Tensors joined(const Tensor &upstream, at::TensorList tangents) {
    Tensors all = {upstream};
    all.insert(all.end(), tangents.begin(), tangents.end());
    return all;
  }
  void releaseMore() override {
    upstream.reset_data();
    for (auto &variable : tangents)
      variable.reset_data();
  }
  std::vector<int64_t> first, second;
  torch::autograd::SavedVariable upstream;
  std::vector<torch::autograd::SavedVariable> tangents;
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
  const bool isDifferentiable = !wanted.empty() && at::GradMode::is_enabled();
  Tensor value;
  Tensors gradients;
  if (!isDifferentiable) {
    at::AutoDispatchBelowAutograd guard;
    value = callLoss(*call, tensors);
  } else {
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
  if (isDifferentiable)
    torch::autograd::set_history(value,
                                 c10::make_intrusive<LossNode>(call, tensors, wanted, gradients));
  setLossTangent(value, *call, tensors);
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
  setGradientTangents(gradients, upstream, *call, tensors, wanted);
  return gradients;
}

Tensor tracedDirectionalDerivative(at::TensorList tangents, const CallPtr &call,
                                   at::TensorList tensors, at::IntArrayRef wanted) {
  Tensor result;
  {
    at::AutoDispatchBelowAutograd guard;
    result = callDirectionalDerivative(tangents, *call, tensors, wanted);
  }
  if (at::GradMode::is_enabled() &&
      !(requiringGradient(tensors).empty() && requiringGradient(tangents).empty()))
    torch::autograd::set_history(
        result, c10::make_intrusive<DirectionalNode>(call, tensors, tangents, wanted.vec()));
  return result;
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
  auto node = c10::make_intrusive<SecondGradientsNode>(call, tensors, upstream, tangents,
                                                       wanted.vec(), secondWanted.vec());
  torch::autograd::set_history(std::get<0>(result), node);
  torch::autograd::set_history(std::get<1>(result), node);
  return result;
}

} // namespace loss::python
