//===- Oracle.h - what a loss means, in f64 ---------------------*- C++ -*-===//
//
// The reference interpreter behind an interface without MLIR.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_UNIT_INTEGRATION_ORACLE_H
#define LOSSLANG_TEST_UNIT_INTEGRATION_ORACLE_H

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace loss::test {

/// A matrix [rows, classes] in f64.
using Matrix = std::vector<double>;

struct Expected {
  std::vector<double> value;
  /// By input.
  std::vector<Matrix> grads;
};

/// Interprets the loss as it is after simplification and differentiation, and as it was written.
class Oracle {
public:
  explicit Oracle(const std::string &text);
  ~Oracle();

  /// Inputs in the order of the loss.
  Expected evaluate(int64_t rows, int64_t classes, const std::vector<Matrix> &inputs) const;
  /// The value alone, of the formula before any rewriting.
  std::vector<double> asWritten(int64_t rows, int64_t classes,
                                const std::vector<Matrix> &inputs) const;

private:
  struct Impl;
  std::unique_ptr<Impl> impl;
};

} // namespace loss::test

#endif // LOSSLANG_TEST_UNIT_INTEGRATION_ORACLE_H
