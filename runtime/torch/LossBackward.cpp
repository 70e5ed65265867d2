#include "runtime/torch/LossBackward.h"

#include "runtime/torch/BatchedTensors.h"

#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/csrc/autograd/saved_variable.h>

namespace loss::runtime {

using torch::Tensor;
using torch::autograd::SavedVariable;
using torch::autograd::variable_list;

namespace {

/// Stands behind outputs that have no derivative: they are constants to autograd, which would
/// otherwise silently be taken for having a derivative of zero.
class NoDerivative : public torch::autograd::Node {
public:
  explicit NoDerivative(std::string message) : message(std::move(message)) {}
  variable_list apply(variable_list &&) override { TORCH_CHECK(false, message); }
  std::string name() const override { return "NoDerivative"; }

private:
  std::string message;
};

/// Edges to what an output depends on.
torch::autograd::edge_list edgesTo(const std::vector<Tensor> &tensors) {
  torch::autograd::edge_list edges;
  for (const Tensor &tensor : tensors)
    edges.push_back(tensor.defined() && tensor.requires_grad()
                        ? torch::autograd::impl::gradient_edge(tensor)
                        : torch::autograd::Edge());
  return edges;
}

/// Makes a derivative of `output` by any of `sources` an error.
void forbidDerivative(Tensor &output, const std::vector<Tensor> &sources,
                      const std::string &message) {
  if (!output.defined())
    return;
  auto node = c10::make_intrusive<NoDerivative>(message);
  node->set_next_edges(edgesTo(sources));
  torch::autograd::set_history(output, node);
}

/// The gradient from above, then the arguments.
std::vector<Tensor> sourcesOf(const LossCall &call, const Tensor &upstream) {
  std::vector<Tensor> sources = {upstream};
  for (size_t i = 0; i < call.argumentCount(); ++i)
    sources.push_back(call.argument(i));
  return sources;
}

std::string argumentName(const LossHandle &loss, size_t argument) {
  const LossModule &module = loss.module();
  return argument < module.input_count
             ? std::string("input '") + module.inputs[argument].name + "'"
             : std::string("parameter '") + module.params[argument - module.input_count].name + "'";
}

/// The derivative of the loss along the directions, and those of its gradients for `upstream`.
variable_list alongDirections(const LossHandle &loss, const LossCall &call, const Tensor &upstream,
                              std::vector<Tensor> directions, const std::vector<bool> &wanted) {
  directions.push_back(upstream);
  return forEachSample(std::move(directions), [&](variable_list sample) {
    at::AutoDispatchBelowADInplaceOrView guard;
    EvaluateRequest request;
    request.wanted = wanted;
    request.upstream = std::move(sample.back());
    sample.pop_back();
    request.tangents = &sample;
    Evaluated second = evaluateCall(loss, call, request);
    second.gradients.insert(second.gradients.begin(), std::move(second.result));
    return second.gradients;
  });
}

/// Adds where both are.
Tensor plus(const Tensor &a, const Tensor &b) {
  return !a.defined() ? b : !b.defined() ? a : a + b;
}

std::vector<SavedVariable> save(const std::vector<Tensor> &tensors) {
  std::vector<SavedVariable> saved;
  for (const Tensor &tensor : tensors)
    saved.emplace_back(tensor, /*is_output=*/false);
  return saved;
}

} // namespace

void refuseCompiledAutograd(const std::string &name) {
  TORCH_CHECK_NOT_IMPLEMENTED(
      false, name,
      ": compiled autograd cannot trace the backward pass of a compiled loss that was called "
      "outside "
      "of torch.compile: call the loss in a function or model under torch.compile, or run this "
      "backward pass without compiled autograd");
  __builtin_unreachable();
}

SavedCall::SavedCall(const LossCall &given) : call(given) {
  inputs = save(given.inputs);
  params = save(given.paramTensors);
  weights = save({given.sampleWeight, given.classWeight});
  call.inputs.clear();
  call.paramTensors.clear();
  call.sampleWeight.reset();
  call.classWeight.reset();
}

LossCall SavedCall::unpack() const {
  LossCall whole = call;
  for (const SavedVariable &input : inputs)
    whole.inputs.push_back(input.unpack());
  for (const SavedVariable &param : params)
    whole.paramTensors.push_back(param.unpack());
  whole.sampleWeight = weights[0].unpack();
  whole.classWeight = weights[1].unpack();
  return whole;
}

void SavedCall::reset() { *this = SavedCall(); }

Tensor LossBackward::takeGradient(size_t argument, const Tensor &upstream, bool keep) {
  Tensor gradient = keep ? gradients[argument] : std::move(gradients[argument]);
  if (gradient.is_meta())
    return gradient;
  if (reduction != Reduction::None) {
    const double factor = upstream.item<double>() * scale;
    if (factor == 1.0)
      return keep ? gradient.clone() : gradient;
    return keep ? gradient * factor : gradient.mul_(factor);
  }
  const Tensor factor = upstream.reshape(plan.rowShapes[argument]).to(gradient.scalar_type());
  return keep ? gradient * factor : gradient.mul_(factor);
}

variable_list LossBackward::gradientsFor(const Tensor &upstream, bool keep) {
  std::vector<bool> asked(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    asked[i] = wanted[i] && task_should_compute_output(i);
  if (plan.deferred) {
    const LossCall whole = call.unpack();
    at::AutoDispatchBelowADInplaceOrView guard;
    return evaluateCall(loss, whole, {asked, upstream}).gradients;
  }
  at::AutoDispatchBelowADInplaceOrView guard;
  variable_list outputs(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i)
    if (asked[i])
      outputs[i] = takeGradient(i, upstream, keep);
  return outputs;
}

variable_list LossBackward::apply(variable_list &&inputs) {
  std::lock_guard<std::mutex> lock(mutex_);
  TORCH_CHECK(!released, torch::autograd::ERR_BACKWARD_TWICE);
  variable_list outputs(wanted.size());
  const Tensor upstream = std::move(inputs[0]);
  if (!upstream.defined())
    return outputs;
  const bool keep = torch::autograd::get_current_graph_task_keep_graph();
  const bool isBatched = anyBatched(upstream);
  outputs = forEachSample(
      {upstream}, [&](variable_list sample) { return gradientsFor(sample[0], keep || isBatched); });
  released = !keep;
  return at::GradMode::is_enabled() ? differentiable(std::move(outputs), upstream) : outputs;
}

variable_list LossBackward::differentiable(variable_list outputs, const Tensor &upstream) const {
  const std::string prefix = "the compiled loss '" + loss.name() + "' has no second derivative";
  if (!plan.secondOrder && !plan.secondOrderOfAll) {
    for (Tensor &output : outputs)
      if (output.defined()) {
        // The arguments are not kept then, but the way to them is.
        auto node =
            c10::make_intrusive<NoDerivative>(prefix + " (compile it with lossc --order=2)");
        torch::autograd::edge_list edges = next_edges();
        edges.push_back(edgesTo({upstream})[0]);
        node->set_next_edges(std::move(edges));
        torch::autograd::set_history(output, node);
      }
    return outputs;
  }
  const LossCall whole = call.unpack();
  const std::vector<Tensor> sources = sourcesOf(whole, upstream);
  auto node = c10::make_intrusive<LossSecondBackward>(loss, whole, upstream, plan.secondOrderOfAll);
  node->set_next_edges(edgesTo(sources));
  for (size_t i = 0; i < outputs.size(); ++i) {
    // Each output keeps its place: directions are numbered by argument.
    if (outputs[i].defined() && (plan.secondOrderOfAll || hasOwnGradient(loss, i))) {
      torch::autograd::set_history(outputs[i], node);
      continue;
    }
    node->add_input_metadata(torch::autograd::Node::undefined_input());
    forbidDerivative(outputs[i], sources,
                     prefix + " by the " + argumentName(loss, i) +
                         " (compile it with lossc --order=2 --mode=grad,all)");
  }
  return outputs;
}

void LossBackward::release_variables() {
  std::lock_guard<std::mutex> lock(mutex_);
  gradients.clear();
  call.reset();
  released = true;
}

LossSecondBackward::LossSecondBackward(LossHandle loss, const LossCall &call,
                                       const Tensor &upstream, bool ofAll)
    : loss(std::move(loss)), call(call), upstream(upstream, /*is_output=*/false), ofAll(ofAll) {}

void LossSecondBackward::checkHasSecond(size_t argument) const {
  TORCH_CHECK(ofAll || hasOwnGradient(loss, argument), "the compiled loss '", loss.name(),
              "' has no second derivative by the ", argumentName(loss, argument),
              " (compile it with lossc --order=2 --mode=grad,all)");
}

variable_list LossSecondBackward::apply(variable_list &&given) {
  std::lock_guard<std::mutex> lock(mutex_);
  TORCH_CHECK(!released, torch::autograd::ERR_BACKWARD_TWICE);
  const LossCall whole = call.unpack();
  const Tensor above = upstream.unpack();
  std::vector<bool> wanted(whole.argumentCount());
  for (size_t i = 0; i < wanted.size(); ++i) {
    wanted[i] = task_should_compute_output(1 + i);
    if (wanted[i])
      checkHasSecond(i);
  }
  std::vector<Tensor> directions(given.begin(), given.end());
  directions.resize(whole.argumentCount());
  variable_list outputs = alongDirections(loss, whole, above, directions, wanted);
  if (!task_should_compute_output(0))
    outputs[0].reset();
  released = !torch::autograd::get_current_graph_task_keep_graph();
  if (at::GradMode::is_enabled()) {
    std::vector<Tensor> sources = sourcesOf(whole, above);
    sources.insert(sources.end(), directions.begin(), directions.end());
    auto node = c10::make_intrusive<LossDirectionBackward>(loss, whole, above, directions);
    node->set_next_edges(edgesTo(sources));
    for (Tensor &output : outputs) {
      // Each output keeps its place.
      if (output.defined())
        torch::autograd::set_history(output, node);
      else
        node->add_input_metadata(torch::autograd::Node::undefined_input());
    }
  }
  return outputs;
}

void LossSecondBackward::release_variables() {
  std::lock_guard<std::mutex> lock(mutex_);
  call.reset();
  upstream.reset_data();
  released = true;
}

LossDirectionBackward::LossDirectionBackward(LossHandle loss, const LossCall &call,
                                             const Tensor &upstream,
                                             const std::vector<Tensor> &directions)
    : loss(std::move(loss)), call(call), upstream(upstream, /*is_output=*/false),
      directions(save(directions)) {}

variable_list LossDirectionBackward::apply(variable_list &&given) {
  std::lock_guard<std::mutex> lock(mutex_);
  TORCH_CHECK(!released, torch::autograd::ERR_BACKWARD_TWICE);
  const LossCall whole = call.unpack();
  const size_t count = whole.argumentCount();
  const Tensor above = upstream.unpack(), forLoss = given[0];
  std::vector<Tensor> forGradients(given.begin() + 1, given.end());
  forGradients.resize(count);
  const bool ofGradients = std::any_of(forGradients.begin(), forGradients.end(),
                                       [](const Tensor &t) { return t.defined(); });

  variable_list outputs(1 + 2 * count);
  std::vector<bool> byArguments(count), byDirections(count);
  bool byAny = false, alongAny = false;
  for (size_t i = 0; i < count; ++i) {
    byAny |= byArguments[i] = task_should_compute_output(1 + i);
    alongAny |= byDirections[i] = task_should_compute_output(1 + count + i);
  }
  TORCH_CHECK(!ofGradients || !(byAny || task_should_compute_output(0)), "the compiled loss '",
              loss.name(), "' has no third derivative");
  std::vector<Tensor> kept;
  for (const SavedVariable &direction : directions)
    kept.push_back(direction.unpack());
  if (byAny && forLoss.defined()) {
    variable_list found = alongDirections(loss, whole, forLoss, kept, byArguments);
    std::move(found.begin() + 1, found.end(), outputs.begin() + 1);
  }
  if (alongAny && ofGradients) {
    variable_list found = alongDirections(loss, whole, above, forGradients, byDirections);
    std::move(found.begin() + 1, found.end(), outputs.begin() + 1 + count);
  }
  if (alongAny && forLoss.defined()) {
    variable_list found = forEachSample({forLoss}, [&](variable_list sample) {
      at::AutoDispatchBelowADInplaceOrView guard;
      return evaluateCall(loss, whole, {byDirections, sample[0]}).gradients;
    });
    for (size_t i = 0; i < count; ++i)
      outputs[1 + count + i] = plus(outputs[1 + count + i], found[i]);
  }
  released = !torch::autograd::get_current_graph_task_keep_graph();
  if (at::GradMode::is_enabled()) {
    std::vector<Tensor> sources = sourcesOf(whole, above);
    for (const std::vector<Tensor> &more : {kept, std::vector<Tensor>(given.begin(), given.end())})
      sources.insert(sources.end(), more.begin(), more.end());
    for (Tensor &output : outputs)
      forbidDerivative(output, sources,
                       "the compiled loss '" + loss.name() + "' has no third derivative");
  }
  return outputs;
}

void LossDirectionBackward::release_variables() {
  std::lock_guard<std::mutex> lock(mutex_);
  call.reset();
  upstream.reset_data();
  directions.clear();
  released = true;
}

} // namespace loss::runtime
