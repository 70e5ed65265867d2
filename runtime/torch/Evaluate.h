//===- Evaluate.h - a call of a compiled loss, without autograd -*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_EVALUATE_H
#define LOSSLANG_RUNTIME_TORCH_EVALUATE_H

#include "runtime/torch/CallPlan.h"

namespace loss::runtime {

/// What is wanted of a call beside the result.
struct EvaluateRequest {
  /// By argument (inputs, then parameters): its gradient is wanted. Empty: none.
  std::vector<bool> wanted;
  /// The gradient from above, of the shape of the result; undefined: ones. With it, the result is
  /// left undefined.
  torch::Tensor upstream;
  /// By argument: the direction of a second derivative; undefined: 0.
  const std::vector<torch::Tensor> *tangents = nullptr;
  /// Leave the mean's division out of the gradients: `meanScale` is to be applied.
  bool unscaled = false;
};

struct Evaluated {
  torch::Tensor result;
  /// By argument; undefined where not wanted. Of the argument's type, shape and strides.
  std::vector<torch::Tensor> gradients;
  /// Of a call without groups.
  double meanScale = 1;
};

/// Runs the loss. With tangents, `result` is the derivative of the result along them. Of tensors
/// without memory it only tells shapes and types (Infer.h).
Evaluated evaluateCall(const LossHandle &loss, const LossCall &call,
                       const EvaluateRequest &request);

/// How the gradients of a call are best computed.
struct GradientPlan {
  /// In the backward pass, from the inputs: the gradient from above has to be known, because what
  /// it multiplies is summed in the kernel.
  bool deferred = false;
  /// Together with the value, but without the mean's division, which would lose half-precision
  /// numbers before a loss scale comes from above.
  bool unscaled = false;
  /// The module has a kernel for second derivatives: by the arguments that have their own gradient,
  /// by all.
  bool secondOrder = false, secondOrderOfAll = false;
  /// By argument: a shape in which the gradient from above of a result by rows broadcasts against
  /// the argument's gradient.
  std::vector<Shape> rowShapes;
};

/// Throws when the module has no kernel for these gradients.
GradientPlan planGradients(const LossHandle &loss, const LossCall &call,
                           const std::vector<bool> &wanted);

/// An argument whose gradients the usual kernels give; others need one that computes all.
bool hasOwnGradient(const LossHandle &loss, size_t argument);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_EVALUATE_H
