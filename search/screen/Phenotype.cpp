//===- Phenotype.cpp - what a loss does -----------------------------------===//

#include "search/screen/Phenotype.h"

#include <algorithm>
#include <cmath>

using namespace loss::search;

Probe::Probe() {
  constexpr double eps = 1e-7;
  curveY.assign(2 * curvePoints, 0.0);
  curveYhat.resize(2 * curvePoints);
  for (size_t i = 0; i < curvePoints; ++i) {
    double t = eps + (1 - 2 * eps) * static_cast<double>(i) / (curvePoints - 1);
    curveYhat[i] = t;
    curveYhat[curvePoints + i] = 1 - t;
    curveY[curvePoints + i] = 1;
  }
  // Spread over right and wrong, sure and unsure answers; the target moves over the classes.
  for (size_t classes : classCounts)
    for (size_t answer = 0; answer < answersEach; ++answer) {
      double total = 0;
      std::vector<double> p(classes);
      for (size_t k = 0; k < classes; ++k)
        total += p[k] = std::exp((1.0 + static_cast<double>(answer)) *
                                 std::sin(2.4 * static_cast<double>(k + 1) +
                                          1.7 * static_cast<double>(answer + classes)));
      for (size_t k = 0; k < classes; ++k) {
        gradientYhat.push_back(p[k] / total);
        gradientY.push_back(k == answer % classes ? 1.0 : 0.0);
      }
    }
}

const Probe &Probe::instance() {
  static const Probe probe;
  return probe;
}

namespace {
constexpr double flatRange = 1e-4;

void normaliseCurve(const std::vector<double> &curve, Sign sign, std::vector<float> &out) {
  auto [low, high] = std::minmax_element(curve.begin(), curve.end());
  double factor = sign == Sign::Negate ? -1 : 1, range = *high - *low, offset = 0;
  if (range < flatRange)
    range = 1;
  else
    offset = sign == Sign::Negate ? *high : -*low;
  out.resize(curve.size());
  for (size_t i = 0; i < curve.size(); ++i)
    out[i] = static_cast<float>((factor * curve[i] + offset) / range);
}

/// The gradient by the logits of sum_k f(y_k, p_k), p = softmax: p_j (s_j - sum_k p_k s_k), s =
/// df/dp. False if it is not finite.
bool gradientsByLogits(const std::vector<double> &slope, Sign sign, std::vector<float> &out) {
  const Probe &probe = Probe::instance();
  std::vector<double> gradient(slope.size());
  double square = 0;
  size_t begin = 0;
  for (size_t classes : Probe::classCounts)
    for (size_t answer = 0; answer < Probe::answersEach; ++answer, begin += classes) {
      const double *p = probe.gradientYhat.data() + begin, *s = slope.data() + begin;
      double mean = 0;
      for (size_t k = 0; k < classes; ++k)
        mean += p[k] * s[k];
      for (size_t k = 0; k < classes; ++k) {
        gradient[begin + k] = p[k] * (s[k] - mean);
        square += gradient[begin + k] * gradient[begin + k];
      }
    }
  if (!std::isfinite(square))
    return false;
  double scale = square > 0 ? (sign == Sign::Negate ? -1 : 1) / std::sqrt(square) : 0;
  out.resize(gradient.size());
  for (size_t i = 0; i < gradient.size(); ++i)
    out[i] = static_cast<float>(gradient[i] * scale);
  return true;
}
} // namespace

Screened loss::search::screen(const Space &space, const Genome &genome) {
  const Probe &probe = Probe::instance();
  constexpr size_t points = Probe::curvePoints;
  std::vector<double> value(2 * points);
  space.evaluate(genome, probe.curveY.data(), probe.curveYhat.data(), 2 * points, value.data(),
                 nullptr);
  std::vector<double> curve(points);
  for (size_t i = 0; i < points; ++i)
    curve[i] = value[i] + value[points + i];

  Screened result;
  auto [verdict, sign] = checkIntegrity(curve.data(), points);
  result.verdict = verdict;
  result.sign = sign;
  if (verdict != Verdict::Accepted)
    return result;

  std::vector<double> slope(Probe::gradientPoints);
  space.evaluate(genome, probe.gradientY.data(), probe.gradientYhat.data(), Probe::gradientPoints,
                 value.data(), slope.data());
  if (!gradientsByLogits(slope, sign, result.phenotype.gradients))
    result.verdict = Verdict::GradientNotFinite;
  else
    normaliseCurve(curve, sign, result.phenotype.curve);
  return result;
}
