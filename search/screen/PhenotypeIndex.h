//===- PhenotypeIndex.h - finding equal losses quickly ----------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_SCREEN_PHENOTYPEINDEX_H
#define LOSSLANG_SEARCH_SCREEN_PHENOTYPEINDEX_H

#include "search/screen/Phenotype.h"

#include <cstdint>
#include <optional>
#include <unordered_map>

namespace loss::search {

/// Phenotypes by similarity. Two are equal if the distances (L2) of their curves and of their
/// gradients are at most `tolerance` each.
///
/// A projection onto a unit vector never increases a distance. So curves are filed under the cells
/// (of the tolerance's size) of two projections, and an equal curve can only lie in the 3 x 3 cells
/// around; six more projections rule out most of what is there before 1000 points are compared.
/// Every phenotype takes 4.5 KB.
class PhenotypeIndex {
public:
  explicit PhenotypeIndex(double tolerance = 0.01) : tolerance(tolerance) {}

  /// Adds a phenotype under a number of the caller's, not yet in use.
  void add(int64_t id, const Phenotype &phenotype);

  /// Does nothing for a number that is not in the index.
  void remove(int64_t id);

  /// The least number with an equal phenotype.
  std::optional<int64_t> find(const Phenotype &phenotype) const;

  size_t size() const { return entries.size(); }

private:
  static constexpr size_t projectionCount = 8;
  using Projections = std::array<double, projectionCount>;
  struct Entry {
    Projections projections;
    Phenotype phenotype;
  };

  static Projections project(const std::vector<float> &curve);
  uint64_t cellOf(const Projections &projections, int stepA, int stepB) const;
  bool equal(const Entry &entry, const Projections &projections, const Phenotype &phenotype) const;

  double tolerance;
  std::unordered_map<int64_t, Entry> entries;
  std::unordered_map<uint64_t, std::vector<int64_t>> cells;
};

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SCREEN_PHENOTYPEINDEX_H
