//===- Signature.cpp - the heads of the definitions -----------------------===//
#include "lang/AstPrinter.h"
#include "lang/Builtins.h"
#include "lang/Parser.h"
#include "lang/SemaDetail.h"
#include "lang/Suggest.h"

#include <cmath>

namespace loss::lang::detail {

std::vector<const FnDef *> Definitions::allFunctions() const {
  std::vector<const FnDef *> result;
  for (const Item &item : file.items)
    if (const auto *fn = std::get_if<FnDef>(&item))
      result.push_back(fn);
  for (const FnDef &fn : file.library)
    result.push_back(&fn);
  return result;
}

bool checkDistinct(const std::vector<Identifier> &axes, DiagnosticEngine &diagnostics) {
  for (size_t i = 0; i < axes.size(); ++i)
    for (size_t j = 0; j < i; ++j)
      if (axes[i].name == axes[j].name) {
        diagnostics.error(axes[i].range, "the axis '" + axes[i].name + "' is listed twice");
        return false;
      }
  return true;
}

int findAxis(const Definitions &definitions, const Identifier &axis, DiagnosticEngine &diagnostics,
             const std::string &hint) {
  int index = definitions.axisIndex(axis.name);
  // Without axes there was an error already, or there is no loss to have any.
  if (index >= 0 || !definitions.axesKnown || definitions.isLost(axis.name))
    return index;
  Diagnostic &diagnostic = diagnostics.error(axis.range, "unknown axis '" + axis.name + "'");
  diagnostic.hint = didYouMean(axis.name, {definitions.axes.begin(), definitions.axes.end()});
  if (diagnostic.hint.empty())
    diagnostic.hint =
        hint.empty() ? "this loss has the axes " + axesString(~0u, definitions.axes) : hint;
  return -1;
}

namespace {

class SignatureReader {
public:
  SignatureReader(Definitions &definitions, DiagnosticEngine &diagnostics)
      : definitions(definitions), diagnostics(diagnostics) {}

  void run() {
    for (const FnDef *fn : definitions.allFunctions())
      collectFn(*fn);
    for (const Item &item : definitions.file.items)
      if (const auto *loss = std::get_if<LossDef>(&item))
        collectLoss(*loss);
    if (!definitions.loss) {
      definitions.axesKnown = false;
      reportNoLoss();
      return;
    }
    definitions.axesKnown = definitions.loss->headComplete;
    collectInputs();
    collectAxes();
    collectCopies();
    checkTarget();
    for (const LossArg &arg : definitions.loss->args)
      if (!arg.isInput())
        checkSetting(arg);
  }

private:
  //===--- Definitions ----------------------------------------------------===//

  void reportNoLoss() {
    // What could not be read may be the loss.
    if (!definitions.file.complete)
      return;
    SourcePos start = {1, 1};
    diagnostics.error({start, start}, "expected a loss, but found none in this file").hint =
        "a file defines one loss: 'loss name(...) { return ... }'";
  }

  void collectFn(const FnDef &fn) {
    if (!fn.headComplete)
      definitions.brokenFunctions.insert(fn.name.name);
    if (findBuiltin(fn.name.name, false)) {
      diagnostics.error(fn.name.range, "'" + fn.name.name + "' is a builtin function").hint =
          "choose another name";
      definitions.brokenFunctions.insert(fn.name.name);
      return;
    }
    auto [entry, isNew] = definitions.functions.emplace(fn.name.name, &fn);
    if (isNew)
      return;
    Diagnostic &diagnostic =
        diagnostics.error(fn.name.range, "the function '" + fn.name.name + "' is already defined");
    diagnostic.notes.push_back({entry->second->name.range, "the previous definition is here"});
    definitions.brokenFunctions.insert(fn.name.name);
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

  //===--- Axes -----------------------------------------------------------===//

  void collectInputs() {
    bool hasValue = false;
    for (const LossArg &arg : definitions.loss->args) {
      if (!arg.isInput())
        continue;
      hasValue |= arg.kind == LossArg::Kind::Value;
      inputs.push_back(&arg);
    }
    // An input may be among what could not be read.
    if (hasValue || !definitions.axesKnown)
      return;
    const Identifier &name = definitions.loss->name;
    definitions.axesKnown = !inputs.empty();
    if (inputs.empty())
      diagnostics.error(name.range, "expected a loss with an input, but found none").hint =
          "write 'logits: [batch, class]'";
    else
      diagnostics
          .error(name.range, "expected an input that gradients flow to, but found only targets and "
                             "fixed ones")
          .hint = "declare the prediction without 'target' and 'fixed'";
  }

  /// The axes in any order that every input keeps; of several, the one in which they appear first.
  void collectAxes() {
    for (const LossArg *arg : inputs) {
      if (!checkDistinct(arg->axes, diagnostics)) {
        definitions.axesKnown = false;
        return;
      }
      for (const Identifier &axis : arg->axes)
        if (!addAxis(axis, -1))
          return;
    }
    if (definitions.axes.empty()) {
      if (definitions.axesKnown)
        diagnostics
            .error(inputs[0]->name.range,
                   "expected an input with an axis, but '" + inputs[0]->name.name + "' has none")
            .hint = "write '" + inputs[0]->name.name + ": [batch]'";
      definitions.axesKnown = false;
      return;
    }
    // What is written first is no order yet.
    size_t count = definitions.axes.size();
    std::vector<bool> placed(count);
    std::vector<size_t> order;
    while (order.size() < count) {
      size_t next = 0;
      while (next < count && (placed[next] || !isNext(next, placed)))
        ++next;
      if (next == count) {
        reportContradiction(placed);
        return;
      }
      placed[next] = true;
      order.push_back(next);
    }
    std::vector<std::string> names;
    std::vector<SourceRange> ranges;
    for (size_t i : order) {
      names.push_back(definitions.axes[i]);
      ranges.push_back(definitions.axisRanges[i]);
    }
    definitions.axes = std::move(names);
    definitions.axisRanges = std::move(ranges);
  }

  bool addAxis(const Identifier &axis, int original) {
    if (original < 0 && definitions.axisIndex(axis.name) >= 0)
      return true;
    if (definitions.axes.size() == maxAxes) {
      diagnostics.error(axis.range, "expected at most " + std::to_string(maxAxes) +
                                        " axes of a loss, but '" + axis.name + "' is another");
      definitions.axesKnown = false;
      return false;
    }
    definitions.axes.push_back(axis.name);
    definitions.axisRanges.push_back(axis.range);
    definitions.copyOf.push_back(original);
    return true;
  }

  /// Whether every axis that an input has before this one is placed.
  bool isNext(size_t axis, const std::vector<bool> &placed) const {
    for (const LossArg *arg : inputs)
      for (size_t i = 1; i < arg->axes.size(); ++i)
        if (arg->axes[i].name == definitions.axes[axis] &&
            !placed[definitions.axisIndex(arg->axes[i - 1].name)])
          return false;
    return true;
  }

  /// Follows inputs that ask for an axis before another one in a circle, and shows each.
  void reportContradiction(const std::vector<bool> &placed) {
    struct Step {
      const LossArg *arg;
      const Identifier *before, *after;
    };
    // From any axis that is left, one that must come before it is left too: going there again and
    // again must come back.
    auto predecessor = [&](const std::string &axis) -> Step {
      for (const LossArg *arg : inputs)
        for (size_t i = 1; i < arg->axes.size(); ++i)
          if (arg->axes[i].name == axis && !placed[definitions.axisIndex(arg->axes[i - 1].name)])
            return {arg, &arg->axes[i - 1], &arg->axes[i]};
      return {};
    };
    size_t start = 0;
    while (placed[start])
      ++start;
    std::string axis = definitions.axes[start];
    for (size_t i = 0; i < definitions.axes.size(); ++i)
      axis = predecessor(axis).before->name;
    std::vector<Step> circle;
    std::string first = axis;
    do {
      circle.push_back(predecessor(axis));
      axis = circle.back().before->name;
    } while (axis != first);
    // The latest input is the one to blame.
    size_t last = 0;
    for (size_t i = 0; i < circle.size(); ++i)
      if (circle[i].arg->name.range.begin > circle[last].arg->name.range.begin)
        last = i;
    const Step &culprit = circle[last];
    Diagnostic &diagnostic = diagnostics.error(
        culprit.after->range, "expected an order of the axes that every input keeps, but '" +
                                  culprit.arg->name.name + "' has '" + culprit.before->name +
                                  "' before '" + culprit.after->name + "'");
    for (size_t i = 0; i < circle.size(); ++i)
      if (i != last)
        diagnostic.notes.push_back(
            {circle[i].arg->name.range, "'" + circle[i].arg->name.name + "' has '" +
                                            circle[i].before->name + "' before '" +
                                            circle[i].after->name + "'"});
  }

  void collectCopies() {
    for (const AxisDef &def : definitions.loss->body.axes) {
      int original = findAxis(definitions, def.original, diagnostics);
      int existing = definitions.axisIndex(def.name.name);
      if (existing >= 0) {
        Diagnostic &diagnostic = diagnostics.error(def.name.range, "the axis '" + def.name.name +
                                                                       "' is already defined");
        diagnostic.notes.push_back(
            {definitions.axisRanges[existing], "the previous definition is here"});
      } else if (original < 0) {
        // What it is a copy of was reported as unknown, or is hidden by another error.
        definitions.axesKnown = false;
      } else {
        // A copy of a copy is one more of the original.
        int root = definitions.copyOf[original];
        if (!addAxis(def.name, root < 0 ? original : root))
          return;
      }
    }
  }

  //===--- Targets, parameters, options -----------------------------------===//

  void checkTarget() {
    const LossArg *target = nullptr;
    for (const LossArg *arg : inputs) {
      if (arg->kind != LossArg::Kind::Target)
        continue;
      if (target) {
        Diagnostic &diagnostic =
            diagnostics.error(arg->name.range, "expected at most one target, but '" +
                                                   arg->name.name + "' is another");
        diagnostic.hint = "declare further labels as 'fixed'";
        diagnostic.notes.push_back({target->name.range, "the first one is here"});
      }
      target = arg;
      checkClassAxis(*arg);
    }
  }

  void checkClassAxis(const LossArg &target) {
    if (!definitions.axesKnown)
      return;
    if (target.axes.empty()) {
      diagnostics
          .error(target.name.range,
                 "expected the target '" + target.name.name + "' to have an axis, the classes")
          .hint = "a target is a distribution over the classes; declare other labels as 'fixed'";
      return;
    }
    if (!target.classAxis)
      return;
    Names names;
    for (const Identifier &axis : target.axes)
      names.push_back(axis.name);
    for (std::string_view name : names)
      if (name == target.classAxis->name)
        return;
    diagnostics
        .error(target.classAxis->range, "expected an axis of the target '" + target.name.name +
                                            "', but found '" + target.classAxis->name + "'")
        .hint = didYouMean(target.classAxis->name, names);
  }

  void checkSetting(const LossArg &arg) {
    bool isOption = arg.kind == LossArg::Kind::Option;
    if (arg.defaultValue->kind == ExprKind::Error)
      return;
    std::optional<ConstantValue> value = evaluateConstant(*arg.defaultValue);
    SourceRange range = arg.defaultValue->range;
    const std::string &name = arg.name.name;
    Limits limits = readLimits(arg, value && value->isBool);
    if (!value || (value->isBool && !isOption)) {
      diagnostics.error(range, "expected a constant as the default of '" + name + "'").hint =
          isOption ? "an option is a number, true or false"
                   : "a default consists of numbers, pi and + - * / ^";
    } else if (!std::isfinite(value->value)) {
      diagnostics.error(range, "the default of '" + name + "' is not a finite number");
    } else {
      if (!limits.allow(value->value))
        diagnostics.error(range, "expected " + limits.inWords() + " as the default of '" + name +
                                     "', but found " + spell(*value));
      if (isOption) {
        definitions.options.emplace(name, *value);
        definitions.limits.emplace(name, std::move(limits));
      }
    }
  }

  /// What has an error limits nothing.
  Limits readLimits(const LossArg &arg, bool isTruth) {
    Limits limits;
    for (const Identifier &word : arg.constraints) {
      if (std::optional<Constraint> constraint = findConstraint(word.name)) {
        limits.words.push_back(*constraint);
        continue;
      }
      Diagnostic &diagnostic =
          diagnostics.error(word.range, "unknown constraint '" + word.name + "'");
      diagnostic.hint = didYouMean(word.name, {"positive", "nonnegative", "unit", "integer"});
      if (diagnostic.hint.empty())
        diagnostic.hint = "the constraints are positive, nonnegative, unit (0 to 1) and integer";
    }
    if (arg.least)
      limits.range = readRange(arg);
    if (!isTruth || (limits.words.empty() && !limits.range))
      return limits;
    diagnostics
        .error(arg.name.range,
               "expected no constraint of the option '" + arg.name.name + "', but found one")
        .hint = "an option that is true or false may be both";
    return {};
  }

  std::optional<std::array<double, 2>> readRange(const LossArg &arg) {
    if (arg.least->kind == ExprKind::Error || arg.greatest->kind == ExprKind::Error)
      return std::nullopt;
    std::optional<ConstantValue> least = evaluateConstant(*arg.least);
    std::optional<ConstantValue> greatest = evaluateConstant(*arg.greatest);
    if (least && greatest && !least->isBool && !greatest->isBool && least->value <= greatest->value)
      return std::array{least->value, greatest->value};
    SourceRange range = arg.least->range;
    range.end = arg.greatest->range.end;
    diagnostics
        .error(range, "expected the least and the greatest value of the option '" + arg.name.name +
                          "', but found '" + print(*arg.least) + ", " + print(*arg.greatest) + "'")
        .hint = "a range is two numbers: '[1, 6]'";
    return std::nullopt;
  }

  using Names = std::vector<std::string_view>;

  Definitions &definitions;
  DiagnosticEngine &diagnostics;
  std::vector<const LossArg *> inputs;
};

} // namespace

void readSignatures(Definitions &definitions, DiagnosticEngine &diagnostics) {
  SignatureReader(definitions, diagnostics).run();
}

} // namespace loss::lang::detail
