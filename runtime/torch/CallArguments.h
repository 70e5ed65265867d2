//===- CallArguments.h - the tensors of a call, checked ---------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H
#define LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H

#include "runtime/torch/LossFunction.h"

namespace loss::runtime {

/// A call with all names resolved.
struct LossCall {
  /// In the order of the module.
  std::vector<torch::Tensor> inputs;
  std::vector<double> params;
  /// In the order of the module; undefined: given as a number, or the default.
  std::vector<torch::Tensor> paramTensors;

  Reduction reduction = Reduction::Mean;
  int64_t groups = 1;
  torch::Tensor sampleWeight, classWeight;
  std::optional<int64_t> ignoreIndex;
  double labelSmoothing = 0;

  /// An input or a parameter as a tensor: the arguments in the order of LossArgs.grads.
  const torch::Tensor &argument(size_t index) const {
    return index < inputs.size() ? inputs[index] : paramTensors[index - inputs.size()];
  }
  size_t argumentCount() const { return inputs.size() + params.size(); }
};

/// A tensor whose memory holds its elements: not the negative of what is there (the imaginary part
/// of a conjugate), and not nothing because all are 0. Other tensors are returned as they are.
torch::Tensor materialised(const torch::Tensor &tensor);

/// `positional`: in the order of the module, as far as they are given so.
LossCall resolveCall(const LossHandle &loss, const std::vector<torch::Tensor> &positional,
                     const LossCallOptions &options);

/// "loss 'ngl': " in front of a message.
std::string subject(const LossHandle &loss);
/// "input 'logits'"
std::string inputName(const LossHandle &loss, uint32_t input);

/// Types that a value may have; those that class indices may have.
bool isReal(torch::ScalarType type);
bool isInteger(torch::ScalarType type);

/// Throws for a tensor that is neither dense on the CPU nor without memory.
void checkPlain(const LossHandle &loss, const torch::Tensor &tensor, const std::string &what);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H
