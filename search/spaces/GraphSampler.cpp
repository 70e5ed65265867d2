//===- GraphSampler.cpp - drawing graphs ----------------------------------===//

#include "search/spaces/GraphSampler.h"

#include "search/spaces/GraphOps.h"

#include <algorithm>

using namespace loss::search;

namespace {
constexpr double unaryHidden = 0.7;
constexpr double unaryRoot = 0.2;

/// What a node may read when it is drawn.
std::vector<int> sourcesOf(int node) {
  std::vector<int> sources;
  for (int s = node == rootNode ? FirstHidden : 0; s < sourceCount; ++s)
    if (s != FirstHidden + node)
      sources.push_back(s);
  return sources;
}

// Reading sets as bits: y, yhat, then the hidden nodes. The constants do not matter.
constexpr unsigned readsY = 1, readsYhat = 2;
constexpr unsigned hiddenBit(int node) { return 4u << node; }

unsigned maskOf(const GraphNode &node) {
  unsigned mask = 0;
  for (int i = 0; i < node.arity; ++i) {
    int source = node.operands[i];
    mask |= source == SourceY       ? readsY
            : source == SourceYhat  ? readsYhat
            : source >= FirstHidden ? hiddenBit(source - FirstHidden)
                                    : 0;
  }
  return mask;
}

GraphDefect defectOf(const std::array<unsigned, nodeCount> &masks) {
  unsigned reached = masks[rootNode];
  for (int round = 0; round < hiddenCount; ++round)
    for (int i = 0; i < hiddenCount; ++i)
      if (reached & hiddenBit(i))
        reached |= masks[i];
  // Take away nodes that read no hidden node that is still there; a cycle stays.
  unsigned left = reached & ~(readsY | readsYhat);
  for (int round = 0; round < hiddenCount; ++round)
    for (int i = 0; i < hiddenCount; ++i)
      if ((left & hiddenBit(i)) && !(masks[i] & left))
        left &= ~hiddenBit(i);
  if (left)
    return GraphDefect::Cyclic;
  return (reached & readsY) && (reached & readsYhat) ? GraphDefect::None : GraphDefect::MissesInput;
}
} // namespace

GraphGenome loss::search::drawRawGraph(Rng &rng) {
  static const std::array<std::vector<int>, nodeCount> sources = [] {
    std::array<std::vector<int>, nodeCount> all;
    for (int node = 0; node < nodeCount; ++node)
      all[node] = sourcesOf(node);
    return all;
  }();
  GraphGenome genome;
  for (int i = 0; i < nodeCount; ++i) {
    GraphNode &node = genome.nodes[i];
    const std::vector<int> &from = sources[i];
    node.arity = rng.chance(i == rootNode ? unaryRoot : unaryHidden) ? 1 : 2;
    node.op = static_cast<int>(rng.below(graphOpCount(node.arity)));
    size_t first = rng.below(from.size());
    node.operands[0] = from[first];
    if (node.arity == 2) {
      size_t second = rng.below(from.size() - 1);
      node.operands[1] = from[second + (second >= first)];
    }
  }
  return genome;
}

GraphGenome loss::search::drawGraphByRejection(Rng &rng, uint64_t *raw) {
  for (;;) {
    GraphGenome genome = drawRawGraph(rng);
    if (raw)
      ++*raw;
    if (orderGraph(genome).defect == GraphDefect::None)
      return genome;
  }
}

std::vector<GraphConstructor::ReadingSet> GraphConstructor::readingSetsOf(int node) {
  // In units of 1/140 a hidden node: 0.7 / 7 = 14 units, 0.3 / 42 = 1 unit.
  // In units of 1/60 the root: 0.2 / 4 = 3 units, 0.8 / 12 = 4 units.
  uint64_t unary = node == rootNode ? 3 : 14, binary = node == rootNode ? 4 : 1;
  std::vector<ReadingSet> sets;
  auto add = [&](GraphNode choice, uint64_t weight) {
    unsigned mask = maskOf(choice);
    auto set = std::find_if(sets.begin(), sets.end(),
                            [mask](const ReadingSet &s) { return s.mask == mask; });
    if (set == sets.end())
      set = sets.insert(sets.end(), ReadingSet{mask, 0, {}});
    set->weight += weight;
    set->choices.push_back({choice, weight});
  };
  std::vector<int> sources = sourcesOf(node);
  for (int a : sources) {
    add({1, 0, {a, 0}}, unary);
    for (int b : sources)
      if (a != b)
        add({2, 0, {a, b}}, binary);
  }
  return sets;
}

GraphConstructor::GraphConstructor() {
  for (int node = 0; node < nodeCount; ++node)
    sets[node] = readingSetsOf(node);

  std::array<size_t, nodeCount> index = {};
  std::array<unsigned, nodeCount> masks;
  for (bool more = true; more;) {
    uint64_t weight = 1;
    uint32_t code = 0;
    for (int node = 0; node < nodeCount; ++node) {
      const ReadingSet &set = sets[node][index[node]];
      masks[node] = set.mask;
      weight *= set.weight;
      code |= static_cast<uint32_t>(index[node]) << (4 * node);
    }
    totalWeight += weight;
    switch (defectOf(masks)) {
    case GraphDefect::None:
      validWeight += weight;
      combinations.push_back(code);
      cumulative.push_back(validWeight);
      break;
    case GraphDefect::Cyclic:
      cyclicWeight += weight;
      break;
    case GraphDefect::MissesInput:
      missingWeight += weight;
      break;
    }
    // The next combination, counted up like a number.
    more = false;
    for (int node = 0; node < nodeCount && !more; ++node) {
      more = ++index[node] < sets[node].size();
      if (!more)
        index[node] = 0;
    }
  }
}

const GraphConstructor &GraphConstructor::instance() {
  static const GraphConstructor constructor;
  return constructor;
}

GraphGenome GraphConstructor::draw(Rng &rng) const {
  uint64_t at = rng.below(validWeight);
  uint32_t code =
      combinations[std::upper_bound(cumulative.begin(), cumulative.end(), at) - cumulative.begin()];
  GraphGenome genome;
  for (int i = 0; i < nodeCount; ++i) {
    const ReadingSet &set = sets[i][code >> (4 * i) & 15];
    uint64_t within = rng.below(set.weight);
    auto choice = set.choices.begin();
    for (; within >= choice->weight; ++choice)
      within -= choice->weight;
    genome.nodes[i] = choice->node;
    genome.nodes[i].op = static_cast<int>(rng.below(graphOpCount(choice->node.arity)));
  }
  return genome;
}
