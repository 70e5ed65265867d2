//===- Infer.h - shapes and types of a call, without running it -*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_INFER_H
#define LOSSLANG_RUNTIME_TORCH_INFER_H

#include "runtime/torch/Evaluate.h"

#include <optional>

namespace loss::runtime {

/// The result of a call on meta tensors.
struct InferredResult {
  /// On meta, of the right shape and type: sizes are made of those of the inputs, whether these are
  /// numbers or symbols.
  torch::Tensor result;
  /// The input whose layout the result has, as `at::empty_like` gives it. Otherwise the strides of
  /// `result` are right.
  std::optional<uint32_t> layoutOf;
};

/// Throws for tensors that do not fit. `groups`: in place of those of the call.
InferredResult inferResult(const LossHandle &loss, const LossCall &call, const c10::SymInt &groups);

/// Result and gradients of a call on meta tensors.
Evaluated inferCall(const LossHandle &loss, const LossCall &call, const EvaluateRequest &request);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_INFER_H
