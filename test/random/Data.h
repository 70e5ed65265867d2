//===- Data.h - arguments of random losses ----------------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_DATA_H
#define LOSSLANG_TEST_RANDOM_DATA_H

#include "compiler/Reference/Array.h"
#include "lang/Program.h"

#include <cstdint>
#include <vector>

namespace loss::stress {

/// Ordinary: generic numbers. Extreme: zeros of both signs, ties, and numbers from 1e-30 to 1e4.
enum class Flavour { Ordinary, Extreme };

/// Arguments of a loss. All numbers are f32 numbers, so that f32 and f64 kernels see the same.
struct Data {
  ir::reference::Arguments arguments;
  /// Size of each axis of the program.
  std::vector<int64_t> sizes;
  /// Where the program has a target: its classes, in the order of the target's other axes; the
  /// argument is then 1 at these classes and 0 elsewhere. Empty: the target is a distribution.
  std::vector<int64_t> classes;

  std::string text() const;
};

Data randomData(const lang::Program &program, uint64_t seed, Flavour flavour);

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_DATA_H
