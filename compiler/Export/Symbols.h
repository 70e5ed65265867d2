//===- Symbols.h - names and axes as LaTeX symbols --------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_EXPORT_SYMBOLS_H
#define LOSSLANG_COMPILER_EXPORT_SYMBOLS_H

#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace loss::latex {

/// "logits" -> \mathit{logits}, "gamma" -> \gamma, "p_true" -> p_{\mathrm{true}}; `indices` join
/// the subscript.
std::string symbol(std::string_view name, const std::vector<std::string> &indices = {});

/// "modulation" -> \operatorname{modulation}.
std::string functionName(std::string_view name);

/// The digits of a number: 1e-7 -> 10^{-7}. `isProduct` tells whether it is written as a product.
std::string number(std::string_view digits, bool &isProduct);

/// The letters that stand for positions along the axes.
class IndexLetters {
public:
  /// `taken`: single-letter names of the program, which no axis gets. `copyOf`: for a copy, the
  /// axis that it is a copy of.
  IndexLetters(const std::vector<std::string> &axes,
               const std::map<std::string, std::string> &copyOf, std::set<std::string> taken);

  /// "c" for class; "b'" for a copy of batch.
  const std::string &letter(const std::string &axis) const { return letters.at(axis); }
  /// N_{c} for class; the same for its copies.
  std::string size(const std::string &axis) const { return "N_{" + originals.at(axis) + "}"; }
  /// The letter of an axis with as many primes as keep it apart from those in use.
  std::string fresh(const std::string &axis, const std::set<std::string> &used) const;

private:
  std::map<std::string, std::string> letters, originals;
};

} // namespace loss::latex

#endif // LOSSLANG_COMPILER_EXPORT_SYMBOLS_H
