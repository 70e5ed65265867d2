//===- Hypot.h - sqrt(x^2 + y^2) ------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HYPOT_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HYPOT_H

#include "compiler/Target/CPU/VecMath/Kernels/Base.h"

namespace loss::vecmath {
namespace {

/// Scaled by a power of two where a square would overflow, or both would underflow. As in C the
/// result is inf where an operand is, even if the other is NaN.
template <typename V> LOSS_VM_INLINE V hypot(V x, V y) {
  using T = Elem<V>;
  using S = Scalar<T>;
  constexpr T big = isFloat<V> ? T(0x1p60) : T(0x1p500);
  constexpr T down = isFloat<V> ? T(0x1p-70) : T(0x1p-600);
  constexpr T downInverse = isFloat<V> ? T(0x1p70) : T(0x1p600);
  constexpr T small = isFloat<V> ? T(0x1p-40) : T(0x1p-300);
  constexpr T up = isFloat<V> ? T(0x1p100) : T(0x1p700);
  constexpr T upInverse = isFloat<V> ? T(0x1p-100) : T(0x1p-700);
  V a = abs(x), b = abs(y);
  V most = select(a < b, b, a);
  IntVec<V> isBig = most > big, isSmall = most < small;
  V factor = select(isBig, down, select(isSmall, up, splat<V>(1)));
  V inverse = select(isBig, downInverse, select(isSmall, upInverse, splat<V>(1)));
  a *= factor;
  b *= factor;
  V h = sqrt(madd(a, a, b * b)) * inverse;
  return select((a == S::inf) | (b == S::inf), S::inf, h);
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HYPOT_H
