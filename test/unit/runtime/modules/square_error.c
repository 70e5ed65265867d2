/* A loss whose row axis is its only axis, with scratch for a block of rows:
 *   value_e = (x_e - y_e)^2,   y fixed */
#include "runtime/abi/LossAbi.h"

#define BLOCK 16

#define DEFINE(REAL, suffix)                                                                       \
  static int64_t run##suffix(const LossArgs *a, int64_t begin, int64_t end, REAL *scratch,         \
                             int mode) {                                                           \
    const REAL *x = a->inputs[0], *y = a->inputs[1], *w = a->weights;                              \
    for (int64_t start = begin; start < end; start += BLOCK) {                                     \
      const int64_t stop = start + BLOCK < end ? start + BLOCK : end;                              \
      for (int64_t e = start; e < stop; ++e)                                                       \
        scratch[e - start] = x[e * a->input_strides[0]] - y[e * a->input_strides[1]];              \
      for (int64_t e = start; e < stop; ++e) {                                                     \
        const REAL d = scratch[e - start], weight = w[e * a->weight_stride];                       \
        ((REAL *)a->value)[e] = weight * d * d;                                                    \
        const REAL g = (REAL)(a->grad_scale * weight * 2 * d);                                     \
        if (mode != LOSS_VALUE)                                                                    \
          ((REAL *)a->grads[0])[e * a->grad_strides[0]] = g;                                       \
        if (mode == LOSS_VALUE_AND_ALL_GRADS)                                                      \
          ((REAL *)a->grads[1])[e * a->grad_strides[1]] = -g;                                      \
      }                                                                                            \
    }                                                                                              \
    return -1;                                                                                     \
  }                                                                                                \
  static int64_t value##suffix(const LossArgs *a, int64_t b, int64_t e, void *s) {                 \
    return run##suffix(a, b, e, s, LOSS_VALUE);                                                    \
  }                                                                                                \
  static int64_t grad##suffix(const LossArgs *a, int64_t b, int64_t e, void *s) {                  \
    return run##suffix(a, b, e, s, LOSS_VALUE_AND_GRAD);                                           \
  }                                                                                                \
  static int64_t all##suffix(const LossArgs *a, int64_t b, int64_t e, void *s) {                   \
    return run##suffix(a, b, e, s, LOSS_VALUE_AND_ALL_GRADS);                                      \
  }
DEFINE(float, _f32)
DEFINE(double, _f64)
static int64_t scratch(const int64_t *sizes) { return sizes[0] < BLOCK ? sizes[0] : BLOCK; }

static const char *const axes[] = {"element"};
static const uint32_t element[] = {0};
static const LossInput inputs[] = {
    {"x", "", LOSS_INPUT_VALUE, 1, element, 1, 0},
    {"y", "", LOSS_INPUT_FIXED, 1, element, 0, 0},
};
static const LossKernel kernels[] = {
    {LOSS_F32, LOSS_TARGET_NONE, LOSS_VALUE, LOSS_PLAIN, scratch, {value_f32, 0, 0}},
    {LOSS_F32, LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, scratch, {grad_f32, 0, 0}},
    {LOSS_F32, LOSS_TARGET_NONE, LOSS_VALUE_AND_ALL_GRADS, LOSS_PLAIN, scratch, {all_f32, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE, LOSS_PLAIN, scratch, {value_f64, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, scratch, {grad_f64, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_ALL_GRADS, LOSS_PLAIN, scratch, {all_f64, 0, 0}},
};

const LossModule losslang_module = {
    LOSSLANG_ABI_MAGIC,
    LOSSLANG_ABI_VERSION,
    "square_error",
    "",
    "",
    "",
    "by hand",
    1,
    2,
    0,
    6,
    1,
    0,
    -1,
    LOSS_WEIGHTS_NONE,
    axes,
    inputs,
    0,
    kernels,
    element,
};
