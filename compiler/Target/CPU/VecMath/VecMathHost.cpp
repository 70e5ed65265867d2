//===- VecMathHost.cpp - dispatch by feature level -------------------------------===//
#include "compiler/Target/CPU/VecMath/VecMathHost.h"

#include "runtime/abi/LossAbi.h"

#include <algorithm>

namespace loss::vecmath {

// Defined by VecMathHostLevel.cpp, once a level.
extern "C" const HostFunctions loss_vm_host_v2[];
extern "C" const HostFunctions loss_vm_host_v3[];
extern "C" const HostFunctions loss_vm_host_v4[];

std::optional<Fn> findFunction(std::string_view name) {
  for (int i = 0; i < functionCount; ++i)
    if (functionTable[i].name == name)
      return static_cast<Fn>(i);
  return std::nullopt;
}

int hostLevel() {
  static const int level = std::max(loss_cpu_level(), static_cast<int>(LOSS_X86_64_V2));
  return level;
}

const HostFunctions &hostFunctions(Fn fn, int level) {
  const HostFunctions *table = level == LOSS_X86_64_V4   ? loss_vm_host_v4
                               : level == LOSS_X86_64_V3 ? loss_vm_host_v3
                                                         : loss_vm_host_v2;
  return table[static_cast<int>(fn)];
}

void apply(Fn fn, const double *x, double *y, size_t n) {
  hostFunctions(fn, hostLevel()).unaryF64(x, y, n);
}

void apply(Fn fn, const float *x, float *y, size_t n) {
  hostFunctions(fn, hostLevel()).unaryF32(x, y, n);
}

void apply(Fn fn, const double *x, const double *y, double *z, size_t n) {
  hostFunctions(fn, hostLevel()).binaryF64(x, y, z, n);
}

void apply(Fn fn, const float *x, const float *y, float *z, size_t n) {
  hostFunctions(fn, hostLevel()).binaryF32(x, y, z, n);
}

} // namespace loss::vecmath
