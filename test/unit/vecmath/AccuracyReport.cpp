//===- AccuracyReport.cpp - prints the table of docs/numerics.md ------------------===//
//
// vecmath-accuracy [--exhaustive] [--samples=N] [NAME...]: the largest error of each function
// (default: all) at each feature level of this processor, as a Markdown table. --exhaustive: f32
// over all arguments, some minutes a function.
//
//===----------------------------------------------------------------------===//
#include "test/unit/vecmath/Accuracy.h"

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <vector>

using namespace loss::vecmath;
using namespace loss::vecmath::test;

int main(int argc, char **argv) {
  bool exhaustive = false, verbose = false;
  int samples = 64;
  float from = 0, to = -1;
  std::vector<Fn> functions;
  for (int i = 1; i < argc; ++i) {
    if (!std::strcmp(argv[i], "--exhaustive")) {
      exhaustive = true;
    } else if (!std::strcmp(argv[i], "--verbose")) {
      verbose = true;
    } else if (!std::strncmp(argv[i], "--samples=", 10)) {
      samples = std::atoi(argv[i] + 10);
    } else if (!std::strncmp(argv[i], "--from=", 7)) {
      from = std::strtof(argv[i] + 7, nullptr);
    } else if (!std::strncmp(argv[i], "--to=", 5)) {
      to = std::strtof(argv[i] + 5, nullptr);
    } else if (auto fn = findFunction(argv[i])) {
      functions.push_back(*fn);
    } else {
      std::fprintf(stderr, "vecmath-accuracy: expected a function or an option, but found '%s'\n",
                   argv[i]);
      return 2;
    }
  }
  if (functions.empty())
    for (int i = 0; i < functionCount; ++i)
      functions.push_back(static_cast<Fn>(i));

  std::printf("| function |");
  for (const char *type : {"f32", "f64"})
    for (int level = 0; level <= hostLevel(); ++level)
      std::printf(" %s v%d |", type, level + 2);
  std::printf(" promised f32 | promised f64 |\n|---|");
  for (int i = 0; i < 2 * (hostLevel() + 1) + 2; ++i)
    std::printf("---:|");
  std::printf("\n");
  for (Fn fn : functions) {
    WorstByLevel f32 = measureSampled<float>(fn, samples);
    if (exhaustive && info(fn).arity == 1)
      for (int level = 0; level <= hostLevel(); ++level)
        if (Worst w = measureExhaustively(fn, level, from, to); w.ulp > f32.level[level].ulp)
          f32.level[level] = w;
    WorstByLevel f64 = measureSampled<double>(fn, samples);
    std::printf("| %s |", std::string(info(fn).name).c_str());
    for (const WorstByLevel *w : {&f32, &f64})
      for (int level = 0; level <= hostLevel(); ++level)
        std::printf(" %.2f |", w->level[level].ulp);
    std::printf(" %g | %g |\n", info(fn).ulpF32, info(fn).ulpF64);
    if (verbose)
      for (const WorstByLevel *w : {&f32, &f64})
        for (int level = 0; level <= hostLevel(); ++level) {
          const Worst &v = w->level[level];
          std::printf("  %s v%d: %.3f at x=%a y=%a: %.17g, expected %.17g (x=%.9g)\n",
                      w == &f32 ? "f32" : "f64", level + 2, v.ulp, v.x, v.y, v.result, v.expected,
                      v.x);
        }
    std::fflush(stdout);
  }
}
