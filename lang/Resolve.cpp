//===- Resolve.cpp - names, arities, axes, recursion in bodies ------------===//
#include "lang/Builtins.h"
#include "lang/Foreign.h"
#include "lang/Parser.h"
#include "lang/SemaDetail.h"
#include "lang/Suggest.h"

#include <algorithm>

namespace loss::lang::detail {

namespace {

using Names = std::vector<std::string_view>;

class Resolver {
public:
  Resolver(Definitions &definitions, DiagnosticEngine &diagnostics)
      : definitions(definitions), diagnostics(diagnostics) {}

  void run() {
    if (definitions.loss)
      collectReached();
    for (const Item &item : definitions.file.items)
      if (const auto *fn = std::get_if<FnDef>(&item))
        resolveFn(*fn);
    for (const FnDef &fn : definitions.file.library) {
      // A library is there to be used in part: what the loss does not call may have other axes.
      mayHaveOtherAxes = definitions.loss && !reached.count(&fn);
      resolveFn(fn);
    }
    mayHaveOtherAxes = false;
    if (definitions.loss)
      resolveLoss();
    checkRecursion();
    if (definitions.loss)
      collectUnused();
  }

private:
  /// A value that a body can name.
  struct Binding {
    SourceRange range;
    bool isLet = false;
    bool used = false;
    /// Its value has an error, so nothing is known of it.
    bool isBroken = false;
  };
  struct Scope {
    std::unordered_map<std::string_view, Binding> bindings;
    /// In order of definition, for hints and warnings.
    Names order;
    /// Names that later statements define.
    const Block *block = nullptr;
    const FnDef *fn = nullptr;
  };

  //===--- Bodies ---------------------------------------------------------===//

  void define(Scope &scope, const Identifier &name, std::string_view what, bool isLet) {
    if (const BuiltinConstant *constant = findBuiltinConstant(name.name)) {
      diagnostics.error(name.range, "'" + name.name + "' is a builtin constant").hint =
          std::string(constant->doc);
      return;
    }
    auto [entry, isNew] = scope.bindings.emplace(name.name, Binding{name.range, isLet});
    if (isNew) {
      scope.order.push_back(name.name);
      return;
    }
    Diagnostic &diagnostic = diagnostics.error(name.range, "the " + std::string(what) + " '" +
                                                               name.name + "' is already defined");
    diagnostic.notes.push_back({entry->second.range, "the previous definition is here"});
    if (isLet)
      diagnostic.hint = "values do not change; choose another name";
  }

  /// `hint` for a name that is like none of the axes.
  int resolveAxis(const Identifier &axis, const std::string &hint = {}) {
    if (mayHaveOtherAxes && definitions.axisIndex(axis.name) < 0)
      return -1;
    int index = findAxis(definitions, axis, diagnostics, hint);
    if (index >= 0)
      usedAxes.insert(index);
    return index;
  }

  void resolveFn(const FnDef &fn) {
    Scope scope;
    scope.fn = &fn;
    for (const FnArg &arg : fn.args) {
      define(scope, arg.name, "argument", false);
      if (!arg.axes || !checkDistinct(*arg.axes, diagnostics))
        continue;
      for (const Identifier &axis : *arg.axes)
        resolveAxis(axis);
    }
    for (const AxisDef &axis : fn.body.axes)
      diagnostics.error(axis.range, "an axis is declared in the loss, not in a function").hint =
          "functions see the axes of the loss";
    Scope arguments = scope;
    resolveBlock(fn.body, scope);
    resolveDerivatives(fn, arguments);
  }

  void resolveDerivatives(const FnDef &fn, Scope &scope) {
    scope.block = nullptr;
    std::unordered_map<std::string_view, SourceRange> seen;
    for (const Derivative &derivative : fn.derivatives) {
      const Identifier &name = derivative.name;
      auto [entry, isNew] = seen.emplace(name.name, name.range);
      if (!isNew) {
        Diagnostic &diagnostic = diagnostics.error(name.range, "the derivative by '" + name.name +
                                                                   "' is already defined");
        diagnostic.notes.push_back({entry->second, "the previous definition is here"});
      } else if (!scope.bindings.count(name.name) && fn.headComplete) {
        Diagnostic &diagnostic =
            diagnostics.error(name.range, "expected an argument of '" + fn.name.name +
                                              "', but found '" + name.name + "'");
        diagnostic.hint = didYouMean(name.name, scope.order);
      }
      resolveExpr(*derivative.value, scope);
    }
  }

  void resolveLoss() {
    Scope scope;
    for (const LossArg &arg : definitions.loss->args)
      define(scope, arg.name,
             arg.isInput()                      ? "input"
             : arg.kind == LossArg::Kind::Param ? "parameter"
                                                : "option",
             false);
    resolveBlock(definitions.loss->body, scope);
    // Inputs and parameters are asked for their influence on the result later.
    for (const LossArg &arg : definitions.loss->args)
      if (arg.kind == LossArg::Kind::Option && !scope.bindings[arg.name.name].used)
        definitions.warnings.push_back(
            {arg.name.range, "unused-option", "the option '" + arg.name.name + "' is not used"});
    for (const AxisDef &axis : definitions.loss->body.axes)
      if (!usedAxes.count(definitions.axisIndex(axis.name.name)))
        definitions.warnings.push_back(
            {axis.name.range, "unused-axis", "the axis '" + axis.name.name + "' is not used"});
  }

  void resolveBlock(const Block &block, Scope &scope) {
    scope.block = &block;
    for (const Let &let : block.lets) {
      resolveExpr(*let.value, scope);
      define(scope, let.name, "name", true);
      if (auto entry = scope.bindings.find(let.name.name); entry != scope.bindings.end())
        entry->second.isBroken |= let.value->kind == ExprKind::Error;
    }
    resolveExpr(*block.result, scope);
    for (std::string_view name : scope.order) {
      const Binding &binding = scope.bindings.at(name);
      if (binding.isLet && !binding.used)
        definitions.warnings.push_back(
            {binding.range, "unused-name", "the name '" + std::string(name) + "' is not used"});
    }
  }

  void resolveExpr(const Expr &expr, Scope &scope) {
    if (diagnostics.errorCount() >= maxErrors)
      return;
    if (expr.kind == ExprKind::Name)
      return resolveName(expr, scope);
    if (expr.kind == ExprKind::Call)
      return resolveCall(expr, scope);
    if (expr.kind == ExprKind::Rename)
      resolveRename(expr);
    for (const ExprPtr &operand : expr.operands)
      resolveExpr(*operand, scope);
  }

  void resolveRename(const Expr &expr) {
    const Identifier &from = expr.axes[0], &to = expr.axes[1];
    resolveAxis(from);
    std::string hint;
    if (definitions.axisIndex(from.name) >= 0)
      hint = "declare the copy at the start of the block of the loss: 'axis " + to.name + " = " +
             from.name + "'";
    resolveAxis(to, hint);
  }

  void resolveName(const Expr &expr, Scope &scope) {
    auto found = scope.bindings.find(expr.text);
    if (found != scope.bindings.end()) {
      found->second.used = true;
      return;
    }
    bool isBroken = scope.fn && !scope.fn->headComplete;
    if (findBuiltinConstant(expr.text) || definitions.isLost(expr.text) || isBroken)
      return;
    Diagnostic &diagnostic = diagnostics.error(expr.range, "unknown name '" + expr.text + "'");
    diagnostic.hint = hintForName(expr.text, scope, diagnostic);
  }

  std::string hintForName(const std::string &name, const Scope &scope, Diagnostic &diagnostic) {
    if (scope.block)
      for (const Let &let : scope.block->lets)
        if (let.name.name == name) {
          diagnostic.notes.push_back({let.name.range, "it is defined here, after this use"});
          return {};
        }
    if (definitions.functions.count(name) || findBuiltin(name, false))
      return "'" + name + "' is a function; call it: '" + name + "(...)'";
    if (scope.fn && definitions.loss)
      for (const LossArg &arg : definitions.loss->args)
        if (arg.name.name == name)
          return "a function sees its own arguments only; pass '" + name + "' as one";
    if (definitions.axisIndex(name) >= 0)
      return "'" + name + "' is an axis; its number of elements is 'size(" + name + ")'";
    // An input with a mistake in its name comes before what another language calls so.
    if (std::string hint = didYouMean(name, scope.order); !hint.empty())
      return hint;
    if (const Foreign *row = findForeignValue(name))
      return foreignHint(*row, {{}, someAxis(), firstAxis(), definitions.axes});
    Names candidates;
    for (const BuiltinConstant &constant : builtinConstants())
      candidates.push_back(constant.name);
    return didYouMean(name, candidates);
  }

  //===--- Calls ----------------------------------------------------------===//

  void resolveCall(const Expr &call, Scope &scope) {
    auto fn = definitions.functions.find(call.text);
    const Builtin *builtin = findBuiltin(call.text, !call.axes.empty());
    bool isKnown = fn != definitions.functions.end() || builtin;
    bool hasError = std::any_of(call.operands.begin(), call.operands.end(),
                                [](const ExprPtr &x) { return x->kind == ExprKind::Error; });
    if (definitions.brokenFunctions.count(call.text) || (isKnown && hasError)) {
      // Whatever the call looks like, the function or an argument had an error first.
    } else if (fn != definitions.functions.end()) {
      checkFnCall(call, *fn->second);
    } else if (builtin && builtin->kind == BuiltinKind::Query) {
      return checkQuery(call, scope);
    } else if (builtin && lacksAxis(call, *builtin, scope)) {
      return reportMissingAxis(call, scope);
    } else if (builtin) {
      checkBuiltinCall(call, *builtin, scope);
    } else if (!definitions.isLostFunction(call.text)) {
      reportUnknownFunction(call, scope);
    }
    for (const Identifier &axis : call.axes)
      resolveAxis(axis);
    checkDistinct(call.axes, diagnostics);
    for (const ExprPtr &operand : call.operands)
      resolveExpr(*operand, scope);
  }

  /// An axis where a value is wanted.
  bool isAxis(const Expr &expr, const Scope &scope) const {
    return expr.kind == ExprKind::Name && !scope.bindings.count(expr.text) &&
           definitions.axisIndex(expr.text) >= 0;
  }

  void checkFnCall(const Expr &call, const FnDef &fn) {
    if (call.operands.size() - call.hasKey != fn.args.size()) {
      Diagnostic &diagnostic = diagnostics.error(
          call.range, "expected " + countOf(fn.args.size(), "argument") + " of '" + call.text +
                          "', but found " + std::to_string(call.operands.size()));
      diagnostic.notes.push_back({fn.name.range, "the function is defined here"});
    }
    if (!call.axes.empty())
      diagnostics
          .error(call.axes[0].range, "the function '" + call.text + "' does not take an axis")
          .hint = "name the axis inside the function";
  }

  /// For examples in hints.
  std::string someAxis() const {
    return definitions.axes.empty() ? "class" : definitions.axes.back();
  }
  std::string firstAxis() const {
    return definitions.axes.empty() ? "batch" : definitions.axes.front();
  }

  /// How the form of a foreign function is written for this call.
  ForeignCall foreignCall(const Expr &call, const Scope &scope) const {
    ForeignCall result = {{}, someAxis(), firstAxis(), definitions.axes};
    bool isPlain = true;
    for (const ExprPtr &operand : call.operands)
      if (isAxis(*operand, scope))
        result.axis = operand->text;
      else if (operand->kind == ExprKind::Name || operand->kind == ExprKind::Number)
        result.arguments.push_back(operand->text);
      else
        isPlain = false;
    if (!call.axes.empty())
      result.axis = call.axes[0].name;
    if (!isPlain)
      result.arguments.clear();
    return result;
  }

  /// sum(x), sum(x, class), max(x), max(x, class).
  bool lacksAxis(const Expr &call, const Builtin &builtin, const Scope &scope) const {
    bool overAxis = worksOverAxis(builtin.kind);
    const Builtin *overForm = findBuiltin(call.text, true);
    if (!call.axes.empty() || !(overAxis || (overForm && worksOverAxis(overForm->kind))))
      return false;
    return overAxis || call.operands.size() == 1 ||
           (call.operands.size() == 2 && isAxis(*call.operands[1], scope));
  }

  void reportMissingAxis(const Expr &call, Scope &scope) {
    std::string x = "x", axis = someAxis();
    for (const ExprPtr &operand : call.operands)
      if (isAxis(*operand, scope))
        axis = operand->text;
      else if (operand->kind == ExprKind::Name)
        x = operand->text;
    diagnostics.error(call.range, "expected an axis of '" + call.text + "', but found none").hint =
        "write '" + call.text + "(" + x + " over " + axis + ")'";
    for (const ExprPtr &operand : call.operands)
      if (!isAxis(*operand, scope))
        resolveExpr(*operand, scope);
  }

  void checkBuiltinCall(const Expr &call, const Builtin &builtin, const Scope &scope) {
    bool overAxis = worksOverAxis(builtin.kind);
    size_t arity = arityOf(builtin.kind), found = call.operands.size() - call.hasKey;
    if (!call.axes.empty() && !overAxis) {
      diagnostics.error(call.axes[0].range,
                        "'" + call.text + "' works elementwise and takes no axis");
      return;
    }
    if (found != arity) {
      Diagnostic &diagnostic =
          diagnostics.error(call.range, "expected " + countOf(arity, "argument") + " of '" +
                                            call.text + "'" + (overAxis ? " over an axis" : "") +
                                            ", but found " + std::to_string(found));
      if (overAxis && findBuiltin(call.text, false)->kind == BuiltinKind::Binary && found == 2)
        diagnostic.hint =
            "write '" + call.text + "(" + call.text + "(x, y) over " + call.axes[0].name + ")'";
      else if (const Foreign *row = findForeignFunction(call.text, found, false); row && !overAxis)
        diagnostic.hint = foreignHint(*row, foreignCall(call, scope));
      return;
    }
    if (call.hasKey && !takesKey(builtin.op))
      diagnostics.error(call.operands.back()->range, "'" + call.text + "' takes no key to sort by")
          .hint = "'by' belongs to 'cumsum(x over " + someAxis() + " by key)'";
    if (call.axes.size() > 1 && !worksOverSeveralAxes(builtin.op))
      diagnostics
          .error(call.axes[1].range, "expected one axis of '" + call.text + "', but found " +
                                         std::to_string(call.axes.size()))
          .hint = "several axes have no common order; name one";
  }

  /// size(class): the operand is the name of an axis.
  void checkQuery(const Expr &call, const Scope &scope) {
    bool isName = call.operands.size() == 1 && call.operands[0]->kind == ExprKind::Name;
    if (!isName || !call.axes.empty()) {
      diagnostics.error(call.range, "expected one axis as the argument of '" + call.text + "'")
          .hint = "write '" + call.text + "(" + someAxis() + ")'";
      return;
    }
    const Expr &operand = *call.operands[0];
    if (definitions.axisIndex(operand.text) < 0 && scope.bindings.count(operand.text)) {
      diagnostics.error(operand.range, "unknown axis '" + operand.text + "'").hint =
          "'" + operand.text + "' is a value; write '" + call.text + "(" + someAxis() + ")'";
      return;
    }
    resolveAxis({call.operands[0]->text, call.operands[0]->range});
  }

  void reportUnknownFunction(const Expr &call, const Scope &scope) {
    if (auto value = scope.bindings.find(call.text); value != scope.bindings.end()) {
      if (value->second.isBroken)
        return;
      diagnostics.error(call.textRange, "'" + call.text + "' is not a function").hint =
          "a product is written with '*'";
      return;
    }
    Diagnostic &diagnostic =
        diagnostics.error(call.textRange, "unknown function '" + call.text + "'");
    if (definitions.loss && definitions.loss->name.name == call.text) {
      diagnostic.hint = "'" + call.text + "' is the loss itself and cannot be called";
      return;
    }
    Names candidates;
    for (const auto &[name, fn] : definitions.functions)
      candidates.push_back(name);
    // The map has no order of its own, and of equally near names the first wins.
    std::sort(candidates.begin(), candidates.end());
    // A function of the file with a mistake in its name comes before what another language calls
    // so.
    diagnostic.hint = didYouMean(call.text, candidates);
    if (!diagnostic.hint.empty())
      return;
    if (const Foreign *row = findForeignFunction(call.text, call.operands.size(), true)) {
      diagnostic.hint = foreignHint(*row, foreignCall(call, scope));
      return;
    }
    candidates.clear();
    for (const Builtin &builtin : builtins())
      candidates.push_back(builtin.name);
    diagnostic.hint = didYouMean(call.text, candidates);
  }

  //===--- Recursion and unused definitions -------------------------------===//

  struct CallOf {
    const FnDef *callee;
    SourceRange range;
  };

  void callsIn(const Expr &expr, std::vector<CallOf> &calls) {
    if (expr.kind == ExprKind::Call) {
      auto fn = definitions.functions.find(expr.text);
      if (fn != definitions.functions.end())
        calls.push_back({fn->second, expr.range});
    }
    for (const ExprPtr &operand : expr.operands)
      callsIn(*operand, calls);
  }

  std::vector<CallOf> callsIn(const Block &block) {
    std::vector<CallOf> calls;
    for (const Let &let : block.lets)
      callsIn(*let.value, calls);
    callsIn(*block.result, calls);
    return calls;
  }

  std::vector<CallOf> callsIn(const FnDef &fn) {
    std::vector<CallOf> calls = callsIn(fn.body);
    for (const Derivative &derivative : fn.derivatives)
      callsIn(*derivative.value, calls);
    return calls;
  }

  /// Depth-first with a stack of its own: a chain of functions may be long.
  void checkRecursion() {
    enum State : uint8_t { New, Active, Done };
    std::unordered_map<const FnDef *, State> states;
    struct Frame {
      const FnDef *fn;
      std::vector<CallOf> calls;
      size_t next = 0;
    };
    for (const FnDef *root : definitions.allFunctions()) {
      if (states[root] == Done)
        continue;
      std::vector<Frame> stack;
      stack.push_back({root, callsIn(*root)});
      states[root] = Active;
      while (!stack.empty()) {
        Frame &frame = stack.back();
        if (frame.next == frame.calls.size()) {
          states[frame.fn] = Done;
          stack.pop_back();
          continue;
        }
        CallOf call = frame.calls[frame.next++];
        if (states[call.callee] == Active) {
          Diagnostic &diagnostic = diagnostics.error(
              call.range, "the function '" + call.callee->name.name + "' calls itself");
          diagnostic.hint = "functions are not recursive";
          bool inCycle = false;
          for (size_t i = 0; i < stack.size(); ++i) {
            inCycle |= stack[i].fn == call.callee;
            if (!inCycle)
              continue;
            definitions.brokenFunctions.insert(stack[i].fn->name.name);
            if (i + 1 < stack.size())
              diagnostic.notes.push_back({stack[i].calls[stack[i].next - 1].range,
                                          "by way of '" + stack[i + 1].fn->name.name + "' here"});
          }
        } else if (states[call.callee] == New) {
          states[call.callee] = Active;
          stack.push_back({call.callee, callsIn(*call.callee)});
        }
      }
    }
  }

  /// The functions that the loss calls, directly or not.
  void collectReached() {
    std::vector<CallOf> work = callsIn(definitions.loss->body);
    while (!work.empty()) {
      const FnDef *fn = work.back().callee;
      work.pop_back();
      if (!reached.insert(fn).second)
        continue;
      std::vector<CallOf> calls = callsIn(*fn);
      work.insert(work.end(), calls.begin(), calls.end());
    }
  }

  void collectUnused() {
    for (const Item &item : definitions.file.items)
      if (const auto *fn = std::get_if<FnDef>(&item))
        if (!reached.count(fn))
          definitions.warnings.push_back({fn->name.range, "unused-function",
                                          "the function '" + fn->name.name + "' is not used"});
  }

  Definitions &definitions;
  DiagnosticEngine &diagnostics;
  std::unordered_set<const FnDef *> reached;
  bool mayHaveOtherAxes = false;
  /// Axes that some body names.
  std::unordered_set<int> usedAxes;
};

} // namespace

void resolve(Definitions &definitions, DiagnosticEngine &diagnostics) {
  Resolver(definitions, diagnostics).run();
}

} // namespace loss::lang::detail
