//===- Compare.cpp - numbers against bounds -------------------------------===//

#include "test/random/Compare.h"

namespace loss::stress {

std::string compareExact(const std::string &what, const BoundedArray &actual,
                         const BoundedArray &expected, bool isFolded, Tally &tally) {
  if (actual.data.size() != expected.data.size())
    return what + ": another number of elements";
  for (size_t i = 0; i < actual.data.size(); ++i) {
    const Bounded &ours = actual.data[i], &theirs = expected.data[i];
    double bound =
        slack * (ours.error[Exact] + theirs.error[Exact] + (isFolded ? theirs.error[F64] : 0));
    // A formula that is not defined, or jumps right here, may become one that is.
    if (!theirs.value.isFinite() || (ours.value.isFinite() && !std::isfinite(bound)) ||
        !std::isfinite(theirs.error[Exact])) {
      ++tally.skipped;
      continue;
    }
    ++tally.compared;
    tally.loose += bound > std::abs(toDouble(theirs)) / 16;
    double distance = std::abs(toDouble(ours.value - theirs.value));
    if (distance <= bound)
      continue;
    char text[200];
    std::snprintf(text, sizeof text, ": element %zu is %.17g, but expected %.17g within %.3g", i,
                  toDouble(ours), toDouble(theirs), bound);
    return what + text;
  }
  return {};
}

std::vector<BoundedArray> boundsOfKernel(std::vector<BoundedArray> exact,
                                         const std::vector<BoundedArray> &rewritten) {
  for (size_t i = 0; i < exact.size(); ++i)
    for (size_t k = 0; k < exact[i].data.size(); ++k) {
      // Beside what the rewritten program rounds: constants that were folded in f64, as the program
      // as written computes them there.
      Errors &errors = exact[i].data[k].error;
      double folded = errors[F64];
      if (!std::isfinite(errors[Exact]))
        exact[i].data[k].value = rewritten[i].data[k].value;
      errors = rewritten[i].data[k].error;
      if (std::isfinite(folded))
        for (double &error : errors)
          error += folded;
    }
  return exact;
}

std::string compareTorchs(const std::string &what, const std::vector<double> &numbers,
                          std::vector<Bounded> expected, bool isDerivative, Tally &tally) {
  // A branch that is not chosen makes autograd's gradient NaN, ours 0 [LANG-8.8].
  for (size_t k = 0; k < numbers.size() && isDerivative; ++k)
    if (std::isnan(numbers[k]))
      expected[k].error[F32] = std::numeric_limits<double>::infinity();
  return compareAll(what, numbers, expected, F32, tally);
}

} // namespace loss::stress
