//===- TorchBench.cpp - compiled losses against eager LibTorch ------------===//
//
// Forward and backward through the LibTorch operation, 4096 rows of 1000 classes, f32, one thread.
// The peer is the same loss as one writes it with LibTorch's operations. Rounds are interleaved, so
// whatever disturbs the machine disturbs both.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipeline/Compiler.h"
#include "runtime/torch/LossFunction.h"
#include "test/bench/Report.h"

#include <cmath>
#include <cstdlib>
#include <functional>
#include <malloc.h>

using namespace loss;
using namespace loss::bench;
using loss::runtime::CompiledLoss;
using loss::runtime::LossCallOptions;
using loss::runtime::LossHandle;
using torch::Tensor;

namespace {

constexpr int64_t rows = 4096, classes = 1000;

Tensor eagerCrossEntropy(const Tensor &logits, const Tensor &target) {
  return torch::nn::functional::cross_entropy(logits, target);
}

Tensor eagerFocal(const Tensor &logits, const Tensor &target) {
  Tensor logp = torch::log_softmax(logits, 1).gather(1, target.unsqueeze(1)).squeeze(1);
  return -((1 - logp.exp()).pow(2) * logp).mean();
}

Tensor eagerNgl(const Tensor &logits, const Tensor &target) {
  Tensor p = torch::softmax(logits, 1);
  Tensor y = torch::one_hot(target, classes).to(logits.scalar_type());
  return (torch::exp(2.4092 - p - p * y) - torch::cos(torch::cos(torch::sin(p)))).mean();
}

using LossFn = std::function<Tensor(const Tensor &, const Tensor &)>;

/// One training step's share: the loss, and the gradient of the logits in a fresh tensor.
void forwardBackward(const LossFn &loss, Tensor &logits, const Tensor &target) {
  logits.mutable_grad() = Tensor();
  loss(logits, target).backward();
}

/// The peak of this process' memory during `body` beyond what it holds after it, in bytes: what
/// `body` needs besides its result. Memory that the allocator holds back is returned before each
/// reading.
double peakBeyondResult(const std::function<void()> &body) {
  malloc_trim(0);
  if (std::FILE *file = std::fopen("/proc/self/clear_refs", "w")) {
    std::fputs("5", file); // resets the peak
    std::fclose(file);
  }
  body();
  double peak = processStatus("VmHWM");
  malloc_trim(0);
  return 1024 * (peak - processStatus("VmRSS"));
}

struct Peer {
  const char *name;
  LossFn eager;
  double required;
  /// The formula looks at the target's class alone, where there is one. Label smoothing makes it
  /// look at all of them, as a dense target does.
  bool sparse;
};

CompiledLoss compiled(Compiler &compiler, const std::string &name) {
  KernelSelection selection = KernelSelection::training();
  selection.targets |= 1u << LOSS_TARGET_DENSE;
  selection.options |= 1u << LOSS_WITH_OPTIONS;
  std::shared_ptr<JitModule> jit = compiler.compileFile(findLibraryLoss(name), selection);
  std::shared_ptr<const LossModule> module(jit, &jit->module());
  return CompiledLoss(LossHandle::adopt(module, name));
}

/// The values and gradients of both must be the same: a comparison of times means nothing else.
void requireAgreement(const Peer &peer, const LossFn &ours, Tensor &logits, const Tensor &target) {
  Tensor expected = peer.eager(logits, target), found = ours(logits, target);
  Tensor expectedGrad = torch::autograd::grad({expected}, {logits})[0];
  Tensor foundGrad = torch::autograd::grad({found}, {logits})[0];
  double value = std::abs(expected.item<double>() - found.item<double>());
  double grad = (expectedGrad - foundGrad).abs().max().item<double>();
  double scale = expectedGrad.abs().max().item<double>();
  if (value <= 1e-5 * std::abs(expected.item<double>()) && grad <= 1e-4 * scale)
    return;
  std::fprintf(stderr, "bench-torch: %s differs from LibTorch: value by %g, gradient by %g of %g\n",
               peer.name, value, grad, scale);
  std::exit(1);
}

Tensor eagerDice(const Tensor &logits, const Tensor &target) {
  Tensor p = torch::softmax(logits, 1);
  Tensor y = torch::one_hot(target, logits.size(1)).movedim(2, 1).to(logits.scalar_type());
  return (1 - (2 * (p * y).sum(2) + 1) / ((p + y).sum(2) + 1)).mean();
}

Tensor eagerClip(const Tensor &image, const Tensor &text) {
  namespace F = torch::nn::functional;
  Tensor i = F::normalize(image), t = F::normalize(text);
  Tensor similarity = torch::mm(i, t.t()) / 0.07;
  Tensor own = torch::arange(image.size(0));
  return (F::cross_entropy(similarity, own) + F::cross_entropy(similarity.t(), own)) / 2;
}

/// Losses that are not rows of classes: for the reader, nothing is required.
void compareOthers(Compiler &compiler) {
  struct Other {
    std::string name, shape;
    LossFn eager;
    Tensor first, second;
  };
  const std::vector<Other> others = {
      {"dice", "8 x 21 x 128^2", eagerDice, torch::randn({8, 21, 128 * 128}),
       torch::randint(21, {8, 128 * 128}, torch::kInt64)},
      {"clip", "512 x 256", eagerClip, torch::randn({512, 256}), torch::randn({512, 256})}};
  for (const Other &other : others) {
    CompiledLoss loss = compiled(compiler, other.name);
    LossFn ours = [&](const Tensor &x, const Tensor &y) { return loss(x, y); };
    Tensor leaf = other.first.requires_grad_(), eagerLeaf = leaf.detach().clone().requires_grad_();
    requireAgreement({other.name.c_str(), other.eager, 0, false}, ours, leaf, other.second);
    std::vector<double> eagerTimes, ourTimes;
    for (int round = -1; round < 7; ++round) {
      double eager = timed([&] { forwardBackward(other.eager, eagerLeaf, other.second); });
      double our = timed([&] { forwardBackward(ours, leaf, other.second); });
      if (round < 0)
        continue; // warm-up
      eagerTimes.push_back(eager);
      ourTimes.push_back(our);
    }
    info(other.name + ", " + other.shape + ": eager / compiled",
         median(eagerTimes) / median(ourTimes), "x");
  }
}

} // namespace

int main() try {
  torch::set_num_threads(1);
  torch::manual_seed(1);
  Tensor logits = torch::randn({rows, classes}).mul_(3).requires_grad_();
  // Of its own, so that each frees the gradient that it has made itself.
  Tensor eagerLogits = logits.detach().clone().requires_grad_();
  Tensor target = torch::randint(classes, {rows}, torch::kInt64);
  Tensor copy = torch::empty({rows, classes});
  Compiler compiler;

  // What the drop-in contract adds to a formula. Smoothing makes a dense target of the indices.
  LossCallOptions weights;
  weights.classWeight = torch::rand({classes}).add_(0.5);
  weights.sampleWeight = torch::rand({rows}).add_(0.5);
  weights.ignoreIndex = 3;
  LossCallOptions all = weights;
  all.labelSmoothing = 0.1;
  Tensor distribution = torch::softmax(torch::randn({rows, classes}), 1);

  const std::vector<Peer> peers = {{"cross_entropy", eagerCrossEntropy, 3, false},
                                   {"focal", eagerFocal, 3, true},
                                   {"ngl", eagerNgl, 12, false}};

  for (const Peer &peer : peers) {
    CompiledLoss loss = compiled(compiler, peer.name);
    LossFn ours = [&](const Tensor &x, const Tensor &y) { return loss(x, y); };
    LossFn weighted = [&](const Tensor &x, const Tensor &y) { return loss(x, y, weights); };
    LossFn withAll = [&](const Tensor &x, const Tensor &y) { return loss(x, y, all); };
    requireAgreement(peer, ours, logits, target);
    std::vector<double> eagerTimes, ourTimes, denseTimes, weightedTimes, allTimes, copyTimes;
    for (int round = -3; round < 31; ++round) {
      double eager = timed([&] { forwardBackward(peer.eager, eagerLogits, target); });
      double our = timed([&] { forwardBackward(ours, logits, target); });
      double dense = timed([&] { forwardBackward(ours, logits, distribution); });
      double weight = timed([&] { forwardBackward(weighted, logits, target); });
      double option = timed([&] { forwardBackward(withAll, logits, target); });
      double scaling = timed([&] {
        torch::NoGradGuard noGrad;
        torch::mul_out(copy, logits, torch::scalar_tensor(0.5f));
      });
      if (round < 0)
        continue; // warm-up
      eagerTimes.push_back(1e3 * eager);
      ourTimes.push_back(1e3 * our);
      denseTimes.push_back(1e3 * dense);
      weightedTimes.push_back(1e3 * weight);
      allTimes.push_back(1e3 * option);
      copyTimes.push_back(1e3 * scaling);
    }
    std::string name = peer.name;
    info(name + ": eager LibTorch", median(eagerTimes), "ms");
    info(name + ": compiled", median(ourTimes), "ms");
    info(name + ": scaling copy of the logits", median(copyTimes), "ms");
    atLeast(name + ": eager / compiled", median(eagerTimes) / median(ourTimes), "x", peer.required);
    info(name + ": compiled, dense target", median(denseTimes), "ms");
    info(name + ": compiled, all options on", median(allTimes), "ms");
    atMost(name + ": weights and ignored rows / plain", median(weightedTimes) / median(ourTimes),
           "x", 1.3);
    atMost(name + ": all options on / plain" + (peer.sparse ? " on a dense target" : ""),
           median(allTimes) / median(peer.sparse ? denseTimes : ourTimes), "x", 1.3);
  }

  compareOthers(compiler);

  // Each larger block comes from the system from now on, so that the peak shows it.
  mallopt(M_MMAP_THRESHOLD, 1 << 16);
  for (const Peer &peer : peers) {
    CompiledLoss loss = compiled(compiler, peer.name);
    LossFn ours = [&](const Tensor &x, const Tensor &y) { return loss(x, y); };
    auto peak = [&](const LossFn &fn) {
      forwardBackward(fn, logits, target); // warm-up
      logits.mutable_grad() = Tensor();
      return peakBeyondResult([&] { forwardBackward(fn, logits, target); }) / (1 << 20);
    };
    std::string name = peer.name;
    info(name + ": peak memory beyond the gradient, eager", peak(peer.eager), "MB");
    atMost(name + ": peak memory beyond the gradient", peak(ours), "MB", 1);
  }
  return 0;
} catch (const std::exception &e) {
  std::fprintf(stderr, "bench-torch: %s\n", e.what());
  return 1;
}
