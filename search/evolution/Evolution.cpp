//===- Evolution.cpp - regularized evolution in logical order -------------===//

#include "search/evolution/Evolution.h"

#include <algorithm>
#include <cassert>

using namespace loss::search;

namespace {
/// After so many rejected children of one candidate a random loss takes its place.
constexpr int64_t mostChildren = 2000;
/// After so many rejected random losses the space counts as exhausted.
constexpr int64_t mostDraws = 200000;

bool isBetter(const Evolution::Member &a, const Evolution::Member &b) {
  return a.fitness != b.fitness ? a.fitness > b.fitness : a.index < b.index;
}
} // namespace

EvolutionConfig EvolutionConfig::scaledTo(int64_t evaluations) {
  // Published: 1,000 random ones, a population of 100, tournaments of 20, 3,000 evaluations in all.
  EvolutionConfig config;
  config.initial = std::clamp<int64_t>(evaluations / 3, 1, 1000);
  config.population =
      std::clamp<int64_t>(config.initial / 10, std::min<int64_t>(8, config.initial), 100);
  config.tournament = std::clamp<int64_t>(config.population / 5, 2, 20);
  return config;
}

Evolution::Evolution(const Space &space, const EvolutionConfig &config)
    : space(space), config(config) {
  auto check = [](int64_t value, const char *name) {
    if (value < 1)
      throw SearchError(std::string(name) + " must be 1 or more, but is " + std::to_string(value));
  };
  check(config.initial, "initial");
  check(config.population, "population");
  check(config.tournament, "tournament");
  check(config.lookahead, "lookahead");
  if (config.population > config.initial)
    throw SearchError("population must be at most initial (" + std::to_string(config.initial) +
                      "), but is " + std::to_string(config.population));
}

int64_t Evolution::firstUnknown() const {
  int64_t index = applied;
  for (auto it = results.find(index); it != results.end() && it->first == index; ++it)
    ++index;
  return index;
}

void Evolution::report(int64_t index, std::optional<double> fitness) {
  assert(index < nextIndex && index >= applied && !results.count(index));
  results.emplace(index, fitness);
}

void Evolution::applyResultsBelow(int64_t end) {
  for (; applied < end; ++applied) {
    auto result = results.find(applied);
    assert(result != results.end() && "not ready");
    apply(applied, result->second);
    results.erase(result);
  }
}

void Evolution::apply(int64_t index, std::optional<double> fitness) {
  bool isInitial = index < config.initial;
  if (fitness) {
    Member member{index, *fitness, isInitial ? 0 : index};
    members.insert(std::upper_bound(members.begin(), members.end(), member, isBetter), member);
  }
  if (isInitial) {
    if (index + 1 == config.initial)
      formPopulation();
    return;
  }
  if (!fitness)
    return forget(index);
  if (static_cast<int64_t>(members.size()) > config.population) {
    // The oldest; members stand best first, so among equally old ones the last is the worst.
    auto oldest =
        std::min_element(members.rbegin(), members.rend(),
                         [](const Member &a, const Member &b) { return a.born < b.born; });
    forget(oldest->index);
    members.erase(std::next(oldest).base());
  }
}

void Evolution::formPopulation() {
  if (static_cast<int64_t>(members.size()) > config.population)
    members.resize(config.population);
  std::set<int64_t> kept;
  for (const Member &member : members)
    kept.insert(member.index);
  for (int64_t index = 0; index < config.initial; ++index)
    if (!kept.count(index))
      forget(index);
}

void Evolution::forget(int64_t index) {
  auto it = living.find(index);
  keys.erase(it->second.key);
  living.erase(it);
  phenotypes.remove(index);
}

std::vector<Evolution::Member> Evolution::population() const {
  std::vector<Member> result = members;
  if (static_cast<int64_t>(result.size()) > config.population)
    result.resize(config.population);
  return result;
}

const Evolution::Member *Evolution::drawParent(Rng &rng) const {
  // Before the population is formed the best so far stand for it.
  int64_t count = std::min<int64_t>(members.size(), config.population);
  if (count == 0)
    return nullptr;
  // Members stand best first, so the best drawn is the one drawn with the least place.
  uint64_t best = count;
  for (int64_t i = 0; i < config.tournament; ++i)
    best = std::min(best, rng.below(count));
  return &members[best];
}

Candidate Evolution::propose() {
  assert(ready());
  applyResultsBelow(nextIndex - config.lookahead + 1);
  Candidate candidate;
  candidate.index = nextIndex;
  Rng rng(config.seed, static_cast<uint64_t>(nextIndex));
  for (int64_t draw = 0;; ++draw) {
    if (draw == mostChildren + mostDraws)
      throw SearchError("no further loss found in " + std::to_string(draw) +
                        " draws: every one failed the screen or was a duplicate");
    const Member *parent =
        nextIndex < config.initial || draw >= mostChildren ? nullptr : drawParent(rng);
    candidate.parent = parent ? std::optional(parent->index) : std::nullopt;
    candidate.genome =
        parent ? space.mutate(rng, living.at(parent->index).genome) : space.sample(rng);
    if (keys.count(space.key(candidate.genome))) {
      ++candidate.drawn[static_cast<int>(Verdict::Duplicate)];
      continue;
    }
    Screened screened = screen(space, candidate.genome);
    if (screened.verdict == Verdict::Accepted && phenotypes.find(screened.phenotype))
      screened.verdict = Verdict::Duplicate;
    ++candidate.drawn[static_cast<int>(screened.verdict)];
    if (screened.verdict != Verdict::Accepted)
      continue;
    candidate.sign = screened.sign;
    admit(candidate, screened.phenotype);
    return candidate;
  }
}

void Evolution::restore(const Candidate &candidate) {
  assert(ready() && candidate.index == nextIndex);
  applyResultsBelow(nextIndex - config.lookahead + 1);
  Screened screened = screen(space, candidate.genome);
  if (screened.verdict != Verdict::Accepted || screened.sign != candidate.sign)
    throw SearchError("candidate " + std::to_string(candidate.index) +
                      " of the log does not pass the screen: it was written by another version");
  admit(candidate, screened.phenotype);
}

void Evolution::admit(const Candidate &candidate, const Phenotype &phenotype) {
  std::string key = space.key(candidate.genome);
  keys.insert(key);
  living.emplace(candidate.index, Living{candidate.genome, std::move(key)});
  phenotypes.add(candidate.index, phenotype);
  ++nextIndex;
}
