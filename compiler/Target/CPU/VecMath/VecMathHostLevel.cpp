//===- VecMathHostLevel.cpp - the array loops of one feature level ---------------===//
//
// Compiled once a level, with LOSS_VM_HOST_TABLE naming the table. Everything else has internal
// linkage: no code for a higher level may be picked by the linker for a lower one.
//
//===----------------------------------------------------------------------===//
#include "compiler/Target/CPU/VecMath/Kernels/All.h"

#include "compiler/Target/CPU/VecMath/VecMathHost.h"

namespace loss::vecmath {
namespace {

template <typename T> using Register = Vec<T, int(LOSS_VM_VECTOR_BYTES / sizeof(T))>;

template <typename T> LOSS_VM_INLINE Register<T> load(const T *p, size_t n) {
  // Ones in the unused lanes: no function is slow there.
  Register<T> v = T(1);
  __builtin_memcpy(&v, p, n * sizeof(T));
  return v;
}

template <typename T, typename F> LOSS_VM_INLINE void unaryLoop(F f, const T *x, T *y, size_t n) {
  constexpr size_t step = lanes<Register<T>>;
  size_t i = 0;
  for (; i + step <= n; i += step) {
    Register<T> v;
    __builtin_memcpy(&v, x + i, sizeof v);
    v = f(v);
    __builtin_memcpy(y + i, &v, sizeof v);
  }
  if (i < n) {
    Register<T> v = f(load(x + i, n - i));
    __builtin_memcpy(y + i, &v, (n - i) * sizeof(T));
  }
}

template <typename T, typename F>
LOSS_VM_INLINE void binaryLoop(F f, const T *x, const T *y, T *z, size_t n) {
  constexpr size_t step = lanes<Register<T>>;
  size_t i = 0;
  for (; i + step <= n; i += step) {
    Register<T> a, b;
    __builtin_memcpy(&a, x + i, sizeof a);
    __builtin_memcpy(&b, y + i, sizeof b);
    a = f(a, b);
    __builtin_memcpy(z + i, &a, sizeof a);
  }
  if (i < n) {
    Register<T> a = f(load(x + i, n - i), load(y + i, n - i));
    __builtin_memcpy(z + i, &a, (n - i) * sizeof(T));
  }
}

#define LOSS_VM_UNARY(name, function, inlining, ulpF32, ulpF64)                                    \
  template <typename T> void name##Array(const T *x, T *y, size_t n) {                             \
    unaryLoop([](Register<T> v) LOSS_VM_LAMBDA { return function(v); }, x, y, n);                  \
  }
#define LOSS_VM_BINARY(name, function, inlining, ulpF32, ulpF64)                                   \
  template <typename T> void name##Array(const T *x, const T *y, T *z, size_t n) {                 \
    binaryLoop([](Register<T> a, Register<T> b) LOSS_VM_LAMBDA { return function(a, b); }, x, y,   \
               z, n);                                                                              \
  }
#define LOSS_VM_LAMBDA __attribute__((always_inline))
#include "compiler/Target/CPU/VecMath/VecMathFunctions.def"

} // namespace

extern "C" {
extern const HostFunctions LOSS_VM_HOST_TABLE[];
const HostFunctions LOSS_VM_HOST_TABLE[] = {
#define LOSS_VM_UNARY(name, function, inlining, ulpF32, ulpF64)                                    \
  {name##Array<float>, name##Array<double>, nullptr, nullptr},
#define LOSS_VM_BINARY(name, function, inlining, ulpF32, ulpF64)                                   \
  {nullptr, nullptr, name##Array<float>, name##Array<double>},
#include "compiler/Target/CPU/VecMath/VecMathFunctions.def"
};
}

} // namespace loss::vecmath
