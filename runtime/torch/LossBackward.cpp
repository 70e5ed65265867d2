#include "runtime/torch/LossBackward.h"

#include <torch/csrc/autograd/functions/basic_ops.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/csrc/autograd/graph_task.h>
#include <torch/csrc/autograd/saved_variable.h>

namespace loss::runtime {

using torch::Tensor;
using torch::autograd::variable_list;

namespace {

bool isOne(const Tensor &scalar) {
  return scalar.numel() == 1 && scalar.is_cpu() && scalar.item<double>() == 1.0;
}

/// Makes a derivative of the outputs an error: they are constants to autograd, which would
/// otherwise silently be taken for having a derivative of zero.
variable_list forbidSecondDerivative(variable_list outputs, const std::string &lossName) {
  for (Tensor &output : outputs) {
    if (!output.defined())
      continue;
    auto error = c10::make_intrusive<torch::autograd::DelayedError>(
        "the compiled loss '" + lossName + "' has no second derivative", 1);
    output = (*error)({output.detach().requires_grad_()})[0];
  }
  return outputs;
}

} // namespace

Tensor LossBackward::takeGradient(SavedGradient &gradient, const Tensor &upstream, bool unit,
                                  bool keep) const {
  Tensor rows = keep ? gradient.rows : std::move(gradient.rows);
  bool fresh = !keep;
  if (!unit) {
    Tensor factor = upstream.to(rows.scalar_type());
    if (!reduced)
      factor = factor.reshape({rows.size(0), 1});
    if (keep)
      rows = rows * factor;
    else
      rows.mul_(factor);
    fresh = true;
  }
  if (gradient.sumRows) {
    rows = rows.sum(0);
    fresh = true;
  }
  if (rows.scalar_type() != gradient.type) {
    rows = rows.to(gradient.type);
    fresh = true;
  }
  if (!fresh)
    rows = rows.clone();
  if (rows.sizes() != gradient.shape)
    rows = rows.view(gradient.shape);
  return gradient.classAxisSecond ? rows.movedim(-1, 1) : rows;
}

variable_list LossBackward::apply(variable_list &&inputs) {
  std::lock_guard<std::mutex> lock(mutex_);
  TORCH_CHECK(!released, torch::autograd::ERR_BACKWARD_TWICE);
  variable_list outputs(saved.size());
  const Tensor upstream = std::move(inputs[0]);
  if (!upstream.defined())
    return outputs;
  const bool keep = torch::autograd::get_current_graph_task_keep_graph();
  {
    at::AutoDispatchBelowADInplaceOrView guard;
    const bool unit = reduced && isOne(upstream);
    for (size_t i = 0; i < saved.size(); ++i)
      if (saved[i].rows.defined() && task_should_compute_output(i))
        outputs[i] = takeGradient(saved[i], upstream, unit, keep);
  }
  released = !keep;
  if (at::GradMode::is_enabled())
    return forbidSecondDerivative(std::move(outputs), lossName);
  return outputs;
}

void LossBackward::release_variables() {
  std::lock_guard<std::mutex> lock(mutex_);
  saved.clear();
  released = true;
}

} // namespace loss::runtime
