#include "runtime/python/Describe.h"

#include "compiler/Pipeline/Compiler.h"
#include "runtime/abi/LossNames.h"
#include "runtime/torch/CallOptions.h"

#include <nlohmann/json.hpp>

#include <set>

namespace loss::python {

using nlohmann::ordered_json;

namespace {

const char *text(const char *given) { return given ? given : ""; }

/// What of the program of a module can be set. Nothing where another version of the compiler
/// understood the program of a library and this one does not: it runs all the same.
LossSettings settingsOf(const LossModule &module) {
  try {
    return readSettings(text(module.source), module.name);
  } catch (const CompileError &) {
    return {};
  }
}

} // namespace

std::string describe(const LossModule &module) {
  auto axisNames = [&](const uint32_t *axes, uint32_t count) {
    ordered_json names = ordered_json::array();
    for (uint32_t a = 0; a < count; ++a)
      names.push_back(module.axes[axes[a]]);
    return names;
  };
  ordered_json axes = ordered_json::array();
  for (uint32_t a = 0; a < module.axis_count; ++a)
    axes.push_back(module.axes[a]);
  ordered_json inputs = ordered_json::array();
  for (uint32_t i = 0; i < module.input_count; ++i) {
    const LossInput &input = module.inputs[i];
    inputs.push_back({{"name", input.name},
                      {"doc", text(input.doc)},
                      {"kind", abi::inputKindName(input.kind)},
                      {"axes", axisNames(input.axes, input.axis_count)}});
  }
  const LossSettings settings = settingsOf(module);
  ordered_json options = ordered_json::array();
  for (const LossOption &option : settings.options)
    options.push_back(
        {{"name", option.name},
         {"value", option.isBool ? ordered_json(option.value != 0) : ordered_json(option.value)}});
  const std::set<std::string> unused(settings.unusedParams.begin(), settings.unusedParams.end());
  ordered_json params = ordered_json::array();
  for (uint32_t i = 0; i < module.param_count; ++i) {
    const LossParam &param = module.params[i];
    const ordered_json constraint =
        param.constraint == LOSS_ANY ? ordered_json() : abi::constraintName(param.constraint);
    params.push_back({{"name", param.name},
                      {"doc", text(param.doc)},
                      {"default", param.default_value},
                      {"used", !unused.count(param.name)},
                      {"constraint", constraint}});
  }
  const ordered_json result = {
      {"name", module.name},
      {"doc", text(module.doc)},
      {"source", text(module.source)},
      {"source_hash", text(module.source_hash)},
      {"compiler_version", text(module.compiler_version)},
      {"axes", axes},
      {"inputs", inputs},
      {"params", params},
      {"options", options},
      {"result_axes", axisNames(module.result_axes, module.result_axis_count)},
      {"row_axis", module.row_axis},
      {"class_axis", module.class_axis},
      {"ignores", runtime::ignoreRule(module).ignoring != runtime::Ignoring::None},
  };
  return result.dump();
}

} // namespace loss::python
