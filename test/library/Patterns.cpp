//===- Patterns.cpp - how an input of a loss is filled --------------------===//

#include "test/library/Patterns.h"

#include <cstdio>
#include <limits>
#include <random>

namespace loss::stress {

static constexpr double infinity = std::numeric_limits<double>::infinity();

namespace {

/// Generic, but the same at each run.
double generic(uint64_t salt, int64_t r, int64_t j) {
  std::mt19937_64 random(salt * 1000003 + uint64_t(r) * 101 + uint64_t(j));
  random.discard(3);
  return double(random() >> 11) * 0x1p-53;
}

Pattern listed(std::string words, Numbers numbers) {
  return {std::move(words),
          [numbers](int64_t r, int64_t j) { return numbers[size_t(r + j) % numbers.size()]; }};
}
/// The numbers along the last axes; the same in each row.
Pattern along(std::string words, Numbers numbers) {
  return {std::move(words),
          [numbers](int64_t, int64_t j) { return numbers[size_t(j) % numbers.size()]; }};
}
Pattern scattered(std::string words, uint64_t salt, double lo, double hi) {
  return {std::move(words),
          [=](int64_t r, int64_t j) { return lo + (hi - lo) * generic(salt, r, j); }};
}
Pattern chosen(std::string words, uint64_t salt, Numbers numbers) {
  return {std::move(words), [=](int64_t r, int64_t j) {
            return numbers[size_t(generic(salt, r, j) * double(numbers.size()))];
          }};
}

} // namespace

Numbers specialNumbers(Domain domain) {
  switch (domain) {
  case Domain::Positive:
    return {1, 0.75, 3, 20, 1e-4, 1e-8, 1e4};
  case Domain::Nonnegative:
    return {1, 0.75, 3, 20, 0, 1e-4, 1e-8, 1e4};
  case Domain::Count:
    return {10, 20, 30, 1, 0, 2, 1e6};
  case Domain::Unit:
    return {0.25, 0.5, 0.875, 0, 1, 1e-3, 1e-8, 1e-30, 1 - 0x1p-10, 1 - 0x1p-24};
  case Domain::Sign:
    return {1, -1};
  case Domain::Binary:
    return {0, 1};
  case Domain::Cosine:
    return {0.25, -0.5, 0.75, 0, 1e-8, 1, -1, 1 - 0x1p-20, 0x1p-20 - 1};
  case Domain::LogProbability:
    return {-0.75, -2, -1e-3, 0, -1e-8, -20, -110, -1e4};
  case Domain::AboveOne:
    return {1.5, 2, 10, 1 + 0x1p-20, 1e4};
  case Domain::AboveMinusOne:
    return {0.5, 1, -0.5, 0, 1e-8, 0x1p-20 - 1, 1e4};
  case Domain::Level:
  case Domain::Relevance:
    return {0, 1, 2, 3};
  case Domain::Group:
    return {0, 1};
  default:
    return {1,    -0.75, 2.5, 0,  0.5,   -1,  1e-4, -1e-4, 1e-8, 1e-30,
            -3.5, 9.25,  -12, 20, -30.5, 110, -115, 800,   1e4,  -1e4};
  }
}

namespace {

std::vector<Pattern> logitPatterns(bool masked) {
  std::vector<Pattern> result = {
      scattered("ordinary numbers", 1, -2, 2),
      along("all 0", {0}),
      along("all equal and large", {1e4}),
      along("1e4 and somewhat more", {1e4, 10001, 10002.5, 10000.5}),
      along("nearly equal", {1e-4, 0, -1e-4, 2e-4}),
      along("tiny", {1e-30, 0, -1e-30, 2e-30}),
  };
  for (double gap : {9.25, 20., 60., 110., 300., 800.}) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", gap);
    result.push_back(
        along(std::string("the first ") + text + " above the others", {gap, 0, 0.5, 0.25}));
    result.push_back(
        along(std::string("the first ") + text + " below the others", {-gap, 0, 0.5, 0.25}));
  }
  result.push_back(along("the first 1e4 above the others", {1e4, 0, 0.5, 0.25}));
  if (masked) {
    result.push_back(along("the last masked (-inf)", {0, 1, 0.5, -infinity}));
    result.push_back(
        along("all masked (-inf) but the first", {0.5, -infinity, -infinity, -infinity}));
  }
  return result;
}

std::vector<Pattern> realPatterns() {
  return {
      scattered("ordinary numbers", 2, -2, 2),
      along("all 0", {0}),
      along("all equal", {1}),
      along("nearly equal", {1, 1 + 0x1p-14, 1 - 0x1p-14, 1 + 0x1p-13}),
      scattered("near 1e-4", 3, -1e-4, 1e-4),
      scattered("near 1e-30", 4, -1e-30, 1e-30),
      scattered("up to 20", 5, -20, 20),
      scattered("up to 120", 6, -120, 120),
      scattered("up to 1e4", 7, -1e4, 1e4),
      along("one 1, the others 0", {1, 0, 0}),
      listed("one 1, the others 0, another one in each row", {1, 0, 0}),
      chosen("special numbers", 8, {0, 1, -1, 1e-4, 1e-30, 20, -100}),
  };
}

std::vector<Pattern> boxPatterns() {
  return {
      along("ordinary boxes", {1, 2, 4, 7}),
      along("other boxes", {2, 1, 6, 5}),
      along("boxes far away", {100, 100, 103, 104}),
      along("touching boxes", {4, 2, 6, 7}),
      along("points", {5, 5, 5, 5}),
      along("boxes without height", {1, 3, 4, 3}),
      along("boxes without width", {2, 1, 2, 7}),
      along("large boxes", {0, 0, 1e4, 1e4}),
      along("tiny boxes", {0, 0, 1e-6, 1e-6}),
  };
}

} // namespace

std::vector<Pattern> patternsOf(Domain domain, bool masked) {
  switch (domain) {
  case Domain::Logits:
    return logitPatterns(masked);
  case Domain::Real:
    return realPatterns();
  case Domain::Box:
    return boxPatterns();
  case Domain::Count:
    return {along("10, 20, 30, 40", {10, 20, 30, 40}),
            along("0 in the last class", {10, 20, 30, 0}),
            along("0 but in the first class", {5, 0, 0, 0}), along("1 to 1e6", {1e6, 1, 1000, 10}),
            along("all equal", {7})};
  case Domain::Binary:
    return {listed("0 and 1", {0, 1, 1, 0, 1}), along("all 0", {0}), along("all 1", {1}),
            along("1 at the first", {1, 0, 0, 0})};
  case Domain::Group:
    return {along("two groups", {0}), listed("two groups", {0, 1}),
            listed("groups of one", {0, 1, 2, 3, 4})};
  case Domain::Level:
    return {listed("0, 1, 2, 3", {1, 0, 2, 3}), along("all 0", {0}), along("all at the top", {3})};
  case Domain::Relevance:
    return {along("2, 1, 0, 3", {2, 1, 0, 3}), along("ties", {2, 1, 1, 2}), along("all equal", {1}),
            along("only the last", {0, 0, 0, 1})};
  case Domain::IndexList:
    return {along("two", {0, 2, -1, 0}), along("none", {-1, 0, 0, 0}), along("one", {1, -1, 2, 0})};
  case Domain::Target:
    return {};
  default: {
    Numbers numbers = specialNumbers(domain);
    std::vector<Pattern> result = {
        listed("ordinary numbers",
               {numbers[0], numbers[1], numbers.size() > 2 ? numbers[2] : numbers[0]})};
    for (double x : numbers) {
      char text[32];
      std::snprintf(text, sizeof text, "all %g", x);
      result.push_back(along(text, {x}));
    }
    result.push_back(chosen("special numbers", 9, numbers));
    return result;
  }
  }
}

} // namespace loss::stress
