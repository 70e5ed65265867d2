#include "runtime/module/LossHandle.h"
#include "runtime/abi/LossNames.h"
#include "runtime/module/ElfCheck.h"
#include "runtime/module/ModuleCheck.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <dlfcn.h>

namespace loss::runtime {
namespace {

const char *levelName(int level) {
  return level < 0 ? "below x86-64-v2" : abi::levelName(static_cast<size_t>(level));
}

} // namespace

void LossHandle::Loaded::addKernels(const LossModule &from) {
  for (uint32_t i = 0; i < from.kernel_count; ++i) {
    const LossKernel &kernel = from.kernels[i];
    Slot &slot = kernels[kernel.element][kernel.target][kernel.mode][kernel.options];
    const LossKernelFn entry = loss_kernel_entry(&kernel, level);
    if (!entry || slot.known)
      continue;
    slot.kernel = {entry, kernel.scratch};
    slot.known.store(true, std::memory_order_release);
  }
}

KernelRef LossHandle::kernel(uint32_t element, uint32_t target, uint32_t mode,
                             uint32_t options) const {
  Slot &slot = loaded->kernels[element][target][mode][options];
  if (!slot.known.load(std::memory_order_acquire) && loaded->provider) {
    std::shared_ptr<const LossModule> found = loaded->provider(element, target, mode, options);
    std::lock_guard<std::mutex> lock(loaded->mutex);
    if (found) {
      loaded->addKernels(*found);
      loaded->more.push_back(std::move(found));
    }
    slot.known.store(true, std::memory_order_release);
  }
  return slot.kernel;
}

LossHandle LossHandle::adopt(std::shared_ptr<const LossModule> module, const std::string &origin,
                             KernelProvider provider) {
  if (!module)
    throw LoadError(origin + ": no loss module was given");
  if (std::string why = explainUnusable(*module); !why.empty())
    throw LoadError(origin + ": " + why);

  auto loaded = std::make_shared<Loaded>();
  loaded->origin = origin;
  loaded->level = loss_cpu_level();
  loaded->addKernels(*module);
  loaded->provider = std::move(provider);
  bool any = loaded->provider != nullptr;
  for (uint32_t i = 0; i < module->kernel_count; ++i)
    any |= loss_kernel_entry(&module->kernels[i], loaded->level) != nullptr;
  if (!any)
    throw LoadError(origin + ": the loss '" + module->name +
                    "' has no kernel for this processor (" + levelName(loaded->level) + ")");
  for (uint32_t i = 0; i < module->input_count; ++i) {
    const LossInput &input = module->inputs[i];
    if (input.kind == LOSS_INPUT_TARGET)
      loaded->targetInput = static_cast<int>(i);
    else if (input.kind == LOSS_INPUT_VALUE &&
             (loaded->mainInput < 0 ||
              input.axis_count > module->inputs[loaded->mainInput].axis_count))
      loaded->mainInput = static_cast<int>(i);
  }
  if (loaded->mainInput < 0)
    throw LoadError(origin + ": the loss '" + module->name +
                    "' has no input that gradients flow to");
  loaded->module = std::move(module);
  return LossHandle(std::move(loaded));
}

LossHandle LossHandle::open(const std::string &path) {
  if (std::string why = explainUnloadable(path); !why.empty())
    throw LoadError(path + ": " + why);
  // An absolute path, or else dlopen() searches the library folders for a bare name.
  char resolved[PATH_MAX];
  if (!realpath(path.c_str(), resolved))
    throw LoadError(path + ": cannot resolve the path");
  void *library = dlopen(resolved, RTLD_NOW | RTLD_LOCAL);
  if (!library)
    throw LoadError(path + ": cannot be loaded: " + dlerror());
  std::shared_ptr<void> owner(library, [](void *l) { dlclose(l); });
  const auto *module = static_cast<const LossModule *>(dlsym(library, LOSSLANG_MODULE_SYMBOL));
  if (!module)
    throw LoadError(path + ": is no compiled loss (expected the symbol '" LOSSLANG_MODULE_SYMBOL
                           "', but found none)");
  return adopt(std::shared_ptr<const LossModule>(owner, module), path);
}

uint32_t LossHandle::findParam(std::string_view name) const {
  const LossModule &m = module();
  std::string known;
  for (uint32_t i = 0; i < m.param_count; ++i) {
    if (name == m.params[i].name)
      return i;
    known += (i ? ", " : "") + std::string(m.params[i].name);
  }
  throw ParamError("the loss '" + this->name() + "' has no parameter '" + std::string(name) +
                   "' (" + (known.empty() ? "it has none" : "it has: " + known) + ")");
}

void LossHandle::checkParam(uint32_t param, double value) const {
  const LossParam &p = module().params[param];
  const char *range = nullptr;
  switch (p.constraint) {
  case LOSS_POSITIVE:
    range = value > 0 ? nullptr : "a number greater than 0";
    break;
  case LOSS_NONNEGATIVE:
    range = value >= 0 ? nullptr : "0 or more";
    break;
  case LOSS_UNIT:
    range = value >= 0 && value <= 1 ? nullptr : "a number from 0 to 1";
    break;
  case LOSS_INTEGER:
    range = std::isfinite(value) && value == std::floor(value) ? nullptr : "an integer";
    break;
  default:
    range = std::isnan(value) ? "a number" : nullptr;
    break;
  }
  if (!range)
    return;
  char text[32];
  std::snprintf(text, sizeof text, "%g", value);
  throw ParamError("the loss '" + name() + "': the parameter '" + p.name + "' is " + text +
                   ", but expected " + range);
}

std::vector<double> LossHandle::bindParams(const ParamValues &values) const {
  const LossModule &m = module();
  std::vector<double> bound(m.param_count);
  for (uint32_t i = 0; i < m.param_count; ++i)
    bound[i] = m.params[i].default_value;
  for (const auto &[name, value] : values) {
    const uint32_t param = findParam(name);
    checkParam(param, value);
    bound[param] = value;
  }
  return bound;
}

int LossHandle::findInput(std::string_view name) const {
  const LossModule &m = module();
  for (uint32_t i = 0; i < m.input_count; ++i)
    if (name == m.inputs[i].name)
      return static_cast<int>(i);
  return -1;
}

} // namespace loss::runtime
