#include "runtime/torch/CallPlan.h"

#include <ATen/ExpandUtils.h>

#include <algorithm>
#include <climits>
#include <numeric>

namespace loss::runtime {

using torch::Tensor;

bool runsInMemoryOrder(const CallKind &kind, const c10::SymInt &groups) {
  return kind.byRows && kind.loss.module().axis_count == 1 &&
         TORCH_GUARD_OR_FALSE(groups.sym_eq(1));
}

Shape denseStrides(const Tensor &tensor) {
  return tensor.is_non_overlapping_and_dense()
             ? tensor.strides().vec()
             : at::infer_dense_strides(tensor.sizes(), tensor.strides());
}

CallPlan::CallPlan(const LossHandle &loss, const LossCall &call)
    : BasicCallShape(loss, call), groups(call.groups) {
  const LossModule &module = loss.module();
  const Tensor &main = call.inputs[mainInput];
  TORCH_CHECK_VALUE(target == LOSS_TARGET_NONE || classes() >= 1, subject(loss), nameOf(mainInput),
                    ": expected 1 class or more, but found the shape ", main.sizes());
  TORCH_CHECK_VALUE(groups == 1 || (groups > 1 && byRows && !axes.dimensions(0).empty() &&
                                    axes.dimensions(0).front() % groups == 0),
                    subject(loss), "expected rows for ", groups, " groups of one size");
  if (runsInMemoryOrder(*this, groups) && !main.is_contiguous()) {
    const Shape strides = denseStrides(main);
    memoryOrder.resize(main.dim());
    std::iota(memoryOrder.begin(), memoryOrder.end(), 0);
    auto place = [&](int64_t d) { return std::pair(-strides[d], d); };
    std::sort(memoryOrder.begin(), memoryOrder.end(),
              [&](int64_t a, int64_t b) { return place(a) < place(b); });
  }
  rows = byRows ? axes.size(0) : 1;
  resultSlab = axes.elements(AxisList(resultAxes.begin() + (byRows ? 1 : 0), resultAxes.end()));
  for (uint32_t axis = byRows ? 1 : 0; axis < module.axis_count; ++axis) {
    TORCH_CHECK_VALUE(axes.size(axis) <= INT_MAX, subject(loss), "the axis '", module.axes[axis],
                      "' has ", axes.size(axis), " elements, more than 2^31 - 1");
    TORCH_CHECK_VALUE(axes.size(axis) > 0 || resultElements() == 0, subject(loss), "the axis '",
                      module.axes[axis], "' is empty, but the result is not");
  }
}

std::vector<int64_t> CallPlan::orderOf(const AxisList &list) const {
  return memoryOrder.empty() || list.empty() ? axes.orderOf(list) : memoryOrder;
}

bool CallPlan::hasRowAxis(size_t argument) const {
  const AxisList list = axesOf(argument);
  return byRows && !list.empty() && list[0] == 0;
}

SlabView CallPlan::view(const Tensor &tensor, const AxisList &list) const {
  const std::vector<int64_t> order = orderOf(list);
  const size_t rowDimensions =
      byRows && !list.empty() && list[0] == 0 ? axes.dimensions(0).size() : 0;
  std::vector<Dimension> rowPart, slabPart;
  for (size_t i = 0; i < order.size(); ++i)
    (i < rowDimensions ? rowPart : slabPart)
        .push_back({tensor.size(order[i]), tensor.stride(order[i])});
  return SlabView(const_cast<void *>(tensor.const_data_ptr()), tensor.scalar_type(), rowPart,
                  slabPart);
}

} // namespace loss::runtime
