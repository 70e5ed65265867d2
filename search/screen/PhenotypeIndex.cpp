//===- PhenotypeIndex.cpp - finding equal losses quickly ------------------===//

#include "search/screen/PhenotypeIndex.h"

#include <algorithm>
#include <bit>
#include <cassert>
#include <cmath>

using namespace loss::search;

namespace {
/// Whether the squared distance is at most `limit`. Stops as soon as it is not.
bool isNear(const std::vector<float> &a, const std::vector<float> &b, double limit) {
  if (a.size() != b.size())
    return false;
  double square = 0;
  for (size_t i = 0; i < a.size();) {
    for (size_t end = std::min(a.size(), i + 64); i < end; ++i) {
      double difference = static_cast<double>(a[i]) - b[i];
      square += difference * difference;
    }
    if (square > limit)
      return false;
  }
  return true;
}
} // namespace

PhenotypeIndex::Projections PhenotypeIndex::project(const std::vector<float> &curve) {
  // The first rows of the orthonormal cosine transform: most of a smooth curve's length is in them.
  static const std::vector<float> basis = [] {
    constexpr size_t n = Probe::curvePoints;
    std::vector<float> rows(projectionCount * n);
    for (size_t k = 0; k < projectionCount; ++k)
      for (size_t i = 0; i < n; ++i)
        rows[k * n + i] =
            static_cast<float>(std::sqrt((k ? 2.0 : 1.0) / n) * std::cos(M_PI * (i + 0.5) * k / n));
    return rows;
  }();
  assert(curve.size() == Probe::curvePoints);
  Projections result;
  for (size_t k = 0; k < projectionCount; ++k) {
    // Several sums at a time, so that the loop runs in vector registers.
    double sums[8] = {};
    const float *row = basis.data() + k * Probe::curvePoints;
    for (size_t i = 0; i < Probe::curvePoints; i += 8)
      for (size_t lane = 0; lane < 8; ++lane)
        sums[lane] += static_cast<double>(row[i + lane]) * curve[i + lane];
    result[k] = 0;
    for (double sum : sums)
      result[k] += sum;
  }
  return result;
}

uint64_t PhenotypeIndex::cellOf(const Projections &projections, int stepA, int stepB) const {
  // + 0.0 makes -0 and 0 one cell.
  double a = std::floor(projections[0] / tolerance) + stepA + 0.0;
  double b = std::floor(projections[1] / tolerance) + stepB + 0.0;
  return mixBits(mixBits(std::bit_cast<uint64_t>(a)) ^ std::bit_cast<uint64_t>(b));
}

bool PhenotypeIndex::equal(const Entry &entry, const Projections &projections,
                           const Phenotype &phenotype) const {
  double square = 0;
  for (size_t k = 0; k < projectionCount; ++k) {
    double difference = entry.projections[k] - projections[k];
    square += difference * difference;
  }
  double limit = tolerance * tolerance;
  // The basis is rounded to single precision, hence the margin.
  return square <= limit * 1.001 && isNear(entry.phenotype.curve, phenotype.curve, limit) &&
         isNear(entry.phenotype.gradients, phenotype.gradients, limit);
}

void PhenotypeIndex::add(int64_t id, const Phenotype &phenotype) {
  assert(!entries.count(id) && "this number is in use");
  Projections projections = project(phenotype.curve);
  cells[cellOf(projections, 0, 0)].push_back(id);
  entries.emplace(id, Entry{projections, phenotype});
}

void PhenotypeIndex::remove(int64_t id) {
  auto entry = entries.find(id);
  if (entry == entries.end())
    return;
  auto cell = cells.find(cellOf(entry->second.projections, 0, 0));
  std::erase(cell->second, id);
  if (cell->second.empty())
    cells.erase(cell);
  entries.erase(entry);
}

std::optional<int64_t> PhenotypeIndex::find(const Phenotype &phenotype) const {
  Projections projections = project(phenotype.curve);
  std::optional<int64_t> least;
  for (int stepA = -1; stepA <= 1; ++stepA)
    for (int stepB = -1; stepB <= 1; ++stepB) {
      auto cell = cells.find(cellOf(projections, stepA, stepB));
      if (cell == cells.end())
        continue;
      for (int64_t id : cell->second)
        if ((!least || id < *least) && equal(entries.at(id), projections, phenotype))
          least = id;
    }
  return least;
}
