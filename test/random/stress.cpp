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
#include <csignal>
#include <cstring>
#include <fstream>
#include <functional>
#include <sstream>
#include <sys/wait.h>
#include <unistd.h>

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

/// What disagreed, without the numbers: a smaller program must fail in the same way.
static std::string kindOf(const Verdict &verdict) {
  std::string kind = verdict.failure.substr(0, verdict.failure.find(':'));
  std::erase_if(kind, [](unsigned char c) { return !std::isalpha(c) && c != ' '; });
  return kind;
}

/// What became of some programs.
struct Batch {
  /// How many agreed, before the first that did not.
  size_t passed = 0;
  Verdict verdict;
};

/// Checks programs in a child of this process, which may crash. The child has all that `checker`
/// has prepared so far. Ends with the first that fails.
static Batch checkApart(Checker &checker, size_t count,
                        const std::function<std::pair<std::string, uint64_t>(size_t)> &program,
                        Tallies *tallies) {
  int ends[2];
  if (pipe(ends) != 0)
    llvm::report_fatal_error("no pipe");
  llvm::outs().flush();
  pid_t child = fork();
  if (child < 0)
    llvm::report_fatal_error("no process");
  if (child == 0) {
    close(ends[0]);
    auto send = [&](const std::string &answer) {
      for (size_t done = 0; done < answer.size();) {
        ssize_t written = write(ends[1], answer.data() + done, answer.size() - done);
        if (written <= 0)
          _exit(2);
        done += size_t(written);
      }
    };
    Verdict verdict;
    for (size_t i = 0; i < count && verdict.failure.empty(); ++i) {
      alarm(120);
      auto [text, seed] = program(i);
      verdict = checker.check(text, seed);
      if (verdict.failure.empty())
        send(".");
    }
    // The tallies, whether it was rejected, and the message.
    send("!" + std::string(reinterpret_cast<const char *>(&checker.tallies()), sizeof(Tallies)) +
         (verdict.isRejected ? "1" : "0") + verdict.failure);
    _exit(0);
  }
  close(ends[1]);
  std::string answer;
  char part[4096];
  for (ssize_t size; (size = read(ends[0], part, sizeof part)) > 0;)
    answer.append(part, size_t(size));
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  Batch batch;
  while (batch.passed < answer.size() && answer[batch.passed] == '.')
    ++batch.passed;
  answer.erase(0, batch.passed + 1);
  if (WIFSIGNALED(status))
    batch.verdict = {WTERMSIG(status) == SIGALRM
                         ? "no end: after two minutes"
                         : "crash: signal " + std::to_string(WTERMSIG(status))};
  else if (answer.size() <= sizeof(Tallies))
    batch.verdict = {"crash: no answer"};
  else
    batch.verdict = {answer.substr(sizeof(Tallies) + 1), answer[sizeof(Tallies)] == '1'};
  if (tallies && answer.size() > sizeof(Tallies))
    for (unsigned i = 0; i < subjects; ++i) {
      Tally tally;
      std::memcpy(&tally, answer.data() + i * sizeof(Tally), sizeof tally);
      (*tallies)[i].compared += tally.compared;
      (*tallies)[i].loose += tally.loose;
      (*tallies)[i].skipped += tally.skipped;
      (*tallies)[i].missing += tally.missing;
    }
  return batch;
}

static Verdict checkApart(Checker &checker, const std::string &text, uint64_t seed) {
  return checkApart(checker, 1, [&](size_t) { return std::pair(text, seed); }, nullptr).verdict;
}

static void report(const Tallies &tallies) {
  for (unsigned i = 0; i < subjects; ++i) {
    const Tally &tally = tallies[i];
    if (tally.compared + tally.skipped)
      llvm::outs() << "  " << subjectName(Subject(i)) << ": " << tally.compared
                   << " numbers compared (" << tally.loose << " with a loose bound), "
                   << tally.skipped << " skipped: no finite bound\n";
    if (tally.missing)
      llvm::outs() << "  " << subjectName(Subject(i)) << ": " << tally.missing
                   << " programs without\n";
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
  Tallies tallies = {};
  // What takes long to prepare is prepared once; none of this counts.
  checker.prepare();
  auto start = std::chrono::steady_clock::now();
  unsigned failures = 0;
  uint64_t count = file.empty() ? uint64_t(programs) : 1;
  auto program = [](uint64_t seed) {
    if (file.empty())
      return randomProgram(seed);
    std::stringstream content;
    content << std::ifstream(file).rdbuf();
    return content.str();
  };
  uint64_t done = 0;
  while (done < count && failures < most) {
    uint64_t first = firstSeed + done;
    if (show) {
      llvm::outs() << "// seed " << first << "\n" << program(first) << "\n";
      ++done;
      continue;
    }
    constexpr uint64_t batchSize = 50;
    size_t size = std::min(batchSize, count - done);
    Batch batch = checkApart(
        checker, size, [&](size_t i) { return std::pair(program(first + i), first + i); },
        &tallies);
    done += batch.passed;
    Verdict verdict = batch.verdict;
    if (verdict.failure.empty()) {
      llvm::errs() << done << " of " << count << "\r";
      continue;
    }
    // A program of the generator that the compiler rejects is a mistake of one of them.
    uint64_t seed = firstSeed + done++;
    std::string smaller = program(seed);
    if (!unreduced && !verdict.isRejected) {
      std::string wanted = kindOf(verdict);
      smaller = reduce(smaller, [&](const std::string &candidate) {
        Verdict other = checkApart(checker, candidate, seed);
        return !other.isRejected && kindOf(other) == wanted;
      });
      verdict = checkApart(checker, smaller, seed);
    }
    llvm::outs() << "FAILED: seed " << seed << ": " << verdict.failure << "\n" << smaller << "\n";
    llvm::outs().flush();
    ++failures;
  }
  if (show)
    return 0;
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  llvm::outs() << done << " programs from seed " << firstSeed << ", " << failures << " failed, "
               << llvm::format("%.1f s\n", elapsed.count());
  report(tallies);
  return failures ? 1 : 0;
}
