#include "runtime/python/ForwardMode.h"

#include "runtime/python/Dispatch.h"

#include <torch/csrc/autograd/FunctionsManual.h>
#include <torch/csrc/autograd/functions/utils.h>

namespace loss::python {

using at::Tensor;
using torch::autograd::isFwGradDefined;

namespace {

namespace details = torch::autograd::generated::details;

/// The operands apart from their tangents.
struct Dual {
  explicit Dual(at::TensorList tensors) {
    for (size_t i = 0; i < tensors.size(); ++i) {
      primals.push_back(details::toNonOptPrimal(tensors[i]));
      if (!isFwGradDefined(tensors[i]))
        continue;
      places.push_back(static_cast<int64_t>(i));
      tangents.push_back(details::toNonOptFwGrad(tensors[i]));
    }
  }
  Tensors primals, tangents;
  /// Of the tensors that the tangents belong to.
  std::vector<int64_t> places;
};

void setTangent(const Tensor &result, const Tensor &tangent) {
  result._set_fw_grad(tangent, /*level=*/0, /*is_inplace_op=*/false);
}

} // namespace

bool hasTangents(at::TensorList tensors) {
  return torch::autograd::isFwGradDefinedTensorList(tensors);
}

void setLossTangent(const Tensor &value, const Call &call, at::TensorList tensors) {
  if (!hasTangents(tensors))
    return;
  const Dual dual(tensors);
  setTangent(value, callDirectionalDerivative(dual.tangents, call, dual.primals, dual.places));
}

void setGradientTangents(const Tensors &gradients, const Tensor &upstream, const Call &call,
                         at::TensorList tensors, at::IntArrayRef wanted) {
  const bool upstreamMoves = isFwGradDefined(upstream);
  if (!upstreamMoves && !hasTangents(tensors))
    return;
  const Dual dual(tensors);
  Tensors tangents;
  if (!dual.places.empty())
    tangents = std::get<1>(callSecondGradients(details::toNonOptPrimal(upstream), dual.tangents,
                                               call, dual.primals, dual.places, wanted));
  if (upstreamMoves) {
    Tensors more = callGradients(details::toNonOptFwGrad(upstream), call, dual.primals, wanted);
    for (size_t i = 0; i < more.size(); ++i)
      more[i] = tangents.empty() ? more[i] : tangents[i] + more[i];
    tangents = std::move(more);
  }
  for (size_t i = 0; i < gradients.size(); ++i)
    setTangent(gradients[i], tangents[i]);
}

} // namespace loss::python
