//===- GradientMemory.h - memory of gradients, used again -------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TORCH_GRADIENTMEMORY_H
#define LOSSLANG_RUNTIME_TORCH_GRADIENTMEMORY_H

#include <torch/torch.h>

namespace loss::runtime {

/// An uninitialised tensor like at::empty_strided of dense strides, 64-byte aligned. A large one
/// takes over the memory of a gradient that has been released, if one of fitting size was: fresh
/// pages cost as much as the loss itself, and training releases a gradient of the same size in each
/// step. At most two released gradients are held back. Thread-safe.
at::Tensor emptyGradient(at::IntArrayRef sizes, at::IntArrayRef strides, at::TensorOptions options);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TORCH_GRADIENTMEMORY_H
