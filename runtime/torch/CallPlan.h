//===- CallPlan.h - how the kernel runs over a call -------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_CALLPLAN_H
#define LOSSLANG_RUNTIME_TORCH_CALLPLAN_H

#include "runtime/torch/CallShape.h"
#include "runtime/torch/SlabView.h"

namespace loss::runtime {

/// A call as rows of slabs. Construction checks that there is something to compute.
struct CallPlan : BasicCallShape<NumberSizes> {
  CallPlan(const LossHandle &loss, const LossCall &call);

  /// Views a tensor of the shape of an array over `axes`.
  SlabView view(const torch::Tensor &tensor, const AxisList &axes) const;
  /// The dimensions of an array over `axes` in the order in which the kernel runs over them: those
  /// of AxisBinding, but where the rows are the only axis, those of memory.
  std::vector<int64_t> orderOf(const AxisList &axes) const;
  bool hasRowAxis(size_t argument) const;

  /// Rows, and elements of the result of one of them: 1 row without a row axis.
  int64_t rows = 1, resultSlab = 1;
  /// Parts of the rows that are reduced on their own.
  int64_t groups = 1;

  int64_t resultElements() const { return rows * resultSlab; }

private:
  /// Empty: the order of the dimensions.
  std::vector<int64_t> memoryOrder;
};

/// Whether the kernel runs over the call in the order in which the main input lies in memory. Then
/// the result without reduction has the strides of `at::empty_like` of that input.
bool runsInMemoryOrder(const CallKind &kind, const c10::SymInt &groups);

/// Strides of a tensor without gaps whose dimensions lie in the order of those of `tensor`.
Shape denseStrides(const torch::Tensor &tensor);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_CALLPLAN_H
