//===- ThreadsBench.cpp - two threads, and a core that is busy ------------===//
//
// A machine of two cores, of which another program keeps one busy: two threads must not be much
// slower than one thread would be. The other program is a child of this one that does nothing but
// take time. Rounds are interleaved.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipeline/Compiler.h"
#include "runtime/data/Random.h"
#include "runtime/torch/LossFunction.h"
#include "runtime/train/PassiveWaiting.h"
#include "runtime/train/Trainer.h"
#include "test/bench/Report.h"

#include <ATen/Parallel.h>

#include <csignal>
#include <cstdlib>
#include <functional>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loss;
using namespace loss::bench;
using namespace loss::runtime;

namespace {

/// The first two cores that this process may use.
std::vector<int> twoCores() {
  cpu_set_t allowed;
  sched_getaffinity(0, sizeof allowed, &allowed);
  std::vector<int> cores;
  for (int core = 0; core < CPU_SETSIZE && cores.size() < 2; ++core)
    if (CPU_ISSET(core, &allowed))
      cores.push_back(core);
  return cores;
}

void runOn(const std::vector<int> &cores) {
  cpu_set_t set;
  CPU_ZERO(&set);
  for (int core : cores)
    CPU_SET(core, &set);
  sched_setaffinity(0, sizeof set, &set);
}

/// Another program that keeps a core busy while the object lives.
class BusyCore {
public:
  explicit BusyCore(int core) : child(fork()) {
    if (child != 0)
      return;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    runOn({core});
    for (volatile unsigned spent = 0;; spent = spent + 1)
      ;
  }
  ~BusyCore() {
    kill(child, SIGKILL);
    waitpid(child, nullptr, 0);
  }

private:
  pid_t child;
};

Dataset noise() {
  Dataset data;
  data.name = "noise";
  data.classes = 10;
  data.mean = {0.5f};
  data.deviation = {0.3f};
  RandomStream stream(StreamKind::Split, 1);
  for (ImageSet *set : {&data.train, &data.test}) {
    *set = {2000, 1, 28, 28, {}, {}};
    for (int64_t i = 0; i < set->count * set->imageSize(); ++i)
      set->pixels.push_back(static_cast<uint8_t>(stream.below(256)));
    for (int64_t i = 0; i < set->count; ++i)
      set->labels.push_back(static_cast<uint8_t>(stream.below(10)));
  }
  return data;
}

/// Images a second of a training, without its first step, which sets LibTorch up.
double trainingRate(const Dataset &data, const TrainLoss &loss, int threads) {
  TrainConfig config;
  config.model = "resnet9";
  config.width = 16;
  config.precision = PrecisionKind::F32;
  config.steps = 10;
  config.evalEvery = 1000;
  config.validationSize = 10;
  config.testAtEnd = false;
  config.threads = threads;
  const std::vector<StepRecord> history = train(config, loss, data).history;
  return static_cast<double>(config.batch * (config.steps - 1)) /
         (history.back().seconds - history.front().seconds);
}

/// Calls a second of the operation, forward and backward.
double operationRate(const CompiledLoss &loss, int threads) {
  at::set_num_threads(threads);
  torch::manual_seed(1);
  torch::Tensor logits = torch::randn({4096, 1000}).requires_grad_();
  const torch::Tensor target = torch::randint(1000, {4096});
  const int calls = 100;
  return calls / timed([&] {
           for (int i = 0; i < calls; ++i) {
             logits.mutable_grad() = torch::Tensor();
             loss(logits, target).backward();
           }
         });
}

void compare(const std::string &what, const std::string &unit, int busyCore, int rounds,
             const std::function<double(int threads)> &rate) {
  std::vector<double> one, two, busy, ratio;
  for (int round = 0; round < rounds; ++round) {
    one.push_back(rate(1));
    two.push_back(rate(2));
    BusyCore other(busyCore);
    busy.push_back(rate(2));
    ratio.push_back(busy.back() / one.back());
  }
  info(what + ": one thread", median(one), unit);
  info(what + ": two threads", median(two), unit);
  info(what + ": two threads, one of two cores busy", median(busy), unit);
  atLeast(what + ": two threads, one of two cores busy / one thread", median(ratio), "x", 0.85);
}

} // namespace

int main(int, char **argv) {
  waitPassively(argv);
  const std::vector<int> cores = twoCores();
  if (cores.size() < 2) {
    std::fprintf(stderr, "bench-threads: error: expected two cores, but found %zu\n", cores.size());
    return EXIT_FAILURE;
  }
  runOn(cores);
  const Dataset data = noise();
  const TrainLoss loss = TrainLoss::resolve("cross_entropy", {});
  compare("resnet9, 16 wide, f32", "images a second", cores[1], 5,
          [&](int threads) { return trainingRate(data, loss, threads); });
  Compiler compiler;
  const std::shared_ptr<JitModule> code =
      compiler.compileFile(findLibraryLoss("cross_entropy"), KernelSelection::training());
  const CompiledLoss operation(LossHandle::adopt(
      std::shared_ptr<const LossModule>(code, &code->module()), "cross_entropy.loss"));
  compare("cross_entropy, 4096 x 1000", "calls a second", cores[1], 9,
          [&](int threads) { return operationRate(operation, threads); });
}
