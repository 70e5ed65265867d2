/* A loss module written by hand in C, so that the runtime is tested without the compiler.
 * MODULE_MAGIC, MODULE_VERSION and MODULE_LEVELS make it one that must be refused. */
#include "runtime/abi/LossAbi.h"

#include <math.h>

#ifndef MODULE_MAGIC
#define MODULE_MAGIC LOSSLANG_ABI_MAGIC
#endif
#ifndef MODULE_VERSION
#define MODULE_VERSION LOSSLANG_ABI_VERSION
#endif
#ifdef MODULE_WITHOUT_CODE
#define ENTRY(f) {0, 0, 0}
#else
#define ENTRY(f) {f, 0, 0}
#endif

#define REAL float
#define EXP expf
#define LOG logf
#define NAME(x) x##_f32
#include "CrossEntropyKernels.inc"
#undef REAL
#undef EXP
#undef LOG
#undef NAME
#define REAL double
#define EXP exp
#define LOG log
#define NAME(x) x##_f64
#include "CrossEntropyKernels.inc"

static const char *const axes[] = {"batch", "class"};
static const LossInput inputs[] = {
    {"logits", "Scores.", LOSS_INPUT_VALUE, 2, axes, 1, 1, 0, 0},
    {"y", "Classes.", LOSS_INPUT_TARGET, 2, axes, 1, 1, -1, 0},
};
static const LossParam params[] = {{"unused", "", 0.5}, {"other", "", 2}};
static const LossKernel kernels[] = {
    {LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE, 0, ENTRY(index_value_f32)},
    {LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, 0, ENTRY(index_grad_f32)},
    {LOSS_F32, LOSS_TARGET_DENSE, LOSS_VALUE, 0, ENTRY(dense_value_f32)},
    {LOSS_F32, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, 0, ENTRY(dense_grad_f32)},
    {LOSS_F64, LOSS_TARGET_INDEX, LOSS_VALUE, 0, ENTRY(index_value_f64)},
    {LOSS_F64, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, 0, ENTRY(index_grad_f64)},
    {LOSS_F64, LOSS_TARGET_DENSE, LOSS_VALUE, 0, ENTRY(dense_value_f64)},
    {LOSS_F64, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, 0, ENTRY(dense_grad_f64)},
};

const LossModule losslang_module = {
    MODULE_MAGIC, MODULE_VERSION, "c_cross_entropy", "", "", "", "by hand", 2, 2, 8, 1,
    inputs,       params,         kernels,
};
