//===- VecMathHost.h - the vector math library on arrays -------------*- C++ -*-===//
//
// The functions that compiled kernels use, for host code: the same templates, compiled for every
// feature level, the best one chosen at run time. No LLVM.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_VECMATHHOST_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_VECMATHHOST_H

#include <cstddef>
#include <optional>
#include <string_view>

namespace loss::vecmath {

/// The functions of VecMathFunctions.def, in its order.
enum class Fn : int {
#define LOSS_VM_UNARY(name, function, inlining, ulpF32, ulpF64) name,
#define LOSS_VM_BINARY(name, function, inlining, ulpF32, ulpF64) name,
#include "compiler/Target/CPU/VecMath/VecMathFunctions.def"
};

/// What VecMathFunctions.def says about one function.
struct FunctionInfo {
  /// As in the language; loss_vm_<name>_f32x<lanes> is the symbol in the bitcode.
  std::string_view name;
  int arity;
  /// Promised bounds of the error in units in the last place.
  double ulpF32, ulpF64;
};

inline constexpr FunctionInfo functionTable[] = {
#define LOSS_VM_UNARY(name, function, inlining, ulpF32, ulpF64) {#name, 1, ulpF32, ulpF64},
#define LOSS_VM_BINARY(name, function, inlining, ulpF32, ulpF64) {#name, 2, ulpF32, ulpF64},
#include "compiler/Target/CPU/VecMath/VecMathFunctions.def"
};

inline constexpr int functionCount = sizeof(functionTable) / sizeof(functionTable[0]);

constexpr const FunctionInfo &info(Fn fn) { return functionTable[static_cast<int>(fn)]; }

/// The function of a name ("bessel_i0e"), if there is one.
std::optional<Fn> findFunction(std::string_view name);

/// The feature level that apply() uses: the best one of this processor, LOSS_X86_64_V2 or higher.
int hostLevel();

/// y[i] = fn(x[i]) for a function of one operand. y may be x, but must not overlap it otherwise.
void apply(Fn fn, const double *x, double *y, size_t n);
void apply(Fn fn, const float *x, float *y, size_t n);

/// z[i] = fn(x[i], y[i]) for a function of two operands. z may be x or y.
void apply(Fn fn, const double *x, const double *y, double *z, size_t n);
void apply(Fn fn, const float *x, const float *y, float *z, size_t n);

/// The loops of one feature level, by Fn; null where the arity differs.
struct HostFunctions {
  void (*unaryF32)(const float *, float *, size_t);
  void (*unaryF64)(const double *, double *, size_t);
  void (*binaryF32)(const float *, const float *, float *, size_t);
  void (*binaryF64)(const double *, const double *, double *, size_t);
};

/// The loops of a given level, which the processor must support.
const HostFunctions &hostFunctions(Fn fn, int level);

} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_VECMATHHOST_H
