//===- ProductsTest.cpp - products of matrices, tile by tile --------------===//

#include "runtime/load/LoadLoss.h"
#include "runtime/torch/LossFunction.h"

#include <gtest/gtest.h>

#include <limits>

using loss::runtime::CompiledLoss;
using torch::Tensor;

namespace {

/// Each row of x with each row of z: the value sums along `dim`, the gradients along `other` and
/// along `batch`.
CompiledLoss pairs() {
  static const CompiledLoss loss(
      losslang::compile("loss pairs(x: [batch, dim], z: [batch, dim]) {"
                        "  axis other = batch"
                        "  return sum(sum(x * z[batch -> other] over dim)^2 over other) }",
                        loss::KernelSelection{}));
  return loss;
}

/// Sizes around whole tiles and blocks, in every direction.
TEST(Products, AgreeWithLibTorch) {
  torch::manual_seed(1);
  for (auto type : {torch::kFloat, torch::kDouble})
    for (int64_t batch : {1, 3, 64, 77, 259})
      for (int64_t dim : {1, 5, 64, 300}) {
        SCOPED_TRACE(testing::Message() << batch << " x " << dim << ", " << type);
        Tensor x = torch::randn({batch, dim}, type).requires_grad_();
        Tensor z = torch::randn({batch, dim}, type).requires_grad_();
        loss::runtime::LossCallOptions options;
        options.reduction = loss::runtime::Reduction::Sum;
        Tensor ours = pairs()(x, z, options);
        auto grads = torch::autograd::grad({ours}, {x, z});
        Tensor x64 = x.detach().to(torch::kDouble).requires_grad_();
        Tensor z64 = z.detach().to(torch::kDouble).requires_grad_();
        Tensor exact = torch::mm(x64, z64.t()).pow(2).sum();
        auto exactGrads = torch::autograd::grad({exact}, {x64, z64});
        // Sums of n products are off by n + 1 roundings of their absolute values at most; the value
        // and its gradients are sums of products of such sums.
        double unit = (type == torch::kFloat ? std::numeric_limits<float>::epsilon()
                                             : std::numeric_limits<double>::epsilon());
        double roundings = double(2 * (dim + 1) + batch * 2 + 4);
        torch::NoGradGuard guard;
        Tensor size = torch::mm(x64.abs(), z64.abs().t());
        EXPECT_NEAR(ours.item<double>(), exact.item<double>(),
                    unit * roundings * size.pow(2).sum().item<double>());
        Tensor sizes[] = {2 * torch::mm(size, z64.abs()), 2 * torch::mm(size.t(), x64.abs())};
        for (int i = 0; i < 2; ++i)
          EXPECT_TRUE(
              ((grads[i].to(torch::kDouble) - exactGrads[i]).abs() <= unit * roundings * sizes[i])
                  .all()
                  .item<bool>());
      }
}

} // namespace
