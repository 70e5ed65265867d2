//===- CallWeights.h - weights of the elements of a result ------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_CALLWEIGHTS_H
#define LOSSLANG_RUNTIME_TORCH_CALLWEIGHTS_H

#include "runtime/torch/CallPlan.h"
#include "runtime/torch/RowSelection.h"

#include <optional>

namespace loss::runtime {

/// What sample weights, class weights, ignored indices and label smoothing make of a call.
struct CallWeights {
  /// Throws c10::IndexError for a class index out of bounds where it has to be read.
  CallWeights(const CallPlan &plan, const LossCall &call);

  /// Factor of each element of the result, rows by result slab, in the kernel's type; undefined: 1.
  torch::Tensor elements;
  /// What a mean divides the sum by, for each group of rows.
  std::vector<double> divisors;
  /// All factors are 0: nothing is left of the group.
  std::vector<bool> allZero;
  /// A kernel with options is needed.
  bool needsOptions = false;
  /// One weight a class in the kernel's type, for such a kernel; ones without class weights.
  torch::Tensor classes;
  /// The target as the kernel takes it: class indices as contiguous int64 without ignored ones. For
  /// a dense target as the caller gave it.
  torch::Tensor target;
  /// What ignored indices leave of the rows, where the loss reduces the axis that they lie on.
  std::optional<RowSelection> selection;

  /// What to multiply a gradient by for the mean of a group.
  double meanScale(int64_t group) const {
    return allZero[group] || divisors[group] == 0 ? 1.0 : 1.0 / divisors[group];
  }

private:
  void selectTargets(const CallPlan &plan, int64_t ignored);
};

/// A tensor of the shape of the result, of its leading dimensions or of its rows, as a contiguous
/// array of rows by result slab in the kernel's type. Empty when the shape does not fit.
torch::Tensor arrangeLikeResult(const CallPlan &plan, const torch::Tensor &given);

/// Throws the error for the element `place` of the class indices.
[[noreturn]] void throwBadIndex(const CallPlan &plan, const torch::Tensor &indices, int64_t place);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_CALLWEIGHTS_H
