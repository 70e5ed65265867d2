//===- Suggest.h - "did you mean" -------------------------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_SUGGEST_H
#define LOSSLANG_LANG_SUGGEST_H

#include <string>
#include <string_view>
#include <vector>

namespace loss::lang {

/// Number of insertions, deletions, replacements and swaps of neighbours that turn `a` into `b`.
unsigned editDistance(std::string_view a, std::string_view b);

/// The candidate nearest to `name`, or empty when none is near enough to be a likely typo.
std::string_view closest(std::string_view name, const std::vector<std::string_view> &candidates);

/// "did you mean 'logits'?", or empty when no candidate is near.
std::string didYouMean(std::string_view name, const std::vector<std::string_view> &candidates);

} // namespace loss::lang

#endif // LOSSLANG_LANG_SUGGEST_H
