//===- Compiler.h - from text to a callable loss ----------------*- C++ -*-===//
//
// The compiler as a library. This header shows no LLVM or MLIR type, so the runtime and the search
// include it cheaply and next to LibTorch's headers.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_PIPELINE_COMPILER_H
#define LOSSLANG_COMPILER_PIPELINE_COMPILER_H

#include "runtime/abi/LossAbi.h"

#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

namespace loss {

/// Where in a text an error is. Lines and columns count from 1; 0 where the place is not known.
struct ErrorPlace {
  std::string file;
  uint32_t line = 0, column = 0;
  /// Behind the last character.
  uint32_t endLine = 0, endColumn = 0;
  /// The line itself.
  std::string text;
};

/// The program text was wrong. what() holds the rendered diagnostics (file:line:col, source line,
/// caret, notes), ready to print.
class CompileError : public std::runtime_error {
public:
  explicit CompileError(const std::string &what, ErrorPlace first = {})
      : std::runtime_error(what), first(std::move(first)) {}

  /// Of the first error.
  ErrorPlace first;
};

/// Which kernels to generate. Each set bit of a mask is one value of the enumeration in LossAbi.h.
struct KernelSelection {
  uint32_t elements = (1u << LOSS_F32) | (1u << LOSS_F64);
  uint32_t targets =
      (1u << LOSS_TARGET_NONE) | (1u << LOSS_TARGET_INDEX) | (1u << LOSS_TARGET_DENSE);
  /// LOSS_VALUE_AND_ALL_GRADS only where it differs from LOSS_VALUE_AND_GRAD: there are parameters,
  /// fixed inputs, a dense target or inputs without a gradient of their own; likewise
  /// LOSS_TANGENT_ALL. The second order must be asked for.
  uint32_t modes =
      (1u << LOSS_VALUE) | (1u << LOSS_VALUE_AND_GRAD) | (1u << LOSS_VALUE_AND_ALL_GRADS);
  /// LOSS_WITH_OPTIONS only for a loss with a target.
  uint32_t options = (1u << LOSS_PLAIN) | (1u << LOSS_WITH_OPTIONS);
  /// Feature levels; 0 means the best level of this processor.
  uint32_t levels = 0;

  /// One element type, one kind of target, value and gradient in one kernel: what training needs.
  static KernelSelection training(uint32_t element = LOSS_F32,
                                  uint32_t target = LOSS_TARGET_INDEX) {
    return {1u << element, (1u << target) | (1u << LOSS_TARGET_NONE), 1u << LOSS_VALUE_AND_GRAD,
            1u << LOSS_PLAIN, 0};
  }
};

/// A loss compiled in this process. The module and its code live as long as this object.
class JitModule {
public:
  virtual ~JitModule() = default;
  virtual const LossModule &module() const = 0;
  /// What the compiler warned of, each as lossc prints it.
  std::vector<std::string> warnings;
};

/// Compiles many losses one after another with flat memory. Not thread-safe: one per thread.
class Compiler {
public:
  /// `disabledPatterns`: laws of the simplification that are left out, by name; for tests.
  explicit Compiler(std::vector<std::string> disabledPatterns = {});
  ~Compiler();
  Compiler(const Compiler &) = delete;
  Compiler &operator=(const Compiler &) = delete;

  /// Compiles `text` in process. `fileName` appears in diagnostics. `defines`: "name=value", as -D
  /// of lossc. Throws CompileError.
  std::unique_ptr<JitModule> compile(std::string_view text, const std::string &fileName,
                                     const KernelSelection &selection = {},
                                     const std::vector<std::string> &defines = {});

  /// Reads and compiles a .loss file in process. Throws CompileError (also when it cannot be read).
  std::unique_ptr<JitModule> compileFile(const std::string &path,
                                         const KernelSelection &selection = {});

  struct Impl;

private:
  std::unique_ptr<Impl> impl;
};

/// A program as one text: with the functions that it imports and the values of `defines` in it, as
/// LossModule.source of what Compiler makes of it. Reads the imported files, compiles nothing.
/// Nothing where the program or `defines` have errors, which Compiler tells.
std::optional<std::string> selfContained(std::string_view text, const std::string &fileName,
                                         const std::vector<std::string> &defines = {});

/// An option of a program: what `-D` gives another value.
struct LossOption {
  std::string name;
  /// 0 or 1 for a truth value.
  double value = 0;
  bool isBool = false;
};

/// What of a program can be set, beside what LossModule says of it.
struct LossSettings {
  /// In the order of the program, with their values.
  std::vector<LossOption> options;
  /// The parameters that have no influence on the result with these values of the options.
  std::vector<std::string> unusedParams;
};

/// Reads a program and what it imports; compiles nothing. Throws CompileError.
LossSettings readSettings(std::string_view text, const std::string &fileName);

/// Path of a library loss ("ngl" -> ".../stdlib/ngl.loss"), or empty when there is none. Looks in
/// $LOSSLANG_STDLIB, beside the running program (../share/losslang/stdlib), and in the source tree.
std::string findLibraryLoss(std::string_view name);

/// The folders that library losses are looked up in, in this order; some may not exist.
std::vector<std::string> libraryFolders();

/// Names of all library losses, sorted.
std::vector<std::string> listLibraryLosses();

} // namespace loss

#endif // LOSSLANG_COMPILER_PIPELINE_COMPILER_H
