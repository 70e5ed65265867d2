/* LossAbi.h - all that a compiled loss and its caller share. Plain C99, no dependency.
 *
 * A compiled loss exports one symbol, LOSSLANG_MODULE_SYMBOL, a `const LossModule`. It lists the
 * axes, inputs and parameters of the loss and its kernels. Where the loss has a row axis, a kernel
 * works on a range of rows, so the caller's own threads divide the work; results do not depend on
 * the division.
 *
 * Memory. A *slab* is what belongs to one row: an array over the axes that follow the row axis,
 * contiguous, in the order of the axes. An array without the row axis, and every array of a loss
 * that has none, is one slab. "Elements" are of the kernel's element type unless said otherwise.
 */
#ifndef LOSSLANG_RUNTIME_ABI_LOSSABI_H
#define LOSSLANG_RUNTIME_ABI_LOSSABI_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#define LOSSLANG_ABI_MAGIC 0x53534f4cu /* "LOSS" in memory order */
#define LOSSLANG_ABI_VERSION 2u
#define LOSSLANG_MODULE_SYMBOL "losslang_module"

/* The enumerations below end with the number of their values, for tables of them. */

/** Element type of the floating inputs, the value and the gradients of a kernel. */
enum { LOSS_F32 = 0, LOSS_F64 = 1, LOSS_ELEMENT_COUNT = 2 };

/** What an input is. A target is a distribution over the class axis; the caller chooses per call
 *  whether to pass it as class indices or densely. Gradients flow to values, not to fixed inputs
 *  (labels, regression targets, a teacher's logits) and targets, unless the caller asks for all. */
enum {
  LOSS_INPUT_VALUE = 0,
  LOSS_INPUT_TARGET = 1,
  LOSS_INPUT_FIXED = 2,
  LOSS_INPUT_KIND_COUNT = 3
};

/** How a kernel takes the target: the loss has none, int64 class indices (the slab lacks the class
 *  axis), or one number for each class. */
enum { LOSS_TARGET_NONE = 0, LOSS_TARGET_INDEX = 1, LOSS_TARGET_DENSE = 2, LOSS_TARGET_COUNT = 3 };

/** What a kernel computes. */
enum {
  /** The result alone. */
  LOSS_VALUE = 0,
  /** The result, and the gradients for the inputs with LossInput.has_gradient. */
  LOSS_VALUE_AND_GRAD = 1,
  /** The result, and the gradients for all inputs but a target passed as indices, and for all
   *  parameters. */
  LOSS_VALUE_AND_ALL_GRADS = 2,
  /** Second order. With tangents v for the inputs with has_gradient: in place of the result its
   *  derivative along v (not multiplied by the weights), and for each such input the gradient of
   * the weighted sum of that derivative, a Hessian-vector product. */
  LOSS_TANGENT = 3,
  /** The same with tangents and gradients for all inputs but a target passed as indices, and for
   *  all parameters. */
  LOSS_TANGENT_ALL = 4,
  LOSS_MODE_COUNT = 5
};

/** Whether a kernel serves label smoothing and class weights. */
enum { LOSS_PLAIN = 0, LOSS_WITH_OPTIONS = 1, LOSS_OPTIONS_COUNT = 2 };

/** What LOSS_WITH_OPTIONS kernels multiply by the class weights. */
enum {
  /** Nothing: the loss has no target, or its result lacks axes of the target. */
  LOSS_WEIGHTS_NONE = 0,
  /** The target, class by class: the loss is linear in it. */
  LOSS_WEIGHTS_TARGET = 1,
  /** The result, by the sum over the classes of target times weight. */
  LOSS_WEIGHTS_RESULT = 2,
  LOSS_WEIGHTS_COUNT = 3
};

/** x86-64 feature levels that a kernel may be compiled for. */
enum { LOSS_X86_64_V2 = 0, LOSS_X86_64_V3 = 1, LOSS_X86_64_V4 = 2, LOSS_LEVEL_COUNT = 3 };

/** Arguments of one call, the same for every thread. */
typedef struct LossArgs {
  /** Size of each axis, in the order of LossModule.axes, 1 or more; but for the row axis below
   * 2^31. That of the row axis is the number of rows of the whole call. */
  const int64_t *sizes;
  /** One base pointer an input, in the order of LossModule.inputs: the slab of row 0. Element type:
   *  the kernel's, or int64_t for a target passed as class indices. */
  const void *const *inputs;
  /** Elements between the slabs of two rows of each input: 0 repeats one slab for all. Where the
   * row axis is the only axis of the loss it must be 1, that of gradients and tangents, too. */
  const int64_t *input_strides;
  /** One value a parameter, in the order of LossModule.params. */
  const double *params;
  /** LOSS_WITH_OPTIONS: one weight a class. Elements; never NULL there. */
  const void *class_weights;
  /** LOSS_WITH_OPTIONS: the target becomes (1 - s) target + s / classes. */
  double label_smoothing;
  /** Factors of the elements of the result and of what they give to the gradients: laid out as the
   *  result. A row of weight 0 whose result is one number is not evaluated: its result and
   * gradients are 0 even where the formula gives NaN. */
  const void *weights;
  /** Elements between two weights: 1, or 0 for one weight for all. */
  int64_t weight_stride;
  /** The result, contiguous: LossModule.result_axes, row by row. */
  void *value;
  /** One base pointer an argument: the inputs in order, then the parameters. Only those that the
   * mode gives a gradient for are used. The gradient of an argument with the row axis, and of one
   * without it too, is one slab a row (a parameter's slab is one element): the caller adds up the
   * rows of the latter. Without a row axis it is one slab. */
  void *const *grads;
  /** Elements between the slabs of two rows of each gradient. */
  const int64_t *grad_strides;
  /** Every gradient is multiplied by it (1 / rows for a mean, 1 for a sum). */
  double grad_scale;
  /** Second order: one base pointer an argument, as `grads`. Only those that the mode takes a
   * tangent for are used. A parameter's slab is one element: its stride is 0. Elements. */
  const void *const *tangents;
  /** Elements between the slabs of two rows of each tangent. */
  const int64_t *tangent_strides;
} LossArgs;

/** Computes rows [row_begin, row_end); [0, 1) where the loss has no row axis.
 *  scratch: LossKernel.scratch elements of the calling thread, 64-byte aligned; may be NULL for 0.
 *  Returns -1, or the first row in the range with a class index outside [0, classes): rows before
 *  it are done, it and those after it are untouched, and nothing was read out of bounds. */
typedef int64_t (*LossKernelFn)(const LossArgs *args, int64_t row_begin, int64_t row_end,
                                void *scratch);

/** Elements of scratch that a call of one thread needs. */
typedef int64_t (*LossScratchFn)(const int64_t *sizes);

typedef struct LossInput {
  const char *name;
  const char *doc;
  /** LOSS_INPUT_... */
  uint32_t kind;
  /** Axes of the input: indices into LossModule.axes, ascending. */
  uint32_t axis_count;
  const uint32_t *axes;
  /** 1 where LOSS_VALUE_AND_GRAD gives a gradient and LOSS_TANGENT takes a tangent: the input is a
   *  value and has the row axis, or no value has it. */
  uint32_t has_gradient;
  uint32_t reserved;
} LossInput;

/** Values that a parameter may have. */
enum {
  LOSS_ANY = 0,
  LOSS_POSITIVE = 1,
  LOSS_NONNEGATIVE = 2,
  LOSS_UNIT = 3,
  LOSS_INTEGER = 4,
  LOSS_CONSTRAINT_COUNT = 5
};

typedef struct LossParam {
  const char *name;
  const char *doc;
  double default_value;
  /** LOSS_ANY, ... LOSS_UNIT is the interval [0, 1]. The caller checks it. */
  uint32_t constraint;
  uint32_t reserved;
} LossParam;

typedef struct LossKernel {
  uint32_t element; /* LOSS_F32, ... */
  uint32_t target;  /* LOSS_TARGET_... */
  uint32_t mode;    /* LOSS_VALUE, ... */
  uint32_t options; /* LOSS_PLAIN, ... */
  /** The same at every level; NULL: none is needed. */
  LossScratchFn scratch;
  /** NULL where the module was not compiled for that level. */
  LossKernelFn entry[LOSS_LEVEL_COUNT];
} LossKernel;

typedef struct LossModule {
  uint32_t magic;       /* LOSSLANG_ABI_MAGIC */
  uint32_t abi_version; /* LOSSLANG_ABI_VERSION; everything below may change with it */
  const char *name;
  const char *doc;
  const char *source;      /* the .loss text it was compiled from, imports included */
  const char *source_hash; /* 64 hexadecimal digits, SHA-256 of source */
  const char *compiler_version;
  uint32_t axis_count;
  uint32_t input_count;
  uint32_t param_count;
  uint32_t kernel_count;
  uint32_t result_axis_count;
  /** 0, the first axis; or -1: the loss has no row axis. */
  int32_t row_axis;
  /** The axis that the target is a distribution over, or -1 without a target. */
  int32_t class_axis;
  /** LOSS_WEIGHTS_...: what class weights mean. */
  uint32_t class_weighting;
  const char *const *axes;
  const LossInput *inputs;
  const LossParam *params;
  const LossKernel *kernels;
  const uint32_t *result_axes;
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
                                                 uint32_t target, uint32_t mode, uint32_t options) {
  for (uint32_t i = 0; i < module->kernel_count; ++i) {
    const LossKernel *k = &module->kernels[i];
    if (k->element == element && k->target == target && k->mode == mode && k->options == options)
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
