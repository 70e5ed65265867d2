//===- Dispatch.h - the operators, called through PyTorch -------*- C++ -*-===//
//
// What Call.h computes, as torch.ops.losslang: each call goes through the dispatcher, so that
// whoever traces or transforms the program sees it.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_PYTHON_DISPATCH_H
#define LOSSLANG_RUNTIME_PYTHON_DISPATCH_H

#include "runtime/python/Call.h"

namespace loss::python {

at::Tensor callLoss(const Call &call, at::TensorList tensors);

std::tuple<at::Tensor, Tensors> callLossAndGradients(const Call &call, at::TensorList tensors,
                                                     at::IntArrayRef wanted);

Tensors callGradients(const at::Tensor &upstream, const Call &call, at::TensorList tensors,
                      at::IntArrayRef wanted);

std::tuple<at::Tensor, Tensors> callSecondGradients(const at::Tensor &upstream,
                                                    at::TensorList tangents, const Call &call,
                                                    at::TensorList tensors, at::IntArrayRef wanted,
                                                    at::IntArrayRef secondWanted);

at::Tensor callDirectionalDerivative(at::TensorList tangents, const Call &call,
                                     at::TensorList tensors, at::IntArrayRef wanted);

} // namespace loss::python

#endif // LOSSLANG_RUNTIME_PYTHON_DISPATCH_H
