//===- CallArguments.h - the tensors of a call, checked ---------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H
#define LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H

#include "runtime/module/AxisBinding.h"
#include "runtime/torch/LossFunction.h"
#include "runtime/torch/SlabView.h"

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

/// The types and axes of a call. Construction checks them.
struct CallPlan {
  CallPlan(const LossHandle &loss, const LossCall &call);

  /// Views a tensor of the shape of an array over `axes`.
  SlabView view(const torch::Tensor &tensor, const AxisList &axes) const;
  /// The dimensions of an array over `axes` in the order in which the kernel runs over them: those
  /// of AxisBinding, but where the rows are the only axis, those of memory.
  std::vector<int64_t> orderOf(const AxisList &axes) const;
  /// The axes of an argument: an input as it is passed, or none for a parameter.
  AxisList axesOf(size_t argument) const;
  bool hasRowAxis(size_t argument) const;
  std::string nameOf(size_t argument) const;

  const LossHandle &loss;
  AxisBinding axes;
  /// LOSS_F32 or LOSS_F64, LOSS_TARGET_...
  uint32_t element = LOSS_F32, target = LOSS_TARGET_NONE;
  torch::ScalarType resultType = torch::kFloat;
  AxisList resultAxes;
  /// Of the result without reduction.
  Shape resultShape;
  /// The loss has a row axis.
  bool byRows = false;
  /// Rows, and elements of the result of one of them: 1 row without a row axis.
  int64_t rows = 1, resultSlab = 1;
  /// Parts of the rows that are reduced on their own.
  int64_t groups = 1;
  /// The tensors have no memory: only shapes and types are asked for.
  bool meta = false;

  torch::ScalarType kernelType() const {
    return element == LOSS_F64 ? torch::kDouble : torch::kFloat;
  }
  int64_t elementSize() const { return element == LOSS_F64 ? 8 : 4; }
  int64_t resultElements() const { return rows * resultSlab; }
  int64_t classes() const;

private:
  void chooseMemoryOrder(const torch::Tensor &main);

  /// Empty: the order of the dimensions.
  std::vector<int64_t> memoryOrder;
};

/// "loss 'ngl': " in front of a message.
std::string subject(const LossHandle &loss);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_CALLARGUMENTS_H
