//===- SearchBench.cpp - candidates a second ----------------------------===//

#include "search/screen/PhenotypeIndex.h"
#include "test/bench/Report.h"

using namespace loss::search;
using namespace loss::bench;

int main() {
  std::unique_ptr<Space> space = makeSpace("graph");
  Probe::instance();
  const int candidates = 20000;
  PhenotypeIndex seen;
  int accepted = 0;
  size_t characters = 0;
  // What a search does with a candidate before it trains: draw, check, compare with all before, and
  // write the program.
  double seconds = timed([&] {
    for (int i = 0; i < candidates; ++i) {
      Rng rng(1, uint64_t(i));
      Genome genome = space->sample(rng);
      Screened screened = screen(*space, genome);
      if (screened.verdict != Verdict::Accepted || seen.find(screened.phenotype))
        continue;
      seen.add(i, screened.phenotype);
      characters += space->emit(genome, {"candidate", screened.sign, ""}).size();
      ++accepted;
    }
  });
  info("candidates accepted, of " + std::to_string(candidates), accepted, "programs");
  atLeast("candidates generated, checked and filtered, one core", candidates / seconds, "a second",
          5000);
  return accepted > 0 && characters > 0 ? 0 : 1;
}
