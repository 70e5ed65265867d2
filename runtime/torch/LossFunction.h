//===- LossFunction.h - a compiled loss as a LibTorch operation -*- C++ -*-===//
//
//   loss::runtime::CompiledLoss ngl(loss::runtime::LossHandle::open("ngl.so"));
//   ngl(model->forward(images), labels).backward();
//
// losslang::Loss (Loss.h) is the same as a module, like torch::nn::CrossEntropyLoss.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TORCH_LOSSFUNCTION_H
#define LOSSLANG_RUNTIME_TORCH_LOSSFUNCTION_H

#include "runtime/module/LossHandle.h"

#include <torch/torch.h>

#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace loss::runtime {

/// How the elements of a loss's result become what the caller gets.
enum class Reduction { None, Mean, Sum };

using NamedTensors = std::vector<std::pair<std::string, torch::Tensor>>;

struct LossCallOptions {
  Reduction reduction = Reduction::Mean;
  /// The rows are those of so many batches of one size, one after another, each reduced on its own:
  /// a sum or mean has the shape (groups). 1: a scalar, as usual.
  int64_t groups = 1;
  /// Parameters that differ from their defaults.
  ParamValues params;
  /// Parameters given as tensors of one number; gradients flow to them. In place of `params`.
  NamedTensors paramTensors;
  /// Inputs by name, beside those given by position.
  NamedTensors inputs;

  /// Factor of each element of the result: of its shape, or one for each row (of the shape of its
  /// leading dimensions).
  torch::Tensor sampleWeight;

  // For losses with a target, as in torch.nn.CrossEntropyLoss:

  /// One factor a class, shape (C).
  torch::Tensor classWeight;
  /// Class indices with this value are left out: their result is 0, and the mean does not count
  /// them. Unset: -100. Of a loss without a target it is the value of the labels, numbers, that are
  /// left out (CallOptions.h says which input they are); unset: none.
  std::optional<int64_t> ignoreIndex;
  /// The target becomes (1 - s) target + s / C.
  double labelSmoothing = 0;
};

/// What CompiledLoss::evaluate() and its like return. One gradient an argument: the inputs in the
/// order of the module, then its parameters; undefined where none was wanted.
struct LossEvaluation {
  torch::Tensor result;
  std::vector<torch::Tensor> gradients;
};

/// A compiled loss as a differentiable operation on CPU tensors.
///
/// Shapes. The dimensions of an input are its axes in order. A loss with a target over the classes
/// takes (C), (N, C) and (N, C, d1, ..., dk), as LibTorch's cross entropy does. Otherwise the last
/// axis takes all dimensions that are left over, so that `[element]` fits every shape; and the
/// first axis may be missing. The result without reduction has the dimensions of its axes.
///
/// Types. f32 and f64; bfloat16 and half are computed in f32. The result has the type that LibTorch
/// promotes the inputs to, a gradient has that of its input. A target is given as class indices of
/// any integer type and the shape of the scores without the classes, or as numbers of the shape of
/// the scores. Targets and fixed inputs may be integers or bool when the compute type holds each
/// value exactly.
///
/// Memory. One kernel call computes the gradients together with the value where that is possible,
/// and the backward pass hands them out. Inputs and gradients are used in place where what belongs
/// to a row is contiguous and of the compute type; otherwise (f16, channels apart, strides) rows
/// pass through a small tile: no tensor is ever copied whole.
///
/// Sums are formed in f64 in a fixed order: results do not depend on the number of threads.
///
/// Throws c10::IndexError for a class index that is out of bounds (with its row, its value and the
/// number of classes), c10::TypeError for tensors of a wrong type, c10::ValueError for tensors and
/// options that do not fit, c10::Error for what the module was not compiled for, and ParamError. A
/// second derivative needs a module with second-order kernels (`lossc --order=2`); without, and for
/// a third derivative, there is an error. Forward mode is an error, too: hessianVector() gives
/// derivatives along tangents.
class CompiledLoss {
public:
  explicit CompiledLoss(LossHandle handle) : handle(std::move(handle)) {}

  /// `input` is the loss's first input that is no target. `target` is its target, or for a loss
  /// without one its second input. Others are given in options.inputs.
  torch::Tensor operator()(const torch::Tensor &input, const torch::Tensor &target = {},
                           const LossCallOptions &options = {}) const;

  /// The inputs in the order of the module. An undefined or missing one is taken from
  /// options.inputs.
  torch::Tensor call(const std::vector<torch::Tensor> &inputs,
                     const LossCallOptions &options = {}) const;

  // The parts of call() without autograd, for operations that are registered with a framework. On
  // meta tensors all of them give meta tensors of the right shape, type and strides.

  /// The result, and the gradients of its sum for the arguments i with wanted[i] (empty: for none).
  LossEvaluation evaluate(const std::vector<torch::Tensor> &inputs, const LossCallOptions &options,
                          const std::vector<bool> &wanted = {}) const;

  /// The gradients of sum(upstream * result): `upstream` has the shape of the result.
  std::vector<torch::Tensor> vectorJacobian(const std::vector<torch::Tensor> &inputs,
                                            const LossCallOptions &options,
                                            const torch::Tensor &upstream,
                                            const std::vector<bool> &wanted) const;

  /// The derivative of vectorJacobian() in the direction `tangents` (one an argument: inputs, then
  /// parameters; undefined: 0). In `result` the derivative of the result itself along it, the
  /// gradient for `upstream`; in `gradients` the Hessian-vector products.
  LossEvaluation hessianVector(const std::vector<torch::Tensor> &inputs,
                               const LossCallOptions &options, const torch::Tensor &upstream,
                               const std::vector<torch::Tensor> &tangents,
                               const std::vector<bool> &wanted) const;

  const LossHandle &loss() const { return handle; }

private:
  LossHandle handle;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_LOSSFUNCTION_H
