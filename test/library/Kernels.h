//===- Kernels.h - compiled losses of any compiler --------------*- C++ -*-===//
//
// The kernels under test are compiled in this process, or come from a library that some `lossc`
// wrote, so that the oracle can judge other revisions of the compiler than its own.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_TEST_LIBRARY_KERNELS_H
#define LOSSLANG_TEST_LIBRARY_KERNELS_H

#include "compiler/Pipeline/Compiler.h"
#include "test/library/Points.h"

#include "llvm/Support/Error.h"

#include <memory>

namespace loss::stress {

/// A loss, compiled and loaded.
class Library {
public:
  /// In this process, without some laws of the simplification.
  static llvm::Expected<std::unique_ptr<Library>>
  compile(const std::vector<std::string> &disabledLaws, const std::string &source,
          const std::vector<std::string> &settings);
  /// Runs `lossc` on `source` with the settings of options ("name=value"), into `folder`.
  static llvm::Expected<std::unique_ptr<Library>> compile(const std::string &lossc,
                                                          const std::string &source,
                                                          const std::vector<std::string> &settings,
                                                          const std::string &folder);
  ~Library();

  const LossModule &module() const { return *loaded; }

private:
  Library() = default;
  std::unique_ptr<Compiler> compiler;
  std::unique_ptr<JitModule> jit;
  void *handle = nullptr;
  const LossModule *loaded = nullptr;
};

/// What a kernel gives, in double.
struct Answer {
  std::vector<double> value;
  /// Inputs, then parameters; empty where the kernel gives no gradient.
  std::vector<std::vector<double>> gradients;
};

/// The kernel for the kind of target of the point, or null.
const LossKernel *kernelFor(const LossModule &module, const Point &point, unsigned element,
                            unsigned mode);
Answer callKernel(const LossModule &module, const LossKernel &kernel, const Point &point);

} // namespace loss::stress

#endif // LOSSLANG_TEST_LIBRARY_KERNELS_H
