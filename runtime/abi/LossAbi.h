/* LossAbi.h - all that a compiled loss and its caller share. Plain C99, no dependency.
 *
 * A compiled loss exports one symbol, LOSSLANG_MODULE_SYMBOL, a `const LossModule`. It lists the
 * inputs and parameters of the loss and its kernels. A kernel works on a range of rows, so the
 * caller's own threads divide the work; results do not depend on the division.
 */
#ifndef LOSSLANG_RUNTIME_ABI_LOSSABI_H
#define LOSSLANG_RUNTIME_ABI_LOSSABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOSSLANG_ABI_MAGIC 0x53534f4cu /* "LOSS" in memory order */
#define LOSSLANG_ABI_VERSION 1u
#define LOSSLANG_MODULE_SYMBOL "losslang_module"

/** Element type of the floating inputs, the value and the gradients of a kernel. */
enum { LOSS_F32 = 0, LOSS_F64 = 1 };

/** What an input is. A target is a distribution over the inner axis; the caller chooses per call
 *  whether to pass it as class indices or densely. */
enum { LOSS_INPUT_VALUE = 0, LOSS_INPUT_TARGET = 1 };

/** How a kernel takes the target: the loss has none, int64 class indices (one a row), or one number
 *  for each class. */
enum { LOSS_TARGET_NONE = 0, LOSS_TARGET_INDEX = 1, LOSS_TARGET_DENSE = 2 };

/** What a kernel computes: the per-row value, or also the gradients. */
enum { LOSS_VALUE = 0, LOSS_VALUE_AND_GRAD = 1 };

/** x86-64 feature levels that a kernel may be compiled for. */
enum { LOSS_X86_64_V2 = 0, LOSS_X86_64_V3 = 1, LOSS_X86_64_V4 = 2, LOSS_LEVEL_COUNT = 3 };

/** Arguments of one call, the same for every thread.
 *  Strides are in elements. The inner axis of every input and gradient is contiguous. */
typedef struct LossArgs {
  /** Size of the inner axis (classes), 1 or more. Below 2^31. */
  int64_t classes;
  /** One base pointer an input, in the order of LossModule.inputs. Element type: the kernel's, or
   *  int64_t for a target passed as class indices. */
  const void *const *inputs;
  /** Elements between two rows of each input: 0 repeats one row for all. */
  const int64_t *input_strides;
  /** One value a parameter, in the order of LossModule.params. */
  const double *params;
  /** The loss of each row, contiguous, indexed by the row. */
  void *value;
  /** LOSS_VALUE_AND_GRAD: one base pointer a differentiable input, by LossInput.grad_index. */
  void *const *grads;
  /** Elements between two rows of each gradient. */
  const int64_t *grad_strides;
  /** Every gradient is multiplied by it (1 / rows for a mean, 1 for a sum). */
  double grad_scale;
} LossArgs;

/** Computes rows [row_begin, row_end).
 *  scratch: LossKernel.scratch_rows * classes elements of the calling thread, 64-byte aligned; may
 *  be NULL when scratch_rows is 0.
 *  Returns -1, or the first row in the range whose class index lies outside [0, classes): rows
 * before it are done, it and those after it are untouched, and nothing was read out of bounds. */
typedef int64_t (*LossKernelFn)(const LossArgs *args, int64_t row_begin, int64_t row_end,
                                void *scratch);

typedef struct LossInput {
  const char *name;
  const char *doc;
  /** LOSS_INPUT_VALUE or LOSS_INPUT_TARGET. */
  uint32_t kind;
  /** Number of axes, outermost first. The first axis of the loss is its rows, the last its classes;
   *  an input may have both, one, or none of them (see has_rows, has_classes). */
  uint32_t axis_count;
  const char *const *axes;
  uint32_t has_rows;
  uint32_t has_classes;
  /** Index into LossArgs.grads, or -1 when no gradient is computed for this input. */
  int32_t grad_index;
  uint32_t reserved;
} LossInput;

typedef struct LossParam {
  const char *name;
  const char *doc;
  double default_value;
} LossParam;

typedef struct LossKernel {
  uint32_t element; /* LOSS_F32, ... */
  uint32_t target;  /* LOSS_TARGET_... */
  uint32_t mode;    /* LOSS_VALUE, ... */
  uint32_t scratch_rows;
  /** NULL where the module was not compiled for that level. */
  LossKernelFn entry[LOSS_LEVEL_COUNT];
} LossKernel;

typedef struct LossModule {
  uint32_t magic;       /* LOSSLANG_ABI_MAGIC */
  uint32_t abi_version; /* LOSSLANG_ABI_VERSION; everything below may change with it */
  const char *name;
  const char *doc;
  const char *source;      /* the .loss text it was compiled from */
  const char *source_hash; /* 64 hexadecimal digits, SHA-256 of source */
  const char *compiler_version;
  uint32_t input_count;
  uint32_t param_count;
  uint32_t kernel_count;
  uint32_t grad_count;
  const LossInput *inputs;
  const LossParam *params;
  const LossKernel *kernels;
} LossModule;

#if defined(__GNUC__) || defined(__clang__)
/** The highest feature level of this processor, or -1 below x86-64-v2. */
static inline int loss_cpu_level(void) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("sse4.2") || !__builtin_cpu_supports("popcnt"))
    return -1;
  if (!__builtin_cpu_supports("avx2") || !__builtin_cpu_supports("fma") ||
      !__builtin_cpu_supports("bmi") || !__builtin_cpu_supports("bmi2"))
    return LOSS_X86_64_V2;
  if (!__builtin_cpu_supports("avx512f") || !__builtin_cpu_supports("avx512bw") ||
      !__builtin_cpu_supports("avx512cd") || !__builtin_cpu_supports("avx512dq") ||
      !__builtin_cpu_supports("avx512vl"))
    return LOSS_X86_64_V3;
  return LOSS_X86_64_V4;
}
#endif

/** The kernel of these properties, or NULL when the module has none. */
static inline const LossKernel *loss_find_kernel(const LossModule *module, uint32_t element,
                                                 uint32_t target, uint32_t mode) {
  for (uint32_t i = 0; i < module->kernel_count; ++i) {
    const LossKernel *k = &module->kernels[i];
    if (k->element == element && k->target == target && k->mode == mode)
      return k;
  }
  return NULL;
}

/** The best entry of a kernel for a feature level, or NULL when it has none at or below it. */
static inline LossKernelFn loss_kernel_entry(const LossKernel *kernel, int level) {
  for (; level >= 0; --level)
    if (kernel->entry[level])
      return kernel->entry[level];
  return NULL;
}

#ifdef __cplusplus
}
#endif
#endif
