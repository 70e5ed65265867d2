// Incoming gradients, gradients by every argument, and second derivatives.

#include "OpenLoss.h"

#include <gtest/gtest.h>

#include <functional>

using namespace loss::runtime;
using torch::Tensor;
namespace F = torch::nn::functional;

namespace {

constexpr Reduction reductions[] = {Reduction::None, Reduction::Mean, Reduction::Sum};

Tensor reduce(const Tensor &t, Reduction reduction) {
  return reduction == Reduction::None ? t : reduction == Reduction::Mean ? t.mean() : t.sum();
}

/// Compares two functions of the same leaves: value, gradient with a random incoming gradient.
void expectSameGradients(const std::function<Tensor(std::vector<Tensor>)> &ours,
                         const std::function<Tensor(std::vector<Tensor>)> &theirs,
                         const std::vector<Tensor> &data) {
  std::vector<Tensor> a, b;
  for (const Tensor &t : data) {
    a.push_back(t.clone().requires_grad_());
    b.push_back(t.clone().requires_grad_());
  }
  Tensor x = ours(a), y = theirs(b);
  ASSERT_EQ(x.sizes(), y.sizes());
  EXPECT_TRUE(torch::allclose(x, y, 1e-12, 1e-12));
  Tensor upstream = torch::randn_like(y);
  auto ga = torch::autograd::grad({x}, a, {upstream});
  auto gb = torch::autograd::grad({y}, b, {upstream});
  for (size_t i = 0; i < data.size(); ++i)
    EXPECT_TRUE(torch::allclose(ga[i], gb[i], 1e-11, 1e-11)) << i << ga[i] << gb[i];
}

TEST(Derivatives, ByATargetThatRequiresOne) {
  torch::manual_seed(31);
  CompiledLoss loss = openLoss("c_cross_entropy");
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    Tensor logits = torch::randn({2, 5, 3}, torch::kDouble);
    Tensor target = torch::rand({2, 5, 3}, torch::kDouble);
    expectSameGradients(
        [&](auto in) { return loss(in[0], in[1], options); },
        [&](auto in) { return reduce(-(in[1] * torch::log_softmax(in[0], 1)).sum(1), reduction); },
        {logits, target});
  }
}

TEST(Derivatives, ByAFixedInputThatRequiresOne) {
  torch::manual_seed(32);
  CompiledLoss loss = openLoss("square_error");
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    expectSameGradients(
        [&](auto in) { return loss(in[0], in[1], options); },
        [&](auto in) { return reduce((in[0] - in[1]).pow(2), reduction); },
        {torch::randn({40, 30}, torch::kDouble), torch::randn({40, 30}, torch::kDouble)});
  }
}

TEST(Derivatives, OfALossWithoutRows) {
  torch::manual_seed(33);
  CompiledLoss loss = openLoss("pairs");
  for (bool turned : {false, true})
    for (Reduction reduction : reductions) {
      LossCallOptions options;
      options.reduction = reduction;
      options.sampleWeight = torch::rand({7}, torch::kDouble) + 0.1;
      auto arrange = [&](const Tensor &t) { return turned ? t.t().contiguous().t() : t; };
      expectSameGradients(
          [&](auto in) {
            LossCallOptions own = options;
            own.paramTensors = {{"scale", in[2]}};
            return loss(arrange(in[0]), arrange(in[1]), own);
          },
          [&](auto in) {
            Tensor value = in[2] * torch::matmul(in[0], in[1].t()).sum(1) * options.sampleWeight;
            return reduction == Reduction::Mean ? value.sum() / options.sampleWeight.sum()
                                                : reduce(value, reduction);
          },
          {torch::randn({7, 3}, torch::kDouble), torch::randn({7, 3}, torch::kDouble),
           torch::tensor(0.7, torch::kDouble)});
    }
}

TEST(Derivatives, AKeptGraphOfADeferredLossGivesTheSameTwice) {
  CompiledLoss loss = openLoss("pairs");
  LossCallOptions options;
  options.reduction = Reduction::None;
  Tensor x = torch::randn({4, 3}, torch::kDouble).requires_grad_();
  Tensor z = torch::randn({4, 3}, torch::kDouble);
  Tensor value = loss(x, z, options).sum();
  Tensor first = torch::autograd::grad({value}, {x}, {}, true)[0];
  EXPECT_TRUE(torch::equal(torch::autograd::grad({value}, {x})[0], first));
  EXPECT_THROW(torch::autograd::grad({value}, {x}), c10::Error);
}

/// Second derivatives against LibTorch's of its own cross entropy.
TEST(Derivatives, SecondLikeTorchsOwn) {
  torch::manual_seed(34);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor index = torch::randint(5, {2, 3}, torch::kLong);
  index[0][1] = -100;
  Tensor dense = torch::rand({2, 5, 3}, torch::kDouble);
  for (bool byIndex : {true, false})
    for (double smoothing : {0.0, 0.1})
      for (bool weighted : {false, true})
        for (Reduction reduction : reductions) {
          if (!byIndex && (smoothing > 0 || weighted))
            continue; // the module has no such kernel
          LossCallOptions options;
          options.reduction = reduction;
          options.labelSmoothing = smoothing;
          F::CrossEntropyFuncOptions theirs;
          theirs.label_smoothing(smoothing);
          if (reduction == Reduction::None)
            theirs.reduction(torch::kNone);
          else if (reduction == Reduction::Sum)
            theirs.reduction(torch::kSum);
          if (weighted) {
            options.classWeight = torch::rand({5}, torch::kDouble) + 0.1;
            theirs.weight(options.classWeight);
          }
          const Tensor &target = byIndex ? index : dense;
          Tensor x = torch::randn({2, 5, 3}, torch::kDouble);
          Tensor direction = torch::randn_like(x);
          std::vector<Tensor> seen[2];
          for (int i = 0; i < 2; ++i) {
            Tensor leaf = x.clone().requires_grad_();
            Tensor value =
                i == 0 ? loss(leaf, target, options) : F::cross_entropy(leaf, target, theirs);
            torch::manual_seed(35);
            Tensor upstream = torch::randn_like(value).requires_grad_();
            Tensor first = torch::autograd::grad({value}, {leaf}, {upstream}, true, true)[0];
            // Both ways on: the gradient is used in a formula of its own.
            auto second = torch::autograd::grad({(first * direction).sum() + first.pow(2).sum()},
                                                {leaf, upstream});
            seen[i] = {first.detach(), second[0], second[1]};
          }
          for (int k = 0; k < 3; ++k)
            EXPECT_TRUE(torch::allclose(seen[0][k], seen[1][k], 1e-10, 1e-10))
                << k << seen[0][k] << seen[1][k];
        }
}

TEST(Derivatives, AZeroFromAboveHidesNoSecondDerivative) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  LossCallOptions options;
  options.reduction = Reduction::None;
  Tensor x = torch::randn({3, 4}, torch::kDouble).requires_grad_();
  Tensor target = torch::tensor({int64_t(0), int64_t(1), int64_t(2)});
  Tensor upstream = torch::tensor({1.0, 0.0, 2.0}, torch::kDouble).requires_grad_();
  Tensor direction = torch::randn_like(x);
  auto derivative = [&](const Tensor &value) {
    Tensor first = torch::autograd::grad({value}, {x}, {upstream}, true, true)[0];
    return torch::autograd::grad({(first * direction).sum()}, {upstream})[0];
  };
  Tensor ours = derivative(loss(x, target, options));
  Tensor theirs =
      derivative(F::cross_entropy(x, target, F::CrossEntropyFuncOptions().reduction(torch::kNone)));
  EXPECT_TRUE(torch::allclose(ours, theirs, 1e-12, 1e-12)) << ours << theirs;
}

TEST(Derivatives, FunctionalFormsAgreeWithAutograd) {
  torch::manual_seed(36);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor x = torch::randn({4, 5}, torch::kDouble).requires_grad_();
  Tensor target = torch::randint(5, {4}, torch::kLong);
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    Tensor value = loss(x, target, options);
    Tensor upstream = torch::randn_like(value);
    Tensor expected = torch::autograd::grad({value}, {x}, {upstream})[0];
    Tensor plain = x.detach();
    auto gradients = loss.vectorJacobian({plain, target}, options, upstream, {true, false});
    EXPECT_TRUE(torch::allclose(gradients[0], expected, 1e-13, 1e-13));
    LossEvaluation both = loss.evaluate({plain, target}, options, {true, false});
    EXPECT_TRUE(torch::equal(both.result, value.detach()));
    EXPECT_TRUE(torch::allclose(
        both.gradients[0],
        loss.vectorJacobian({plain, target}, options, torch::ones_like(value), {true})[0], 1e-13,
        1e-13));
    Tensor v = torch::randn_like(plain);
    LossEvaluation second =
        loss.hessianVector({plain, target}, options, upstream, {v}, {true, false});
    const double step = 1e-5;
    Tensor up = loss.vectorJacobian({plain + step * v, target}, options, upstream, {true})[0];
    Tensor down = loss.vectorJacobian({plain - step * v, target}, options, upstream, {true})[0];
    EXPECT_TRUE(torch::allclose(second.gradients[0], (up - down) / (2 * step), 1e-6, 1e-9));
    Tensor slope =
        (loss(plain + step * v, target, options) - loss(plain - step * v, target, options)) /
        (2 * step);
    EXPECT_TRUE(torch::allclose(second.result, slope, 1e-6, 1e-9));
  }
}

TEST(Derivatives, ATangentIsNotSilentlyLost) {
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor x = torch::randn({4, 5}, torch::kDouble);
  Tensor target = torch::randint(5, {4}, torch::kLong);
  const uint64_t level = torch::autograd::ForwardADLevel::get_next_idx();
  x._set_fw_grad(torch::randn_like(x), level, /*is_inplace_op=*/false);
  EXPECT_THROW(loss(x, target), c10::NotImplementedError);
  torch::autograd::ForwardADLevel::release_idx(level);
}

/// Incoming gradients in batches, as torch.autograd.grad and torch.vmap hand them over.
TEST(Derivatives, OfBatchedGradientsFromAbove) {
  torch::manual_seed(37);
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor x = torch::randn({4, 5}, torch::kDouble).requires_grad_();
  Tensor target = torch::randint(5, {4}, torch::kLong);
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    Tensor value = loss(x, target, options);
    std::vector<int64_t> shape = value.sizes().vec();
    shape.insert(shape.begin(), 3);
    Tensor upstream = torch::randn(shape, torch::kDouble);
    auto gradient = [&](const Tensor &from) {
      return torch::autograd::grad({value}, {x}, {from}, /*retain_graph=*/true)[0];
    };
    Tensor batched = gradient(at::_add_batch_dim(upstream, 0, 1));
    Tensor found = at::_remove_batch_dim(batched, 1, 3, 0);
    for (int64_t i = 0; i < 3; ++i)
      EXPECT_TRUE(torch::equal(found[i], gradient(upstream[i])));
  }
}

#ifdef LOSSLANG_TEST_COMPILED
/// Compares derivatives of the gradients by all leaves and by the incoming gradient, all at once.
void expectSameSecondGradients(const std::function<Tensor(std::vector<Tensor>)> &ours,
                               const std::function<Tensor(std::vector<Tensor>)> &theirs,
                               const std::vector<Tensor> &data) {
  std::vector<Tensor> seen[2];
  for (int k = 0; k < 2; ++k) {
    std::vector<Tensor> leaves;
    for (const Tensor &t : data)
      leaves.push_back(t.clone().requires_grad_());
    Tensor value = k == 0 ? ours(leaves) : theirs(leaves);
    torch::manual_seed(37);
    Tensor upstream = torch::randn_like(value).requires_grad_();
    Tensor total = torch::zeros({}, torch::kDouble);
    for (const Tensor &g : torch::autograd::grad({value}, leaves, {upstream}, true, true))
      total = total + (g * torch::randn_like(g)).sum() + g.pow(2).sum();
    leaves.push_back(upstream);
    seen[k] = torch::autograd::grad({total}, leaves);
  }
  for (size_t i = 0; i < seen[0].size(); ++i)
    EXPECT_TRUE(torch::allclose(seen[0][i], seen[1][i], 1e-10, 1e-10))
        << i << seen[0][i] << seen[1][i];
}

TEST(Derivatives, SecondByATarget) {
  torch::manual_seed(38);
  CompiledLoss loss = openLoss("c_cross_entropy");
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    expectSameSecondGradients(
        [&](auto in) { return loss(in[0], in[1], options); },
        [&](auto in) { return reduce(-(in[1] * torch::log_softmax(in[0], 1)).sum(1), reduction); },
        {torch::randn({2, 5, 3}, torch::kDouble), torch::rand({2, 5, 3}, torch::kDouble)});
  }
}

TEST(Derivatives, SecondByParametersFixedAndSharedInputs) {
  torch::manual_seed(39);
  CompiledLoss loss = openLoss("shared");
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    options.sampleWeight = torch::rand({4}, torch::kDouble) + 0.1;
    expectSameSecondGradients(
        [&](auto in) {
          LossCallOptions own = options;
          own.paramTensors = {{"k", in[3]}};
          return loss.call({in[0], in[1], in[2]}, own);
        },
        [&](auto in) {
          Tensor value = (torch::tanh(in[3] * in[0] * in[1]) * in[2].pow(2)).sum(1);
          value = value * options.sampleWeight;
          return reduction == Reduction::Mean ? value.sum() / options.sampleWeight.sum()
                                              : reduce(value, reduction);
        },
        {torch::randn({4, 3}, torch::kDouble), torch::randn({3}, torch::kDouble),
         torch::randn({4, 3}, torch::kDouble), torch::tensor(0.7, torch::kDouble)});
  }
}

TEST(Derivatives, SecondWhereTheRowsAreTheOnlyAxis) {
  torch::manual_seed(40);
  CompiledLoss loss = openLoss("of_rows");
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    expectSameSecondGradients(
        [&](auto in) {
          LossCallOptions own = options;
          own.paramTensors = {{"k", in[2]}};
          return loss.call({in[0], in[1]}, own);
        },
        [&](auto in) { return reduce(torch::exp(in[2] * in[0]) * in[1], reduction); },
        {torch::randn({40}, torch::kDouble), torch::randn({40}, torch::kDouble),
         torch::tensor(0.3, torch::kDouble)});
  }
}

TEST(Derivatives, SecondOfALossWithoutRows) {
  torch::manual_seed(41);
  CompiledLoss loss = openLoss("pairs");
  for (Reduction reduction : reductions) {
    LossCallOptions options;
    options.reduction = reduction;
    expectSameSecondGradients(
        [&](auto in) {
          LossCallOptions own = options;
          own.paramTensors = {{"scale", in[2]}};
          return loss(in[0], in[1], own);
        },
        [&](auto in) { return reduce(in[2] * torch::matmul(in[0], in[1].t()).sum(1), reduction); },
        {torch::randn({7, 3}, torch::kDouble), torch::randn({7, 3}, torch::kDouble),
         torch::tensor(0.7, torch::kDouble)});
  }
}
#endif

} // namespace
