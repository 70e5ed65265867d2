#include "runtime/train/Precision.h"

#include <ATen/autocast_mode.h>

namespace loss::runtime {

bool choosesBf16(PrecisionKind precision) {
  if (precision == PrecisionKind::F32)
    return false;
  // Every processor with AMX has it, too.
  __builtin_cpu_init();
  const bool able = __builtin_cpu_supports("avx512bf16");
  if (precision == PrecisionKind::BF16 && !able)
    throw ConfigError(
        "expected a processor with AVX512_BF16 or AMX for --precision bf16, but found "
        "neither; use f32 or auto");
  return able;
}

void useChannelsLast(Network &network) {
  torch::NoGradGuard guard;
  for (torch::Tensor &p : network.parameters())
    if (p.dim() == 4)
      p.set_data(p.contiguous(at::MemoryFormat::ChannelsLast));
}

Bf16Scope::Bf16Scope(bool on) : on(on) {
  if (!on)
    return;
  wasEnabled = at::autocast::is_autocast_enabled(at::kCPU);
  wasType = at::autocast::get_autocast_dtype(at::kCPU);
  at::autocast::set_autocast_enabled(at::kCPU, true);
  at::autocast::set_autocast_dtype(at::kCPU, at::kBFloat16);
  at::autocast::increment_nesting();
}

Bf16Scope::~Bf16Scope() {
  if (!on)
    return;
  // The cached bf16 weights are stale after the optimizer's step.
  if (at::autocast::decrement_nesting() == 0)
    at::autocast::clear_cache();
  at::autocast::set_autocast_enabled(at::kCPU, wasEnabled);
  at::autocast::set_autocast_dtype(at::kCPU, wasType);
}

} // namespace loss::runtime
