//===- All.h - every kernel of the vector math library ---------------------------===//
#ifndef LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_ALL_H
#define LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_ALL_H

#include "compiler/Target/CPU/VecMath/Kernels/Bessel.h"
#include "compiler/Target/CPU/VecMath/Kernels/Erf.h"
#include "compiler/Target/CPU/VecMath/Kernels/GammaDifference.h"
#include "compiler/Target/CPU/VecMath/Kernels/Hyperbolic.h"
#include "compiler/Target/CPU/VecMath/Kernels/Hypot.h"
#include "compiler/Target/CPU/VecMath/Kernels/Pow.h"
#include "compiler/Target/CPU/VecMath/Kernels/Trig.h"

/// Bytes of the widest vector register of the feature level.
#if defined(__AVX512F__)
#define LOSS_VM_VECTOR_BYTES 64
#elif defined(__AVX2__)
#define LOSS_VM_VECTOR_BYTES 32
#else
#define LOSS_VM_VECTOR_BYTES 16
#endif

#endif // LOSSLANG_COMPILER_TARGET_CPU_VECMATH_KERNELS_ALL_H
