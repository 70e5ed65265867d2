//===- Builtins.h - the table of builtins, to look things up ----*- C++ -*-===//
#ifndef LOSSLANG_LANG_BUILTINS_H
#define LOSSLANG_LANG_BUILTINS_H

#include "lang/Program.h"

#include <span>

namespace loss::lang {

enum class BuiltinKind : uint8_t {
  Unary,     ///< f(x), elementwise
  Binary,    ///< f(x, y), elementwise
  Ternary,   ///< f(x, y, z), elementwise
  Reduction, ///< f(x over axis), the axis disappears
  Axiswise,  ///< f(x over axis), the axis stays
  Query,     ///< f(axis)
};

/// One function of Builtins.def.
struct Builtin {
  std::string_view name;
  BuiltinKind kind;
  Op op;
  std::string_view doc;
  std::string_view domain;
};

struct BuiltinConstant {
  std::string_view name;
  double value;
  bool isBool;
  std::string_view doc;
};

/// All functions, in the order of Builtins.def.
std::span<const Builtin> builtins();
std::span<const BuiltinConstant> builtinConstants();

/// The function of that name, or null. Two share a name where one works elementwise and the other
/// over an axis (max, min): `overAxis` prefers the latter.
const Builtin *findBuiltin(std::string_view name, bool overAxis);
const BuiltinConstant *findBuiltinConstant(std::string_view name);

/// True for functions that are written with `over`.
inline bool worksOverAxis(BuiltinKind kind) {
  return kind == BuiltinKind::Reduction || kind == BuiltinKind::Axiswise;
}

/// Number of operands, without a key.
inline size_t arityOf(BuiltinKind kind) {
  return kind == BuiltinKind::Ternary ? 3 : kind == BuiltinKind::Binary ? 2 : 1;
}

/// Whether `by key` may follow the axis.
inline bool takesKey(Op op) { return op == Op::cumsum || op == Op::logcumsumexp; }

/// Whether `over a, b` has a meaning: the order in which the axes are taken makes no difference.
inline bool worksOverSeveralAxes(Op op) {
  return op != Op::rank && !takesKey(op) && op != Op::reduce_argmax && op != Op::reduce_argmin;
}

} // namespace loss::lang

#endif // LOSSLANG_LANG_BUILTINS_H
