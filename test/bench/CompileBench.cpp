//===- CompileBench.cpp - how fast, and how steadily, losses are compiled -===//
//
// usage: bench-compile [LOSSC PROGRAMS]
//
// LOSSC: path of the tool, to measure `lossc ngl.loss -o ngl.so`. PROGRAMS: how many different
// programs are compiled to see whether memory grows (10,000 when the table is to be filled).
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipeline/Compiler.h"
#include "test/bench/Report.h"

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <unistd.h>

using namespace loss;
using namespace loss::bench;

namespace {

std::string readFile(const std::string &path) {
  std::ifstream in(path);
  std::stringstream text;
  text << in.rdbuf();
  return text.str();
}

/// Text to callable kernel for each library loss: f32, class indices, value and gradient. A loss
/// whose threads divide the rows reads a row in a few passes; one over a whole batch (pairs, sums
/// over the batch) has up to seventeen, and as many loop nests to compile.
void latency() {
  struct Kind {
    std::string name;
    double limit;
    std::vector<double> medians = {};
    double slowest = 0;
    std::string slowestName = {};
  };
  Compiler compiler;
  std::vector<std::string> names = listLibraryLosses();
  std::vector<std::string> texts;
  for (const std::string &name : names)
    texts.push_back(readFile(findLibraryLoss(name)));
  std::vector<std::vector<double>> times(names.size());
  std::vector<bool> hasRows(names.size());
  const int rounds = 7;
  for (int round = 0; round < rounds; ++round)
    for (size_t i = 0; i < names.size(); ++i)
      times[i].push_back(1e3 * timed([&] {
                           auto jit = compiler.compile(texts[i], names[i] + ".loss",
                                                       KernelSelection::training());
                           hasRows[i] = jit->module().row_axis >= 0;
                         }));
  Kind kinds[] = {{"losses over whole batches", 100}, {"losses by rows", 50}};
  for (size_t i = 0; i < names.size(); ++i) {
    Kind &kind = kinds[hasRows[i]];
    double own = median(times[i]);
    kind.medians.push_back(own);
    if (own > kind.limit)
      std::fprintf(stderr, "bench-compile: %s took %.1f ms\n", names[i].c_str(), own);
    if (own <= kind.slowest)
      continue;
    kind.slowest = own;
    kind.slowestName = names[i];
  }
  for (const Kind &kind : {kinds[1], kinds[0]}) {
    std::string title = "text to kernel in process, " + std::to_string(kind.medians.size()) + " " +
                        kind.name + " of the library: ";
    info(title + "median", median(kind.medians), "ms");
    atMost(title + "slowest (" + kind.slowestName + ")", kind.slowest, "ms", kind.limit);
  }
}

/// Wall time of the tool, three feature levels and all variants in one library.
void tool(const std::string &lossc) {
  std::string out =
      (std::filesystem::temp_directory_path() / ("bench-" + std::to_string(getpid()) + ".so"))
          .string();
  std::string command = "'" + lossc + "' '" + findLibraryLoss("ngl") + "' -o '" + out + "'";
  std::vector<double> times;
  bool worked = true;
  for (int round = 0; round < 5; ++round)
    times.push_back(timed([&] { worked = worked && std::system(command.c_str()) == 0; }));
  std::filesystem::remove(out);
  if (!worked) {
    std::fprintf(stderr, "bench-compile: failed: %s\n", command.c_str());
    std::exit(1);
  }
  atMost("lossc ngl.loss -o ngl.so (three levels)", median(times), "s", 1);
}

/// The i-th of a sequence of programs that all differ, in shape and in constants.
std::string program(int i) {
  static const char *const functions[] = {"exp",  "tanh", "sin",     "erf",       "sqrt",
                                          "atan", "cos",  "sigmoid", "bessel_i0e"};
  const int count = std::size(functions);
  std::ostringstream text;
  text << "loss candidate(logits: [batch, class], y: target [batch, class]) {\n"
       << "  let p = softmax(logits over class)\n"
       << "  let a = " << functions[i % count] << "(p * " << 1 + i % 97 << ".25 + " << i << ")\n"
       << "  let b = " << functions[i / count % count] << "(a - p * y)\n";
  if (i % 2)
    text << "  let c = max(b, a * 0.5)\n";
  else
    text << "  let c = b / (1 + abs(a))\n";
  text << "  return sum((1 - y) * c - y * log(p + 0.0000001) over class)\n}\n";
  return text.str();
}

/// Memory and threads of a process that compiles losses by the thousand.
void steadiness(int programs) {
  Compiler compiler;
  long memoryEarly = 0, threadsEarly = 0;
  double seconds = 0;
  const int early = programs / 10;
  for (int i = 0; i < programs; ++i) {
    seconds +=
        timed([&] { compiler.compile(program(i), "candidate.loss", KernelSelection::training()); });
    if (i + 1 == early) {
      memoryEarly = processStatus("VmRSS");
      threadsEarly = processStatus("Threads");
    }
  }
  std::string name = "after " + std::to_string(programs) + " compilations, beyond that after " +
                     std::to_string(early);
  info("compilations in process, one core", programs / seconds, "a second");
  atMost("memory " + name, (processStatus("VmRSS") - memoryEarly) / 1024.0, "MB", 20);
  atMost("threads " + name, double(processStatus("Threads") - threadsEarly), "threads", 0);
}

} // namespace

int main(int argc, char **argv) {
  try {
    latency();
    if (argc > 1)
      tool(argv[1]);
    steadiness(argc > 2 ? std::atoi(argv[2]) : 10000);
  } catch (const std::exception &e) {
    std::fprintf(stderr, "bench-compile: %s\n", e.what());
    return 1;
  }
  return 0;
}
