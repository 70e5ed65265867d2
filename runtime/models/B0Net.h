//===- B0Net.h - the surrogate of Morgan & Hougen 2024 ----------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODELS_B0NET_H
#define LOSSLANG_RUNTIME_MODELS_B0NET_H

#include "runtime/models/Models.h"

namespace loss::runtime {

/// conv3x3(w), two pre-activation residual blocks (2w, 4w), global average pooling, dropout 1/2,
/// linear; swish everywhere; w = 8. arXiv 2403.08793.
std::shared_ptr<Network> makeB0Net(const NetworkShape &shape);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODELS_B0NET_H
