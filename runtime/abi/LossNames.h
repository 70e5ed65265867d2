//===- LossNames.h - the enumerations of LossAbi.h in words -----*- C++ -*-===//
//
// The one place that names their values. A table that lacks a value does not compile, and a number
// that is no value has a name, too: it may come from a damaged file.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_ABI_LOSSNAMES_H
#define LOSSLANG_RUNTIME_ABI_LOSSNAMES_H

#include "runtime/abi/LossAbi.h"

#include <cstddef>

namespace loss::abi {

/// The name of `value` in a table that has one for each of the `Count` values.
template <std::size_t Count, std::size_t N>
constexpr const char *nameIn(const char *const (&names)[N], std::size_t value) {
  static_assert(N == Count, "expected a name for each value of the enumeration");
  return value < N ? names[value] : "unknown";
}

/// "f32".
constexpr const char *elementName(std::size_t element) {
  constexpr const char *names[] = {"f32", "f64"};
  return nameIn<LOSS_ELEMENT_COUNT>(names, element);
}

/// "class indices".
constexpr const char *targetName(std::size_t target) {
  constexpr const char *names[] = {"no target", "class indices", "probabilities"};
  return nameIn<LOSS_TARGET_COUNT>(names, target);
}

/// "value and gradient".
constexpr const char *modeName(std::size_t mode) {
  constexpr const char *names[] = {"value", "value and gradient", "value and all gradients",
                                   "second order", "second order of all"};
  return nameIn<LOSS_MODE_COUNT>(names, mode);
}

/// The short name of a mode, as in `lossc --mode=grad`.
constexpr const char *modeKey(std::size_t mode) {
  constexpr const char *names[] = {"value", "grad", "all", "tangent", "tangent_all"};
  return nameIn<LOSS_MODE_COUNT>(names, mode);
}

/// "target".
constexpr const char *inputKindName(std::size_t kind) {
  constexpr const char *names[] = {"value", "target", "fixed"};
  return nameIn<LOSS_INPUT_KIND_COUNT>(names, kind);
}

/// "positive"; empty for LOSS_ANY.
constexpr const char *constraintName(std::size_t constraint) {
  constexpr const char *names[] = {"", "positive", "nonnegative", "unit", "integer"};
  return nameIn<LOSS_CONSTRAINT_COUNT>(names, constraint);
}

/// "x86-64-v3".
constexpr const char *levelName(std::size_t level) {
  constexpr const char *names[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};
  return nameIn<LOSS_LEVEL_COUNT>(names, level);
}

} // namespace loss::abi

#endif // LOSSLANG_RUNTIME_ABI_LOSSNAMES_H
