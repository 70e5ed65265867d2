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
static const uint32_t both[] = {0, 1}, rows[] = {0};
static const LossInput inputs[] = {
    {"logits", "Scores.", LOSS_INPUT_VALUE, 2, both, 1, 0},
    {"y", "Classes.", LOSS_INPUT_TARGET, 2, both, 0, 0},
};
static const LossParam params[] = {{"unused", "", 0.5, LOSS_ANY, 0}, {"other", "", 2, LOSS_ANY, 0}};
#define KERNEL(element, target, mode, entry) {element, target, mode, LOSS_PLAIN, NULL, ENTRY(entry)}
static const LossKernel kernels[] = {
    KERNEL(LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE, index_value_f32),
    KERNEL(LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, index_grad_f32),
    KERNEL(LOSS_F32, LOSS_TARGET_DENSE, LOSS_VALUE, dense_value_f32),
    KERNEL(LOSS_F32, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, dense_grad_f32),
    KERNEL(LOSS_F64, LOSS_TARGET_INDEX, LOSS_VALUE, index_value_f64),
    KERNEL(LOSS_F64, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, index_grad_f64),
    KERNEL(LOSS_F64, LOSS_TARGET_DENSE, LOSS_VALUE, dense_value_f64),
    KERNEL(LOSS_F64, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, dense_grad_f64),
};

const LossModule losslang_module = {
    .magic = MODULE_MAGIC,
    .abi_version = MODULE_VERSION,
    .name = "c_cross_entropy",
    .doc = "",
    .source = "",
    .source_hash = "",
    .compiler_version = "by hand",
    .axis_count = 2,
    .input_count = 2,
    .param_count = 2,
    .kernel_count = 8,
    .result_axis_count = 1,
    .row_axis = 0,
    .class_axis = 1,
    .class_weighting = LOSS_WEIGHTS_NONE,
    .axes = axes,
    .inputs = inputs,
    .params = params,
    .kernels = kernels,
    .result_axes = rows,
};
