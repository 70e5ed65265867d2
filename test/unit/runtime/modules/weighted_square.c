/* A loss module written by hand with every kind of input, no target, a parameter and scratch
 * memory: value_r = offset + gain * sample_r * sum_k class_k * scores_rk^2      (f64 only) offset
 * is a fixed input. */
#include "runtime/abi/LossAbi.h"

static int64_t kernel(const LossArgs *a, int64_t begin, int64_t end, double *scratch, int mode) {
  const int64_t classes = a->sizes[1];
  const double gain = a->params[0];
  for (int64_t r = begin; r < end; ++r) {
    const double *x = (const double *)a->inputs[0] + r * a->input_strides[0];
    const double *sample = (const double *)a->inputs[1] + r * a->input_strides[1];
    const double *class_ = (const double *)a->inputs[2] + r * a->input_strides[2];
    const double *offset = (const double *)a->inputs[3] + r * a->input_strides[3];
    const double weight = ((const double *)a->weights)[r * a->weight_stride];
    double sum = 0;
    for (int64_t k = 0; k < classes; ++k)
      scratch[classes + k] = scratch[k] = x[k] * x[k];
    for (int64_t k = 0; k < classes; ++k)
      sum += class_[k] * scratch[k];
    ((double *)a->value)[r] = weight * (*offset + gain * *sample * sum);
    if (mode == LOSS_VALUE)
      continue;
    const double scale = a->grad_scale * weight;
    double *g[5];
    for (int i = 0; i < 5; ++i)
      g[i] = i < 2 || mode == LOSS_VALUE_AND_ALL_GRADS
                 ? (double *)a->grads[i] + r * a->grad_strides[i]
                 : 0;
    *g[1] = scale * gain * sum;
    for (int64_t k = 0; k < classes; ++k)
      g[0][k] = scale * gain * *sample * class_[k] * 2 * x[k];
    if (mode == LOSS_VALUE_AND_ALL_GRADS) {
      for (int64_t k = 0; k < classes; ++k)
        g[2][k] = scale * gain * *sample * scratch[classes + k];
      *g[3] = scale;
      *g[4] = scale * *sample * sum;
    }
  }
  return -1;
}

static int64_t value(const LossArgs *a, int64_t b, int64_t e, void *s) {
  return kernel(a, b, e, s, LOSS_VALUE);
}
static int64_t grad(const LossArgs *a, int64_t b, int64_t e, void *s) {
  return kernel(a, b, e, s, LOSS_VALUE_AND_GRAD);
}
static int64_t all(const LossArgs *a, int64_t b, int64_t e, void *s) {
  return kernel(a, b, e, s, LOSS_VALUE_AND_ALL_GRADS);
}
static int64_t scratch(const int64_t *sizes) { return 2 * sizes[1]; }

static const char *const axes[] = {"batch", "class"};
static const uint32_t both[] = {0, 1};
static const LossInput inputs[] = {
    {"scores", "", LOSS_INPUT_VALUE, 2, both, 1, 0},
    {"sample", "", LOSS_INPUT_VALUE, 1, both, 1, 0},
    {"class", "", LOSS_INPUT_VALUE, 1, both + 1, 0, 0},
    {"offset", "", LOSS_INPUT_FIXED, 0, 0, 0, 0},
};
static const LossParam params[] = {{"gain", "", 1, LOSS_POSITIVE, 0}};
static const LossKernel kernels[] = {
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE, LOSS_PLAIN, scratch, {value, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, scratch, {grad, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_ALL_GRADS, LOSS_PLAIN, scratch, {all, 0, 0}},
};

const LossModule losslang_module = {
    LOSSLANG_ABI_MAGIC,
    LOSSLANG_ABI_VERSION,
    "weighted_square",
    "",
    "",
    "",
    "by hand",
    2,
    4,
    1,
    3,
    1,
    0,
    -1,
    LOSS_WEIGHTS_NONE,
    axes,
    inputs,
    params,
    kernels,
    both,
};
