//===- KernelRun.h - runs a kernel over all rows ----------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_KERNELRUN_H
#define LOSSLANG_RUNTIME_TORCH_KERNELRUN_H

#include "runtime/module/LossHandle.h"
#include "runtime/torch/RowSelection.h"
#include "runtime/torch/SlabView.h"

#include <c10/core/ScalarType.h>

#include <vector>

namespace loss::runtime {

/// One kernel call on all rows, divided over LibTorch's threads.
///
/// Rows are done in chunks whose size depends on the shapes alone. Arrays that the kernel cannot
/// use in place are packed into a tile of the thread, chunk by chunk, and gradients are unpacked
/// from one. What is summed over rows (reduced results, gradients of arguments without the row
/// axis) is summed in f64 within a chunk and then over the chunks in order, so it does not depend
/// on the number of threads.
class KernelRun {
public:
  /// An input or a tangent.
  struct Source {
    SlabView view;
    bool hasRowAxis = false;
    /// The kernel reads it: values of the kernel's type, or class indices.
    bool used = false, indices = false;
    /// Elements of a slab behind the axis of the selection; 0: the array lacks that axis.
    int64_t inner = 0;
  };
  /// The gradient of an argument.
  struct Sink {
    SlabView view;
    /// The kernel computes it; somebody wants it.
    bool computed = false, wanted = false;
    /// Over the rows, because the argument lacks their axis: `sums` instead of `view`.
    bool summed = false;
    /// As in Source.
    int64_t inner = 0;
    std::vector<double> sums;
  };

  KernelRef kernel;
  c10::ScalarType kernelType = c10::ScalarType::Float;
  /// Of the axes.
  std::vector<int64_t> sizes;
  bool byRows = false;
  int64_t rows = 1, resultSlab = 1;

  /// Null: rows are whole. Otherwise each row is a chunk of its own, and the class indices of a row
  /// begin with those that are kept.
  const RowSelection *selection = nullptr;

  std::vector<Source> inputs, tangents;
  /// The inputs, then the parameters.
  std::vector<Sink> gradients;
  const double *params = nullptr;
  const void *classWeights = nullptr;
  double labelSmoothing = 0;
  /// Null: 1 for all.
  const void *weights = nullptr;
  double gradScale = 1;
  /// Where the result goes; null: its sum is wanted.
  void *values = nullptr;

  /// The sum of the result when `values` is null.
  double valueSum = 0;
  /// The input whose numbers are not exactly representable in the kernel's type, or -1.
  int inexactInput = -1;

  /// Returns -1, or the first row with a class index out of bounds.
  int64_t run();

private:
  struct Layout;
  struct Shared;
  struct Thread;
  void runChunk(const Layout &layout, Shared &shared, int64_t chunk, double *sums,
                Thread &thread) const;
  void clearRow(const Layout &layout, const Thread &thread, char *value) const;
};

/// Sum in f64 over eight lanes that are added up at the end: the same order on every machine.
double sumInOrder(const void *values, int64_t count, c10::ScalarType type);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_KERNELRUN_H
