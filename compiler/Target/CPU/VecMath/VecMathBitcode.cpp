//===- VecMathBitcode.cpp - embeds the bitcode modules -----------------------------===//
#include "compiler/Target/CPU/VecMath/VecMathBitcode.h"

#include "runtime/abi/LossAbi.h"

// LOSS_VM_BITCODE_V2 and so on are the paths of the modules, given by the build.
#define LOSS_VM_EMBED(symbol, path)                                                                \
  __asm__(".section .rodata.losslang_vecmath,\"a\",@progbits\n"                                    \
          ".balign 16\n" #symbol "_begin:\n"                                                       \
          ".incbin \"" path "\"\n" #symbol "_end:\n"                                               \
          ".previous\n");                                                                          \
  extern "C" const char symbol##_begin[] __attribute__((visibility("hidden")));                    \
  extern "C" const char symbol##_end[] __attribute__((visibility("hidden")));

LOSS_VM_EMBED(loss_vm_bitcode_v2, LOSS_VM_BITCODE_V2)
LOSS_VM_EMBED(loss_vm_bitcode_v3, LOSS_VM_BITCODE_V3)
LOSS_VM_EMBED(loss_vm_bitcode_v4, LOSS_VM_BITCODE_V4)

namespace loss::vecmath {

std::string_view vecMathBitcode(int level) {
  auto view = [](const char *begin, const char *end) {
    return std::string_view(begin, static_cast<size_t>(end - begin));
  };
  if (level == LOSS_X86_64_V4)
    return view(loss_vm_bitcode_v4_begin, loss_vm_bitcode_v4_end);
  if (level == LOSS_X86_64_V3)
    return view(loss_vm_bitcode_v3_begin, loss_vm_bitcode_v3_end);
  return view(loss_vm_bitcode_v2_begin, loss_vm_bitcode_v2_end);
}

} // namespace loss::vecmath
