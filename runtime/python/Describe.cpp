#include "runtime/python/Describe.h"

#include <nlohmann/json.hpp>

namespace loss::python {

using nlohmann::ordered_json;

namespace {

const char *text(const char *given) { return given ? given : ""; }

} // namespace

std::string describe(const LossModule &module) {
  static const char *const kinds[] = {"value", "target", "fixed"};
  static const char *const constraints[] = {nullptr, "positive", "nonnegative", "unit", "integer"};
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
                      {"kind", kinds[input.kind]},
                      {"axes", axisNames(input.axes, input.axis_count)}});
  }
  ordered_json params = ordered_json::array();
  for (uint32_t i = 0; i < module.param_count; ++i) {
    const LossParam &param = module.params[i];
    const char *constraint = constraints[param.constraint];
    params.push_back({{"name", param.name},
                      {"doc", text(param.doc)},
                      {"default", param.default_value},
                      {"constraint", constraint ? ordered_json(constraint) : ordered_json()}});
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
      {"result_axes", axisNames(module.result_axes, module.result_axis_count)},
      {"row_axis", module.row_axis},
      {"class_axis", module.class_axis},
  };
  return result.dump();
}

} // namespace loss::python
