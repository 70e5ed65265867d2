// A module whose descriptor has one number beyond its enumeration, by a macro.
#include "runtime/abi/LossAbi.h"

#ifndef KERNEL_MODE
#define KERNEL_MODE LOSS_VALUE
#endif
#ifndef KERNEL_ELEMENT
#define KERNEL_ELEMENT LOSS_F32
#endif
#ifndef KERNEL_TARGET
#define KERNEL_TARGET LOSS_TARGET_NONE
#endif
#ifndef INPUT_KIND
#define INPUT_KIND LOSS_INPUT_VALUE
#endif
#ifndef CONSTRAINT
#define CONSTRAINT LOSS_ANY
#endif
#ifndef ROW_AXIS
#define ROW_AXIS 0
#endif

static const uint32_t element[] = {0};
static const char *const axes[] = {"element"};
static const LossInput inputs[] = {{"x", "", INPUT_KIND, 1, element, 1, 0}};
static const LossParam params[] = {{"k", "", 1, CONSTRAINT, 0}};
static const LossKernel kernels[] = {
    {KERNEL_ELEMENT, KERNEL_TARGET, KERNEL_MODE, LOSS_PLAIN, 0, {0, 0, 0}}};

const LossModule losslang_module = {LOSSLANG_ABI_MAGIC,
                                    LOSSLANG_ABI_VERSION,
                                    "damaged",
                                    "",
                                    "",
                                    "",
                                    "",
                                    1,
                                    1,
                                    1,
                                    1,
                                    1,
                                    ROW_AXIS,
                                    -1,
                                    LOSS_WEIGHTS_NONE,
                                    axes,
                                    inputs,
                                    params,
                                    kernels,
                                    element};
