//===- GraphSpace.h - the 4-node graph space --------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_SPACES_GRAPHSPACE_H
#define LOSSLANG_SEARCH_SPACES_GRAPHSPACE_H

#include "search/operators/GraphMutation.h"
#include "search/spaces/Space.h"

namespace loss::search {

/// Graphs of four hidden nodes and a root over 27 unary and 7 binary operations.
class GraphSpace : public Space {
public:
  explicit GraphSpace(Sampler sampler = Sampler::Construct, GraphMutation mutation = {})
      : sampler(sampler), mutation(mutation) {}

  std::string_view name() const override { return "graph"; }
  Genome sample(Rng &rng) const override;
  Genome mutate(Rng &rng, const Genome &parent) const override;
  std::string emit(const Genome &genome, const EmitOptions &options) const override;
  std::string formula(const Genome &genome, Sign sign) const override;
  std::string key(const Genome &genome) const override { return graphKey(asGraph(genome)); }
  std::string serialise(const Genome &genome) const override {
    return serialiseGraph(asGraph(genome));
  }
  Genome parse(std::string_view text) const override;
  void evaluate(const Genome &genome, const double *y, const double *yhat, size_t count,
                double *value, double *slope) const override;

private:
  Sampler sampler;
  GraphMutation mutation;
};

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_GRAPHSPACE_H
