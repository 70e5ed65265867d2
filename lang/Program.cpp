//===- Program.cpp --------------------------------------------------------===//
#include "lang/Program.h"

#include "lang/Builtins.h"

#include <charconv>

namespace loss::lang {

/// The operations without a name in the language come first.
static constexpr size_t unnamedCount = static_cast<size_t>(Op::Select) + 1;
static constexpr size_t namedCount =
#define LOSS_UNARY(NAME, DOC, DOMAIN) +1
#define LOSS_BINARY(NAME, DOC, DOMAIN) +1
#define LOSS_TERNARY(NAME, DOC, DOMAIN) +1
#define LOSS_REDUCTION(NAME, DOC, DOMAIN) +1
#define LOSS_AXISWISE(NAME, DOC, DOMAIN) +1
#include "lang/Builtins.def"
    ;

std::string_view opName(Op op) {
  static constexpr std::string_view names[] = {
      "input",     "param",
      "constant",  "size",
      "index",     "rename",
      "broadcast", "custom_gradient",
      "neg",       "not",
      "add",       "sub",
      "mul",       "div",
      "less",      "less_equal",
      "greater",   "greater_equal",
      "equal",     "not_equal",
      "and",       "or",
      "select",
#define LOSS_UNARY(NAME, DOC, DOMAIN) #NAME,
#define LOSS_BINARY(NAME, DOC, DOMAIN) #NAME,
#define LOSS_TERNARY(NAME, DOC, DOMAIN) #NAME,
#define LOSS_REDUCTION(NAME, DOC, DOMAIN) "reduce_" #NAME,
#define LOSS_AXISWISE(NAME, DOC, DOMAIN) #NAME,
#include "lang/Builtins.def"
  };
  static_assert(std::size(names) == unnamedCount + namedCount);
  return names[static_cast<size_t>(op)];
}

std::string axesString(AxisSet axes, const std::vector<std::string> &names) {
  std::string result = "[";
  for (size_t i = 0; i < names.size(); ++i) {
    if (!(axes >> i & 1))
      continue;
    result += result.size() > 1 ? ", " : "";
    result += names[i];
  }
  return result + "]";
}

std::string typeString(Type type, const std::vector<std::string> &names) {
  return (type.isBool ? "bool " : "real ") + axesString(type.axes, names);
}

static std::string number(double value) {
  char buffer[64];
  return std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

std::string dump(const Program &program) {
  std::string out = "loss " + program.name + " " + axesString(~0u, program.axes) + "\n";
  for (size_t i = 0; i < program.nodes.size(); ++i) {
    const Node &node = program.nodes[i];
    out += "%" + std::to_string(i) + " = ";
    out += opName(node.op);
    if (node.op == Op::Input)
      out += " " + program.inputs[node.index].name;
    else if (node.op == Op::Param)
      out += " " + program.params[node.index].name + " = " +
             number(program.params[node.index].defaultValue);
    else if (node.op == Op::Constant)
      out += " " + number(node.value);
    for (size_t j = 0; j < node.operandCount; ++j)
      out += (j ? ", %" : " %") + std::to_string(node.operands[j]);
    bool overAxis = node.op == Op::Size || node.op == Op::Index || node.op == Op::softmax ||
                    node.op == Op::log_softmax || node.op == Op::rank || takesKey(node.op) ||
                    opName(node.op).substr(0, 7) == "reduce_";
    if (overAxis)
      out += " over " + program.axes[node.axis];
    if (node.op == Op::Rename)
      out += " " + program.axes[node.axis] + " -> " + program.axes[node.axis2];
    out += " : " + typeString(node.type, program.axes) + "\n";
  }
  return out + "return %" + std::to_string(program.result) + "\n";
}

} // namespace loss::lang
