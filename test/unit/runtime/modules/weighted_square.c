/* A loss module written by hand with every kind of input, no target, and scratch memory:
 *   value_r = offset + sample_r * sum_k class_k * scores_rk^2      (f64 only)
 * with gradients for scores, sample and class, none for offset. */
#include "runtime/abi/LossAbi.h"

static int64_t kernel(const LossArgs *a, int64_t begin, int64_t end, double *scratch,
                      int with_grad) {
  for (int64_t r = begin; r < end; ++r) {
    const double *x = (const double *)a->inputs[0] + r * a->input_strides[0];
    const double *sample = (const double *)a->inputs[1] + r * a->input_strides[1];
    const double *class_ = (const double *)a->inputs[2] + r * a->input_strides[2];
    const double *offset = (const double *)a->inputs[3] + r * a->input_strides[3];
    double sum = 0;
    for (int64_t k = 0; k < a->classes; ++k)
      scratch[a->classes + k] = scratch[k] = x[k] * x[k];
    for (int64_t k = 0; k < a->classes; ++k)
      sum += class_[k] * scratch[k];
    ((double *)a->value)[r] = *offset + *sample * sum;
    if (!with_grad)
      continue;
    double *gx = (double *)a->grads[0] + r * a->grad_strides[0];
    double *gs = (double *)a->grads[1] + r * a->grad_strides[1];
    double *gc = (double *)a->grads[2] + r * a->grad_strides[2];
    *gs = a->grad_scale * sum;
    for (int64_t k = 0; k < a->classes; ++k) {
      gx[k] = a->grad_scale * *sample * class_[k] * 2 * x[k];
      gc[k] = a->grad_scale * *sample * scratch[a->classes + k];
    }
  }
  return -1;
}

static int64_t value(const LossArgs *a, int64_t b, int64_t e, void *s) {
  return kernel(a, b, e, s, 0);
}
static int64_t grad(const LossArgs *a, int64_t b, int64_t e, void *s) {
  return kernel(a, b, e, s, 1);
}

static const char *const axes[] = {"batch", "class"};
static const LossInput inputs[] = {
    {"scores", "", LOSS_INPUT_VALUE, 2, axes, 1, 1, 0, 0},
    {"sample", "", LOSS_INPUT_VALUE, 1, axes, 1, 0, 1, 0},
    {"class", "", LOSS_INPUT_VALUE, 1, axes + 1, 0, 1, 2, 0},
    {"offset", "", LOSS_INPUT_VALUE, 0, 0, 0, 0, -1, 0},
};
static const LossKernel kernels[] = {
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE, 2, {value, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD, 2, {grad, 0, 0}},
};

const LossModule losslang_module = {
    LOSSLANG_ABI_MAGIC,
    LOSSLANG_ABI_VERSION,
    "weighted_square",
    "",
    "",
    "",
    "by hand",
    4,
    0,
    2,
    3,
    inputs,
    0,
    kernels,
};
