#include "runtime/python/Describe.h"

#include <nlohmann/json.hpp>

namespace loss::python {

using nlohmann::ordered_json;

namespace {

const char *text(const char *given) { return given ? given : ""; }

} // namespace

std::string describe(const LossModule &module) {
  static const char *const kinds[] = {"value", "target"};
  ordered_json inputs = ordered_json::array();
  ordered_json axes = ordered_json::array();
  for (uint32_t i = 0; i < module.input_count; ++i) {
    const LossInput &input = module.inputs[i];
    ordered_json own = ordered_json::array();
    for (uint32_t a = 0; a < input.axis_count; ++a)
      own.push_back(input.axes[a]);
    if (own.size() > axes.size())
      axes = own;
    inputs.push_back({{"name", input.name},
                      {"doc", text(input.doc)},
                      {"kind", kinds[input.kind]},
                      {"axes", std::move(own)}});
  }
  ordered_json params = ordered_json::array();
  for (uint32_t i = 0; i < module.param_count; ++i) {
    const LossParam &param = module.params[i];
    params.push_back(
        {{"name", param.name}, {"doc", text(param.doc)}, {"default", param.default_value}});
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
      {"result_axes", ordered_json::array({axes.at(0)})},
      {"row_axis", 0},
      {"class_axis", axes.size() - 1},
  };
  return result.dump();
}

} // namespace loss::python
