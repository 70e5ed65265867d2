// Regularized evolution: logical order, resumption, tournament, ageing.

#include "search/evolution/Evolution.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>

using namespace loss::search;

namespace {
EvolutionConfig smallConfig(int64_t lookahead = 4) {
  EvolutionConfig config;
  config.seed = 3;
  config.initial = 12;
  config.population = 5;
  config.tournament = 3;
  config.lookahead = lookahead;
  return config;
}

/// A fitness from the genome's text: any function will do. Every seventh or so candidate fails.
std::optional<double> fitnessOf(const Space &space, const Candidate &candidate) {
  uint64_t hash = 1;
  for (char c : space.key(candidate.genome))
    hash = mixBits(hash ^ static_cast<unsigned char>(c));
  if (hash % 7 == 0)
    return std::nullopt;
  return static_cast<double>(hash % 1000) / 1000;
}

struct Trace {
  std::vector<Candidate> candidates;
  std::vector<std::string> keys;
};

/// Runs with `jobs` simulated workers whose evaluations end in an order drawn from `timing`.
Trace run(const Space &space, const EvolutionConfig &config, int64_t total, int jobs,
          uint64_t timing) {
  Evolution evolution(space, config);
  Rng order(timing);
  std::vector<Candidate> running;
  Trace trace;
  while (evolution.next() < total || !running.empty()) {
    while (static_cast<int>(running.size()) < jobs && evolution.next() < total &&
           evolution.ready()) {
      running.push_back(evolution.propose());
      trace.candidates.push_back(running.back());
      trace.keys.push_back(space.key(running.back().genome));
    }
    size_t done = order.below(running.size());
    evolution.report(running[done].index, fitnessOf(space, running[done]));
    running.erase(running.begin() + static_cast<long>(done));
  }
  return trace;
}
} // namespace

TEST(Evolution, candidatesDoNotDependOnTheNumberOfJobs) {
  auto space = makeSpace("graph");
  Trace one = run(*space, smallConfig(), 60, 1, 1);
  EXPECT_EQ(one.keys.size(), 60u);
  for (int jobs : {2, 3, 4})
    for (uint64_t timing : {1, 2, 3}) {
      Trace many = run(*space, smallConfig(), 60, jobs, timing);
      EXPECT_EQ(many.keys, one.keys) << jobs << " jobs";
      for (size_t i = 0; i < one.candidates.size(); ++i) {
        EXPECT_EQ(many.candidates[i].parent, one.candidates[i].parent);
        EXPECT_EQ(many.candidates[i].drawn, one.candidates[i].drawn);
      }
    }
}

TEST(Evolution, isNotReadyBeyondTheLookahead) {
  auto space = makeSpace("graph");
  Evolution evolution(*space, smallConfig(3));
  std::vector<Candidate> candidates;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(evolution.ready());
    candidates.push_back(evolution.propose());
  }
  EXPECT_FALSE(evolution.ready());
  // Later results do not help: the first one is missing.
  evolution.report(2, 0.5);
  evolution.report(1, 0.5);
  EXPECT_FALSE(evolution.ready());
  evolution.report(0, 0.5);
  EXPECT_TRUE(evolution.ready());
}

TEST(Evolution, lookaheadAndSeedMatter) {
  auto space = makeSpace("graph");
  EvolutionConfig config = smallConfig();
  Trace base = run(*space, config, 40, 1, 1);
  config.lookahead = 1;
  Trace sequential = run(*space, config, 40, 1, 1);
  // The random beginning is the same; what is mutated from results is not.
  EXPECT_TRUE(
      std::equal(base.keys.begin(), base.keys.begin() + config.initial, sequential.keys.begin()));
  EXPECT_NE(base.keys, sequential.keys);
  config = smallConfig();
  config.seed = 4;
  EXPECT_NE(run(*space, config, 40, 1, 1).keys[0], base.keys[0]);
}

TEST(Evolution, continuesFromALogAsIfNeverInterrupted) {
  auto space = makeSpace("graph");
  Trace whole = run(*space, smallConfig(), 50, 2, 1);
  for (size_t cut : {1, 5, 12, 13, 31}) {
    Evolution evolution(*space, smallConfig());
    // The last candidates of the log have no result yet, as after a crash.
    size_t known = cut > 3 ? cut - 3 : 0;
    for (size_t i = 0; i < cut; ++i) {
      evolution.restore(whole.candidates[i]);
      if (i < known)
        evolution.report(static_cast<int64_t>(i), fitnessOf(*space, whole.candidates[i]));
    }
    for (size_t i = known; i < cut; ++i)
      evolution.report(static_cast<int64_t>(i), fitnessOf(*space, whole.candidates[i]));
    while (evolution.next() < 50) {
      Candidate candidate = evolution.propose();
      EXPECT_EQ(space->key(candidate.genome), whole.keys[static_cast<size_t>(candidate.index)]);
      evolution.report(candidate.index, fitnessOf(*space, candidate));
    }
  }
}

TEST(Evolution, initialLossesHaveTheirOwnPhenotypes) {
  auto space = makeSpace("graph");
  EvolutionConfig config = smallConfig();
  config.initial = 60;
  Trace trace = run(*space, config, 60, 1, 1);
  PhenotypeIndex index;
  for (const Candidate &candidate : trace.candidates) {
    EXPECT_FALSE(candidate.parent);
    Screened screened = screen(*space, candidate.genome);
    EXPECT_EQ(screened.verdict, Verdict::Accepted);
    EXPECT_FALSE(index.find(screened.phenotype));
    index.add(candidate.index, screened.phenotype);
    EXPECT_EQ(candidate.drawn[static_cast<int>(Verdict::Accepted)], 1);
  }
}

TEST(Evolution, theBestFormThePopulationAndTheOldestDies) {
  auto space = makeSpace("graph");
  EvolutionConfig config = smallConfig(1);
  Evolution evolution(*space, config);
  auto fitness = [](int64_t index) { return static_cast<double>(index * 5 % 12); };
  auto step = [&](std::optional<double> result) {
    Candidate candidate = evolution.propose();
    evolution.report(candidate.index, result);
    return candidate;
  };
  for (int64_t i = 0; i < config.initial; ++i)
    step(fitness(i));
  auto indices = [&] {
    std::vector<int64_t> found;
    for (const Evolution::Member &member : evolution.population())
      found.push_back(member.index);
    return found;
  };
  // Fitness 11, 10, 9, 8, 7 belong to 7, 2, 9, 4, 11.
  Candidate child = step(100.0);
  EXPECT_EQ(indices(), (std::vector<int64_t>{7, 2, 9, 4, 11}));
  ASSERT_TRUE(child.parent);
  // All first ones are equally old, so the worst of them dies.
  step(std::nullopt);
  EXPECT_EQ(indices(), (std::vector<int64_t>{12, 7, 2, 9, 4}));
  // A failed child takes nobody's place; a bad one does.
  step(-1.0);
  EXPECT_EQ(indices(), (std::vector<int64_t>{12, 7, 2, 9, 4}));
  step(0.0);
  EXPECT_EQ(indices(), (std::vector<int64_t>{12, 7, 2, 9, 14}));
  for (int i = 0; i < 2; ++i)
    step(1.0);
  // 12 is the oldest now, and dies though it is the best.
  step(1.0);
  EXPECT_EQ(evolution.population().front().index, 12);
  step(1.0);
  EXPECT_NE(evolution.population().front().index, 12);
}

TEST(Evolution, childrenAreMutationsOfLivingParents) {
  auto space = makeSpace("graph");
  Trace trace = run(*space, smallConfig(), 80, 2, 1);
  for (const Candidate &candidate : trace.candidates) {
    if (candidate.index < 12)
      continue;
    ASSERT_TRUE(candidate.parent);
    EXPECT_LE(*candidate.parent, candidate.index - 4);
    EXPECT_TRUE(fitnessOf(*space, trace.candidates[static_cast<size_t>(*candidate.parent)]));
  }
}

TEST(Evolution, allFailingIsSearchedAtRandom) {
  auto space = makeSpace("graph");
  Evolution evolution(*space, smallConfig(2));
  for (int i = 0; i < 20; ++i) {
    Candidate candidate = evolution.propose();
    EXPECT_FALSE(candidate.parent);
    evolution.report(candidate.index, std::nullopt);
  }
}

TEST(Evolution, configurationIsChecked) {
  auto space = makeSpace("graph");
  EvolutionConfig config = smallConfig();
  config.population = 13;
  EXPECT_THROW(Evolution(*space, config), SearchError);
  config.population = 0;
  EXPECT_THROW(Evolution(*space, config), SearchError);
  EvolutionConfig published = EvolutionConfig::scaledTo(3000);
  EXPECT_EQ(published.initial, 1000);
  EXPECT_EQ(published.population, 100);
  EXPECT_EQ(published.tournament, 20);
  for (int64_t evaluations : {1, 2, 10, 30, 100, 1000})
    EXPECT_NO_THROW(Evolution(*space, EvolutionConfig::scaledTo(evaluations))) << evaluations;
}
