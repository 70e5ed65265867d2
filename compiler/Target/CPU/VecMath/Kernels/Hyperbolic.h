//===- Hyperbolic.h - hyperbolic functions; sigmoid and softplus -----------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HYPERBOLIC_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HYPERBOLIC_H

#include "compiler/Target/CPU/VecMath/Kernels/Exp.h"
#include "compiler/Target/CPU/VecMath/Kernels/Log.h"

namespace loss::vecmath {
namespace {

template <typename V> LOSS_VM_INLINE V sinh(V x) {
  using T = Elem<V>;
  V a = abs(x);
  V h = halfExp(a);
  V large = copySign(h - T(0.25) / h, x);
  V z = x * x;
  V small = madd(x * z, polynomial<table::Sinh>(z), x);
  return select(a < T(1), copySign(small, x), large);
}

template <typename V> LOSS_VM_INLINE V cosh(V x) {
  V h = halfExp(abs(x));
  return h + Elem<V>(0.25) / h;
}

/// Small arguments: a polynomial; others: 1 - 2 / (e^2|x| + 1).
template <typename V> LOSS_VM_INLINE V tanh(V x) {
  using T = Elem<V>;
  V a = abs(x);
  // At the bound the result rounds to 1.
  V e = expNormal(atMost(a + a, isFloat<V> ? T(20) : T(40)));
  V large = T(1) - T(2) / (e + T(1));
  V z = x * x;
  V small = madd(a * z, polynomial<table::Tanh>(z), a);
  return copySign(select(a < T(0.625), small, large), x);
}

/// Small arguments: log1p(|x| + x^2 / (1 + sqrt(1 + x^2))); large ones: log |x| + ln 2.
template <typename V> LOSS_VM_INLINE V asinh(V x) {
  using T = Elem<V>;
  V a = abs(x);
  IntVec<V> large = a > (isFloat<V> ? T(0x1p60) : T(0x1p500));
  V z = a * a;
  V t = select(large, a, a + z / (T(1) + sqrt(z + T(1))));
  V l = log1p(t);
  return copySign(select(large, l + part0<table::Ln2Full, V>, l), x);
}

/// With t = x - 1: log1p(t + sqrt(t (t + 2))); large ones: log x + ln 2.
template <typename V> LOSS_VM_INLINE V acosh(V x) {
  using T = Elem<V>;
  IntVec<V> large = x > (isFloat<V> ? T(0x1p60) : T(0x1p500));
  V t = x - T(1);
  V l = log1p(select(large, x, t + sqrt(t * (t + T(2)))));
  V y = select(large, l + part0<table::Ln2Full, V>, l);
  return select(x < T(1), splat<V>(Scalar<T>::nan), y);
}

/// log1p(2 |x| / (1 - |x|)) / 2.
template <typename V> LOSS_VM_INLINE V atanh(V x) {
  using T = Elem<V>;
  V a = abs(x);
  V y = T(0.5) * log1p((a + a) / (T(1) - a));
  return copySign(y, x);
}

/// 1 / (1 + e^-x), in a form whose exponential never overflows.
template <typename V> LOSS_VM_INLINE V sigmoid(V x) {
  using T = Elem<V>;
  V e = exp(-abs(x));
  return select(x < T(0), e, T(1)) / (T(1) + e);
}

/// The derivative of the sigmoid, e^-|x| / (1 + e^-|x|)^2.
template <typename V> LOSS_VM_INLINE V sigmoidSlope(V x) {
  V e = exp(-abs(x));
  V d = Elem<V>(1) + e;
  return e / (d * d);
}

/// log(1 + e^-|x|).
template <typename V> LOSS_VM_INLINE V softplusTail(V x) { return log1pUnit(exp(-abs(x))); }

/// log(1 + e^x)
template <typename V> LOSS_VM_INLINE V softplus(V x) {
  return atLeast(x, Elem<V>(0)) + softplusTail(x);
}

/// log(1 / (1 + e^-x)) = -softplus(-x)
template <typename V> LOSS_VM_INLINE V logSigmoid(V x) {
  return -(atLeast(-x, Elem<V>(0)) + softplusTail(x));
}

} // namespace
} // namespace loss::vecmath

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_HYPERBOLIC_H
