//===- LossBackward.h - hands out the gradient of a loss --------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_LOSSBACKWARD_H
#define LOSSLANG_RUNTIME_TORCH_LOSSBACKWARD_H

#include <torch/torch.h>

#include <string>
#include <vector>

namespace loss::runtime {

/// Where the gradient of one input lies and what it looks like to the caller.
struct SavedGradient {
  /// (rows, classes) or (rows, 1), in the kernel's element type; undefined: not wanted.
  torch::Tensor rows;
  /// Shape of the input with the class axis last.
  std::vector<int64_t> shape;
  /// Move the last axis behind the first.
  bool classAxisSecond = false;
  /// The input has one row for all rows of the batch: sum over them.
  bool sumRows = false;
  torch::ScalarType type = torch::kFloat;
};

/// The node of the autograd graph behind the result of a compiled loss. The gradients were computed
/// together with the value. They belong to this node alone, so when the graph is not kept they are
/// handed out without a copy, multiplied in place if the gradient from above is not 1.
class LossBackward : public torch::autograd::Node {
public:
  LossBackward(std::string lossName, bool reduced, std::vector<SavedGradient> saved)
      : lossName(std::move(lossName)), reduced(reduced), saved(std::move(saved)) {}

  torch::autograd::variable_list apply(torch::autograd::variable_list &&upstream) override;
  void release_variables() override;
  std::string name() const override { return "LossBackward(" + lossName + ")"; }

private:
  torch::Tensor takeGradient(SavedGradient &gradient, const torch::Tensor &upstream, bool unit,
                             bool keep) const;

  std::string lossName;
  bool reduced;
  std::vector<SavedGradient> saved;
  bool released = false;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_LOSSBACKWARD_H
