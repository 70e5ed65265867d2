//===- Check.h - all that must agree about a loss ---------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_RANDOM_CHECK_H
#define LOSSLANG_TEST_RANDOM_CHECK_H

#include "test/random/Options.h"

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loss::stress {

/// What is compared with the exact value of the program as it was written.
enum class Subject : unsigned {
  Interpreter,     ///< the reference interpreter in double
  Rewritten,       ///< the program after simplification, exactly
  RewrittenGrad,   ///< its gradient, exactly
  Difference,      ///< the gradient's slope in one direction against central differences
  Torch,           ///< LibTorch's value and autograd
  Kernel,          ///< compiled code
  KernelAsWritten, ///< compiled code of the program without simplification
  KernelOptions,   ///< compiled code with class weights, label smoothing, and weights of elements
  // Second derivatives: the tangent of the value, and a Hessian-vector product.
  RewrittenSecond,  ///< the program after simplification, exactly
  DifferenceSecond, ///< a slope of the gradient in one direction against central differences
  TorchSecond,      ///< LibTorch's autograd, twice
  KernelSecond,     ///< compiled code
};
inline constexpr unsigned subjects = 12;
const char *subjectName(Subject subject);

/// How numbers fared, for each subject.
struct Tally {
  /// Compared within their bound.
  uint64_t compared = 0;
  /// Of these, numbers with a bound above 1/16 of the exact value.
  uint64_t loose = 0;
  /// Without a finite bound: the exact value or a value on the way is not finite, overflows, or the
  /// rounding errors reach a jump or pole.
  uint64_t skipped = 0;
  /// Programs without: no argument to differentiate by, or, as the compiler says, an operation that
  /// has no derivative.
  uint64_t missing = 0;
};
using Tallies = std::array<Tally, subjects>;

struct Verdict {
  /// Empty: everything agrees.
  std::string failure;
  /// The program is no loss: what the compiler said.
  bool isRejected = false;
};

/// LibTorch's view of a program, where it is built in: value and gradients of the sum of the value
/// by each argument, in the order of the program's inputs and parameters. With options: the
/// second order along their tangents instead.
using TorchEvaluator = std::function<std::optional<std::vector<std::vector<double>>>(
    const lang::Program &, const Data &, const CallOptions *)>;

struct CheckOptions {
  TorchEvaluator torch;
  /// Compile and run kernels.
  bool kernels = true;
};

/// Owns the contexts and compilers. Not thread-safe.
class Checker {
public:
  explicit Checker(CheckOptions options);
  ~Checker();

  /// Compiles `text` and compares all that compute it, on data of `seed`.
  Verdict check(const std::string &text, uint64_t seed);
  /// Numbers compared since prepare().
  const Tallies &tallies() const;
  /// Compiles one small loss, so that all contexts exist. Starts no thread.
  void prepare();

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace loss::stress

#endif // LOSSLANG_TEST_RANDOM_CHECK_H
