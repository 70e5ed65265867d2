/* Calls a compiled cross entropy for two rows of three equal logits; the file also is C++. */
#include <math.h>
#include <stdio.h>

#include "cross_entropy.h"
/* Twice: the guards hold. */
#include "cross_entropy.h"

int main(void) {
  const float logits[6] = {1, 1, 1, 5, 5, 5};
  const int64_t labels[2] = {0, 2};
  const void *inputs[2];
  int64_t strides[2];
  float value[2], grad[6];
  const float weight = 1;
  const int64_t sizes[2] = {2, 3};
  void *grads[2];
  int64_t gradStrides[1] = {3};
  LossArgs args;
  const LossKernel *kernel = loss_find_kernel(&losslang_module, LOSS_F32, LOSS_TARGET_INDEX,
                                              LOSS_VALUE_AND_GRAD, LOSS_PLAIN);
  LossKernelFn entry = kernel ? loss_kernel_entry(kernel, loss_cpu_level()) : NULL;
  if (!entry || kernel->scratch)
    return 1;
  inputs[cross_entropy_input_logits] = logits;
  inputs[cross_entropy_input_y] = labels;
  strides[cross_entropy_input_logits] = 3;
  strides[cross_entropy_input_y] = 1;
  grads[cross_entropy_input_logits] = grad;
  args.sizes = sizes;
  args.weights = &weight;
  args.weight_stride = 0;
  args.inputs = inputs;
  args.input_strides = strides;
  args.params = NULL;
  args.value = value;
  args.grads = grads;
  args.grad_strides = gradStrides;
  args.grad_scale = 0.5;
  if (entry(&args, 0, 2, NULL) != -1)
    return 2;
  printf("%s %.6f %.6f %.6f %.6f\n", losslang_module.name, value[0], value[1], grad[0], grad[1]);
  return 0;
}
