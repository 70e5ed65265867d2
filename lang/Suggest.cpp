//===- Suggest.cpp --------------------------------------------------------===//
#include "lang/Suggest.h"

#include <algorithm>
#include <cctype>

namespace loss::lang {

unsigned editDistance(std::string_view a, std::string_view b) {
  // Optimal string alignment: three rows of the dynamic programme suffice.
  std::vector<unsigned> before(b.size() + 1), last(b.size() + 1), row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    last[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        row[j] = std::min(row[j], before[j - 2] + 1);
    }
    std::swap(before, last);
    std::swap(last, row);
  }
  return last[b.size()];
}

static std::string lower(std::string_view text) {
  std::string result(text);
  for (char &c : result)
    c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return result;
}

std::string_view closest(std::string_view name, const std::vector<std::string_view> &candidates) {
  // Longer names are generated or hostile: the distance is quadratic.
  constexpr size_t longestName = 64;
  if (name.size() > longestName)
    return {};
  std::string key = lower(name);
  std::string_view best;
  // Short names that differ in two letters are different names: 'var' is no 'tan'.
  unsigned bestDistance = std::max<unsigned>(1, static_cast<unsigned>(name.size() + 1) / 4) + 1;
  for (std::string_view candidate : candidates) {
    if (candidate.size() > longestName || candidate == name)
      continue;
    unsigned distance = editDistance(key, lower(candidate));
    // A one-letter name is near every other one-letter name: that helps nobody.
    if (distance >= std::max(name.size(), candidate.size()))
      continue;
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

std::string didYouMean(std::string_view name, const std::vector<std::string_view> &candidates) {
  std::string_view best = closest(name, candidates);
  return best.empty() ? std::string() : "did you mean '" + std::string(best) + "'?";
}

} // namespace loss::lang
