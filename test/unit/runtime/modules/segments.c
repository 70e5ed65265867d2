/* A loss of several results a row, the classes in the middle (f64 and f32 by double):
 *   value_bp = sum_c y_bcp * x_bcp^2,   x: [batch, class, position], y: target over class. */
#include "runtime/abi/LossAbi.h"

#define DEFINE(REAL, suffix)                                                                       \
  static int64_t run##suffix(const LossArgs *a, int64_t begin, int64_t end, int dense, int grad) { \
    const int64_t classes = a->sizes[1], positions = a->sizes[2];                                  \
    for (int64_t b = begin; b < end; ++b) {                                                        \
      const REAL *x = (const REAL *)a->inputs[0] + b * a->input_strides[0];                        \
      const int64_t *index = (const int64_t *)a->inputs[1] + b * a->input_strides[1];              \
      const REAL *y = (const REAL *)a->inputs[1] + b * a->input_strides[1];                        \
      for (int64_t p = 0; !dense && p < positions; ++p)                                            \
        if (index[p] < 0 || index[p] >= classes)                                                   \
          return b;                                                                                \
      for (int64_t p = 0; p < positions; ++p) {                                                    \
        const double weight = ((const REAL *)a->weights)[(b * positions + p) * a->weight_stride];  \
        double sum = 0;                                                                            \
        for (int64_t c = 0; c < classes; ++c) {                                                    \
          const double v = x[c * positions + p];                                                   \
          const double t = dense ? y[c * positions + p] : index[p] == c;                           \
          sum += t * v * v;                                                                        \
          if (grad)                                                                                \
            ((REAL *)a->grads[0] + b * a->grad_strides[0])[c * positions + p] =                    \
                (REAL)(a->grad_scale * weight * 2 * t * v);                                        \
        }                                                                                          \
        ((REAL *)a->value)[b * positions + p] = (REAL)(weight * sum);                              \
      }                                                                                            \
    }                                                                                              \
    return -1;                                                                                     \
  }                                                                                                \
  static int64_t iv##suffix(const LossArgs *a, int64_t b, int64_t e, void *s) {                    \
    (void)s;                                                                                       \
    return run##suffix(a, b, e, 0, 0);                                                             \
  }                                                                                                \
  static int64_t ig##suffix(const LossArgs *a, int64_t b, int64_t e, void *s) {                    \
    (void)s;                                                                                       \
    return run##suffix(a, b, e, 0, 1);                                                             \
  }                                                                                                \
  static int64_t dg##suffix(const LossArgs *a, int64_t b, int64_t e, void *s) {                    \
    (void)s;                                                                                       \
    return run##suffix(a, b, e, 1, 1);                                                             \
  }
DEFINE(float, _f32)
DEFINE(double, _f64)

static const char *const axes[] = {"batch", "class", "position"};
static const uint32_t all[] = {0, 1, 2}, result[] = {0, 2};
static const LossInput inputs[] = {
    {"x", "", LOSS_INPUT_VALUE, 3, all, 1, 0},
    {"y", "", LOSS_INPUT_TARGET, 3, all, 0, 0},
};
static const LossKernel kernels[] = {
    {LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE, LOSS_PLAIN, 0, {iv_f32, 0, 0}},
    {LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, 0, {ig_f32, 0, 0}},
    {LOSS_F32, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, 0, {dg_f32, 0, 0}},
    {LOSS_F64, LOSS_TARGET_INDEX, LOSS_VALUE, LOSS_PLAIN, 0, {iv_f64, 0, 0}},
    {LOSS_F64, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, 0, {ig_f64, 0, 0}},
    {LOSS_F64, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, 0, {dg_f64, 0, 0}},
};

const LossModule losslang_module = {
    LOSSLANG_ABI_MAGIC,
    LOSSLANG_ABI_VERSION,
    "segments",
    "",
    "",
    "",
    "by hand",
    3,
    2,
    0,
    6,
    2,
    0,
    1,
    LOSS_WEIGHTS_TARGET,
    axes,
    inputs,
    0,
    kernels,
    result,
};
