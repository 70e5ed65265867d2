//===- VecMathBitcode.h - the vector math library as LLVM bitcode ------*- C++ -*-===//
//
// One bitcode module a feature level, embedded in the compiler. It defines, for each function of
// VecMathFunctions.def, loss_vm_<name>_f32x<L> and loss_vm_<name>_f64x<L/2>, L = 4, 8, 16 for
// x86-64-v2, -v3, -v4: vectors by value in, one by value out. It refers to no symbol outside
// itself.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_VECMATHBITCODE_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_VECMATHBITCODE_H

#include <string_view>

namespace loss::vecmath {

/// The bitcode of a feature level (LOSS_X86_64_V2, ...). Lives as long as the program.
std::string_view vecMathBitcode(int level);

/// Lanes of the f32 functions of a level: 4, 8 or 16. Those of f64 are half of it.
constexpr int f32Lanes(int level) { return 4 << level; }

/// One function of the library.
struct VecMathFunction {
  /// As in the language ("bessel_i0e").
  std::string_view name;
  int arity;
  /// Small enough to be inlined wherever it is used.
  bool alwaysInline;
  /// Promised bounds of the error in units in the last place.
  double ulpF32, ulpF64;
};

inline constexpr VecMathFunction vecMathFunctions[] = {
#define LOSS_VM_INLINING_ALWAYS true
#define LOSS_VM_INLINING_NEVER false
#define LOSS_VM_UNARY(name, function, inlining, ulpF32, ulpF64)                                    \
  {#name, 1, LOSS_VM_INLINING_##inlining, ulpF32, ulpF64},
#define LOSS_VM_BINARY(name, function, inlining, ulpF32, ulpF64)                                   \
  {#name, 2, LOSS_VM_INLINING_##inlining, ulpF32, ulpF64},
#include "compiler/Target/CPU/VecMath/VecMathFunctions.def"
#undef LOSS_VM_INLINING_ALWAYS
#undef LOSS_VM_INLINING_NEVER
};

} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_VECMATHBITCODE_H
