//===- Call.h - calls of compiled kernels, watched --------------*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_INTEGRATION_CALL_H
#define LOSSLANG_TEST_UNIT_INTEGRATION_CALL_H

#include "compiler/Pipeline/Compiler.h"

#include "gtest/gtest.h"

#include <cstdlib>
#include <cstring>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace loss::test {

template <typename T> constexpr uint32_t elementOf = sizeof(T) == 4 ? LOSS_F32 : LOSS_F64;

/// Library losses of scores and a target alone, one row at a time. The tests of the Python package
/// cover all losses of the library.
inline std::vector<std::string> rowLosses() {
  return {"brier",
          "cross_entropy",
          "focal",
          "ngl",
          "generalized_cross_entropy",
          "poly1",
          "logit_squared",
          "squared_hinge",
          "symmetric_cross_entropy",
          "taylor_cross_entropy"};
}

/// The feature levels that this processor runs.
inline std::vector<int> hostLevels() {
  std::vector<int> levels;
  for (int level = 0; level <= loss_cpu_level(); ++level)
    levels.push_back(level);
  return levels;
}

inline KernelSelection atLevel(int level) {
  KernelSelection selection;
  selection.modes = 1u << LOSS_VALUE | 1u << LOSS_VALUE_AND_GRAD;
  selection.options = 1u << LOSS_PLAIN;
  selection.levels = 1u << level;
  return selection;
}

/// Rows of numbers with a stride larger than the row; what lies between the rows is filled with NaN
/// for inputs, which no kernel may read into its result, and must stay as it is.
template <typename T> struct Rows {
  int64_t rows = 0, classes = 0, stride = 0;
  std::vector<T> data;

  Rows(int64_t rows, int64_t classes, T fill)
      : rows(rows), classes(classes), stride(classes + 5), data(rows * stride + 64, fill) {}
  T &operator()(int64_t row, int64_t k) { return data[row * stride + k]; }
  T operator()(int64_t row, int64_t k) const { return data[row * stride + k]; }
};

/// One call: what goes in, and what came out.
template <typename T> struct Call {
  const LossModule &module;
  int64_t rows, classes;
  /// By input; the target is dense or by indices.
  std::vector<Rows<T>> inputs;
  std::vector<int64_t> indices;
  /// By input, for LOSS_TANGENT; 0 at first.
  std::vector<Rows<T>> tangents;
  double gradScale = 1;
  std::vector<double> params;

  std::vector<T> value;
  /// By input.
  std::vector<Rows<T>> grads;
  int64_t status = -1;

  static constexpr T untouched = T(-12345.5);

  Call(const LossModule &module, int64_t rows, int64_t classes)
      : module(module), rows(rows), classes(classes) {
    for (uint32_t i = 0; i < module.input_count; ++i)
      inputs.emplace_back(rows, classes, std::numeric_limits<T>::quiet_NaN());
    tangents.assign(module.input_count, Rows<T>(rows, classes, T(0)));
    for (uint32_t i = 0; i < module.param_count; ++i)
      params.push_back(module.params[i].default_value);
    reset();
  }

  void reset() {
    value.assign(rows + 8, untouched);
    grads.assign(module.input_count, Rows<T>(rows, classes, untouched));
  }

  /// Runs rows [begin, end) with the kernel of this kind; fails the test when there is none.
  void run(uint32_t target, uint32_t mode, int64_t begin, int64_t end) {
    const LossKernel *kernel = loss_find_kernel(&module, elementOf<T>, target, mode, LOSS_PLAIN);
    LossKernelFn entry = kernel ? loss_kernel_entry(kernel, loss_cpu_level()) : nullptr;
    if (!entry) {
      ADD_FAILURE() << "no kernel";
      return;
    }
    std::vector<const void *> bases;
    std::vector<int64_t> strides, gradStrides;
    for (uint32_t i = 0; i < module.input_count; ++i) {
      bool byIndex = module.inputs[i].kind == LOSS_INPUT_TARGET && target == LOSS_TARGET_INDEX;
      bases.push_back(byIndex ? static_cast<const void *>(indices.data()) : inputs[i].data.data());
      strides.push_back(byIndex ? 1 : inputs[i].stride);
    }
    std::vector<const void *> tangentBases;
    std::vector<int64_t> tangentStrides;
    for (const Rows<T> &tangent : tangents) {
      tangentBases.push_back(tangent.data.data());
      tangentStrides.push_back(tangent.stride);
    }
    std::vector<void *> gradBases;
    for (Rows<T> &grad : grads) {
      gradBases.push_back(grad.data.data());
      gradStrides.push_back(grad.stride);
    }
    // One element too many is noticed.
    const int64_t sizes[] = {rows, classes};
    size_t bytes = kernel->scratch ? kernel->scratch(sizes) * sizeof(T) : 0;
    std::unique_ptr<char, decltype(&std::free)> scratch(
        static_cast<char *>(std::aligned_alloc(64, bytes + 64)), &std::free);
    std::memset(scratch.get(), 0x5a, bytes + 64);
    const T one = 1;
    LossArgs args = {};
    args.sizes = sizes;
    args.inputs = bases.data();
    args.input_strides = strides.data();
    args.params = params.data();
    args.weights = &one;
    args.value = value.data();
    args.grads = mode == LOSS_VALUE ? nullptr : gradBases.data();
    args.grad_strides = mode == LOSS_VALUE ? nullptr : gradStrides.data();
    args.grad_scale = gradScale;
    args.tangents = mode == LOSS_TANGENT ? tangentBases.data() : nullptr;
    args.tangent_strides = mode == LOSS_TANGENT ? tangentStrides.data() : nullptr;
    status = entry(&args, begin, end, bytes ? scratch.get() : nullptr);
    for (size_t i = bytes; i < bytes + 64; ++i)
      if (scratch.get()[i] != 0x5a) {
        ADD_FAILURE() << "wrote behind the scratch";
        break;
      }
    checkSurroundings();
  }

  void run(uint32_t target, uint32_t mode) { run(target, mode, 0, rows); }

  /// Nothing but rows and values was written.
  void checkSurroundings() const {
    for (size_t i = rows; i < value.size(); ++i)
      EXPECT_EQ(value[i], untouched) << "behind the values";
    for (const Rows<T> &grad : grads)
      for (size_t i = 0; i < grad.data.size(); ++i)
        if (int64_t(i) >= grad.rows * grad.stride || int64_t(i) % grad.stride >= grad.classes)
          ASSERT_EQ(grad.data[i], untouched) << "between the rows of a gradient";
  }
};

} // namespace loss::test

#endif // LOSSLANG_TEST_UNIT_INTEGRATION_CALL_H
