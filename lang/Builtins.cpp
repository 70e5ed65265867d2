//===- Builtins.cpp -------------------------------------------------------===//
#include "lang/Builtins.h"

#include <unordered_map>

namespace loss::lang {

static constexpr Builtin functionTable[] = {
#define LOSS_UNARY(NAME, DOC, DOMAIN) {#NAME, BuiltinKind::Unary, Op::NAME, DOC, DOMAIN},
#define LOSS_BINARY(NAME, DOC, DOMAIN) {#NAME, BuiltinKind::Binary, Op::NAME, DOC, DOMAIN},
#define LOSS_TERNARY(NAME, DOC, DOMAIN) {#NAME, BuiltinKind::Ternary, Op::NAME, DOC, DOMAIN},
#define LOSS_REDUCTION(NAME, DOC, DOMAIN)                                                          \
  {#NAME, BuiltinKind::Reduction, Op::reduce_##NAME, DOC, DOMAIN},
#define LOSS_AXISWISE(NAME, DOC, DOMAIN) {#NAME, BuiltinKind::Axiswise, Op::NAME, DOC, DOMAIN},
#define LOSS_QUERY(NAME, OP, DOC, DOMAIN) {#NAME, BuiltinKind::Query, Op::OP, DOC, DOMAIN},
#include "lang/Builtins.def"
};

static constexpr BuiltinConstant constantTable[] = {
#define LOSS_CONSTANT(NAME, VALUE, DOC) {#NAME, VALUE, false, DOC},
#include "lang/Builtins.def"
    // Words of the macro table cannot be C++ keywords.
    {"true", 1, true, "the truth value that always holds"},
    {"false", 0, true, "the truth value that never holds"},
};

std::span<const Builtin> builtins() { return functionTable; }
std::span<const BuiltinConstant> builtinConstants() { return constantTable; }

const Builtin *findBuiltin(std::string_view name, bool overAxis) {
  /// Of each name: the elementwise function and the one over an axis.
  struct Pair {
    const Builtin *elementwise = nullptr, *axis = nullptr;
  };
  static const auto index = [] {
    std::unordered_map<std::string_view, Pair> map;
    for (const Builtin &builtin : functionTable)
      (worksOverAxis(builtin.kind) ? map[builtin.name].axis : map[builtin.name].elementwise) =
          &builtin;
    return map;
  }();
  auto found = index.find(name);
  if (found == index.end())
    return nullptr;
  const Pair &pair = found->second;
  const Builtin *preferred = overAxis ? pair.axis : pair.elementwise;
  return preferred ? preferred : overAxis ? pair.elementwise : pair.axis;
}

const BuiltinConstant *findBuiltinConstant(std::string_view name) {
  for (const BuiltinConstant &constant : constantTable)
    if (constant.name == name)
      return &constant;
  return nullptr;
}

} // namespace loss::lang
