//===- ForwardMode.h - jvp of a loss and its gradients ----------*- C++ -*-===//
//
// Forward-mode automatic differentiation: tensors carry tangents, and so do results. Both functions
// do nothing where no operand has one.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_PYTHON_FORWARDMODE_H
#define LOSSLANG_RUNTIME_PYTHON_FORWARDMODE_H

#include "runtime/python/Call.h"

namespace loss::python {

bool hasTangents(at::TensorList tensors);

/// The derivative of a loss along the tangents of its operands.
void setLossTangent(const at::Tensor &value, const Call &call, at::TensorList tensors);

/// Those of its gradients: the Hessian times the tangents, and the gradients for the tangent of
/// what comes from above.
void setGradientTangents(const Tensors &gradients, const at::Tensor &upstream, const Call &call,
                         at::TensorList tensors, at::IntArrayRef wanted);

} // namespace loss::python

#endif // LOSSLANG_RUNTIME_PYTHON_FORWARDMODE_H
