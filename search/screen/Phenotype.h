//===- Phenotype.h - what a loss does ---------------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_SCREEN_PHENOTYPE_H
#define LOSSLANG_SEARCH_SCREEN_PHENOTYPE_H

#include "search/screen/Integrity.h"

#include <array>
#include <vector>

namespace loss::search {

/// The points at which losses are compared; the same for all.
struct Probe {
  /// The binary phenotype: t = linspace(1e-7, 1 - 1e-7, 1000), yhat = [t, 1 - t], y = [0, 1].
  static constexpr size_t curvePoints = 1000;
  /// Both classes, one after the other.
  std::vector<double> curveY, curveYhat;

  /// Fixed answers of a network for 2, 3 and 10 classes, four each.
  static constexpr std::array<size_t, 3> classCounts = {2, 3, 10};
  static constexpr size_t answersEach = 4;
  static constexpr size_t gradientPoints = answersEach * (2 + 3 + 10);
  std::vector<double> gradientY, gradientYhat;

  static const Probe &instance();

private:
  Probe();
};

/// A loss as seen by the duplicate filter. Two losses with the same phenotype train alike.
struct Phenotype {
  /// The loss on the probe's curve, sign applied, scaled to [0, 1]; raw if its range is below 1e-4.
  std::vector<float> curve;
  /// The gradient by the logits at the probe's answers, sign applied, scaled to length 1.
  std::vector<float> gradients;
};

/// A genome after the checks that concern it alone.
struct Screened {
  Verdict verdict;
  Sign sign;
  /// Empty unless accepted.
  Phenotype phenotype;
};

/// Evaluates a genome at the probe's points: integrity, then gradients.
Screened screen(const Space &space, const Genome &genome);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SCREEN_PHENOTYPE_H
