//===- AxisBinding.h - the dimensions of arrays as axes of a loss -*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODULE_AXISBINDING_H
#define LOSSLANG_RUNTIME_MODULE_AXISBINDING_H

#include "runtime/abi/LossAbi.h"

#include <cstdint>
#include <string>
#include <vector>

namespace loss::runtime {

using Shape = std::vector<int64_t>;
/// Axes of a loss: indices into LossModule.axes, ascending.
using AxisList = std::vector<uint32_t>;

/// Which dimensions of the arrays of a call belong to which axis of the loss.
///
/// The dimensions of an array are its axes in order, one each; the last axis takes those that are
/// left over, and the loss's first axis may be missing. In a loss over rows and classes with a
/// target, the classes are the second dimension and those behind it belong to the rows: (N, C, d1,
/// ..., dk). The first array with an axis decides how many dimensions the axis has.
class AxisBinding {
public:
  explicit AxisBinding(const LossModule &module);

  /// Gives the dimensions of an array to its axes. False when they do not fit.
  bool bind(const AxisList &axes, const Shape &shape);

  bool isBound(uint32_t axis) const { return bound[axis]; }
  /// All axes of the list have dimensions.
  bool areBound(const AxisList &axes) const;

  /// The dimensions of an axis: none when the caller left it out.
  const Shape &dimensions(uint32_t axis) const { return axisDimensions[axis]; }
  /// The size of an axis: the product of its dimensions.
  int64_t size(uint32_t axis) const;
  /// The sizes of all axes, as LossArgs wants them.
  std::vector<int64_t> sizes() const;
  /// The number of elements of an array over these axes.
  int64_t elements(const AxisList &axes) const;

  /// The shape of an array over these axes.
  Shape shapeOf(const AxisList &axes) const;
  /// The dimensions of an array over these axes, sorted by axis: place i is the array's dimension
  /// order[i]. The identity but where the classes are the second of more than two dimensions.
  std::vector<int64_t> orderOf(const AxisList &axes) const;

  /// "[batch, class]"
  std::string describe(const AxisList &axes) const;

private:
  bool splits(const AxisList &axes) const;

  const LossModule &module;
  std::vector<Shape> axisDimensions;
  std::vector<bool> bound;
  /// The loss is one over rows and classes with a target.
  bool classesSecond = false;
};

/// The axes of an input. A target passed as class indices lacks the class axis.
AxisList axesOfInput(const LossModule &module, uint32_t input, bool asIndices = false);
/// The axes of the result.
AxisList axesOfResult(const LossModule &module);
/// Whether all axes of `part` are in `whole`.
bool isSubset(const AxisList &part, const AxisList &whole);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODULE_AXISBINDING_H
