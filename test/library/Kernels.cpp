//===- Kernels.cpp - compiled losses of any compiler ----------------------===//

#include "test/library/Kernels.h"

#include "lang/Imports.h"

#include "llvm/Support/Path.h"
#include "llvm/Support/Program.h"

#include <cmath>
#include <cstdlib>
#include <dlfcn.h>

namespace loss::stress {

llvm::Expected<std::unique_ptr<Library>>
Library::compile(const std::vector<std::string> &disabledLaws, const std::string &source,
                 const std::vector<std::string> &settings) {
  std::optional<std::string> text = lang::readTextFile(source);
  if (!text)
    return llvm::createStringError("cannot read " + source);
  std::unique_ptr<Library> library(new Library);
  library->compiler = std::make_unique<Compiler>(disabledLaws);
  KernelSelection selection;
  selection.options = 1u << LOSS_PLAIN;
  library->jit = library->compiler->compile(*text, source, selection, settings);
  library->loaded = &library->jit->module();
  return library;
}

llvm::Expected<std::unique_ptr<Library>> Library::compile(const std::string &lossc,
                                                          const std::string &source,
                                                          const std::vector<std::string> &settings,
                                                          const std::string &folder) {
  static const char *const levels[] = {"v2", "v3", "v4"};
  std::string out = folder + "/" + llvm::sys::path::stem(source).str();
  for (const std::string &setting : settings)
    out += "-" + setting;
  out += ".so";
  std::string level = std::string("--level=") + levels[loss_cpu_level()];
  std::vector<llvm::StringRef> arguments = {
      lossc, source, "-o", out, level, "--plain", "--mode=value,grad,all"};
  for (const std::string &setting : settings) {
    arguments.push_back("-D");
    arguments.push_back(setting);
  }
  std::string failure;
  if (llvm::sys::ExecuteAndWait(lossc, arguments, std::nullopt, {}, 0, 0, &failure) != 0)
    return llvm::createStringError("cannot compile " + source + " " + failure);
  std::unique_ptr<Library> library(new Library);
  library->handle = dlopen(out.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!library->handle)
    return llvm::createStringError(std::string("cannot load ") + dlerror());
  library->loaded = static_cast<const LossModule *>(dlsym(library->handle, LOSSLANG_MODULE_SYMBOL));
  if (!library->loaded || library->loaded->abi_version != LOSSLANG_ABI_VERSION)
    return llvm::createStringError(out + " has another binary interface than this tool");
  return library;
}

Library::~Library() {
  if (handle)
    dlclose(handle);
}

const LossKernel *kernelFor(const LossModule &module, const Point &point, unsigned element,
                            unsigned mode) {
  unsigned target = LOSS_TARGET_NONE;
  for (uint32_t i = 0; i < module.input_count; ++i)
    if (module.inputs[i].kind == LOSS_INPUT_TARGET)
      target = point.data.classes.empty() ? LOSS_TARGET_DENSE : LOSS_TARGET_INDEX;
  return loss_find_kernel(&module, element, target, mode, LOSS_PLAIN);
}

template <typename T>
static Answer call(const LossModule &module, const LossKernel &kernel, const Point &point) {
  const Data &data = point.data;
  // Rows alone: as many as need whole vectors and a rest.
  bool isRepeated = module.axis_count == 1 && module.row_axis == 0;
  int64_t copies = isRepeated ? 17 : 1;
  std::vector<int64_t> sizes(data.sizes.begin(), data.sizes.begin() + module.axis_count);
  if (isRepeated)
    sizes[0] = copies;
  std::vector<std::vector<T>> arrays, gradients;
  std::vector<const void *> inputs;
  std::vector<int64_t> strides, gradStrides;
  std::vector<double> params;
  std::vector<void *> grads;
  for (uint32_t i = 0; i < module.input_count; ++i) {
    const LossInput &input = module.inputs[i];
    const auto &array = data.arguments.find(input.name)->second;
    bool byRow = module.row_axis == 0 && input.axis_count && input.axes[0] == 0;
    bool isIndex = input.kind == LOSS_INPUT_TARGET && kernel.target == LOSS_TARGET_INDEX;
    auto &numbers = arrays.emplace_back();
    for (int64_t copy = 0; copy < copies; ++copy)
      numbers.insert(numbers.end(), array.data.begin(), array.data.end());
    inputs.push_back(isIndex ? static_cast<const void *>(data.classes.data()) : numbers.data());
    strides.push_back(byRow ? int64_t(isIndex ? data.classes.size() : array.data.size()) : 0);
  }
  auto gives = [&](uint32_t i) {
    bool isInput = i < module.input_count;
    if (kernel.mode == LOSS_VALUE || (isInput && module.inputs[i].kind == LOSS_INPUT_TARGET &&
                                      kernel.target == LOSS_TARGET_INDEX))
      return false;
    return kernel.mode == LOSS_VALUE_AND_ALL_GRADS || (isInput && module.inputs[i].has_gradient);
  };
  for (uint32_t i = 0; i < module.input_count + module.param_count; ++i) {
    size_t size = i < module.input_count ? arrays[i].size() : size_t(copies);
    gradients.emplace_back(size, T(NAN));
  }
  for (uint32_t i = 0; i < gradients.size(); ++i) {
    grads.push_back(gives(i) ? gradients[i].data() : nullptr);
    gradStrides.push_back(int64_t(gradients[i].size()) / copies);
  }
  for (uint32_t i = 0; i < module.param_count; ++i)
    params.push_back(data.arguments.find(module.params[i].name)->second.data[0]);
  size_t resultSize = 1;
  for (uint32_t i = 0; i < module.result_axis_count; ++i)
    resultSize *= size_t(sizes[module.result_axes[i]]);
  std::vector<T> value(resultSize, T(NAN));
  T weight = 1;
  LossArgs args = {};
  args.sizes = sizes.data();
  args.inputs = inputs.data();
  args.input_strides = strides.data();
  args.params = params.data();
  args.weights = &weight;
  args.value = value.data();
  args.grads = grads.data();
  args.grad_strides = gradStrides.data();
  args.grad_scale = 1;
  int64_t scratch = kernel.scratch ? kernel.scratch(sizes.data()) : 0;
  size_t bytes = (size_t(scratch) * sizeof(T) + 127) / 64 * 64;
  std::unique_ptr<void, decltype(&std::free)> memory(std::aligned_alloc(64, bytes), &std::free);
  int64_t rows = module.row_axis == 0 ? sizes[0] : 1;
  loss_kernel_entry(&kernel, loss_cpu_level())(&args, 0, rows, memory.get());
  Answer answer;
  answer.value.assign(value.begin(), value.begin() + int64_t(resultSize) / copies);
  for (uint32_t i = 0; i < gradients.size(); ++i) {
    auto &list = answer.gradients.emplace_back();
    if (gives(i))
      list.assign(gradients[i].begin(),
                  gradients[i].begin() + int64_t(gradients[i].size()) / copies);
  }
  return answer;
}

Answer callKernel(const LossModule &module, const LossKernel &kernel, const Point &point) {
  return kernel.element == LOSS_F32 ? call<float>(module, kernel, point)
                                    : call<double>(module, kernel, point);
}

} // namespace loss::stress
