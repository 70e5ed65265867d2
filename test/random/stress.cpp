//===- stress.cpp - random losses, until something disagrees --------------===//
//
// loss-stress --programs=N --seed=S: programs S, S + 1, ... S + N - 1. A program that fails is made
// smaller while it still fails, and printed with its seed.
//
//===----------------------------------------------------------------------===//

#include "test/random/Check.h"
#include "test/random/Generator.h"
#include "test/random/Reduce.h"
#ifdef LOSSLANG_RANDOM_TORCH
#include "test/random/Torch.h"
#endif

#include "llvm/Support/CommandLine.h"
#include "llvm/Support/Format.h"
#include "llvm/Support/raw_ostream.h"

#include <chrono>
#include <fstream>
#include <sstream>

using namespace loss::stress;
namespace cl = llvm::cl;

static cl::opt<uint64_t> programs("programs", cl::init(200), cl::desc("how many programs"));
static cl::opt<uint64_t> firstSeed("seed", cl::init(1), cl::desc("seed of the first one"));
static cl::opt<unsigned> most("most-failures", cl::init(1), cl::desc("stop after as many"));
static cl::opt<std::string> file("file",
                                 cl::desc("check this loss (with data of the seed) instead"));
static cl::opt<bool> show("print", cl::desc("only print the programs"));
static cl::opt<bool> withoutKernels("no-kernels", cl::desc("formulas alone: nothing is compiled"));
static cl::opt<bool> unreduced("no-reduce", cl::desc("print a failing program as it is"));

static void report(const Tallies &tallies) {
  for (unsigned i = 0; i < subjects; ++i) {
    const Tally &tally = tallies[i];
    if (tally.compared + tally.skipped)
      llvm::outs() << "  " << subjectName(Subject(i)) << ": " << tally.compared
                   << " numbers compared (" << tally.loose << " with a loose bound), "
                   << tally.skipped << " skipped: no finite bound\n";
  }
}

int main(int argc, char **argv) {
  cl::ParseCommandLineOptions(argc, argv,
                              "Compares compiled random losses with an exact oracle.\n");
  CheckOptions options;
  options.kernels = !withoutKernels;
#ifdef LOSSLANG_RANDOM_TORCH
  options.torch = evaluateInTorch;
#endif
  Checker checker(options);
  auto start = std::chrono::steady_clock::now();
  unsigned failures = 0;
  uint64_t done = 0;
  uint64_t count = file.empty() ? uint64_t(programs) : 1;
  for (uint64_t seed = firstSeed; seed < firstSeed + count; ++seed, ++done) {
    std::string text;
    if (file.empty()) {
      text = randomProgram(seed);
    } else {
      std::stringstream content;
      content << std::ifstream(file).rdbuf();
      text = content.str();
    }
    if (show) {
      llvm::outs() << "// seed " << seed << "\n" << text << "\n";
      continue;
    }
    Verdict verdict = checker.check(text, seed);
    if (verdict.failure.empty())
      continue;
    // A program of the generator that the compiler rejects is a mistake of one of them.
    std::string smaller = text;
    if (!unreduced && !verdict.isRejected) {
      smaller = reduce(text, [&](const std::string &candidate) {
        Verdict other = checker.check(candidate, seed);
        return !other.failure.empty() && !other.isRejected;
      });
      verdict = checker.check(smaller, seed);
    }
    llvm::outs() << "FAILED: seed " << seed << ": " << verdict.failure << "\n" << smaller << "\n";
    llvm::outs().flush();
    if (++failures >= most)
      break;
  }
  if (show)
    return 0;
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  llvm::outs() << done << " programs from seed " << firstSeed << ", " << failures << " failed, "
               << llvm::format("%.1f s\n", elapsed.count());
  report(checker.tallies());
  return failures ? 1 : 0;
}
