//===- CallArguments.h - tensors as arguments of a kernel -------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H
#define LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H

#include "runtime/torch/LossFunction.h"

namespace loss::runtime {

/// The arguments of one call, checked, as rows of classes. Holds the tensors that the pointers of
/// LossArgs point into.
struct CallArguments {
  /// Checks and arranges the tensors. Throws c10::Error and c10::TypeError.
  CallArguments(const LossHandle &loss, const torch::Tensor &logits, const torch::Tensor &target,
                const LossCallOptions &options);

  /// One input of the loss, in the order of the module.
  struct Input {
    /// As the caller gave it; gradients flow to it.
    const torch::Tensor *given = nullptr;
    /// Element type of the kernel (or int64), the classes next to each other.
    torch::Tensor rows;
  };

  int64_t rowCount = 0, classes = 0;
  uint32_t element = LOSS_F32, target = LOSS_TARGET_NONE;
  /// Shape of the logits without the class axis.
  std::vector<int64_t> rowShape;
  std::vector<Input> inputs;
  std::vector<const void *> pointers;
  std::vector<int64_t> strides;

  torch::ScalarType kernelType() const {
    return element == LOSS_F64 ? torch::kDouble : torch::kFloat;
  }

private:
  void addMain(const LossHandle &loss, const torch::Tensor &logits);
  void addTarget(const LossHandle &loss, int index, const torch::Tensor &target,
                 const torch::Tensor &logits);
  void addExtra(const LossHandle &loss, int index, const torch::Tensor &given,
                const torch::Tensor &logits);
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H
