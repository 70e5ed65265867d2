//===- AxesOf.h - the axes of the expressions of a checked file -*- C++ -*-===//
//
// For printers that work on the syntax tree. The file has passed semantic analysis, so nothing is
// checked here; the rules are those of docs/language.md, section 4.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_COMPILER_EXPORT_AXESOF_H
#define LOSSLANG_COMPILER_EXPORT_AXESOF_H

#include "lang/Ast.h"

#include <map>
#include <set>
#include <string>
#include <vector>

namespace loss::latex {

using AxisNames = std::set<std::string>;
/// The axes of each name in sight.
using Names = std::map<std::string, AxisNames>;

/// The axes that a call works over, or null: `over class, position`.
const std::vector<lang::Identifier> *overAxes(const lang::Expr &call);

/// The axis of size(axis) and index(axis), or null.
const std::string *queriedAxis(const lang::Expr &call);

/// What stands behind `by`, or null.
const lang::Expr *sortKey(const lang::Expr &call);

/// Whether a function over an axis takes the axis away.
bool isReduction(const std::string &function);

class AxesOf {
public:
  explicit AxesOf(const lang::File &file);

  const lang::LossDef &loss() const { return *lossDef; }
  /// Null for a builtin.
  const lang::FnDef *function(const std::string &name) const;
  /// All axes of the loss in order, copies last.
  const std::vector<std::string> &axes() const { return allAxes; }
  /// For each copy of an axis, the axis.
  const std::map<std::string, std::string> &copies() const { return copyOf; }

  /// Inputs, parameters and lets.
  Names namesOf(const lang::LossDef &loss) const;
  /// Arguments and lets. The arguments have the axes of the first call; none, when the function
  /// works over no axis and so is the same for any.
  Names namesOf(const lang::FnDef &fn) const;

  AxisNames infer(const lang::Expr &expr, const Names &names) const;

private:
  void addAxis(const std::string &name);
  void addCopies(const lang::Block &block);
  AxisNames inferCall(const lang::Expr &call, const Names &names) const;
  Names bind(const lang::FnDef &fn, const std::vector<AxisNames> &arguments) const;
  bool worksOverAxes(const lang::Expr &expr) const;
  bool worksOverAxes(const lang::FnDef &fn) const;

  const lang::LossDef *lossDef = nullptr;
  std::map<std::string, const lang::FnDef *> functions;
  std::vector<std::string> allAxes;
  std::map<std::string, std::string> copyOf;
  mutable std::map<const lang::FnDef *, bool> overAxesKnown;
  /// Axes of the arguments in the first call of a function.
  mutable std::map<const lang::FnDef *, std::vector<AxisNames>> firstCalls;
  /// Axes of the result for the axes of the arguments: no call is followed twice.
  mutable std::map<std::pair<const lang::FnDef *, std::vector<AxisNames>>, AxisNames> results;
};

} // namespace loss::latex

#endif // LOSSLANG_COMPILER_EXPORT_AXESOF_H
