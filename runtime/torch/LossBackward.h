//===- LossBackward.h - derivatives of a compiled loss ----------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_LOSSBACKWARD_H
#define LOSSLANG_RUNTIME_TORCH_LOSSBACKWARD_H

#include "runtime/torch/Evaluate.h"

#include <torch/torch.h>

#include <string>
#include <vector>

namespace loss::runtime {

/// For Node::compiled_args: throws for the node `name`, which compiled autograd cannot trace.
[[noreturn]] void refuseCompiledAutograd(const std::string &name);

/// The tensors of a call, kept for the backward pass as autograd keeps them: changing one in place
/// in between is noticed.
class SavedCall {
public:
  SavedCall() = default;
  explicit SavedCall(const LossCall &call);
  /// The call with its tensors. Throws when one was changed.
  LossCall unpack() const;
  void reset();

private:
  LossCall call;
  std::vector<torch::autograd::SavedVariable> inputs, params, weights;
};

/// The node of the autograd graph behind the result of a compiled loss: one output an argument.
///
/// The gradients were computed together with the value where that is possible. They belong to this
/// node alone, so when the graph is not kept they are handed out without a copy, multiplied in
/// place if the gradient from above is not 1. Otherwise they are computed here.
class LossBackward : public torch::autograd::Node {
public:
  LossBackward(LossHandle loss, Reduction reduction, GradientPlan plan, std::vector<bool> wanted)
      : loss(std::move(loss)), reduction(reduction), plan(std::move(plan)),
        wanted(std::move(wanted)) {}

  /// By argument, as evaluateCall() gave them.
  std::vector<torch::Tensor> gradients;
  /// What the gradients are still to be multiplied by.
  double scale = 1;
  /// Where the gradients, or their derivatives, are computed from it.
  SavedCall call;

  torch::autograd::variable_list apply(torch::autograd::variable_list &&upstream) override;
  void release_variables() override;
  std::string name() const override { return "LossBackward(" + loss.name() + ")"; }
  void compiled_args(torch::autograd::CompiledNodeArgs &) const override {
    refuseCompiledAutograd(name());
  }

private:
  torch::autograd::variable_list gradientsFor(const torch::Tensor &upstream, bool keep);
  torch::Tensor takeGradient(size_t argument, const torch::Tensor &upstream, bool keep);
  torch::autograd::variable_list differentiable(torch::autograd::variable_list outputs,
                                                const torch::Tensor &upstream) const;

  LossHandle loss;
  Reduction reduction;
  GradientPlan plan;
  std::vector<bool> wanted;
  bool released = false;
};

/// The node behind the gradients of a compiled loss, where a second derivative is wanted. Its
/// outputs are the gradient from above of the loss, and then its arguments.
class LossSecondBackward : public torch::autograd::Node {
public:
  /// `ofAll`: there is a kernel for all arguments, not only for those with their own gradient.
  LossSecondBackward(LossHandle loss, const LossCall &call, const torch::Tensor &upstream,
                     bool ofAll);

  torch::autograd::variable_list apply(torch::autograd::variable_list &&directions) override;
  void release_variables() override;
  std::string name() const override { return "LossSecondBackward(" + loss.name() + ")"; }
  void compiled_args(torch::autograd::CompiledNodeArgs &) const override {
    refuseCompiledAutograd(name());
  }

private:
  void checkHasSecond(size_t argument) const;

  LossHandle loss;
  SavedCall call;
  torch::autograd::SavedVariable upstream;
  bool ofAll, released = false;
};

/// The node behind the derivatives that LossSecondBackward gives for its directions: they are
/// linear in them, so this derivative is one more of the second order
/// (torch.autograd.functional.hvp). Its outputs are the gradient from above, the arguments and the
/// directions. By the first two it would be a third derivative, which is an error, but for that of
/// the loss along the directions.
class LossDirectionBackward : public torch::autograd::Node {
public:
  LossDirectionBackward(LossHandle loss, const LossCall &call, const torch::Tensor &upstream,
                        const std::vector<torch::Tensor> &directions);

  torch::autograd::variable_list apply(torch::autograd::variable_list &&given) override;
  void release_variables() override;
  std::string name() const override { return "LossDirectionBackward(" + loss.name() + ")"; }
  void compiled_args(torch::autograd::CompiledNodeArgs &) const override {
    refuseCompiledAutograd(name());
  }

private:
  LossHandle loss;
  SavedCall call;
  torch::autograd::SavedVariable upstream;
  std::vector<torch::autograd::SavedVariable> directions;
  bool released = false;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_LOSSBACKWARD_H
