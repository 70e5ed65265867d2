/* Calls a compiled loss from plain C; needs nothing but libc.
 *
 *   lossc ngl.loss -o ngl.so
 *   lossc ngl.loss --emit=header -o ngl.h
 *   cc -I. call_ngl.c -ldl -o call_ngl && ./call_ngl ./ngl.so
 */
#include "ngl.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

enum { ROWS = 3, CLASSES = 4 };

int main(int argc, char **argv) {
  void *library = dlopen(argc > 1 ? argv[1] : "./ngl.so", RTLD_NOW | RTLD_LOCAL);
  if (!library) {
    fprintf(stderr, "%s\n", dlerror());
    return 1;
  }
  const LossModule *ngl = dlsym(library, LOSSLANG_MODULE_SYMBOL);
  if (!ngl || ngl->magic != LOSSLANG_ABI_MAGIC || ngl->abi_version != LOSSLANG_ABI_VERSION) {
    fprintf(stderr, "%s: no loss of this version\n", argv[1]);
    return 1;
  }

  /* The kernel that we want, in the best version for this processor. */
  const LossKernel *kernel =
      loss_find_kernel(ngl, LOSS_F32, LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, LOSS_PLAIN);
  LossKernelFn call = kernel ? loss_kernel_entry(kernel, loss_cpu_level()) : NULL;
  if (!call) {
    fprintf(stderr, "%s: no kernel for this processor\n", ngl->name);
    return 1;
  }

  const float logits[ROWS][CLASSES] = {{0, 0, 0, 0}, {9, 0, 0, 0}, {0, 9, 0, 0}};
  const int64_t labels[ROWS] = {0, 0, 0};
  const void *inputs[] = {[ngl_input_logits] = logits, [ngl_input_y] = labels};
  const int64_t input_strides[] = {[ngl_input_logits] = CLASSES, [ngl_input_y] = 1};
  const double params[] = {[ngl_param_a] = ngl->params[ngl_param_a].default_value};
  float values[ROWS], gradient[ROWS][CLASSES];
  /* A place for each input, then for each parameter; the labels and a have no gradient here. */
  void *grads[] = {[ngl_input_logits] = gradient, [ngl_input_y] = NULL, NULL};
  const int64_t grad_strides[] = {[ngl_input_logits] = CLASSES, [ngl_input_y] = 0, 0};
  const int64_t sizes[] = {ROWS, CLASSES};
  const float weights[] = {1}; /* the same for all rows */
  const LossArgs args = {
      .sizes = sizes,
      .inputs = inputs,
      .input_strides = input_strides,
      .params = params,
      .weights = weights,
      .weight_stride = 0,
      .value = values,
      .grads = grads,
      .grad_strides = grad_strides,
      .grad_scale = 1.0 / ROWS, /* the gradient of the mean over the rows */
  };

  /* Memory for the kernel's own use: a whole number of cache lines. */
  size_t bytes = kernel->scratch ? (size_t)kernel->scratch(sizes) * sizeof(float) : 0;
  void *scratch = aligned_alloc(64, (bytes + 64) / 64 * 64);
  int64_t bad_row = call(&args, 0, ROWS, scratch);
  free(scratch);
  if (bad_row >= 0) {
    fprintf(stderr, "row %lld: class %lld is out of bounds\n", (long long)bad_row,
            (long long)labels[bad_row]);
    return 1;
  }

  for (int r = 0; r < ROWS; ++r) {
    printf("row %d: %s = %.5f, gradient", r, ngl->name, values[r]);
    for (int k = 0; k < CLASSES; ++k)
      printf(" %+.5f", gradient[r][k]);
    printf("\n");
  }
  dlclose(library);
  return 0;
}
