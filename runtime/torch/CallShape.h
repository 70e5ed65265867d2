//===- CallShape.h - types and axes of a call, checked ----------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_CALLSHAPE_H
#define LOSSLANG_RUNTIME_TORCH_CALLSHAPE_H

#include "runtime/module/AxisBinding.h"
#include "runtime/torch/CallArguments.h"

#include <c10/core/SymBool.h>

#include <optional>

namespace loss::runtime {

/// Sizes of a program that is traced: numbers, or symbols that stand for any number.
struct SymbolicSizes {
  using Size = c10::SymInt;
  /// False where it cannot be known.
  static bool areEqual(const c10::SymInt &a, const c10::SymInt &b) {
    return TORCH_GUARD_OR_FALSE(a.sym_eq(b));
  }
  /// The program is traced under the condition that they are; it is traced again for others, or
  /// checks the condition when it runs.
  static bool expectEqual(const c10::SymInt &a, const c10::SymInt &b) {
    return a.sym_eq(b).expect_true(__FILE__, __LINE__);
  }
};

/// What the types of the tensors and the numbers of their dimensions say of a call.
struct CallKind {
  explicit CallKind(const LossHandle &loss) : loss(loss), resultAxes(axesOfResult(loss.module())) {}

  const LossHandle &loss;
  AxisList resultAxes;
  /// LOSS_F32 or LOSS_F64, LOSS_TARGET_...
  uint32_t element = LOSS_F32, target = LOSS_TARGET_NONE;
  torch::ScalarType resultType = torch::kFloat;
  /// The loss has a row axis.
  bool byRows = false;
  /// The input whose dimensions the axes were first bound to.
  uint32_t mainInput = 0;

  torch::ScalarType kernelType() const {
    return element == LOSS_F64 ? torch::kDouble : torch::kFloat;
  }
  int64_t elementSize() const { return element == LOSS_F64 ? 8 : 4; }
  /// The axes of a target passed as class indices.
  AxisList indexAxes() const;
  /// The result has an element for each class index.
  bool isElementwise() const;
  /// The axes of an argument: an input as it is passed, or none for a parameter.
  AxisList axesOf(size_t argument) const;
  std::string nameOf(size_t argument) const;
};

/// A call and the sizes of its axes.
template <typename Sizes> struct BasicCallShape : CallKind {
  using Size = typename Sizes::Size;
  using Shape = std::vector<Size>;

  /// Checks types, shapes, and options that depend on them.
  BasicCallShape(const LossHandle &loss, const LossCall &call);

  /// The shape in which an array of the shape of the result, of its leading dimensions or of its
  /// rows broadcasts against the result.
  std::optional<Shape> broadcastToResult(const Shape &given) const;

  Size classes() const { return axes.size(loss.module().class_axis); }

  BasicAxisBinding<Sizes> axes;
  /// Of the result without reduction.
  Shape resultShape;

private:
  void bindInputs(const LossCall &call);
  void bindTarget(const LossCall &call);
  void checkOptions(const LossCall &call) const;
};

extern template struct BasicCallShape<NumberSizes>;
extern template struct BasicCallShape<SymbolicSizes>;

/// Whether a call needs a kernel with options: where class indices and their weights meet the
/// result element by element, a plain one does.
bool needsOptionsKernel(const CallKind &kind, const LossCall &call);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_CALLSHAPE_H
