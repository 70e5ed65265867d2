//===- Torch.h - a loss in LibTorch's operations ----------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_TORCH_H
#define LOSSLANG_TEST_RANDOM_TORCH_H

#include "test/random/Check.h"

namespace loss::stress {

/// The value in f64, and the gradients of its sum by each input and parameter from autograd.
/// With `along`: the second order instead, as a kernel gives it for these tangents and weights.
/// Nothing where the program uses what LibTorch has no operation with a derivative for.
std::optional<std::vector<std::vector<double>>>
evaluateInTorch(const lang::Program &program, const Data &data, const CallOptions *along = nullptr);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_TORCH_H
