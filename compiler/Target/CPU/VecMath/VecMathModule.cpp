//===- VecMathModule.cpp - the functions that kernels are linked with ----------===//
//
// Compiled to bitcode once a feature level: vectors by value, no external symbol.
//
//===----------------------------------------------------------------------===//
#include "compiler/Target/CPU/VecMath/Kernels/All.h"
#include "compiler/Target/CPU/VecMath/Kernels/Scan.h"

#define LOSS_VM_ALWAYS [[gnu::always_inline]]
#define LOSS_VM_NEVER [[gnu::noinline]]
#define LOSS_VM_NAME2(name, suffix) loss_vm_##name##_##suffix
#define LOSS_VM_NAME(name, suffix) LOSS_VM_NAME2(name, suffix)

#if defined(__AVX512F__)
#define LOSS_VM_F32 f32x16
#define LOSS_VM_F64 f64x8
#elif defined(__AVX2__)
#define LOSS_VM_F32 f32x8
#define LOSS_VM_F64 f64x4
#else
#define LOSS_VM_F32 f32x4
#define LOSS_VM_F64 f64x2
#endif

namespace {
using F32 = loss::vecmath::Vec<float, LOSS_VM_VECTOR_BYTES / 4>;
using F64 = loss::vecmath::Vec<double, LOSS_VM_VECTOR_BYTES / 8>;
} // namespace

#define LOSS_VM_UNARY(name, function, inlining, ulpF32, ulpF64)                                    \
  extern "C" LOSS_VM_##inlining F32 LOSS_VM_NAME(name, LOSS_VM_F32)(F32 x) {                       \
    return loss::vecmath::function(x);                                                             \
  }                                                                                                \
  extern "C" LOSS_VM_##inlining F64 LOSS_VM_NAME(name, LOSS_VM_F64)(F64 x) {                       \
    return loss::vecmath::function(x);                                                             \
  }
#define LOSS_VM_BINARY(name, function, inlining, ulpF32, ulpF64)                                   \
  extern "C" LOSS_VM_##inlining F32 LOSS_VM_NAME(name, LOSS_VM_F32)(F32 x, F32 y) {                \
    return loss::vecmath::function(x, y);                                                          \
  }                                                                                                \
  extern "C" LOSS_VM_##inlining F64 LOSS_VM_NAME(name, LOSS_VM_F64)(F64 x, F64 y) {                \
    return loss::vecmath::function(x, y);                                                          \
  }
#include "compiler/Target/CPU/VecMath/VecMathFunctions.def"

// Cumulative operations: LossToVector.cpp calls them, all with one signature.
#define LOSS_RT_SCAN(type, name, ...)                                                              \
  extern "C" LOSS_VM_NEVER void name(                                                              \
      const type *in, int64_t inStride, [[maybe_unused]] const type *level,                        \
      [[maybe_unused]] int64_t levelStride, const type *key, int64_t keyStride, type *out,         \
      int64_t outStride, int64_t *order, int64_t count, int64_t reverse) {                         \
    loss::vecmath::Walk<type> walk{key, keyStride, order, count, reverse};                         \
    __VA_ARGS__;                                                                                   \
  }
#define LOSS_RT_SCANS(type, V, suffix)                                                             \
  LOSS_RT_SCAN(type, loss_rt_cumsum_##suffix,                                                      \
               loss::vecmath::cumulativeSum(in, inStride, out, outStride, walk))                   \
  LOSS_RT_SCAN(type, loss_rt_logcumsumexp_##suffix,                                                \
               loss::vecmath::cumulativeLogSumExp<V>(in, inStride, out, outStride, walk))          \
  LOSS_RT_SCAN(                                                                                    \
      type, loss_rt_decayed_cumsum_##suffix,                                                       \
      loss::vecmath::decayedSum<V>(in, inStride, level, levelStride, out, outStride, walk))
LOSS_RT_SCANS(float, F32, f32)
LOSS_RT_SCANS(double, F64, f64)
