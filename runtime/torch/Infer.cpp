#include "runtime/torch/Infer.h"

namespace loss::runtime {

using torch::Tensor;

InferredResult inferResult(const LossHandle &loss, const LossCall &call,
                           const c10::SymInt &groups) {
  const BasicCallShape<SymbolicSizes> shape(loss, call);
  const auto options = at::TensorOptions(shape.resultType).device(torch::kMeta);
  if (call.reduction != Reduction::None) {
    std::vector<c10::SymInt> sizes;
    if (!TORCH_GUARD_OR_FALSE(groups.sym_eq(1)))
      sizes.push_back(groups);
    return {at::empty_symint(sizes, options), {}};
  }
  // In memory the axes are in order.
  const std::vector<int64_t> order = shape.axes.orderOf(shape.resultAxes);
  std::vector<c10::SymInt> sorted;
  std::vector<int64_t> back(order.size());
  for (size_t i = 0; i < order.size(); ++i) {
    sorted.push_back(shape.resultShape[order[i]]);
    back[order[i]] = static_cast<int64_t>(i);
  }
  InferredResult inferred{at::empty_symint(sorted, options).permute(back), {}};
  if (runsInMemoryOrder(shape, groups))
    inferred.layoutOf = shape.mainInput;
  return inferred;
}

Evaluated inferCall(const LossHandle &loss, const LossCall &call, const EvaluateRequest &request) {
  Evaluated out;
  const auto [result, layoutOf] = inferResult(loss, call, call.groups);
  out.result = layoutOf
                   ? at::empty_like(call.inputs[*layoutOf], result.options().requires_grad(false))
                   : result;
  out.gradients.resize(call.argumentCount());
  for (size_t i = 0; i < request.wanted.size(); ++i)
    if (request.wanted[i])
      out.gradients[i] = call.argument(i).defined()
                             ? at::empty_like(call.argument(i))
                             : at::empty({}, result.options().dtype(torch::kDouble));
  return out;
}

} // namespace loss::runtime
