//===- Call.h - one call of a loss through the dispatcher -------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_PYTHON_CALL_H
#define LOSSLANG_RUNTIME_PYTHON_CALL_H

#include <torch/torch.h>

#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace loss::python {

/// The arguments of the operators of torch.ops.losslang that are no tensors. The tensors of a call
/// are one list: inputs in the loss's order, parameters, class weights, sample weights.
struct Call : torch::CustomClassHolder {
  std::string key;
  size_t inputCount = 0, paramCount = 0;
  bool hasWeight = false, hasSampleWeight = false;
  /// One number for each parameter of the loss; those at `paramAt` come from a tensor instead.
  std::vector<double> values;
  std::vector<int64_t> paramAt;
  std::optional<int64_t> ignoreIndex;
  double labelSmoothing = 0;
  std::string reduction;
  /// LossCallOptions::groups.
  c10::SymInt groups = 1;
  /// The program of the loss, for a process that does not know it. Empty but where programs are
  /// exported.
  std::string program;
};

using CallPtr = c10::intrusive_ptr<Call>;
using Tensors = std::vector<at::Tensor>;

// The arguments as the schemas of the operators spell them, and how they are passed on.
#define LOSSLANG_CALL_PARAMETERS                                                                   \
  std::string key, at::TensorList inputs, at::TensorList params,                                   \
      const std::optional<at::Tensor> &weight, const std::optional<at::Tensor> &sampleWeight,      \
      c10::ArrayRef<double> values, at::IntArrayRef paramAt, std::optional<int64_t> ignoreIndex,   \
      double labelSmoothing, std::string reduction, c10::SymInt groups, std::string program
#define LOSSLANG_CALL_ARGUMENTS                                                                    \
  std::move(key), inputs, params, weight, sampleWeight, values, paramAt, ignoreIndex,              \
      labelSmoothing, std::move(reduction), std::move(groups), std::move(program)

/// Sorts the arguments of an operator.
std::pair<CallPtr, Tensors> gather(LOSSLANG_CALL_PARAMETERS);

// What the operators compute. Gradients are those for the tensors at `wanted`, in that order.

/// The loss, differentiable by the node of CompiledLoss.
at::Tensor evaluate(const Call &call, at::TensorList tensors);

/// The loss and its gradients in one run of the kernel.
std::tuple<at::Tensor, Tensors> lossAndGradients(const Call &call, at::TensorList tensors,
                                                 at::IntArrayRef wanted);

/// Gradients of sum(upstream * loss).
Tensors gradients(const at::Tensor &upstream, const Call &call, at::TensorList tensors,
                  at::IntArrayRef wanted);

/// Derivatives of sum(tangents * gradients(upstream, ..., wanted)): for upstream, and for the
/// tensors at `secondWanted`.
std::tuple<at::Tensor, Tensors> secondGradients(const at::Tensor &upstream, at::TensorList tangents,
                                                const Call &call, at::TensorList tensors,
                                                at::IntArrayRef wanted,
                                                at::IntArrayRef secondWanted);

/// The derivative of the loss along `tangents` of the tensors at `wanted`.
at::Tensor directionalDerivative(at::TensorList tangents, const Call &call, at::TensorList tensors,
                                 at::IntArrayRef wanted);

/// The result of a call on meta tensors whose sizes may be symbols, and the place of the input
/// whose layout it has (runtime/torch/Infer.h), or -1. Checks that there can be gradients at
/// `wanted`.
std::tuple<at::Tensor, int64_t> infer(const Call &call, at::TensorList tensors,
                                      at::IntArrayRef wanted);

} // namespace loss::python

#endif // LOSSLANG_RUNTIME_PYTHON_CALL_H
