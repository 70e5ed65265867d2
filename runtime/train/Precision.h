//===- Precision.h - numbers of the network ---------------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TRAIN_PRECISION_H
#define LOSSLANG_RUNTIME_TRAIN_PRECISION_H

#include "runtime/models/Models.h"
#include "runtime/train/Trainer.h"

namespace loss::runtime {

/// Whether to run the network in bf16. Throws ConfigError when that is asked of a processor without
/// bf16 instructions.
bool choosesBf16(PrecisionKind precision);

/// Puts the weights of the convolutions, and what comes from them, into channels-last order.
void useChannelsLast(Network &network);

/// Runs the operations of its scope in bf16 where LibTorch's autocast does so.
class Bf16Scope {
public:
  explicit Bf16Scope(bool on);
  ~Bf16Scope();
  Bf16Scope(const Bf16Scope &) = delete;
  Bf16Scope &operator=(const Bf16Scope &) = delete;

private:
  bool on, wasEnabled = false;
  at::ScalarType wasType = at::kFloat;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_PRECISION_H
