//===- Evolution.h - regularized evolution in logical order -----*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_EVOLUTION_EVOLUTION_H
#define LOSSLANG_SEARCH_EVOLUTION_EVOLUTION_H

#include "search/screen/PhenotypeIndex.h"

#include <array>
#include <map>
#include <optional>
#include <set>
#include <vector>

namespace loss::search {

/// Sizes of regularized evolution. The defaults are the published ones.
struct EvolutionConfig {
  uint64_t seed = 1;
  /// Random losses at the beginning; the best `population` of them are the first population.
  int64_t initial = 1000;
  int64_t population = 100;
  /// Drawn, with replacement, for the choice of each parent.
  int64_t tournament = 20;
  /// Candidate i depends on the results of the candidates up to i - lookahead, and on no later one.
  /// So up to `lookahead` evaluations run at a time, and their number changes nothing.
  int64_t lookahead = 8;

  /// The published proportions for a run of that many evaluations in all.
  static EvolutionConfig scaledTo(int64_t evaluations);
};

/// How many genomes were drawn for a candidate, by what became of them. The last is the candidate.
using ScreenCounts = std::array<int64_t, verdictCount>;

/// A loss that passed the screen and is to be evaluated.
struct Candidate {
  int64_t index = 0;
  Genome genome;
  Sign sign = Sign::Keep;
  /// The candidate that it was mutated from; none for a random one.
  std::optional<int64_t> parent;
  ScreenCounts drawn = {};
};

/// Regularized evolution (Real et al. 2019) as a function: the sequence of candidates depends only
/// on the configuration and the fitness of each candidate, not on when or in which order the
/// results arrive. No input or output; drives no worker.
///
/// - Candidate i draws from stream i of the seed.
/// - Candidates below `initial` are random, each with a phenotype of its own.
/// - Each later one is a mutation of the best of `tournament` members, redrawn until it passes the
///   screen and differs from all living and all pending candidates in key and phenotype.
/// - A child with a fitness joins; then the oldest member dies (among equally old ones the worst).
///   A failed one never joins.
/// - While not all of the first results are in the reach of a candidate, its parents are the best
///   among those that are; with none at all it is random.
class Evolution {
public:
  Evolution(const Space &space, const EvolutionConfig &config);

  /// Index of the candidate to come.
  int64_t next() const { return nextIndex; }

  /// Whether the results that the next candidate depends on are known.
  bool ready() const { return firstUnknown() > nextIndex - config.lookahead; }

  /// Makes the next candidate. Call only when ready. Throws SearchError when the space seems to
  /// hold no further loss.
  Candidate propose();

  /// Takes the next candidate from a log instead. Call only when ready.
  void restore(const Candidate &candidate);

  /// The result of a candidate, in any order; none: it failed.
  void report(int64_t index, std::optional<double> fitness);

  struct Member {
    int64_t index;
    double fitness;
    /// 0 for all random ones, else the index.
    int64_t born;
  };
  /// The living, best first, as the latest candidate saw them.
  std::vector<Member> population() const;

private:
  struct Living {
    Genome genome;
    std::string key;
  };

  int64_t firstUnknown() const;
  void applyResultsBelow(int64_t end);
  void apply(int64_t index, std::optional<double> fitness);
  void formPopulation();
  void forget(int64_t index);
  void admit(const Candidate &candidate, const Phenotype &phenotype);
  const Member *drawParent(Rng &rng) const;

  const Space &space;
  EvolutionConfig config;
  int64_t nextIndex = 0;
  /// Results below this index have taken effect.
  int64_t applied = 0;
  std::map<int64_t, std::optional<double>> results;

  /// All with a fitness that may become parents, best first.
  std::vector<Member> members;
  std::map<int64_t, Living> living;
  std::set<std::string> keys;
  PhenotypeIndex phenotypes;
};

} // namespace loss::search

#endif // LOSSLANG_SEARCH_EVOLUTION_EVOLUTION_H
