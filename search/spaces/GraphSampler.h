//===- GraphSampler.h - drawing graphs --------------------------*- C++ -*-===//
//
// The published distribution: each hidden node is unary with probability 0.7, the root with 0.2;
// operations are uniform; a hidden node's operands are uniform over the leaves and the other hidden
// nodes, the root's over the hidden nodes; two operands differ. Draws without both inputs, or with
// a cycle in the active part, are invalid.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_SPACES_GRAPHSAMPLER_H
#define LOSSLANG_SEARCH_SPACES_GRAPHSAMPLER_H

#include "search/spaces/GraphGenome.h"

#include <cstdint>
#include <vector>

namespace loss::search {

/// One draw from the published distribution, valid or not.
GraphGenome drawRawGraph(Rng &rng);

/// Draws until a graph is valid. `raw`, if given, counts the draws.
GraphGenome drawGraphByRejection(Rng &rng, uint64_t *raw = nullptr);

/// Draws valid graphs without trying, from exactly the distribution of drawGraphByRejection.
///
/// Whether a graph is valid depends only on which of y, yhat and the hidden nodes each node reads
/// (its reading set): 16^4 x 10 combinations. Each combination's probability is an integer multiple
/// of 1 / (140^4 60), so the valid ones are enumerated once with exact weights; one is drawn from
/// that table, then each node's arity and operands given its reading set, then the operations.
class GraphConstructor {
public:
  static const GraphConstructor &instance();

  GraphGenome draw(Rng &rng) const;

  // Exact shares of the raw draws.
  double validShare() const { return static_cast<double>(validWeight) / totalWeight; }
  double cyclicShare() const { return static_cast<double>(cyclicWeight) / totalWeight; }
  double missingShare() const { return static_cast<double>(missingWeight) / totalWeight; }

private:
  GraphConstructor();

  /// One way to draw a node's arity and operands, as often as `weight` says.
  struct Choice {
    GraphNode node;
    uint64_t weight;
  };
  /// All choices that read the same set.
  struct ReadingSet {
    unsigned mask;
    uint64_t weight = 0;
    std::vector<Choice> choices;
  };
  static std::vector<ReadingSet> readingSetsOf(int node);

  std::array<std::vector<ReadingSet>, nodeCount> sets;
  /// Valid combinations: the sets' indices, 4 bits a node, and the weight of all up to this one.
  std::vector<uint32_t> combinations;
  std::vector<uint64_t> cumulative;
  uint64_t totalWeight = 0, validWeight = 0, cyclicWeight = 0, missingWeight = 0;
};

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_GRAPHSAMPLER_H
