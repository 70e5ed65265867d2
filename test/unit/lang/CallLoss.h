//===- CallLoss.h - compile a loss in process and call it in f64 -*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_LANG_CALLLOSS_H
#define LOSSLANG_TEST_UNIT_LANG_CALLLOSS_H

#include "compiler/Pipeline/Compiler.h"

#include <gtest/gtest.h>
#include <string>
#include <vector>

namespace loss::lang::testing {

using Row = std::vector<double>;
using Rows = std::vector<Row>;

/// Value and gradient of each row; gradients in the order of the inputs.
struct Called {
  Row value;
  std::vector<Rows> grads;
};

/// One compiled loss of `classes` classes.
class CompiledLoss {
public:
  /// `target`: LOSS_TARGET_NONE, _INDEX or _DENSE.
  CompiledLoss(const std::string &text, uint32_t target = LOSS_TARGET_NONE) : target(target) {
    module = compiler().compile(text, "test.loss", KernelSelection::training(LOSS_F64, target));
  }

  /// `inputs` in the order of the program; a class index is a row of one number.
  Called call(const std::vector<Rows> &inputs, const Row &params = {}) const {
    const LossModule &m = module->module();
    const LossKernel *kernel =
        loss_find_kernel(&m, LOSS_F64, target, LOSS_VALUE_AND_GRAD, LOSS_PLAIN);
    LossKernelFn entry = kernel ? loss_kernel_entry(kernel, loss_cpu_level()) : nullptr;
    if (!entry || inputs.size() != m.input_count)
      throw std::runtime_error("no such kernel, or the wrong number of inputs");
    size_t rows = inputs[0].size(), classes = inputs[0][0].size();

    std::vector<Row> data(inputs.size());
    std::vector<std::vector<int64_t>> indices(inputs.size());
    std::vector<const void *> pointers;
    std::vector<int64_t> strides, gradStrides(m.input_count);
    std::vector<Row> gradData(m.input_count);
    for (size_t i = 0; i < inputs.size(); ++i) {
      for (const Row &row : inputs[i])
        data[i].insert(data[i].end(), row.begin(), row.end());
      bool hasRows = m.inputs[i].axis_count && m.inputs[i].axes[0] == 0;
      strides.push_back(hasRows ? static_cast<int64_t>(inputs[i][0].size()) : 0);
      if (m.inputs[i].kind == LOSS_INPUT_TARGET && target == LOSS_TARGET_INDEX) {
        indices[i].assign(data[i].begin(), data[i].end());
        pointers.push_back(indices[i].data());
      } else {
        pointers.push_back(data[i].data());
      }
      if (m.inputs[i].has_gradient) {
        gradData[i].resize(rows * inputs[i][0].size());
        gradStrides[i] = static_cast<int64_t>(inputs[i][0].size());
      }
    }
    std::vector<void *> grads;
    for (Row &grad : gradData)
      grads.push_back(grad.data());
    Row values = params;
    for (size_t i = values.size(); i < m.param_count; ++i)
      values.push_back(m.params[i].default_value);
    struct alignas(64) Line {
      double elements[8];
    };
    const int64_t sizes[] = {static_cast<int64_t>(rows), static_cast<int64_t>(classes)};
    std::vector<Line> scratch(kernel->scratch ? kernel->scratch(sizes) / 8 + 1 : 0);
    const double one = 1;

    Called result;
    result.value.resize(rows);
    LossArgs args = {};
    args.sizes = sizes;
    args.weights = &one;
    args.inputs = pointers.data();
    args.input_strides = strides.data();
    args.params = values.data();
    args.value = result.value.data();
    args.grads = grads.data();
    args.grad_strides = gradStrides.data();
    args.grad_scale = 1;
    EXPECT_EQ(entry(&args, 0, static_cast<int64_t>(rows), scratch.data()), -1);
    for (size_t g = 0; g < gradData.size(); ++g) {
      if (gradData[g].empty())
        continue;
      result.grads.emplace_back();
      for (size_t r = 0; r < rows; ++r)
        result.grads.back().emplace_back(gradData[g].begin() + r * gradStrides[g],
                                         gradData[g].begin() + (r + 1) * gradStrides[g]);
    }
    return result;
  }

private:
  static Compiler &compiler() {
    static Compiler instance;
    return instance;
  }

  uint32_t target;
  std::unique_ptr<JitModule> module;
};

} // namespace loss::lang::testing

#endif // LOSSLANG_TEST_UNIT_LANG_CALLLOSS_H
