//===- Symbols.cpp - names and axes as LaTeX symbols ----------------------===//

#include "compiler/Export/Symbols.h"

#include <algorithm>
#include <cctype>

namespace loss::latex {

static bool isGreek(std::string_view name) {
  static const std::set<std::string_view> letters = {
      "alpha", "beta",   "gamma", "delta", "epsilon", "zeta",  "eta",   "theta",  "iota",
      "kappa", "lambda", "mu",    "nu",    "xi",      "rho",   "sigma", "tau",    "upsilon",
      "phi",   "chi",    "psi",   "omega", "Gamma",   "Delta", "Theta", "Lambda", "Xi",
      "Pi",    "Sigma",  "Phi",   "Psi",   "Omega",   "pi"};
  return letters.contains(name);
}

/// A word of letters, digits and underscores.
static std::string word(std::string_view text, std::string_view font) {
  if (isGreek(text))
    return "\\" + std::string(text);
  if (text.size() == 1 ||
      std::all_of(text.begin(), text.end(), [](char c) { return std::isdigit(c); }))
    return text == "_" ? "\\_" : std::string(text);
  std::string escaped;
  for (char c : text)
    escaped += c == '_' ? std::string("\\_") : std::string(1, c);
  return "\\" + std::string(font) + "{" + escaped + "}";
}

std::string symbol(std::string_view name, const std::vector<std::string> &indices) {
  // x_sub: what follows a letter is its subscript; so are digits at the end of a name.
  size_t underscore = name.find('_', 1);
  std::string_view base = name.substr(0, underscore), sub;
  bool isLetter = base != "_" && (base.size() == 1 || isGreek(base));
  if (isLetter && underscore != std::string_view::npos && underscore + 1 < name.size()) {
    sub = name.substr(underscore + 1);
  } else {
    base = name;
    size_t digits = name.find_last_not_of("0123456789") + 1;
    if (digits > 0 && digits < name.size() && name[digits - 1] != '_') {
      base = name.substr(0, digits);
      sub = name.substr(digits);
    }
  }
  std::string text = word(base, "mathit"), subscript = sub.empty() ? "" : word(sub, "mathrm");
  for (const std::string &index : indices)
    subscript += (subscript.empty() ? "" : ",") + index;
  return subscript.empty() ? text : text + "_{" + subscript + "}";
}

std::string functionName(std::string_view name) {
  std::string escaped;
  for (char c : name)
    escaped += c == '_' ? std::string("\\_") : std::string(1, c);
  return name.size() == 1 ? escaped : "\\operatorname{" + escaped + "}";
}

std::string number(std::string_view digits, bool &isProduct) {
  size_t exponent = digits.find_first_of("eE");
  isProduct = exponent != std::string_view::npos;
  if (!isProduct)
    return std::string(digits);
  std::string_view power = digits.substr(exponent + 1);
  if (power.starts_with("+"))
    power.remove_prefix(1);
  std::string ten = "10^{" + std::string(power) + "}";
  std::string_view mantissa = digits.substr(0, exponent);
  return mantissa == "1" ? ten : std::string(mantissa) + " \\cdot " + ten;
}

IndexLetters::IndexLetters(const std::vector<std::string> &axes,
                           const std::map<std::string, std::string> &copyOf,
                           std::set<std::string> taken) {
  for (const std::string &axis : axes) {
    if (copyOf.contains(axis))
      continue;
    std::string candidates = axis + "ijkmnqrsuvwz";
    std::string chosen = "x";
    for (char c : candidates) {
      std::string letter(1, static_cast<char>(std::tolower(static_cast<unsigned char>(c))));
      if (std::isalpha(static_cast<unsigned char>(c)) && !taken.contains(letter)) {
        chosen = letter;
        break;
      }
    }
    taken.insert(chosen);
    letters[axis] = originals[axis] = chosen;
  }
  std::map<std::string, unsigned> copies;
  for (const std::string &axis : axes)
    if (auto copy = copyOf.find(axis); copy != copyOf.end()) {
      originals[axis] = originals.at(copy->second);
      letters[axis] = originals[axis] + std::string(++copies[copy->second], '\'');
    }
}

std::string IndexLetters::fresh(const std::string &axis, const std::set<std::string> &used) const {
  std::string chosen = letter(axis);
  while (used.contains(chosen))
    chosen += '\'';
  return chosen;
}

} // namespace loss::latex
