//===- SearchConfig.h - what a search is ------------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_DRIVER_SEARCHCONFIG_H
#define LOSSLANG_SEARCH_DRIVER_SEARCHCONFIG_H

#include "search/evaluate/Protocol.h"
#include "search/evolution/Evolution.h"

#include <set>
#include <string>

namespace loss::search {

/// Everything that decides which losses a search tries and what fitness each gets. Stored with the
/// search, so that it can only be continued, not mixed with another.
struct SearchConfig {
  std::string space = "graph";
  /// construct or rejection.
  std::string sampler = "construct";
  uint64_t seed = 1;
  /// Candidates to evaluate in all. May grow when a search is continued.
  int64_t evaluations = 300;
  /// -1: scaled to the evaluations as published.
  int64_t initial = -1;
  int64_t population = -1;
  int64_t tournament = -1;
  int64_t lookahead = 8;
  /// Evaluated once for comparison: a library loss or a file; none for nothing.
  std::string baseline = "cross_entropy";
  Protocol protocol;

  /// With the -1 replaced by what they stand for. Throws SearchError for impossible values.
  SearchConfig resolved() const;

  EvolutionConfig evolution() const;
  /// Throws SearchError.
  std::unique_ptr<Space> makeSpace() const;

  /// JSON object with the names of forEachField.
  std::string toText() const;
  /// Throws SearchError.
  static SearchConfig fromText(const std::string &text);

  /// Calls f(name, field, help) for each field, those of the protocol included.
  template <typename C, typename F> static void forEachField(C &config, F f) {
    f("space", config.space, "search space");
    f("sampler", config.sampler, "construct, or rejection as published (the same distribution)");
    f("seed", config.seed, "decides the sequence of candidates");
    f("evaluations", config.evaluations, "losses to evaluate in all");
    f("initial", config.initial, "random losses at the beginning (-1: evaluations / 3)");
    f("population", config.population, "the best of them (-1: initial / 10, at least 8)");
    f("tournament", config.tournament, "drawn for each parent (-1: population / 5)");
    f("lookahead", config.lookahead, "evaluations that may run at a time (see docs/search.md)");
    f("baseline", config.baseline, "library loss or file to compare with, or none");
    Protocol::forEachField(config.protocol, f);
  }
};

/// The stored search continued with the options given now: `given` where `names` has the option.
/// Throws SearchError that lists what differs; only `evaluations` may.
SearchConfig continueSearch(const SearchConfig &stored, const SearchConfig &given,
                            const std::set<std::string> &names, const std::string &directory);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_DRIVER_SEARCHCONFIG_H
