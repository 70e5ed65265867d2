//===- GraphMutation.cpp - changing one node of a graph -------------------===//

#include "search/operators/GraphMutation.h"

#include "search/spaces/GraphOps.h"

using namespace loss::search;

namespace {
/// A uniformly drawn source for the node that is neither itself nor one of its operands.
int otherSource(Rng &rng, const GraphNode &node, int self) {
  std::array<int, sourceCount> free;
  int count = 0;
  for (int s = 0; s < sourceCount; ++s) {
    bool used = s == node.operands[0] || (node.arity == 2 && s == node.operands[1]) ||
                s == FirstHidden + self;
    if (!used)
      free[count++] = s;
  }
  return free[rng.below(count)];
}
} // namespace

GraphGenome GraphMutation::once(Rng &rng, const GraphGenome &parent) const {
  GraphOrder active = orderGraph(parent);
  GraphGenome child = parent;
  int self = active.nodes[rng.below(active.count)];
  GraphNode &node = child.nodes[self];
  double kind = rng.uniform();
  if (kind < config.operation) {
    int op = static_cast<int>(rng.below(graphOpCount(node.arity) - 1));
    node.op = op + (op >= node.op);
  } else if (kind < config.operation + config.connection) {
    if (node.arity == 2 && rng.chance(config.swap))
      std::swap(node.operands[0], node.operands[1]);
    else
      node.operands[node.arity == 2 ? rng.below(2) : 0] = otherSource(rng, node, self);
  } else if (node.arity == 1) {
    int added = otherSource(rng, node, self);
    bool left = rng.below(2) == 0;
    int kept = node.operands[0];
    node = {2, static_cast<int>(rng.below(binaryOpCount)), {kept, added}};
    if (left)
      node.operands = {added, kept};
  } else {
    node = {1, static_cast<int>(rng.below(unaryOpCount)), {node.operands[rng.below(2)], 0}};
  }
  return child;
}

GraphGenome GraphMutation::operator()(Rng &rng, const GraphGenome &parent) const {
  std::string key = graphKey(parent);
  for (;;) {
    GraphGenome child = once(rng, parent);
    if (orderGraph(child).defect == GraphDefect::None && graphKey(child) != key)
      return child;
  }
}
