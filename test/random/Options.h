//===- Options.h - what callers ask of a loss beside its arguments -*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_OPTIONS_H
#define LOSSLANG_TEST_RANDOM_OPTIONS_H

#include "lang/Program.h"
#include "test/random/Data.h"

#include <cstdint>
#include <string>
#include <vector>

namespace loss::stress {

/// All numbers are f32 numbers, as those of Data.
struct CallOptions {
  /// Of a kernel with options.
  double smoothing = 0;
  std::vector<double> classWeights;
  /// One factor for each element of the result, some of them 0. Empty: one for all.
  std::vector<double> weights;
  /// Of second-order kernels, by argument: all that they take.
  ir::reference::Arguments tangents;
};

CallOptions randomOptions(const lang::Program &program, const Data &data, uint64_t seed);

/// The weights of the elements, laid out as the result.
ir::reference::Array elementWeights(const lang::Program &program, const Data &data,
                                    const CallOptions &options);

/// The loss `text` with the options as further fixed inputs, in this order: the formulas that
/// runtime/abi/LossAbi.h gives, written out. `classWeighting` is LOSS_WEIGHTS_... .
std::string withOptionsWritten(const std::string &text, const lang::Program &program,
                               unsigned classWeighting);
inline constexpr size_t writtenOptions = 3;
/// The arguments of that.
Data withOptionsWritten(const Data &data, const lang::Program &program, const CallOptions &options);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_OPTIONS_H
