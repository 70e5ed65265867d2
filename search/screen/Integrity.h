//===- Integrity.h - can minimising this curve teach anything? --*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_SCREEN_INTEGRITY_H
#define LOSSLANG_SEARCH_SCREEN_INTEGRITY_H

#include "search/spaces/Space.h"

namespace loss::search {

/// What becomes of a candidate in the screen, in the order of the checks.
enum class Verdict {
  Accepted,
  /// The curve has a value that is no number in single precision, in which networks train.
  NotFinite,
  /// The curve's least or greatest value lies where the network is undecided.
  CentreExtremum,
  /// The curve is flat in more than 10 places and not one-sided.
  Plateau,
  /// The curve changes its direction more than once.
  Oscillates,
  /// A gradient at the fixed points is not finite.
  GradientNotFinite,
  /// Another candidate has the same curve and the same gradients. The last one.
  Duplicate,
};
inline constexpr int verdictCount = static_cast<int>(Verdict::Duplicate) + 1;

/// "centre-extremum" and so on: in statistics and in the store.
const char *verdictName(Verdict verdict);

struct Integrity {
  Verdict verdict = Verdict::Accepted;
  Sign sign = Sign::Keep;
};

/// The integrity check of Morgan & Hougen 2024 on the unsigned loss at `count` equally spaced
/// points, from an entirely right answer to an entirely wrong one.
///
/// It differs from the published procedure in two places, both mistakes there. The sign is decided
/// afresh and not inherited from a parent. A curve with one direction and a few flat steps counts
/// as monotone. Values beyond single precision are rejected as not finite.
Integrity checkIntegrity(const double *curve, size_t count);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SCREEN_INTEGRITY_H
