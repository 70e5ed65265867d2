// Library losses of classification against the same formula in LibTorch operations, and against
// finite differences.

#include "compiler/Pipeline/Compiler.h"
#include "runtime/torch/LossFunction.h"

#include <gmock/gmock.h>

#include <cmath>
#include <map>

using namespace loss::runtime;
using torch::Tensor;

namespace {

using Formula =
    std::function<Tensor(const Tensor &x, const Tensor &y, const std::vector<double> &p)>;

Tensor logSoftmax(const Tensor &x) { return torch::log_softmax(x, 1); }
Tensor softmax(const Tensor &x) { return torch::softmax(x, 1); }
/// 1 - p without cancellation.
Tensor missed(const Tensor &x) { return -torch::expm1(logSoftmax(x)); }

struct LossCase {
  const char *name;
  Formula formula;
  /// Parameter values beside the defaults.
  std::vector<std::vector<double>> params;
};

void PrintTo(const LossCase &c, std::ostream *out) { *out << c.name; }

const LossCase cases[] = {
    {"brier", [](auto &x, auto &y, auto &) { return (softmax(x) - y).pow(2).sum(1); }, {}},
    {"cross_entropy", [](auto &x, auto &y, auto &) { return -(y * logSoftmax(x)).sum(1); }, {}},
    {"focal",
     [](auto &x, auto &y, auto &p) { return -(y * missed(x).pow(p[0]) * logSoftmax(x)).sum(1); },
     {{0}, {1}, {3.5}}},
    {"generalized_cross_entropy",
     [](auto &x, auto &y, auto &p) {
       return -(y * torch::expm1(p[0] * logSoftmax(x))).sum(1) / p[0];
     },
     {{0.1}, {1}}},
    {"logit_squared",
     [](auto &x, auto &y, auto &p) {
       return (p[0] * y * (x - p[1]).pow(2) + (1 - y) * x.pow(2)).mean(1);
     },
     {{15, 30}}},
    {"ngl",
     [](auto &x, auto &y, auto &p) {
       Tensor q = softmax(x);
       return (torch::exp(p[0] - q - q * y) - torch::cos(torch::cos(torch::sin(q)))).mean(1);
     },
     {{0}}},
    {"poly1",
     [](auto &x, auto &y, auto &p) { return (y * (p[0] * missed(x) - logSoftmax(x))).sum(1); },
     {{-1}, {2}}},
    {"squared_hinge",
     [](auto &x, auto &y, auto &p) { return torch::relu(p[0] - (2 * y - 1) * x).pow(2).sum(1); },
     {{0.3}}},
    {"symmetric_cross_entropy",
     [](auto &x, auto &y, auto &p) {
       return -p[0] * (y * logSoftmax(x)).sum(1) -
              p[1] * (softmax(x) * torch::log(torch::clamp_min(y, std::exp(p[2])))).sum(1);
     },
     {{6, 0.1, -4}, {1, 1, -2}}},
    {"taylor_cross_entropy",
     [](auto &x, auto &y, auto &) {
       Tensor m = missed(x);
       return (y * (m + m.pow(2) / 2)).sum(1);
     },
     {}},
};

/// Each loss is compiled once, with all its kernels.
const LossHandle &compiled(const std::string &name) {
  static loss::Compiler compiler;
  static std::map<std::string, LossHandle> handles;
  auto found = handles.find(name);
  if (found == handles.end()) {
    std::shared_ptr<loss::JitModule> jit =
        compiler.compileFile(loss::findLibraryLoss(name), loss::KernelSelection());
    const LossModule *module = &jit->module();
    found = handles
                .emplace(name, LossHandle::adopt(
                                   std::shared_ptr<const LossModule>(std::move(jit), module), name))
                .first;
  }
  return found->second;
}

/// Logits (rows, classes) in f64 that f32 holds exactly.
std::vector<std::pair<std::string, Tensor>> logitCases(int64_t rows, int64_t classes) {
  const auto real = torch::kDouble;
  Tensor random = torch::randn({rows, classes}, real) * 3;
  Tensor extreme = torch::randint(0, 3, {rows, classes}, real) * 100 - 100;
  Tensor peak = torch::full({rows, classes}, -100, real);
  peak.index_put_({torch::arange(rows), torch::arange(rows) % classes}, 100);
  // 0.75 keeps them off the hinge's corner, where there is no second derivative.
  Tensor ties = torch::randint(-2, 3, {rows, classes}, real) * 0.75;
  return {{"random", random.to(torch::kFloat).to(real)},
          {"extreme", extreme},
          {"peak", peak},
          {"ties", ties},
          {"equal", torch::full({rows, classes}, 0.75, real)},
          {"far equal", torch::full({rows, classes}, -100, real)}};
}

class StdlibLoss : public testing::TestWithParam<LossCase> {
protected:
  /// Calls `check(logits, target, y, options, params)` for logits, targets and parameters of every
  /// kind; y is the target as a distribution.
  template <typename Check> void forAllCases(std::vector<int64_t> classCounts, Check check) {
    torch::manual_seed(7);
    const LossHandle &handle = compiled(GetParam().name);
    auto paramSets = GetParam().params;
    paramSets.insert(paramSets.begin(), handle.bindParams({}));
    for (const auto &params : paramSets) {
      LossCallOptions options;
      options.reduction = Reduction::None;
      for (size_t i = 0; i < params.size(); ++i)
        options.params.emplace_back(handle.module().params[i].name, params[i]);
      for (int64_t classes : classCounts)
        for (const auto &[kind, logits] : logitCases(7, classes)) {
          Tensor index = torch::randint(classes, {7}, torch::kLong);
          Tensor oneHot = torch::one_hot(index, classes).to(torch::kDouble);
          Tensor soft = torch::softmax(torch::randn({7, classes}, torch::kDouble), 1)
                            .to(torch::kFloat)
                            .to(torch::kDouble);
          SCOPED_TRACE(testing::Message() << kind << " logits, " << classes << " classes, params "
                                          << testing::PrintToString(params));
          check(logits, index, oneHot, options, params);
          check(logits, soft, soft, options, params);
        }
    }
  }
};

/// A bound on rounding: the exponent of a probability carries the absolute error of the logits, and
/// sums of `classes` terms some more.
double bound(double epsilon, const Tensor &logits, const Tensor &reference) {
  return 16 * epsilon * (1 + logits.abs().max().item<double>()) *
         (1 + reference.abs().max().item<double>());
}

TEST_P(StdlibLoss, AgreesWithTorch) {
  CompiledLoss loss(compiled(GetParam().name));
  forAllCases({1, 2, 3, 10, 37, 300}, [&](const Tensor &logits, const Tensor &target,
                                          const Tensor &y, const LossCallOptions &options,
                                          const auto &params) {
    Tensor x = logits.clone().requires_grad_();
    Tensor expected = GetParam().formula(x, y, params);
    Tensor upstream = torch::ones_like(expected);
    Tensor gradient = torch::autograd::grad({expected}, {x}, {upstream})[0];
    // A formula of LibTorch operations has its own singularities (0 * inf); ours must have none.
    const Tensor known = torch::isfinite(gradient);
    for (auto [type, epsilon] : {std::pair(torch::kDouble, 1.1e-16), {torch::kFloat, 6e-8}}) {
      Tensor ours = logits.clone().to(type).requires_grad_();
      Tensor given = target.is_floating_point() ? target.to(type) : target;
      Tensor value = loss(ours, given, options);
      value.backward(torch::ones_like(value));
      EXPECT_LE((value - expected).abs().max().template item<double>(),
                bound(epsilon, logits, expected))
          << value << expected;
      EXPECT_TRUE(torch::isfinite(ours.grad()).all().template item<bool>()) << ours.grad();
      const Tensor difference = torch::where(known, ours.grad() - gradient, 0.0);
      const Tensor finite = torch::where(known, gradient, 0.0);
      EXPECT_LE(difference.abs().max().template item<double>(), bound(epsilon, logits, finite))
          << ours.grad() << gradient;
      // The kernel without gradients gives the same value.
      torch::NoGradGuard guard;
      EXPECT_LE((loss(ours, given, options) - value).abs().max().template item<double>(),
                bound(epsilon, logits, expected));
    }
  });
}

TEST_P(StdlibLoss, AgreesWithFiniteDifferences) {
  CompiledLoss loss(compiled(GetParam().name));
  forAllCases({2, 10}, [&](const Tensor &logits, const Tensor &target, const Tensor &,
                           const LossCallOptions &options, const auto &) {
    Tensor x = logits.clone().requires_grad_();
    Tensor value = loss(x, target, options);
    value.backward(torch::ones_like(value));
    torch::NoGradGuard guard;
    const double step = 1e-5;
    for (int64_t k = 0; k < logits.size(1); ++k) {
      Tensor up = logits.clone(), down = logits.clone();
      up.select(1, k) += step;
      down.select(1, k) -= step;
      Tensor slope = (loss(up, target, options) - loss(down, target, options)) / (2 * step);
      // Rounding of the values over the step, and the third derivative.
      const double tolerance = 1e-7 + 4e-11 * value.abs().max().item<double>();
      EXPECT_LE((slope - x.grad().select(1, k)).abs().max().item<double>(), tolerance)
          << slope << x.grad().select(1, k);
    }
  });
}

INSTANTIATE_TEST_SUITE_P(Stdlib, StdlibLoss, testing::ValuesIn(cases),
                         [](const auto &info) { return info.param.name; });

// test/python/stdlib tests all losses of the library.
TEST(StdlibLosses, AreInTheLibrary) {
  for (const LossCase &each : cases)
    EXPECT_THAT(loss::listLibraryLosses(), testing::Contains(each.name));
}

/// Akhmedova, Koerber 2024: values of the formula, computed with a = 2.4092.
TEST(StdlibLosses, NglHasThePapersValues) {
  CompiledLoss ngl(compiled("ngl"));
  struct Row {
    int64_t classes;
    double uniform, perfect, wrong;
  };
  for (const Row &row :
       {Row{2, 4.788645, 5.652148, 6.945681}, Row{10, 9.426089, 9.598234, 9.856940},
        Row{100, 10.472921, 10.486103, 10.511974}}) {
    Tensor logits = torch::zeros({1, row.classes}, torch::kDouble);
    Tensor target = torch::zeros({1}, torch::kLong);
    EXPECT_NEAR(ngl(logits, target).item<double>() / row.uniform, 1, 1e-6);
    logits[0][0] = 1000;
    EXPECT_NEAR(ngl(logits, target).item<double>() / row.perfect, 1, 1e-6);
    EXPECT_NEAR(ngl(logits, target + 1).item<double>() / row.wrong, 1, 1e-6);
  }
}

TEST(StdlibLosses, NanLogitsAreNeverHidden) {
  for (const LossCase &each : cases)
    for (auto type : {torch::kFloat, torch::kDouble})
      for (bool dense : {false, true}) {
        Tensor logits = torch::randn({3, 5}, type);
        logits[1][3] = std::nan("");
        logits.requires_grad_();
        Tensor target = dense ? torch::full({3, 5}, 0.2, type) : torch::zeros({3}, torch::kLong);
        LossCallOptions options;
        options.reduction = Reduction::None;
        Tensor value = CompiledLoss(compiled(each.name))(logits, target, options);
        value.sum().backward();
        EXPECT_TRUE(std::isnan(value[1].item<double>())) << each.name << " dense " << dense;
        EXPECT_TRUE(std::isfinite(value[0].item<double>())) << each.name;
        EXPECT_TRUE(std::isnan(logits.grad()[1][3].item<double>())) << each.name;
        EXPECT_TRUE(torch::isfinite(logits.grad()[2]).all().item<bool>()) << each.name;
      }
}

TEST(StdlibLosses, InfiniteLogitsGiveNoWrongNumber) {
  CompiledLoss loss(compiled("cross_entropy"));
  const double inf = std::numeric_limits<double>::infinity();
  Tensor logits =
      torch::tensor({{0.0, -inf, 1.0}, {0.0, inf, 1.0}, {1.0, 2.0, -inf}}, torch::kDouble);
  Tensor target = torch::tensor({0, 1, 2}, torch::kLong);
  LossCallOptions options;
  options.reduction = Reduction::None;
  Tensor ours = loss(logits, target, options);
  Tensor theirs = torch::nn::functional::cross_entropy(
      logits, target, torch::nn::functional::CrossEntropyFuncOptions().reduction(torch::kNone));
  EXPECT_TRUE(torch::allclose(ours, theirs, 1e-12, 1e-12, true)) << ours << theirs;
}

TEST(StdlibLosses, ThreadsDoNotChangeResults) {
  torch::manual_seed(3);
  const int before = at::get_num_threads();
  Tensor data = torch::randn({3001, 37});
  Tensor target = torch::randint(37, {3001}, torch::kLong);
  for (const LossCase &each : cases) {
    CompiledLoss loss(compiled(each.name));
    Tensor values[2], grads[2];
    for (int i = 0; i < 2; ++i) {
      at::set_num_threads(i == 0 ? 1 : 3);
      Tensor logits = data.clone().requires_grad_();
      Tensor value = loss(logits, target);
      value.backward();
      values[i] = value.detach();
      grads[i] = logits.grad();
    }
    EXPECT_TRUE(torch::equal(values[0], values[1])) << each.name;
    EXPECT_TRUE(torch::equal(grads[0], grads[1])) << each.name;
  }
  at::set_num_threads(before);
}

} // namespace
