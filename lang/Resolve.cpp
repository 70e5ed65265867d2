//===- Resolve.cpp - names, arities, axes, recursion ----------------------===//
#include "lang/Builtins.h"
#include "lang/Parser.h"
#include "lang/SemaDetail.h"
#include "lang/Suggest.h"

#include <algorithm>
#include <cmath>
#include <unordered_set>

namespace loss::lang::detail {

namespace {

using Names = std::vector<std::string_view>;

/// What other languages call something, and what to write here.
struct Alias {
  std::string_view name, advice;
};
constexpr Alias functionAliases[] = {
    {"ln", "the natural logarithm is 'log'"},
    {"logistic", "the logistic function is 'sigmoid'"},
    {"maximum", "the greater of two values is 'max'"},
    {"minimum", "the smaller of two values is 'min'"},
    {"average", "the average is 'mean(x over class)'"},
    {"clip", "write 'clamp(x, low, high)'"},
    {"where", "write 'if c then a else b'"},
    {"select", "write 'if c then a else b'"},
    {"square", "write 'x^2'"},
    {"lse", "the log of the sum of exponentials is 'logsumexp(x over class)'"},
    {"i0", "write 'bessel_i0'"},
    {"i0e", "write 'bessel_i0e'"},
    {"i1", "write 'bessel_i1'"},
    {"i1e", "write 'bessel_i1e'"},
    {"arcsin", "write 'asin'"},
    {"arccos", "write 'acos'"},
    {"arctan", "write 'atan'"},
    {"arctan2", "write 'atan2'"},
    {"arcsinh", "write 'asinh'"},
    {"arccosh", "write 'acosh'"},
    {"arctanh", "write 'atanh'"},
    {"loggamma", "the log of the gamma function is 'lgamma'"},
    {"gammaln", "the log of the gamma function is 'lgamma'"},
    {"swish", "x sigmoid(x) is 'silu(x)'"},
    {"cross_entropy", "a loss cannot call another loss"},
};

class Resolver {
public:
  Resolver(const File &file, Definitions &definitions, DiagnosticEngine &diagnostics)
      : file(file), definitions(definitions), diagnostics(diagnostics) {}

  bool run() {
    collect();
    if (definitions.loss)
      collectAxes();
    for (const auto &item : file.items) {
      if (diagnostics.errorCount() >= maxErrors)
        return false;
      if (const auto *fn = std::get_if<FnDef>(&item))
        resolveFn(*fn);
      else if (&std::get<LossDef>(item) == definitions.loss)
        resolveLoss();
    }
    if (!diagnostics.hasErrors())
      checkRecursion();
    if (!diagnostics.hasErrors())
      collectUnused();
    return !diagnostics.hasErrors();
  }

private:
  /// A value that a body can name.
  struct Binding {
    SourceRange range;
    bool isLet = false;
    bool used = false;
  };
  struct Scope {
    std::unordered_map<std::string_view, Binding> bindings;
    /// In order of definition, for hints and warnings.
    Names order;
    /// Names that later statements define.
    const Block *block = nullptr;
    const FnDef *fn = nullptr;
  };

  //===--- Definitions ----------------------------------------------------===//

  void collect() {
    for (const auto &item : file.items) {
      if (const auto *fn = std::get_if<FnDef>(&item))
        collectFn(*fn);
      else
        collectLoss(std::get<LossDef>(item));
    }
    if (definitions.loss || diagnostics.hasErrors())
      return;
    SourcePos start = {1, 1};
    diagnostics.error({start, start}, "expected a loss, but found none in this file").hint =
        "a file defines one loss: 'loss name(...) { return ... }'";
  }

  void collectFn(const FnDef &fn) {
    if (findBuiltin(fn.name.name, false)) {
      diagnostics.error(fn.name.range, "'" + fn.name.name + "' is a builtin function").hint =
          "choose another name";
      return;
    }
    auto [entry, isNew] = definitions.functions.emplace(fn.name.name, &fn);
    if (!isNew)
      reportDuplicate("function", fn.name, entry->second->name.range);
  }

  void collectLoss(const LossDef &loss) {
    if (!definitions.loss) {
      definitions.loss = &loss;
      return;
    }
    Diagnostic &diagnostic =
        diagnostics.error(loss.name.range, "expected one loss in a file, but found another");
    diagnostic.notes.push_back({definitions.loss->name.range, "the first one is here"});
  }

  void reportDuplicate(std::string_view what, const Identifier &name, SourceRange previous) {
    Diagnostic &diagnostic = diagnostics.error(name.range, "the " + std::string(what) + " '" +
                                                               name.name + "' is already defined");
    diagnostic.notes.push_back({previous, "the previous definition is here"});
  }

  //===--- The signature of the loss --------------------------------------===//

  /// The axes of the loss are those of the first input with the most; the others have some of them,
  /// in the same order.
  void collectAxes() {
    const LossDef &loss = *definitions.loss;
    const LossArg *widest = nullptr;
    for (const LossArg &arg : loss.args) {
      if (arg.kind == LossArg::Kind::Param)
        continue;
      if (!checkDistinct(arg.axes))
        return;
      if (!widest || arg.axes.size() > widest->axes.size())
        widest = &arg;
    }
    if (!widest) {
      diagnostics.error(loss.name.range, "expected a loss with an input, but found none").hint =
          "write 'logits: [batch, class]'";
      return;
    }
    if (widest->axes.size() != 2) {
      size_t count = widest->axes.size();
      diagnostics
          .error(widest->name.range, "expected an input with two axes, rows and classes, but '" +
                                         widest->name.name + "' has " +
                                         (count == 1 ? "one" : std::to_string(count)))
          .hint = "write '" + widest->name.name + ": [batch, class]'";
      return;
    }
    for (const Identifier &axis : widest->axes)
      definitions.axes.push_back(axis.name);
    for (const LossArg &arg : loss.args)
      if (arg.kind != LossArg::Kind::Param)
        checkInputAxes(arg, *widest);
    checkInputKinds();
  }

  bool checkDistinct(const std::vector<Identifier> &axes) {
    for (size_t i = 0; i < axes.size(); ++i)
      for (size_t j = 0; j < i; ++j)
        if (axes[i].name == axes[j].name) {
          diagnostics.error(axes[i].range, "the axis '" + axes[i].name + "' is listed twice");
          return false;
        }
    return true;
  }

  void checkInputAxes(const LossArg &arg, const LossArg &widest) {
    int last = -1;
    for (const Identifier &axis : arg.axes) {
      int index = resolveAxis(axis, &widest.name);
      if (index < 0)
        return;
      if (index < last) {
        Diagnostic &diagnostic = diagnostics.error(
            axis.range, "expected the axes in the order " + axesString(~0u, definitions.axes) +
                            ", but '" + axis.name + "' comes late");
        diagnostic.notes.push_back({widest.name.range, "this input sets the order"});
        return;
      }
      last = index;
    }
    if (arg.kind != LossArg::Kind::Target || arg.axes.size() == definitions.axes.size())
      return;
    diagnostics
        .error(arg.name.range, "expected the target '" + arg.name.name + "' to have the axes " +
                                   axesString(~0u, definitions.axes))
        .hint =
        "a target is a distribution over the classes; the caller may still pass class indices";
  }

  void checkInputKinds() {
    const LossArg *target = nullptr;
    bool hasValue = false;
    for (const LossArg &arg : definitions.loss->args) {
      hasValue |= arg.kind == LossArg::Kind::Value && arg.axes.size() == definitions.axes.size();
      if (arg.kind != LossArg::Kind::Target)
        continue;
      if (target) {
        Diagnostic &diagnostic = diagnostics.error(
            arg.name.range, "expected at most one target, but '" + arg.name.name + "' is another");
        diagnostic.notes.push_back({target->name.range, "the first one is here"});
      }
      target = &arg;
    }
    if (hasValue)
      return;
    diagnostics
        .error(definitions.loss->name.range, "expected an input of type " +
                                                 axesString(~0u, definitions.axes) +
                                                 " that is not a target, but found none")
        .hint = "write 'logits: " + axesString(~0u, definitions.axes) + "'";
  }

  /// Index of an axis of the loss, or -1 after an error. `definedBy` names the input that has the
  /// axes.
  int resolveAxis(const Identifier &axis, const Identifier *definedBy = nullptr) {
    int index = definitions.axisIndex(axis.name);
    // Without axes there was an error already, or there is no loss to have any.
    if (index >= 0 || definitions.axes.empty())
      return index;
    Diagnostic &diagnostic = diagnostics.error(axis.range, "unknown axis '" + axis.name + "'");
    diagnostic.hint = didYouMean(axis.name, {definitions.axes.begin(), definitions.axes.end()});
    if (diagnostic.hint.empty())
      diagnostic.hint = "this loss has the axes " + axesString(~0u, definitions.axes);
    if (definedBy)
      diagnostic.notes.push_back({definedBy->range, "this input sets the axes"});
    return -1;
  }

  //===--- Bodies ---------------------------------------------------------===//

  void define(Scope &scope, const Identifier &name, std::string_view what, bool isLet) {
    if (const BuiltinConstant *constant = findBuiltinConstant(name.name)) {
      diagnostics.error(name.range, "'" + name.name + "' is a builtin constant").hint =
          std::string(constant->doc);
      return;
    }
    auto [entry, isNew] = scope.bindings.emplace(name.name, Binding{name.range, isLet});
    if (isNew)
      scope.order.push_back(name.name);
    else
      reportDuplicate(what, name, entry->second.range);
  }

  void resolveFn(const FnDef &fn) {
    Scope scope;
    scope.fn = &fn;
    for (const FnArg &arg : fn.args) {
      define(scope, arg.name, "argument", false);
      if (!arg.axes || !checkDistinct(*arg.axes))
        continue;
      for (const Identifier &axis : *arg.axes)
        resolveAxis(axis);
    }
    resolveBlock(fn.body, scope);
  }

  void resolveLoss() {
    const LossDef &loss = *definitions.loss;
    Scope scope;
    for (const LossArg &arg : loss.args) {
      bool isParam = arg.kind == LossArg::Kind::Param;
      if (isParam)
        checkDefault(arg);
      define(scope, arg.name, isParam ? "parameter" : "input", false);
    }
    resolveBlock(loss.body, scope);
  }

  void checkDefault(const LossArg &arg) {
    std::optional<double> value = evaluateConstant(*arg.defaultValue);
    SourceRange range = arg.defaultValue->range;
    if (!value)
      diagnostics.error(range, "expected a constant as the default of '" + arg.name.name + "'")
          .hint = "a default consists of numbers, pi and + - * / ^";
    else if (!std::isfinite(*value))
      diagnostics.error(range, "the default of '" + arg.name.name + "' is not a finite number");
  }

  void resolveBlock(const Block &block, Scope &scope) {
    scope.block = &block;
    for (const Let &let : block.lets) {
      resolveExpr(*let.value, scope);
      define(scope, let.name, "name", true);
    }
    resolveExpr(*block.result, scope);
    for (std::string_view name : scope.order) {
      const Binding &binding = scope.bindings.at(name);
      if (binding.isLet && !binding.used)
        definitions.unused.push_back(
            {binding.range, "the name '" + std::string(name) + "' is not used"});
    }
  }

  void resolveExpr(const Expr &expr, Scope &scope) {
    if (diagnostics.errorCount() >= maxErrors)
      return;
    if (expr.kind == ExprKind::Name)
      return resolveName(expr, scope);
    if (expr.kind == ExprKind::Call)
      return resolveCall(expr, scope);
    for (const ExprPtr &operand : expr.operands)
      resolveExpr(*operand, scope);
  }

  void resolveName(const Expr &expr, Scope &scope) {
    auto found = scope.bindings.find(expr.text);
    if (found != scope.bindings.end()) {
      found->second.used = true;
      return;
    }
    if (findBuiltinConstant(expr.text))
      return;
    Diagnostic &diagnostic = diagnostics.error(expr.range, "unknown name '" + expr.text + "'");
    diagnostic.hint = hintForName(expr.text, scope, diagnostic);
  }

  std::string hintForName(const std::string &name, const Scope &scope, Diagnostic &diagnostic) {
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
    Names candidates = scope.order;
    for (const BuiltinConstant &constant : builtinConstants())
      candidates.push_back(constant.name);
    return didYouMean(name, candidates);
  }

  //===--- Calls ----------------------------------------------------------===//

  void resolveCall(const Expr &call, Scope &scope) {
    auto fn = definitions.functions.find(call.text);
    if (fn != definitions.functions.end()) {
      checkFnCall(call, *fn->second);
    } else if (const Builtin *builtin = findBuiltin(call.text, call.axis.has_value())) {
      if (builtin->kind == BuiltinKind::Query)
        return checkQuery(call);
      checkBuiltinCall(call, *builtin);
    } else {
      reportUnknownFunction(call, scope);
    }
    if (call.axis)
      resolveAxis(*call.axis);
    for (const ExprPtr &operand : call.operands)
      resolveExpr(*operand, scope);
  }

  void checkFnCall(const Expr &call, const FnDef &fn) {
    if (call.operands.size() != fn.args.size()) {
      Diagnostic &diagnostic = diagnostics.error(
          call.range, "expected " + countOf(fn.args.size(), "argument") + " of '" + call.text +
                          "', but found " + std::to_string(call.operands.size()));
      diagnostic.notes.push_back({fn.name.range, "the function is defined here"});
    }
    if (call.axis)
      diagnostics.error(call.axis->range, "the function '" + call.text + "' does not take an axis")
          .hint = "name the axis inside the function";
  }

  void checkBuiltinCall(const Expr &call, const Builtin &builtin) {
    bool overAxis = worksOverAxis(builtin.kind);
    size_t arity = builtin.kind == BuiltinKind::Ternary  ? 3
                   : builtin.kind == BuiltinKind::Binary ? 2
                                                         : 1;
    if (call.axis && !overAxis) {
      diagnostics.error(call.axis->range,
                        "'" + call.text + "' works elementwise and takes no axis");
      return;
    }
    // max(x) and min(x): an axis is what is missing.
    bool hasAxisForm = overAxis || worksOverAxis(findBuiltin(call.text, true)->kind);
    if (!call.axis && hasAxisForm && (overAxis || call.operands.size() == 1)) {
      std::string axis = definitions.axes.empty() ? "class" : definitions.axes.back();
      diagnostics.error(call.range, "expected an axis of '" + call.text + "', but found none")
          .hint = "write '" + call.text + "(x over " + axis + ")'";
      return;
    }
    if (call.operands.size() == arity)
      return;
    diagnostics.error(call.range, "expected " + countOf(arity, "argument") + " of '" + call.text +
                                      "'" + (call.axis ? " over an axis" : "") + ", but found " +
                                      std::to_string(call.operands.size()));
  }

  /// size(class): the operand is the name of an axis.
  void checkQuery(const Expr &call) {
    if (call.operands.size() != 1 || call.operands[0]->kind != ExprKind::Name || call.axis) {
      std::string axis = definitions.axes.empty() ? "class" : definitions.axes.back();
      diagnostics.error(call.range, "expected one axis as the argument of '" + call.text + "'")
          .hint = "write '" + call.text + "(" + axis + ")'";
      return;
    }
    resolveAxis({call.operands[0]->text, call.operands[0]->range});
  }

  void reportUnknownFunction(const Expr &call, const Scope &scope) {
    if (scope.bindings.count(call.text)) {
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
    for (const Alias &alias : functionAliases)
      if (alias.name == call.text) {
        diagnostic.hint = alias.advice;
        return;
      }
    Names candidates;
    for (const auto &[name, fn] : definitions.functions)
      candidates.push_back(name);
    // The map has no order of its own, and of equally near names the first wins.
    std::sort(candidates.begin(), candidates.end());
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

  /// Depth-first with a stack of its own: a chain of functions may be long.
  void checkRecursion() {
    enum State : uint8_t { New, Active, Done };
    std::unordered_map<const FnDef *, State> states;
    struct Frame {
      const FnDef *fn;
      std::vector<CallOf> calls;
      size_t next = 0;
    };
    for (const auto &item : file.items) {
      const auto *root = std::get_if<FnDef>(&item);
      if (!root || states[root] == Done)
        continue;
      std::vector<Frame> stack;
      stack.push_back({root, callsIn(root->body)});
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
          for (size_t i = 0; i + 1 < stack.size(); ++i) {
            inCycle |= stack[i].fn == call.callee;
            if (inCycle)
              diagnostic.notes.push_back({stack[i].calls[stack[i].next - 1].range,
                                          "by way of '" + stack[i + 1].fn->name.name + "' here"});
          }
          return;
        }
        if (states[call.callee] == New) {
          states[call.callee] = Active;
          stack.push_back({call.callee, callsIn(call.callee->body)});
        }
      }
    }
  }

  void collectUnused() {
    std::unordered_set<const FnDef *> reached;
    std::vector<CallOf> work = callsIn(definitions.loss->body);
    while (!work.empty()) {
      const FnDef *fn = work.back().callee;
      work.pop_back();
      if (!reached.insert(fn).second)
        continue;
      std::vector<CallOf> calls = callsIn(fn->body);
      work.insert(work.end(), calls.begin(), calls.end());
    }
    for (const auto &item : file.items)
      if (const auto *fn = std::get_if<FnDef>(&item))
        if (!reached.count(fn))
          definitions.unused.push_back(
              {fn->name.range, "the function '" + fn->name.name + "' is not used"});
  }

  const File &file;
  Definitions &definitions;
  DiagnosticEngine &diagnostics;
};

} // namespace

bool resolve(const File &file, Definitions &definitions, DiagnosticEngine &diagnostics) {
  return Resolver(file, definitions, diagnostics).run();
}

} // namespace loss::lang::detail
