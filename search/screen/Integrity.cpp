//===- Integrity.cpp - can minimising this curve teach anything? ----------===//

#include "search/screen/Integrity.h"

#include <algorithm>
#include <cfloat>
#include <cmath>

using namespace loss::search;

const char *loss::search::verdictName(Verdict verdict) {
  switch (verdict) {
  case Verdict::Accepted:
    return "accepted";
  case Verdict::NotFinite:
    return "not-finite";
  case Verdict::CentreExtremum:
    return "centre-extremum";
  case Verdict::Plateau:
    return "plateau";
  case Verdict::Oscillates:
    return "oscillates";
  case Verdict::GradientNotFinite:
    return "gradient-not-finite";
  case Verdict::Duplicate:
    return "duplicate";
  }
  return "";
}

namespace {
constexpr long mostFlatSteps = 10;
constexpr long mostTurns = 2;

/// Whether an index lies in the middle 2 %: 490 to 509 of 1000.
bool isCentral(ptrdiff_t index, size_t count) {
  return index >= static_cast<ptrdiff_t>(count * 49 / 100) &&
         index < static_cast<ptrdiff_t>(count * 51 / 100);
}
} // namespace

Integrity loss::search::checkIntegrity(const double *curve, size_t count) {
  const double *end = curve + count;
  if (!std::all_of(curve, end, [](double v) { return std::fabs(v) <= FLT_MAX; }))
    return {Verdict::NotFinite, Sign::Keep};

  if (isCentral(std::min_element(curve, end) - curve, count) ||
      isCentral(std::max_element(curve, end) - curve, count))
    return {Verdict::CentreExtremum, Sign::Keep};

  long flat = 0, rising = 0, falling = 0, turns = 0;
  int first = 0, last = 0;
  for (size_t i = 1; i < count; ++i) {
    double step = curve[i] - curve[i - 1];
    int direction = (step > 0) - (step < 0);
    flat += direction == 0;
    rising += direction > 0;
    falling += direction < 0;
    if (direction == 0)
      continue;
    if (!first)
      first = direction;
    turns += last && direction != last;
    last = direction;
  }
  if (flat > mostFlatSteps)
    return {Verdict::Plateau, Sign::Keep};
  // Towards the wrong answer the loss must rise.
  if (falling == 0)
    return {Verdict::Accepted, Sign::Keep};
  if (rising == 0)
    return {Verdict::Accepted, Sign::Negate};
  // The curve is closed to a circle, so a single valley or hill has two turns.
  turns += first != last;
  if (turns > mostTurns)
    return {Verdict::Oscillates, Sign::Keep};
  return {Verdict::Accepted, first < 0 ? Sign::Keep : Sign::Negate};
}
