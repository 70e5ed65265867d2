//===- VecMathBench.cpp - nanoseconds an element of every function ------------------===//
//
// vecmath-bench [--benchmark_filter=f32/v4]: every function at every feature level of this
// processor, on an array that fits the first-level cache. The counter ns/elem is what the
// documentation quotes.
//
//===----------------------------------------------------------------------===//
#include "compiler/Target/CPU/VecMath/VecMathHost.h"

#include "runtime/abi/LossAbi.h"

#include <benchmark/benchmark.h>

#include <random>
#include <string>
#include <type_traits>
#include <vector>

using namespace loss::vecmath;

namespace {

constexpr size_t count = 1024;

template <typename T> void run(benchmark::State &state, Fn fn, int level) {
  const HostFunctions &f = hostFunctions(fn, level);
  std::mt19937 random(1);
  // Positive, so that logarithms and powers take their usual path.
  std::uniform_real_distribution<T> values(T(1e-6), T(1));
  std::vector<T> x(count), y(count), z(count);
  for (size_t i = 0; i < count; ++i) {
    x[i] = values(random);
    y[i] = 4 * values(random);
  }
  for (auto _ : state) {
    if constexpr (std::is_same_v<T, float>)
      f.unaryF32 ? f.unaryF32(x.data(), z.data(), count)
                 : f.binaryF32(x.data(), y.data(), z.data(), count);
    else
      f.unaryF64 ? f.unaryF64(x.data(), z.data(), count)
                 : f.binaryF64(x.data(), y.data(), z.data(), count);
    benchmark::ClobberMemory();
  }
  state.counters["ns/elem"] =
      benchmark::Counter(double(count) * 1e-9, benchmark::Counter::kIsIterationInvariantRate |
                                                   benchmark::Counter::kInvert);
}

[[maybe_unused]] const bool registered = [] {
  for (int level = hostLevel(); level >= 0; --level)
    for (int i = 0; i < functionCount; ++i) {
      Fn fn = static_cast<Fn>(i);
      std::string suffix = "/v" + std::to_string(level + 2) + "/" + std::string(info(fn).name);
      benchmark::RegisterBenchmark(("f32" + suffix).c_str(), run<float>, fn, level);
      benchmark::RegisterBenchmark(("f64" + suffix).c_str(), run<double>, fn, level);
    }
  return true;
}();

} // namespace
