//===- GraphMutation.h - changing one node of a graph -----------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_OPERATORS_GRAPHMUTATION_H
#define LOSSLANG_SEARCH_OPERATORS_GRAPHMUTATION_H

#include "search/spaces/GraphGenome.h"

namespace loss::search {

/// Changes one active node, drawn uniformly. The published rates are the defaults.
class GraphMutation {
public:
  struct Config {
    /// Another operation of the same arity.
    double operation = 0.70;
    /// Another connection; the rest switches the arity.
    double connection = 0.15;
    /// Among the connection changes of a binary node: exchange the operands.
    double swap = 0.20;
  };

  GraphMutation() = default;
  explicit GraphMutation(const Config &config) : config(config) {}

  /// Repeats the draw until the child is valid and its key is not the parent's.
  GraphGenome operator()(Rng &rng, const GraphGenome &parent) const;

  /// A single draw, valid or not.
  GraphGenome once(Rng &rng, const GraphGenome &parent) const;

private:
  Config config;
};

} // namespace loss::search

#endif // LOSSLANG_SEARCH_OPERATORS_GRAPHMUTATION_H
