//===- Formula.h - formulas as trees ----------------------------*- C++ -*-===//
//
// What the search needs to write readable programs: substitute operands into an operation's
// formula, simplify what only hinders reading, print with as few parentheses as the language
// allows.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_SPACES_FORMULA_H
#define LOSSLANG_SEARCH_SPACES_FORMULA_H

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace loss::search {

struct Formula;
using FormulaPtr = std::shared_ptr<const Formula>;

/// A formula of the loss language, restricted to arithmetic and calls. Immutable.
struct Formula {
  enum class Kind { Number, Name, Call, Negate, Binary };
  Kind kind;
  /// The number's or name's text, the called function, or the operator.
  std::string text;
  std::vector<FormulaPtr> operands;
  /// Known from its form to be 0 or more wherever it is finite.
  bool nonNegative = false;
};

/// Reads a formula. For the trusted texts of operation tables: throws std::logic_error.
FormulaPtr parseFormula(std::string_view text);

/// A name, such as an input or a `let`.
FormulaPtr makeName(std::string name, bool nonNegative);

/// A literal; a negative one prints with its minus sign.
FormulaPtr makeNumber(std::string text);

/// Replaces names. Names that `values` does not have stay.
FormulaPtr substitute(const FormulaPtr &formula, const std::map<std::string, FormulaPtr> &values);

/// Rewrites what changes no value: --x = x, 1 x = x, x + -1 = x - 1, |x| = x for x >= 0, and the
/// like.
FormulaPtr simplify(const FormulaPtr &formula);

/// -f, without a minus sign where f allows that (-(-x) = x, -(a - b) = b - a).
FormulaPtr negate(const FormulaPtr &f);

/// x where f is written -x, else null.
FormulaPtr withoutMinus(const FormulaPtr &f);

/// As in a `.loss` file.
std::string print(const FormulaPtr &formula);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_SPACES_FORMULA_H
