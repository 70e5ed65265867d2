//===- TracedLoss.h - a loss made of operators that can be traced *- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_PYTHON_TRACEDLOSS_H
#define LOSSLANG_RUNTIME_PYTHON_TRACEDLOSS_H

#include "runtime/python/Call.h"

namespace loss::python {

/// Whether these are plain tensors of which nobody watches the operators, so that the loss's own
/// autograd node may be used.
bool arePlain(at::TensorList tensors);

/// The loss as an autograd node that is made of calls of the dispatcher: what torch.compile and
/// torch.func can see through. Forward mode (ForwardMode.h) goes along.
at::Tensor tracedLoss(const CallPtr &call, at::TensorList tensors);

/// The gradients, differentiable once more.
Tensors tracedGradients(const at::Tensor &upstream, const CallPtr &call, at::TensorList tensors,
                        at::IntArrayRef wanted);

/// The derivative along tangents, differentiable once more in reverse mode.
at::Tensor tracedDirectionalDerivative(at::TensorList tangents, const CallPtr &call,
                                       at::TensorList tensors, at::IntArrayRef wanted);

/// Second derivatives. Differentiating them is an error that says so.
std::tuple<at::Tensor, Tensors>
tracedSecondGradients(const at::Tensor &upstream, at::TensorList tangents, const CallPtr &call,
                      at::TensorList tensors, at::IntArrayRef wanted, at::IntArrayRef secondWanted);

} // namespace loss::python

#endif // LOSSLANG_RUNTIME_PYTHON_TRACEDLOSS_H
