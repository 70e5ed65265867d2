//===- ResNet9.h - a pre-activation ResNet-9 --------------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODELS_RESNET9_H
#define LOSSLANG_RUNTIME_MODELS_RESNET9_H

#include "runtime/models/Models.h"

namespace loss::runtime {

/// Eight 3x3 convolutions and a linear layer, widths w, 2w, 4w, 8w with w = 64: normalisation and
/// ReLU stand before every convolution but the first (He et al. 2016, arXiv 1603.05027), residual
/// pairs at 2w and 8w, 2x2 max pooling behind each widening, global average pooling.
std::shared_ptr<Network> makeResNet9(const NetworkShape &shape);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODELS_RESNET9_H
