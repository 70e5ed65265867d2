//===- AxisBinding.h - the dimensions of arrays as axes of a loss -*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODULE_AXISBINDING_H
#define LOSSLANG_RUNTIME_MODULE_AXISBINDING_H

#include "runtime/abi/LossAbi.h"

#include <algorithm>
#include <cstdint>
#include <string>
#include <vector>

namespace loss::runtime {

/// Axes of a loss: indices into LossModule.axes, ascending.
using AxisList = std::vector<uint32_t>;

/// Sizes of dimensions as numbers. What traces programs has symbols for them (CallShape.h).
struct NumberSizes {
  using Size = int64_t;
  static bool areEqual(int64_t a, int64_t b) { return a == b; }
  /// The same, where everything else is an error.
  static bool expectEqual(int64_t a, int64_t b) { return a == b; }
};

/// Which dimensions of the arrays of a call belong to which axis of the loss.
///
/// The dimensions of an array are its axes in order, one each; the last axis takes those that are
/// left over, and the loss's first axis may be missing. In a loss over rows and classes with a
/// target, the classes are the second dimension and those behind it belong to the rows: (N, C, d1,
/// ..., dk). The first array with an axis decides how many dimensions the axis has. Sizes are only
/// compared where two arrays share an axis: they decide nothing.
template <typename Sizes> class BasicAxisBinding {
public:
  using Size = typename Sizes::Size;
  using Shape = std::vector<Size>;

  explicit BasicAxisBinding(const LossModule &module)
      : module(module), axisDimensions(module.axis_count), bound(module.axis_count, false),
        classesSecond(module.axis_count == 2 && module.class_axis == 1) {}

  /// Gives the dimensions of an array to its axes. False when they do not fit.
  bool bind(const AxisList &axes, const Shape &shape);

  bool isBound(uint32_t axis) const { return bound[axis]; }
  /// All axes of the list have dimensions.
  bool areBound(const AxisList &axes) const {
    return std::all_of(axes.begin(), axes.end(), [&](uint32_t axis) { return bound[axis]; });
  }

  /// The dimensions of an axis: none when the caller left it out.
  const Shape &dimensions(uint32_t axis) const { return axisDimensions[axis]; }
  /// The size of an axis: the product of its dimensions.
  Size size(uint32_t axis) const;
  /// The sizes of all axes, as LossArgs wants them.
  std::vector<Size> sizes() const;
  /// The number of elements of an array over these axes.
  Size elements(const AxisList &axes) const;

  /// The shape of an array over these axes.
  Shape shapeOf(const AxisList &axes) const;
  /// The number of its dimensions.
  size_t rankOf(const AxisList &axes) const;
  /// The dimensions of an array over these axes, sorted by axis: place i is the array's dimension
  /// order[i]. The identity but where the classes are the second of more than two dimensions.
  std::vector<int64_t> orderOf(const AxisList &axes) const;

  /// "[batch, class]"
  std::string describe(const AxisList &axes) const;

  /// Whether two shapes are equal, where everything else is an error.
  static bool expectEqual(const Shape &a, const Shape &b) {
    return std::equal(a.begin(), a.end(), b.begin(), b.end(), Sizes::expectEqual);
  }

private:
  bool splits(const AxisList &axes) const { return classesSecond && axes.size() == 2; }

  const LossModule &module;
  std::vector<Shape> axisDimensions;
  std::vector<bool> bound;
  /// The loss is one over rows and classes with a target.
  bool classesSecond = false;
};

using AxisBinding = BasicAxisBinding<NumberSizes>;
using Shape = AxisBinding::Shape;

/// The axes of an input. A target passed as class indices lacks the class axis.
AxisList axesOfInput(const LossModule &module, uint32_t input, bool asIndices = false);
/// The axes of the result.
AxisList axesOfResult(const LossModule &module);
/// Whether all axes of `part` are in `whole`.
bool isSubset(const AxisList &part, const AxisList &whole);

template <typename Sizes>
bool BasicAxisBinding<Sizes>::bind(const AxisList &axes, const Shape &shape) {
  if (areBound(axes))
    return expectEqual(shapeOf(axes), shape);

  size_t taken = 0, unbound = 0;
  for (uint32_t axis : axes)
    if (bound[axis])
      taken += axisDimensions[axis].size();
    else
      ++unbound;
  if (shape.size() < taken)
    return false;
  const size_t left = shape.size() - taken;
  const bool firstMissing = left + 1 == unbound && axes[0] == 0 && !bound[0];
  if (left < unbound && !firstMissing)
    return false;
  const size_t leftOver = firstMissing ? 0 : left - unbound;
  uint32_t greedy = axes.back();
  for (uint32_t axis : axes)
    if (!bound[axis])
      greedy = axis;

  if (splits(axes) && unbound == 2) {
    const size_t classDimension = shape.size() == 1 ? 0 : 1;
    axisDimensions[1] = {shape[classDimension]};
    axisDimensions[0] = shape;
    axisDimensions[0].erase(axisDimensions[0].begin() + static_cast<ptrdiff_t>(classDimension));
    bound[0] = bound[1] = true;
    return true;
  }
  // An axis of a target's classes is one dimension: a class index has no shape.
  if (leftOver > 0 && static_cast<int32_t>(greedy) == module.class_axis)
    return false;
  auto next = shape.begin();
  std::vector<Shape> found = axisDimensions;
  for (uint32_t axis : axes) {
    size_t count = axisDimensions[axis].size();
    if (!bound[axis])
      count = axis == 0 && firstMissing ? 0 : axis == greedy ? 1 + leftOver : 1;
    Shape dimensions(next, next + static_cast<ptrdiff_t>(count));
    next += static_cast<ptrdiff_t>(count);
    if (bound[axis] && !expectEqual(dimensions, axisDimensions[axis]))
      return false;
    found[axis] = std::move(dimensions);
  }
  axisDimensions = std::move(found);
  for (uint32_t axis : axes)
    bound[axis] = true;
  return true;
}

template <typename Sizes> typename Sizes::Size BasicAxisBinding<Sizes>::size(uint32_t axis) const {
  Size product = 1;
  for (const Size &size : axisDimensions[axis])
    product *= size;
  return product;
}

template <typename Sizes> std::vector<typename Sizes::Size> BasicAxisBinding<Sizes>::sizes() const {
  std::vector<Size> all;
  for (uint32_t axis = 0; axis < module.axis_count; ++axis)
    all.push_back(size(axis));
  return all;
}

template <typename Sizes>
typename Sizes::Size BasicAxisBinding<Sizes>::elements(const AxisList &axes) const {
  Size product = 1;
  for (uint32_t axis : axes)
    product *= size(axis);
  return product;
}

template <typename Sizes>
typename BasicAxisBinding<Sizes>::Shape
BasicAxisBinding<Sizes>::shapeOf(const AxisList &axes) const {
  Shape shape;
  for (uint32_t axis : axes)
    shape.insert(shape.end(), axisDimensions[axis].begin(), axisDimensions[axis].end());
  if (splits(axes) && shape.size() > 2)
    std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
  return shape;
}

template <typename Sizes> size_t BasicAxisBinding<Sizes>::rankOf(const AxisList &axes) const {
  size_t count = 0;
  for (uint32_t axis : axes)
    count += axisDimensions[axis].size();
  return count;
}

template <typename Sizes>
std::vector<int64_t> BasicAxisBinding<Sizes>::orderOf(const AxisList &axes) const {
  std::vector<int64_t> order(rankOf(axes));
  for (size_t i = 0; i < order.size(); ++i)
    order[i] = static_cast<int64_t>(i);
  if (splits(axes) && order.size() > 2)
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

template <typename Sizes>
std::string BasicAxisBinding<Sizes>::describe(const AxisList &axes) const {
  std::string text = "[";
  for (size_t i = 0; i < axes.size(); ++i)
    text += (i ? ", " : "") + std::string(module.axes[axes[i]]);
  return text + "]";
}

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODULE_AXISBINDING_H
