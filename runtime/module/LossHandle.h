//===- LossHandle.h - a loaded loss -----------------------------*- C++ -*-===//
//
// A compiled loss from a shared library or from the in-process compiler, checked and ready to call.
// Knows neither LibTorch nor LLVM.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_MODULE_LOSSHANDLE_H
#define LOSSLANG_RUNTIME_MODULE_LOSSHANDLE_H

#include "runtime/abi/LossAbi.h"

#include <atomic>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace loss::runtime {

/// A module could not be used: no such file, no loss, another ABI version, no kernel for this
/// processor. what() is one line that names the file or the loss.
class LoadError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A parameter was given that the loss does not have, or a value outside its range. what() is one
/// line.
class ParamError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Parameter values by name; those not named keep their default.
using ParamValues = std::vector<std::pair<std::string, double>>;

/// One kernel of a loss, chosen for this processor.
struct KernelRef {
  LossKernelFn entry = nullptr;
  LossScratchFn scratch = nullptr;
  explicit operator bool() const { return entry != nullptr; }
  /// Elements of scratch that a call with axes of these sizes needs.
  int64_t scratchElements(const int64_t *sizes) const { return scratch ? scratch(sizes) : 0; }
};

/// Compiles kernels when a call first needs them: a module with the kernel of these properties
/// (LOSS_F32, ...; LOSS_TARGET_...; LOSS_VALUE, ...; LOSS_PLAIN, ...), or null when the loss has
/// none. Called by several threads at once.
using KernelProvider = std::function<std::shared_ptr<const LossModule>(
    uint32_t element, uint32_t target, uint32_t mode, uint32_t options)>;

/// A loss, shared by copies of the handle; the code stays loaded as long as one of them lives.
class LossHandle {
public:
  /// Opens a library that the compiler wrote. Throws LoadError.
  static LossHandle open(const std::string &path);

  /// Adopts a module that lives in memory; `module` keeps its owner alive (an aliasing shared_ptr
  /// to the compiler's JitModule). `origin` names it in messages. Throws LoadError.
  /// `provider` is asked for kernels that the module lacks.
  static LossHandle adopt(std::shared_ptr<const LossModule> module, const std::string &origin,
                          KernelProvider provider = {});

  const LossModule &module() const { return *loaded->module; }
  std::string name() const { return loaded->module->name; }
  /// File or text that the loss came from, for messages.
  const std::string &origin() const { return loaded->origin; }

  /// The feature level (LOSS_X86_64_...) that the kernels are chosen for.
  int level() const { return loaded->level; }

  /// The kernel with these properties, or an empty one when the module has none of them.
  KernelRef kernel(uint32_t element, uint32_t target, uint32_t mode,
                   uint32_t options = LOSS_PLAIN) const;

  /// Whether kernel() may find one. Compiles nothing.
  bool offersKernel(uint32_t element, uint32_t target, uint32_t mode,
                    uint32_t options = LOSS_PLAIN) const {
    const Slot &slot = loaded->kernels[element][target][mode][options];
    return slot.known.load(std::memory_order_acquire) ? static_cast<bool>(slot.kernel)
                                                      : static_cast<bool>(loaded->provider);
  }

  /// The parameters in the module's order: the defaults, replaced by `values`. Throws ParamError.
  std::vector<double> bindParams(const ParamValues &values) const;

  /// Index of a parameter. Throws ParamError when there is none of that name.
  uint32_t findParam(std::string_view name) const;
  /// Throws ParamError when the parameter cannot have this value.
  void checkParam(uint32_t param, double value) const;

  /// Index of an input, or -1.
  int findInput(std::string_view name) const;
  /// The input that the caller passes first: the first value with the most axes (the logits).
  int mainInput() const { return loaded->mainInput; }
  /// The target, or -1.
  int targetInput() const { return loaded->targetInput; }

private:
  struct Slot {
    KernelRef kernel;
    /// Set once `kernel` will not change any more.
    std::atomic<bool> known = false;
  };
  struct Loaded {
    void addKernels(const LossModule &from);

    std::shared_ptr<const LossModule> module;
    std::string origin;
    int level = -1;
    int mainInput = -1, targetInput = -1;
    KernelProvider provider;
    std::mutex mutex;
    /// Modules of the provider.
    std::vector<std::shared_ptr<const LossModule>> more;
    Slot kernels[LOSS_ELEMENT_COUNT][LOSS_TARGET_COUNT][LOSS_MODE_COUNT][LOSS_OPTIONS_COUNT];
  };
  explicit LossHandle(std::shared_ptr<Loaded> loaded) : loaded(std::move(loaded)) {}
  std::shared_ptr<Loaded> loaded;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODULE_LOSSHANDLE_H
