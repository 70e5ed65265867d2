//===- Generator.h - random losses ------------------------------*- C++ -*-===//
//
// Writes well-typed losses that use every builtin function, one to four axes and their copies,
// targets, fixed inputs, parameters, options and functions. Intervals are tracked along, so that
// most values of most programs are finite: a function with a domain is given an operand inside of
// it. New rows of lang/Builtins.def join by themselves.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_RANDOM_GENERATOR_H
#define LOSSLANG_TEST_RANDOM_GENERATOR_H

#include <cstdint>
#include <string>

namespace loss::stress {

struct GeneratorOptions {
  /// Named values in the body of a loss, at least and at most.
  unsigned minSteps = 4, maxSteps = 12;
};

/// The text of a loss `f`, the same for the same seed.
std::string randomProgram(uint64_t seed, const GeneratorOptions &options = {});

/// The interval that values of inputs, and values of parameters, are drawn from mostly; what the
/// generator reckons with.
inline constexpr double inputReach = 4;

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_GENERATOR_H
