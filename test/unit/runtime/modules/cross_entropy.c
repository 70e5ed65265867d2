/* A loss module written by hand in C, so that the runtime is tested without the compiler.
 * MODULE_MAGIC, MODULE_VERSION and MODULE_WITHOUT_CODE make it one that must be refused;
 * MODULE_FIRST_ORDER leaves the second derivatives out, MODULE_PLAIN the options. */
#include "runtime/abi/LossAbi.h"

#include <math.h>

#ifndef MODULE_NAME
#define MODULE_NAME "c_cross_entropy"
#endif
#ifndef MODULE_MAGIC
#define MODULE_MAGIC LOSSLANG_ABI_MAGIC
#endif
#ifndef MODULE_VERSION
#define MODULE_VERSION LOSSLANG_ABI_VERSION
#endif
#ifdef MODULE_WITHOUT_CODE
#define ENTRY(f) 0, {0, 0, 0}
#else
#define ENTRY(f) 0, {f, 0, 0}
#endif

#define REAL float
#define EXP expf
#define LOG log
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
static const uint32_t both[] = {0, 1};
static const LossInput inputs[] = {
    {"logits", "Scores.", LOSS_INPUT_VALUE, 2, both, 1, 0},
    {"y", "Classes.", LOSS_INPUT_TARGET, 2, both, 0, 0},
};
static const LossParam params[] = {{"unused", "", 0.5, LOSS_UNIT, 0}, {"other", "", 2, 0, 0}};
#define KERNELS(element, suffix)                                                                   \
  {element, LOSS_TARGET_INDEX, LOSS_VALUE, LOSS_PLAIN, ENTRY(index_value##suffix)},                \
      {element, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, ENTRY(index_grad##suffix)},    \
      {element, LOSS_TARGET_INDEX, LOSS_TANGENT, LOSS_PLAIN, ENTRY(index_tangent##suffix)},        \
      {element, LOSS_TARGET_INDEX, LOSS_VALUE, LOSS_WITH_OPTIONS,                                  \
       ENTRY(index_value_options##suffix)},                                                        \
      {element, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, LOSS_WITH_OPTIONS,                         \
       ENTRY(index_grad_options##suffix)},                                                         \
      {element, LOSS_TARGET_INDEX, LOSS_TANGENT, LOSS_WITH_OPTIONS,                                \
       ENTRY(index_tangent_options##suffix)},                                                      \
      {element, LOSS_TARGET_DENSE, LOSS_VALUE, LOSS_PLAIN, ENTRY(dense_value##suffix)},            \
      {element, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, ENTRY(dense_grad##suffix)},    \
      {element, LOSS_TARGET_DENSE, LOSS_VALUE_AND_ALL_GRADS, LOSS_PLAIN,                           \
       ENTRY(dense_all##suffix)},                                                                  \
      {element, LOSS_TARGET_DENSE, LOSS_TANGENT, LOSS_PLAIN, ENTRY(dense_tangent##suffix)},        \
      {element, LOSS_TARGET_DENSE, LOSS_VALUE, LOSS_WITH_OPTIONS,                                  \
       ENTRY(dense_value_options##suffix)},                                                        \
  {                                                                                                \
    element, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, LOSS_WITH_OPTIONS,                            \
        ENTRY(dense_grad_options##suffix)                                                          \
  }
static const LossKernel kernels[] = {
#ifdef MODULE_FIRST_ORDER
    {LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE, LOSS_PLAIN, ENTRY(index_value_f32)},
    {LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, ENTRY(index_grad_f32)},
    {LOSS_F32, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, ENTRY(dense_grad_f32)},
#else
    KERNELS(LOSS_F32, _f32),
    KERNELS(LOSS_F64, _f64),
#endif
};

const LossModule losslang_module = {
    MODULE_MAGIC,
    MODULE_VERSION,
    MODULE_NAME,
    "",
    "",
    "",
    "by hand",
    2,
    2,
    2,
    sizeof kernels / sizeof *kernels,
    1,
    0,
    1,
    LOSS_WEIGHTS_TARGET,
    axes,
    inputs,
    params,
    kernels,
    both,
};
