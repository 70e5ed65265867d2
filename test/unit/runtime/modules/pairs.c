/* A loss without a row axis (f64): all pairs of a batch.
 *   value_b = scale * sum_o sum_d x_bd * z_od,   x: [batch, dim], z: fixed [batch, dim] */
#include "runtime/abi/LossAbi.h"

static int64_t run(const LossArgs *a, int mode) {
  const int64_t batch = a->sizes[0], dim = a->sizes[1];
  const double *x = a->inputs[0], *z = a->inputs[1], *weights = a->weights;
  double *gx = mode == LOSS_VALUE ? 0 : a->grads[0];
  double *gz = mode == LOSS_VALUE_AND_ALL_GRADS ? a->grads[1] : 0;
  double slope = 0;
  for (int64_t i = 0; gz && i < batch * dim; ++i)
    gz[i] = 0;
  for (int64_t b = 0; b < batch; ++b) {
    const double w = weights[b * a->weight_stride], s = w * a->params[0];
    double sum = 0;
    for (int64_t d = 0; d < dim; ++d) {
      double column = 0;
      for (int64_t o = 0; o < batch; ++o) {
        column += z[o * dim + d];
        if (gz)
          gz[o * dim + d] += a->grad_scale * s * x[b * dim + d];
      }
      sum += x[b * dim + d] * column;
      if (gx)
        gx[b * dim + d] = a->grad_scale * s * column;
    }
    ((double *)a->value)[b] = s * sum;
    slope += a->grad_scale * w * sum;
  }
  if (mode == LOSS_VALUE_AND_ALL_GRADS)
    *(double *)a->grads[2] = slope;
  return -1;
}
#define KERNEL(name, mode)                                                                         \
  static int64_t name(const LossArgs *a, int64_t b, int64_t e, void *s) {                          \
    (void)s;                                                                                       \
    return b == 0 && e == 1 ? run(a, mode) : -1;                                                   \
  }
KERNEL(value, LOSS_VALUE)
KERNEL(grad, LOSS_VALUE_AND_GRAD)
KERNEL(all_grads, LOSS_VALUE_AND_ALL_GRADS)

static const char *const axes[] = {"batch", "dim"};
static const uint32_t both[] = {0, 1};
static const LossInput inputs[] = {
    {"x", "", LOSS_INPUT_VALUE, 2, both, 1, 0},
    {"z", "", LOSS_INPUT_FIXED, 2, both, 0, 0},
};
static const LossParam params[] = {{"scale", "", 1, LOSS_ANY, 0}};
static const LossKernel kernels[] = {
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE, LOSS_PLAIN, 0, {value, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN, 0, {grad, 0, 0}},
    {LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_ALL_GRADS, LOSS_PLAIN, 0, {all_grads, 0, 0}},
};

const LossModule losslang_module = {
    LOSSLANG_ABI_MAGIC,
    LOSSLANG_ABI_VERSION,
    "pairs",
    "",
    "",
    "",
    "by hand",
    2,
    2,
    1,
    3,
    1,
    -1,
    -1,
    LOSS_WEIGHTS_NONE,
    axes,
    inputs,
    params,
    kernels,
    both,
};
