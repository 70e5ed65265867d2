//===- Kernels.h - compiled code against exact values -----------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_KERNELS_H
#define LOSSLANG_TEST_RANDOM_KERNELS_H

#include "lang/Program.h"
#include "runtime/abi/LossAbi.h"
#include "test/random/Compare.h"
#include "test/random/Data.h"
#include "test/random/Options.h"

#include <memory>
#include <string>
#include <vector>

namespace loss::stress {

/// What one kernel is asked for.
struct KernelChoice {
  /// LOSS_F32, ...; LOSS_VALUE, ...
  unsigned element, mode;
  /// With the passes that rewrite formulas.
  bool optimised;
  /// LOSS_PLAIN, ...
  unsigned options = LOSS_PLAIN;
};

/// LOSS_TARGET_...: what kind of target the data has.
unsigned targetOf(const lang::Program &program, const Data &data);

/// Compiles losses in this process and calls them.
class KernelRunner {
public:
  KernelRunner();
  ~KernelRunner();

  /// A loss to call from now on.
  void setText(const std::string &text);
  /// The module of one kernel, compiled at the first call. Null: why is in `failure`.
  const LossModule *load(const KernelChoice &choice, const lang::Program &program, const Data &data,
                         std::string &failure);
  /// Runs one kernel and compares what it gives with `expected`: the value (or its tangent), then
  /// the gradient by each input and parameter, with the weights that `options` has. `seed` chooses
  /// the weight otherwise, and strides. Empty, or what is wrong.
  std::string compare(const KernelChoice &choice, const lang::Program &program, const Data &data,
                      const CallOptions &options, const std::vector<BoundedArray> &expected,
                      uint64_t seed, Tally &tally);

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_KERNELS_H
