//===- KernelTorchTest.cpp - compiled kernels against LibTorch ------------===//
//
// The 34 functions, value and gradient in f64, against LibTorch's own functions and its autograd:
// an oracle that shares nothing with the compiler.
//
//===----------------------------------------------------------------------===//

#include "Call.h"
#include "Functions.h"

#include <torch/torch.h>

#include <functional>
#include <map>

using namespace loss;
using namespace loss::test;
using torch::Tensor;

namespace {

constexpr double eps = 1e-7;

Tensor unary(const std::string &name, const Tensor &x) {
  static const std::map<std::string, std::function<Tensor(Tensor)>> table = {
      {"opposite", [](Tensor x) { return -x; }},
      {"logarithm", [](Tensor x) { return torch::log(x.abs() + eps); }},
      {"decimal_log", [](Tensor x) { return torch::log10(x.abs() + eps); }},
      {"exponential", [](Tensor x) { return x.exp(); }},
      {"magnitude", [](Tensor x) { return x.abs(); }},
      {"logistic", [](Tensor x) { return x.sigmoid(); }},
      {"decay", [](Tensor x) { return 1 / (1 + x.abs()); }},
      {"soft_plus", [](Tensor x) { return torch::log((1 + x.exp()).abs() + eps); }},
      {"error", [](Tensor x) { return x.erf(); }},
      {"co_error", [](Tensor x) { return x.erfc(); }},
      {"sine", [](Tensor x) { return x.sin(); }},
      {"hyper_sine", [](Tensor x) { return x.sinh(); }},
      {"area_sine", [](Tensor x) { return x.asinh(); }},
      {"hyper_tan", [](Tensor x) { return x.tanh(); }},
      {"angle", [](Tensor x) { return x.atan(); }},
      {"reciprocal", [](Tensor x) { return 1 / (x + eps); }},
      {"bessel0", [](Tensor x) { return torch::special::i0(x); }},
      {"scaled0", [](Tensor x) { return torch::special::i0e(x); }},
      {"bessel1", [](Tensor x) { return torch::special::i1(x); }},
      {"scaled1", [](Tensor x) { return torch::special::i1e(x); }},
      {"positive", [](Tensor x) { return torch::maximum(x, torch::zeros_like(x)); }},
      {"negative", [](Tensor x) { return torch::minimum(x, torch::zeros_like(x)); }},
      {"square", [](Tensor x) { return x * x; }},
      {"root", [](Tensor x) { return x.abs().sqrt(); }},
      {"softsign", [](Tensor x) { return x / (1 + x.abs()); }},
      {"tan_slope", [](Tensor x) { return 1 - x.tanh().square(); }},
      {"logistic_slope", [](Tensor x) { return x.sigmoid() * (1 - x.sigmoid()); }},
  };
  return table.at(name)(x);
}

Tensor binary(const std::string &name, const Tensor &a, const Tensor &b) {
  static const std::map<std::string, std::function<Tensor(Tensor, Tensor)>> table = {
      {"total", [](Tensor a, Tensor b) { return a + b; }},
      {"difference", [](Tensor a, Tensor b) { return a - b; }},
      {"product", [](Tensor a, Tensor b) { return a * b; }},
      {"larger", [](Tensor a, Tensor b) { return torch::maximum(a, b); }},
      {"smaller", [](Tensor a, Tensor b) { return torch::minimum(a, b); }},
      {"ratio", [](Tensor a, Tensor b) { return a / (b + eps); }},
      {"quotient", [](Tensor a, Tensor b) { return a / torch::sqrt(1 + b * b); }},
  };
  return table.at(name)(a, b);
}

/// A call's rows as a tensor of its own.
Tensor tensorOf(const Rows<double> &rows) {
  return torch::from_blob(const_cast<double *>(rows.data.data()), {rows.rows, rows.classes},
                          {rows.stride, 1}, torch::kFloat64)
      .clone();
}

void expectClose(const Tensor &ours, const Tensor &theirs, const std::string &what) {
  // Relative to the largest of its row: a softmax carries the rounding of one class to all.
  Tensor scale = 1 + theirs.abs().amax(-1, /*keepdim=*/true);
  Tensor error = ((ours - theirs) / scale).abs();
  EXPECT_LT(error.max().item<double>(), 2e-12) << what << "\n" << ours << "\n" << theirs;
}

struct TorchFunction : ::testing::TestWithParam<Function> {
  static Compiler &compiler() {
    static Compiler shared;
    return shared;
  }
};

/// Random scores, some extreme ones, and equal ones. No tie at a kink: there LibTorch halves.
void fill(Call<double> &call) {
  torch::manual_seed(3);
  for (Rows<double> &rows : call.inputs) {
    Tensor x = torch::randn({rows.rows, rows.classes}, torch::kFloat64) * 2;
    x[1] *= 40;
    x[1].clamp_(-100, 100);
    for (int64_t row = 0; row < rows.rows; ++row)
      for (int64_t k = 0; k < rows.classes; ++k)
        rows(row, k) =
            row == 2 ? 0.75 + double(&rows - call.inputs.data()) : x[row][k].item<double>();
  }
}

TEST_P(TorchFunction, OfScores) {
  auto loss = compiler().compile(GetParam().direct(), "test.loss");
  Call<double> call(loss->module(), 4, 9);
  fill(call);
  call.run(LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD);

  std::vector<Tensor> inputs;
  for (const Rows<double> &rows : call.inputs)
    inputs.push_back(tensorOf(rows).requires_grad_());
  Tensor terms = GetParam().binary ? binary(GetParam().name, inputs[0], inputs[1])
                                   : unary(GetParam().name, inputs[0]);
  terms.sum().backward();
  for (int64_t row = 0; row < call.rows; ++row)
    EXPECT_NEAR(call.value[row], terms[row].sum().item<double>(),
                2e-12 * (1 + terms[row].abs().sum().item<double>()));
  for (size_t i = 0; i < inputs.size(); ++i)
    expectClose(tensorOf(call.grads[i]), inputs[i].grad(), "gradient");
}

TEST_P(TorchFunction, OfSoftmax) {
  auto loss = compiler().compile(GetParam().composed(), "test.loss");
  Call<double> call(loss->module(), 4, 9);
  fill(call);
  call.indices = {8, 0, 4, 2};
  Tensor y = torch::zeros({call.rows, call.classes}, torch::kFloat64);
  for (int64_t row = 0; row < call.rows; ++row)
    y[row][call.indices[row]] = 1;
  call.run(LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD);

  Tensor x = tensorOf(call.inputs[0]).requires_grad_();
  Tensor p = x.softmax(-1);
  Tensor terms =
      GetParam().binary ? binary(GetParam().name, p, y) : (y + 0.5) * unary(GetParam().name, p);
  terms.sum().backward();
  for (int64_t row = 0; row < call.rows; ++row)
    EXPECT_NEAR(call.value[row], terms[row].sum().item<double>(),
                2e-12 * (1 + terms[row].abs().sum().item<double>()));
  expectClose(tensorOf(call.grads[0]), x.grad(), "gradient");
}

INSTANTIATE_TEST_SUITE_P(All, TorchFunction, ::testing::ValuesIn(allFunctions()),
                         [](auto &info) { return info.param.name; });

} // namespace
