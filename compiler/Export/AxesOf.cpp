//===- AxesOf.cpp - the axes of the expressions of a checked file ---------===//

#include "compiler/Export/AxesOf.h"

#include "lang/Builtins.h"

#include <algorithm>

namespace loss::latex {

using namespace loss::lang;

const std::vector<Identifier> *overAxes(const Expr &call) {
  return call.kind == ExprKind::Call && !call.axes.empty() ? &call.axes : nullptr;
}

const std::string *queriedAxis(const Expr &call) {
  const Builtin *builtin = findBuiltin(call.text, false);
  bool isQuery = call.kind == ExprKind::Call && builtin && builtin->kind == BuiltinKind::Query;
  return isQuery ? &call.operands[0]->text : nullptr;
}

const Expr *sortKey(const Expr &call) { return call.hasKey ? call.operands.back().get() : nullptr; }

bool isReduction(const std::string &function) {
  const Builtin *builtin = findBuiltin(function, true);
  return builtin && builtin->kind == BuiltinKind::Reduction;
}

AxesOf::AxesOf(const File &file) {
  for (const auto &item : file.items) {
    if (const auto *fn = std::get_if<FnDef>(&item))
      functions[fn->name.name] = fn;
    else if (const auto *loss = std::get_if<LossDef>(&item))
      lossDef = loss;
  }
  for (const FnDef &fn : file.library)
    functions.emplace(fn.name.name, &fn);
  for (const LossArg &arg : lossDef->args)
    for (const Identifier &axis : arg.axes)
      addAxis(axis.name);
  addCopies(lossDef->body);
  for (const auto &[name, fn] : functions)
    addCopies(fn->body);
  // Follows every call once, so that the axes of the functions' arguments are known.
  Names names = namesOf(*lossDef);
  infer(*lossDef->body.result, names);
  for (const auto &[name, fn] : functions)
    for (const Derivative &derivative : fn->derivatives)
      infer(*derivative.value, namesOf(*fn));
}

void AxesOf::addAxis(const std::string &name) {
  if (std::find(allAxes.begin(), allAxes.end(), name) == allAxes.end())
    allAxes.push_back(name);
}

void AxesOf::addCopies(const Block &block) {
  for (const AxisDef &copy : block.axes) {
    addAxis(copy.name.name);
    copyOf.emplace(copy.name.name, copy.original.name);
  }
}

const FnDef *AxesOf::function(const std::string &name) const {
  auto found = functions.find(name);
  return found == functions.end() ? nullptr : found->second;
}

Names AxesOf::namesOf(const LossDef &loss) const {
  Names names;
  for (const LossArg &arg : loss.args) {
    AxisNames &axes = names[arg.name.name];
    for (const Identifier &axis : arg.axes)
      axes.insert(axis.name);
  }
  for (const Let &let : loss.body.lets)
    names[let.name.name] = infer(*let.value, names);
  return names;
}

Names AxesOf::bind(const FnDef &fn, const std::vector<AxisNames> &arguments) const {
  Names names;
  for (size_t i = 0; i < fn.args.size(); ++i)
    names[fn.args[i].name.name] = i < arguments.size() ? arguments[i] : AxisNames();
  for (const Let &let : fn.body.lets)
    names[let.name.name] = infer(*let.value, names);
  return names;
}

Names AxesOf::namesOf(const FnDef &fn) const {
  auto call = firstCalls.find(&fn);
  bool known = call != firstCalls.end() && worksOverAxes(fn);
  return bind(fn, known ? call->second : std::vector<AxisNames>());
}

bool AxesOf::worksOverAxes(const Expr &expr) const {
  if (expr.kind == ExprKind::Rename)
    return true;
  if (expr.kind == ExprKind::Call) {
    if (overAxes(expr) || queriedAxis(expr))
      return true;
    if (const FnDef *fn = function(expr.text); fn && worksOverAxes(*fn))
      return true;
  }
  return std::any_of(expr.operands.begin(), expr.operands.end(),
                     [&](const ExprPtr &operand) { return worksOverAxes(*operand); });
}

bool AxesOf::worksOverAxes(const FnDef &fn) const {
  if (auto known = overAxesKnown.find(&fn); known != overAxesKnown.end())
    return known->second;
  bool works = worksOverAxes(*fn.body.result) ||
               std::any_of(fn.body.lets.begin(), fn.body.lets.end(),
                           [&](const Let &let) { return worksOverAxes(*let.value); });
  return overAxesKnown[&fn] = works;
}

AxisNames AxesOf::infer(const Expr &expr, const Names &names) const {
  if (expr.kind == ExprKind::Name) {
    auto known = names.find(expr.text);
    return known == names.end() ? AxisNames() : known->second;
  }
  if (expr.kind == ExprKind::Call)
    return inferCall(expr, names);
  AxisNames axes;
  for (const ExprPtr &operand : expr.operands)
    axes.merge(infer(*operand, names));
  if (expr.kind == ExprKind::Rename && axes.erase(expr.axes[0].name))
    axes.insert(expr.axes[1].name);
  return axes;
}

AxisNames AxesOf::inferCall(const Expr &call, const Names &names) const {
  if (const std::string *axis = queriedAxis(call))
    return call.text == "index" ? AxisNames{*axis} : AxisNames();
  std::vector<AxisNames> arguments;
  AxisNames all;
  for (const ExprPtr &operand : call.operands) {
    arguments.push_back(infer(*operand, names));
    all.insert(arguments.back().begin(), arguments.back().end());
  }
  if (const std::vector<Identifier> *over = overAxes(call)) {
    if (isReduction(call.text))
      for (const Identifier &axis : *over)
        all.erase(axis.name);
    return all;
  }
  const FnDef *fn = function(call.text);
  if (!fn)
    return all;
  firstCalls.emplace(fn, arguments);
  auto key = std::pair(fn, arguments);
  if (auto known = results.find(key); known != results.end())
    return known->second;
  AxisNames result = infer(*fn->body.result, bind(*fn, arguments));
  results.emplace(std::move(key), result);
  return result;
}

} // namespace loss::latex
