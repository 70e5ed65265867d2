#include "runtime/module/AxisBinding.h"

#include <algorithm>

namespace loss::runtime {

AxisBinding::AxisBinding(const LossModule &module)
    : module(module), axisDimensions(module.axis_count), bound(module.axis_count, false),
      classesSecond(module.axis_count == 2 && module.class_axis == 1) {}

bool AxisBinding::splits(const AxisList &axes) const { return classesSecond && axes.size() == 2; }

bool AxisBinding::areBound(const AxisList &axes) const {
  return std::all_of(axes.begin(), axes.end(), [&](uint32_t axis) { return bound[axis]; });
}

bool AxisBinding::bind(const AxisList &axes, const Shape &shape) {
  if (areBound(axes))
    return shapeOf(axes) == shape;

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
    if (bound[axis] && dimensions != axisDimensions[axis])
      return false;
    found[axis] = std::move(dimensions);
  }
  axisDimensions = std::move(found);
  for (uint32_t axis : axes)
    bound[axis] = true;
  return true;
}

int64_t AxisBinding::size(uint32_t axis) const {
  int64_t product = 1;
  for (int64_t size : axisDimensions[axis])
    product *= size;
  return product;
}

std::vector<int64_t> AxisBinding::sizes() const {
  std::vector<int64_t> all(module.axis_count);
  for (uint32_t axis = 0; axis < module.axis_count; ++axis)
    all[axis] = size(axis);
  return all;
}

int64_t AxisBinding::elements(const AxisList &axes) const {
  int64_t product = 1;
  for (uint32_t axis : axes)
    product *= size(axis);
  return product;
}

Shape AxisBinding::shapeOf(const AxisList &axes) const {
  Shape shape;
  for (uint32_t axis : axes)
    shape.insert(shape.end(), axisDimensions[axis].begin(), axisDimensions[axis].end());
  if (splits(axes) && shape.size() > 2)
    std::rotate(shape.begin() + 1, shape.end() - 1, shape.end());
  return shape;
}

std::vector<int64_t> AxisBinding::orderOf(const AxisList &axes) const {
  size_t count = 0;
  for (uint32_t axis : axes)
    count += axisDimensions[axis].size();
  std::vector<int64_t> order(count);
  for (size_t i = 0; i < count; ++i)
    order[i] = static_cast<int64_t>(i);
  if (splits(axes) && count > 2)
    std::rotate(order.begin() + 1, order.begin() + 2, order.end());
  return order;
}

std::string AxisBinding::describe(const AxisList &axes) const {
  std::string text = "[";
  for (size_t i = 0; i < axes.size(); ++i)
    text += (i ? ", " : "") + std::string(module.axes[axes[i]]);
  return text + "]";
}

AxisList axesOfInput(const LossModule &module, uint32_t input, bool asIndices) {
  const LossInput &described = module.inputs[input];
  AxisList axes(described.axes, described.axes + described.axis_count);
  if (asIndices)
    axes.erase(std::remove(axes.begin(), axes.end(), static_cast<uint32_t>(module.class_axis)),
               axes.end());
  return axes;
}

AxisList axesOfResult(const LossModule &module) {
  return AxisList(module.result_axes, module.result_axes + module.result_axis_count);
}

bool isSubset(const AxisList &part, const AxisList &whole) {
  return std::includes(whole.begin(), whole.end(), part.begin(), part.end());
}

} // namespace loss::runtime
