//===- GraphSpace.cpp - the 4-node graph space ----------------------------===//

#include "search/spaces/GraphSpace.h"

#include "search/spaces/GraphOps.h"
#include "search/spaces/GraphSampler.h"

#include <algorithm>

using namespace loss::search;

Genome GraphSpace::sample(Rng &rng) const {
  return std::make_shared<GraphGenome>(sampler == Sampler::Construct
                                           ? GraphConstructor::instance().draw(rng)
                                           : drawGraphByRejection(rng));
}

Genome GraphSpace::mutate(Rng &rng, const Genome &parent) const {
  return std::make_shared<GraphGenome>(mutation(rng, asGraph(parent)));
}

Genome GraphSpace::parse(std::string_view text) const {
  return std::make_shared<GraphGenome>(parseGraph(text));
}

namespace {
/// Evaluates one block of points: values, and slopes where a node depends on yhat.
class BlockEvaluator {
public:
  BlockEvaluator(const GraphGenome &genome, const GraphOrder &order)
      : genome(genome), order(order) {
    dependsOnYhat[SourceYhat] = true;
    for (int i = 0; i < order.count; ++i) {
      const GraphNode &node = genome.nodes[order.nodes[i]];
      for (int k = 0; k < node.arity; ++k)
        if (dependsOnYhat[node.operands[k]])
          dependsOnYhat[FirstHidden + order.nodes[i]] = true;
    }
  }

  void run(const double *y, const double *yhat, size_t count, double *value, double *slope) {
    for (Lanes &lanes : values)
      lanes.count = count;
    std::copy_n(y, count, values[SourceY].at);
    std::copy_n(yhat, count, values[SourceYhat].at);
    std::fill_n(values[SourceOne].at, count, 1.0);
    std::fill_n(values[SourceMinusOne].at, count, -1.0);
    for (Lanes &lanes : slopes)
      lanes.count = count;
    std::fill_n(slopes[SourceYhat].at, count, 1.0);

    for (int i = 0; i < order.count; ++i) {
      int self = FirstHidden + order.nodes[i];
      const GraphNode &node = genome.nodes[order.nodes[i]];
      const GraphOp &op = graphOp(node.arity, node.op);
      op.value(values[node.operands[0]], values[node.operands[1]], values[self]);
      if (slope && dependsOnYhat[self])
        chain(op, node, self);
    }
    int root = FirstHidden + rootNode;
    std::copy_n(values[root].at, count, value);
    if (slope)
      std::copy_n(slopes[root].at, count, slope);
  }

private:
  /// The chain rule, for the operands that depend on yhat only: 0 times infinity must not arise.
  void chain(const GraphOp &op, const GraphNode &node, int self) {
    op.derivative(values[node.operands[0]], values[node.operands[1]], values[self], partial[0],
                  partial[1]);
    double *out = slopes[self].at;
    size_t count = values[self].count;
    bool first = true;
    for (int k = 0; k < node.arity; ++k) {
      if (!dependsOnYhat[node.operands[k]])
        continue;
      const double *in = slopes[node.operands[k]].at, *factor = partial[k].at;
      for (size_t i = 0; i < count; ++i)
        out[i] = (first ? 0.0 : out[i]) + factor[i] * in[i];
      first = false;
    }
  }

  const GraphGenome &genome;
  const GraphOrder &order;
  std::array<bool, sourceCount + 1> dependsOnYhat = {};
  std::array<Lanes, sourceCount + 1> values = blocks(std::make_index_sequence<sourceCount + 1>());
  std::array<Lanes, sourceCount + 1> slopes = blocks(std::make_index_sequence<sourceCount + 1>());
  std::array<Lanes, 2> partial = {Lanes(0), Lanes(0)};

  template <size_t... I> static std::array<Lanes, sizeof...(I)> blocks(std::index_sequence<I...>) {
    return {((void)I, Lanes(0))...};
  }
};
} // namespace

void GraphSpace::evaluate(const Genome &genome, const double *y, const double *yhat, size_t count,
                          double *value, double *slope) const {
  const GraphGenome &graph = asGraph(genome);
  GraphOrder order = orderGraph(graph);
  BlockEvaluator evaluator(graph, order);
  for (size_t begin = 0; begin < count; begin += Lanes::capacity) {
    size_t size = std::min(Lanes::capacity, count - begin);
    evaluator.run(y + begin, yhat + begin, size, value + begin, slope ? slope + begin : nullptr);
  }
}
