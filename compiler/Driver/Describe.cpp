//===- Describe.cpp - lossc --describe ------------------------------------===//

#include "compiler/Driver/Driver.h"

#include "runtime/abi/LossNames.h"
#include "runtime/module/ElfCheck.h"
#include "runtime/module/ModuleCheck.h"

#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Format.h"

#include <dlfcn.h>

using namespace loss;

static std::string firstLine(const char *text) {
  return llvm::StringRef(text).split('\n').first.trim().str();
}

int loss::describeModule(const std::string &path, llvm::raw_ostream &out,
                         llvm::raw_ostream &errors) {
  auto fail = [&](const llvm::Twine &message) {
    errors << "lossc: error: " << message << "\n";
    return exitIO;
  };
  if (!llvm::sys::fs::exists(path))
    return fail("cannot read '" + path + "': No such file or directory");
  if (std::string why = runtime::explainUnloadable(path); !why.empty())
    return fail("'" + path + "' is no compiled loss: " + why);
  // dlopen looks a name without a slash up elsewhere.
  std::string file = path.find('/') == std::string::npos ? "./" + path : path;
  void *handle = dlopen(file.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!handle)
    return fail("'" + path + "' is no compiled loss: " + dlerror());
  auto close = llvm::scope_exit([&] { dlclose(handle); });
  auto *module = static_cast<const LossModule *>(dlsym(handle, LOSSLANG_MODULE_SYMBOL));
  if (!module || module->magic != LOSSLANG_ABI_MAGIC)
    return fail("'" + path + "' is no compiled loss: expected the symbol " LOSSLANG_MODULE_SYMBOL);
  if (std::string why = runtime::explainUnusable(*module); !why.empty())
    return fail("'" + path + "': " + why);

  out << "loss " << module->name;
  if (module->doc[0])
    out << "  " << firstLine(module->doc);
  out << "\n";
  out << "  compiled by  lossc " << module->compiler_version << ", interface version "
      << module->abi_version << "\n";
  out << "  source       sha256 " << module->source_hash << "\n";
  out << "inputs\n";
  for (uint32_t i = 0; i < module->input_count; ++i) {
    const LossInput &input = module->inputs[i];
    out << "  " << input.name << ": ";
    if (input.kind != LOSS_INPUT_VALUE)
      out << abi::inputKindName(input.kind) << " ";
    out << "[";
    for (uint32_t a = 0; a < input.axis_count; ++a)
      out << (a ? ", " : "") << module->axes[input.axes[a]];
    out << "]" << (input.has_gradient ? "  with gradient" : "");
    if (input.doc[0])
      out << "  " << firstLine(input.doc);
    out << "\n";
  }
  out << "result: [";
  for (uint32_t a = 0; a < module->result_axis_count; ++a)
    out << (a ? ", " : "") << module->axes[module->result_axes[a]];
  out << "]"
      << (module->row_axis < 0 ? "; one call computes everything\n"
                               : "; threads divide the first axis\n");
  if (module->param_count)
    out << "parameters\n";
  for (uint32_t i = 0; i < module->param_count; ++i) {
    const LossParam &param = module->params[i];
    out << "  " << param.name << " = " << llvm::format("%g", param.default_value);
    if (param.constraint != LOSS_ANY)
      out << ": " << abi::constraintName(param.constraint);
    if (param.doc[0])
      out << "  " << firstLine(param.doc);
    out << "\n";
  }
  out << "kernels\n";
  for (uint32_t i = 0; i < module->kernel_count; ++i) {
    const LossKernel &kernel = module->kernels[i];
    out << "  " << abi::elementName(kernel.element) << ", " << abi::targetName(kernel.target)
        << ", " << abi::modeName(kernel.mode)
        << (kernel.options ? ", smoothing and class weights" : "") << ":";
    for (unsigned level = 0; level < LOSS_LEVEL_COUNT; ++level)
      if (kernel.entry[level])
        out << " " << abi::levelName(level);
    out << (kernel.scratch ? "; with scratch\n" : "\n");
  }
  out.flush();
  return exitSuccess;
}
