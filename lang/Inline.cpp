//===- Inline.cpp - types, and functions expanded at their calls ----------===//
#include "lang/Builtins.h"
#include "lang/ProgramBuilder.h"

#include <algorithm>

namespace loss::lang::detail {

namespace {

class Inliner : ProgramBuilder {
public:
  using ProgramBuilder::ProgramBuilder;

  std::optional<Program> run() {
    const LossDef &loss = *definitions.loss;
    program.name = loss.name.name;
    program.doc = loss.doc;
    program.range = loss.name.range;
    program.axes = definitions.axes;
    program.copyOf = definitions.copyOf;
    Environment environment;
    for (const LossArg &arg : loss.args) {
      NodeId id = addArg(arg);
      if (auto [entry, isNew] = environment.emplace(arg.name.name, id); !isNew)
        entry->second = poison;
    }
    try {
      NodeId result = evaluateBlock(loss.body, environment);
      if (!isPoison(result))
        checkResult(*loss.body.result, result);
      program.result = result;
    } catch (const TooLarge &) {
    }
    if (diagnostics.hasErrors())
      return std::nullopt;
    prune();
    return std::move(program);
  }

private:
  using Environment = std::unordered_map<std::string_view, NodeId>;

  //===--- Arguments ------------------------------------------------------===//

  NodeId addArg(const LossArg &arg) {
    if (arg.kind == LossArg::Kind::Option)
      return addOption(arg);
    Node node;
    if (arg.kind == LossArg::Kind::Param) {
      node.op = Op::Param;
      node.index = static_cast<uint32_t>(program.params.size());
      NodeId id = addNode(node, arg.name.range);
      std::optional<ConstantValue> value = evaluateConstant(*arg.defaultValue);
      Constraint constraint = Constraint::Any;
      if (!arg.constraints.empty())
        constraint = findConstraint(arg.constraints[0].name).value_or(Constraint::Any);
      program.params.push_back(
          {arg.name.name, arg.doc, value ? value->value : 0, constraint, arg.name.range, id});
      return id;
    }
    node.op = Op::Input;
    for (const Identifier &axis : arg.axes)
      node.type.axes |= 1u << definitions.axisIndex(axis.name);
    node.index = static_cast<uint32_t>(program.inputs.size());
    NodeId id = addNode(node, arg.name.range);
    ProgramInput input = {arg.name.name,  arg.doc, InputKind::Value, node.type.axes, 0,
                          arg.name.range, id};
    if (arg.kind == LossArg::Kind::Fixed)
      input.kind = InputKind::Fixed;
    if (arg.kind == LossArg::Kind::Target && !arg.axes.empty()) {
      const Identifier &axis = arg.classAxis ? *arg.classAxis : arg.axes.back();
      input.kind = InputKind::Target;
      input.classAxis = static_cast<uint8_t>(std::max(0, definitions.axisIndex(axis.name)));
    }
    program.inputs.push_back(std::move(input));
    return id;
  }

  NodeId addOption(const LossArg &arg) {
    auto found = definitions.options.find(arg.name.name);
    // Without a value there was an error.
    if (found == definitions.options.end())
      return poison;
    ConstantValue value = found->second;
    program.options.push_back({arg.name.name, arg.doc, value.value, value.isBool, arg.name.range});
    NodeId id = addConstant(value, arg.name.range);
    known[id].isSetting = true;
    return id;
  }

  //===--- Expressions ----------------------------------------------------===//

  NodeId evaluateBlock(const Block &block, Environment &environment) {
    for (const Let &let : block.lets) {
      NodeId id = evaluate(*let.value, environment);
      if (auto [entry, isNew] = environment.emplace(let.name.name, id); !isNew)
        entry->second = poison;
    }
    return evaluate(*block.result, environment);
  }

  NodeId evaluate(const Expr &expr, const Environment &environment) {
    // Inlining multiplies depths, and the recursion must fit the stack of any thread.
    if (depth >= maxInlinedDepth) {
      fail(expr.range,
           "expected an expression of at most " + std::to_string(maxInlinedDepth) +
               " levels after inlining, but found more",
           "name parts of it with 'let'");
      throw TooLarge{};
    }
    ++depth;
    NodeId result = evaluateHere(expr, environment);
    --depth;
    return result;
  }

  NodeId evaluateHere(const Expr &expr, const Environment &environment) {
    switch (expr.kind) {
    case ExprKind::Number:
      return addConstant({expr.number, false}, expr.range);
    case ExprKind::Name: {
      auto found = environment.find(expr.text);
      if (found != environment.end())
        return found->second;
      const BuiltinConstant *constant = findBuiltinConstant(expr.text);
      return constant ? addConstant({constant->value, constant->isBool}, expr.range) : poison;
    }
    case ExprKind::Unary:
      return evaluateUnary(expr, environment);
    case ExprKind::Binary:
      return evaluateBinary(expr, environment);
    case ExprKind::If:
      return evaluateIf(expr, environment);
    case ExprKind::Call:
      return evaluateCall(expr, environment);
    case ExprKind::Rename:
      return evaluateRename(expr, environment);
    case ExprKind::Error:
      return poison;
    }
    return poison;
  }

  NodeId addConstant(ConstantValue value, SourceRange range) {
    Node node;
    node.value = value.value;
    node.type.isBool = value.isBool;
    NodeId id = addNode(node, range);
    known.emplace(id, Known{value.value, false});
    return id;
  }

  NodeId evaluateUnary(const Expr &expr, const Environment &environment) {
    const Expr &operand = *expr.operands[0];
    NodeId id = evaluate(operand, environment);
    bool isNot = expr.unary == UnaryOp::Not;
    if (isNot ? !needBool(operand, id) : !needReal(operand, id))
      return poison;
    NodeId result = addOp(isNot ? Op::Not : Op::Neg, typeOf(id), {id}, expr.range);
    if (const Known *value = findKnown(id))
      know(result, isNot ? value->value == 0 : -value->value, {id});
    return result;
  }

  static Op opOf(BinaryOp op) {
    switch (op) {
    case BinaryOp::Or:
      return Op::Or;
    case BinaryOp::And:
      return Op::And;
    case BinaryOp::Less:
      return Op::Less;
    case BinaryOp::LessEqual:
      return Op::LessEqual;
    case BinaryOp::Greater:
      return Op::Greater;
    case BinaryOp::GreaterEqual:
      return Op::GreaterEqual;
    case BinaryOp::Equal:
      return Op::Equal;
    case BinaryOp::NotEqual:
      return Op::NotEqual;
    case BinaryOp::Add:
      return Op::Add;
    case BinaryOp::Sub:
      return Op::Sub;
    case BinaryOp::Mul:
      return Op::Mul;
    case BinaryOp::Div:
      return Op::Div;
    case BinaryOp::Pow:
      return Op::pow;
    }
    return Op::Add;
  }

  NodeId evaluateBinary(const Expr &expr, const Environment &environment) {
    const Expr &left = *expr.operands[0], &right = *expr.operands[1];
    NodeId lhs = evaluate(left, environment), rhs = evaluate(right, environment);
    bool isLogic = expr.binary == BinaryOp::And || expr.binary == BinaryOp::Or;
    // Both are checked, so that two errors are reported in one run.
    bool leftOk = isLogic ? needBool(left, lhs) : needReal(left, lhs);
    bool rightOk = isLogic ? needBool(right, rhs) : needReal(right, rhs);
    if (!leftOk || !rightOk)
      return poison;
    Op op = opOf(expr.binary);
    Type type;
    type.isBool = isLogic || (op >= Op::Less && op <= Op::NotEqual);
    type.axes = typeOf(lhs).axes | typeOf(rhs).axes;
    NodeId result = addOp(op, type, {lhs, rhs}, expr.range);
    const Known *x = findKnown(lhs), *y = findKnown(rhs);
    if (x && y)
      know(result, compute(expr.binary, x->value, y->value), {lhs, rhs});
    // One side may decide alone.
    else if (isLogic && x && (x->value != 0) == (op == Op::Or))
      know(result, x->value, {lhs});
    else if (isLogic && y && (y->value != 0) == (op == Op::Or))
      know(result, y->value, {rhs});
    return result;
  }

  NodeId evaluateIf(const Expr &expr, const Environment &environment) {
    const Expr &test = *expr.operands[0], &whenTrue = *expr.operands[1],
               &whenFalse = *expr.operands[2];
    NodeId condition = evaluate(test, environment);
    NodeId yes = evaluate(whenTrue, environment), no = evaluate(whenFalse, environment);
    bool testOk = needBool(test, condition);
    bool yesOk = needReal(whenTrue, yes), noOk = needReal(whenFalse, no);
    if (!testOk || !yesOk || !noOk)
      return poison;
    Type type;
    type.axes = typeOf(condition).axes | typeOf(yes).axes | typeOf(no).axes;
    if (const Known *value = findKnown(condition)) {
      // Only the branch that is taken is part of the program.
      bool holds = value->value != 0;
      NodeId taken = holds ? yes : no, other = holds ? no : yes;
      dropped.push_back({taken, other});
      if (!value->isSetting && !isFromOutside(condition))
        warnings.push_back({(holds ? whenFalse : whenTrue).range, "unreachable-branch",
                            std::string("a branch is never taken: the condition is always ") +
                                (holds ? "true" : "false")});
      return typeOf(taken) == type ? taken : addOp(Op::Broadcast, type, {taken}, expr.range);
    }
    return addOp(Op::Select, type, {condition, yes, no}, expr.range);
  }

  //===--- Calls ----------------------------------------------------------===//

  NodeId evaluateCall(const Expr &expr, const Environment &environment) {
    auto fn = definitions.functions.find(expr.text);
    bool isBroken = definitions.brokenFunctions.count(expr.text) != 0;
    if (!isBroken && fn != definitions.functions.end())
      return evaluateFnCall(expr, *fn->second, environment);
    const Builtin *builtin = findBuiltin(expr.text, !expr.axes.empty());
    if (isBroken || !builtin)
      return evaluateForErrors(expr, environment);
    if (builtin->kind == BuiltinKind::Query)
      return evaluateQuery(expr, *builtin);
    if (worksOverAxis(builtin->kind))
      return evaluateOverAxes(expr, *builtin, environment);
    if (expr.operands.size() != arityOf(builtin->kind) || !expr.axes.empty())
      return evaluateForErrors(expr, environment);

    Node node;
    node.op = builtin->op;
    bool ok = true;
    for (const ExprPtr &operand : expr.operands) {
      NodeId id = evaluate(*operand, environment);
      ok &= needReal(*operand, id);
      if (!ok)
        continue;
      node.type.axes |= typeOf(id).axes;
      node.operands[node.operandCount++] = id;
    }
    return ok ? addNode(node, expr.range) : poison;
  }

  /// A call that has an error of its own: only the operands are looked at.
  NodeId evaluateForErrors(const Expr &expr, const Environment &environment) {
    for (const ExprPtr &operand : expr.operands)
      evaluate(*operand, environment);
    return poison;
  }

  NodeId evaluateQuery(const Expr &expr, const Builtin &builtin) {
    bool isName = expr.operands.size() == 1 && expr.operands[0]->kind == ExprKind::Name;
    int axis = isName ? definitions.axisIndex(expr.operands[0]->text) : -1;
    if (axis < 0)
      return poison;
    Type type;
    if (builtin.op == Op::Index)
      type.axes = 1u << axis;
    return addOp(builtin.op, type, {}, expr.range, axis);
  }

  /// Whether the operand has the axis; an error if not.
  bool needAxis(const Expr &operand, NodeId id, const Identifier &axis, int index,
                std::string_view where, std::string hint = {}) {
    if (typeOf(id).axes >> index & 1)
      return true;
    fail(operand.range,
         "expected an operand with the axis '" + axis.name + "' in '" + std::string(where) +
             "', but found one of type '" + show(id) + "'",
         std::move(hint));
    return false;
  }

  NodeId evaluateOverAxes(const Expr &expr, const Builtin &builtin,
                          const Environment &environment) {
    bool isWhole = !expr.axes.empty() && expr.operands.size() == 1u + expr.hasKey &&
                   (!expr.hasKey || takesKey(builtin.op)) &&
                   (expr.axes.size() == 1 || worksOverSeveralAxes(builtin.op));
    if (!isWhole)
      return evaluateForErrors(expr, environment);
    const Expr &operand = *expr.operands[0];
    NodeId x = evaluate(operand, environment);
    NodeId key = expr.hasKey ? evaluate(*expr.operands[1], environment) : poison;
    bool ok = needReal(operand, x);
    if (expr.hasKey)
      ok &= needReal(*expr.operands[1], key);
    std::vector<int> axes;
    for (const Identifier &axis : expr.axes) {
      int index = definitions.axisIndex(axis.name);
      if (index < 0 || std::find(axes.begin(), axes.end(), index) != axes.end())
        return poison;
      axes.push_back(index);
      if (!ok)
        continue;
      std::string hint;
      if (builtin.op == Op::reduce_sum)
        hint = "the sum of a constant is 'size(" + axis.name + ")' times the constant";
      ok &= needAxis(operand, x, axis, index, expr.text, hint);
      if (ok && expr.hasKey)
        ok &= needAxis(*expr.operands[1], key, axis, index, "by");
    }
    if (!ok)
      return poison;
    return expr.hasKey ? addByKey(builtin.op, x, key, axes[0], expr.range)
                       : addOverAxes(builtin, x, std::move(axes), expr.range);
  }

  NodeId addByKey(Op op, NodeId x, NodeId key, int axis, SourceRange range) {
    Type type = {false, typeOf(x).axes | typeOf(key).axes};
    return addOp(op, type, {x, key}, range, axis);
  }

  /// One operation for each axis, the innermost first.
  NodeId addOverAxes(const Builtin &builtin, NodeId x, std::vector<int> axes, SourceRange range) {
    std::sort(axes.rbegin(), axes.rend());
    if (builtin.kind == BuiltinKind::Axiswise && axes.size() > 1)
      return addSoftmax(builtin.op, x, axes, range);
    for (int axis : axes) {
      Type type = typeOf(x);
      if (builtin.kind == BuiltinKind::Reduction)
        type.axes &= ~(1u << axis);
      x = addOp(builtin.op, type, {x}, range, axis);
    }
    return x;
  }

  /// log_softmax is x - logsumexp(x) over all of the axes, softmax its exponential.
  NodeId addSoftmax(Op op, NodeId x, const std::vector<int> &axes, SourceRange range) {
    Type type = typeOf(x);
    NodeId sum = x;
    for (int axis : axes) {
      Type reduced = typeOf(sum);
      reduced.axes &= ~(1u << axis);
      sum = addOp(Op::reduce_logsumexp, reduced, {sum}, range, axis);
    }
    NodeId log = addOp(Op::Sub, type, {x, sum}, range);
    return op == Op::softmax ? addOp(Op::exp, type, {log}, range) : log;
  }

  //===--- Copies of axes -------------------------------------------------===//

  NodeId evaluateRename(const Expr &expr, const Environment &environment) {
    const Expr &operand = *expr.operands[0];
    const Identifier &from = expr.axes[0], &to = expr.axes[1];
    NodeId x = evaluate(operand, environment);
    int source = definitions.axisIndex(from.name), target = definitions.axisIndex(to.name);
    if (source < 0 || target < 0 || isPoison(x))
      return poison;
    if (!(typeOf(x).axes >> source & 1))
      return fail(from.range, "expected an axis of the value, which is of type '" + show(x) +
                                  "', but found '" + from.name + "'");
    if (source == target)
      return fail(to.range, "expected another axis than '" + from.name + "' behind '->'");
    auto root = [&](int axis) {
      int original = definitions.copyOf[axis];
      return original < 0 ? axis : original;
    };
    if (root(source) != root(target)) {
      DiagnosticNote note;
      if (int original = definitions.copyOf[target]; original >= 0)
        note = {definitions.axisRanges[target],
                "'" + to.name + "' is a copy of '" + definitions.axes[original] + "'"};
      return fail(to.range,
                  "expected a copy of the axis '" + from.name + "', but found '" + to.name + "'",
                  "declare one with 'axis other = " + definitions.axes[root(source)] + "'",
                  std::move(note));
    }
    if (typeOf(x).axes >> target & 1)
      return fail(to.range,
                  "expected an axis that the value lacks, but it has '" + to.name +
                      "' already: it is of type '" + show(x) + "'",
                  "its diagonal is 'sum(if index(" + from.name + ") == index(" + to.name +
                      ") then x else 0 over " + to.name + ")'");
    Type type = typeOf(x);
    type.axes = (type.axes & ~(1u << source)) | 1u << target;
    NodeId result = addOp(Op::Rename, type, {x}, expr.range, source);
    program.nodes[result].axis2 = static_cast<uint8_t>(target);
    return result;
  }

  //===--- Functions ------------------------------------------------------===//

  NodeId evaluateFnCall(const Expr &expr, const FnDef &fn, const Environment &environment) {
    if (expr.operands.size() != fn.args.size() || !expr.axes.empty())
      return evaluateForErrors(expr, environment);
    Environment inner;
    bool ok = true;
    for (size_t i = 0; i < fn.args.size(); ++i) {
      NodeId id = evaluate(*expr.operands[i], environment);
      ok &= checkArgAxes(fn.args[i], *expr.operands[i], id);
      if (auto [entry, isNew] = inner.emplace(fn.args[i].name.name, id); !isNew)
        entry->second = poison;
    }
    if (!ok)
      return poison;
    checkSize(expr.range);
    if (++callDepth > maxCallDepth) {
      fail(expr.range, "expected at most " + std::to_string(maxCallDepth) +
                           " nested calls of functions, but found more");
      throw TooLarge{};
    }
    program.calls.push_back({fn.name.name, expr.range, currentCall});
    int32_t caller = currentCall;
    currentCall = static_cast<int32_t>(program.calls.size() - 1);
    Environment arguments = fn.derivatives.empty() ? Environment() : inner;
    NodeId result = evaluateBlock(fn.body, inner);
    if (!fn.derivatives.empty())
      result = addDerivatives(fn, result, arguments);
    currentCall = caller;
    --callDepth;
    return result;
  }

  /// The value of the function, with the derivatives that it gives in place of its own.
  NodeId addDerivatives(const FnDef &fn, NodeId value, const Environment &arguments) {
    bool ok = needReal(*fn.body.result, value);
    Type type = ok ? typeOf(value) : Type();
    if (ok)
      value = addOp(Op::stop_gradient, type, {value}, fn.body.result->range);
    for (const Derivative &derivative : fn.derivatives) {
      auto found = arguments.find(derivative.name.name);
      NodeId factor = evaluate(*derivative.value, arguments);
      if (!needReal(*derivative.value, factor) || found == arguments.end() ||
          isPoison(found->second) || !ok) {
        ok = false;
        continue;
      }
      NodeId x = found->second;
      if (typeOf(x).isBool) {
        fail(derivative.name.range, "expected an argument that is a number, but '" +
                                        derivative.name.name + "' is of type '" + show(x) + "'");
        ok = false;
        continue;
      }
      if (AxisSet extra = typeOf(factor).axes & ~(type.axes | typeOf(x).axes)) {
        fail(derivative.value->range,
             "expected a derivative with axes of the value or of '" + derivative.name.name +
                 "', but found one of type '" + show(factor) + "'",
             "reduce it over " + axesString(extra, program.axes),
             {fn.body.result->range, "the value is of type '" + show(value) + "', and '" +
                                         derivative.name.name + "' of type '" + show(x) + "'"});
        ok = false;
        continue;
      }
      value = addOp(Op::CustomGradient, type, {value, x, factor}, derivative.range);
    }
    return ok ? value : poison;
  }

  bool checkArgAxes(const FnArg &arg, const Expr &operand, NodeId id) {
    if (!arg.axes || isPoison(id))
      return true;
    for (const Identifier &axis : *arg.axes) {
      int index = definitions.axisIndex(axis.name);
      if (index >= 0 && !(typeOf(id).axes >> index & 1)) {
        fail(operand.range,
             "expected an argument '" + arg.name.name + "' with the axis '" + axis.name +
                 "', but found one of type '" + show(id) + "'",
             {}, {axis.range, "the function demands the axis here"});
        return false;
      }
    }
    return true;
  }

  //===--- The end --------------------------------------------------------===//

  void checkResult(const Expr &expr, NodeId id) {
    if (!needReal(expr, id))
      return;
    for (size_t i = 0; i < program.axes.size(); ++i)
      if ((typeOf(id).axes >> i & 1) && program.copyOf[i] >= 0) {
        fail(expr.range,
             "expected a result without copies of axes, but found one of type '" + show(id) + "'",
             "reduce it, as in 'mean(... over " + program.axes[i] + ")'",
             {definitions.axisRanges[i],
              "'" + program.axes[i] + "' is a copy of '" + program.axes[program.copyOf[i]] + "'"});
        return;
      }
  }

  /// Marks what the marked nodes are made of.
  void spread(std::vector<bool> &live) const {
    for (size_t i = program.nodes.size(); i-- > 0;)
      if (live[i])
        for (size_t j = 0; j < program.nodes[i].operandCount; ++j)
          live[program.nodes[i].operands[j]] = true;
  }

  /// Removes operations that the result does not need, and warns of inputs among them.
  void prune() {
    std::vector<bool> live(program.nodes.size());
    live[program.result] = true;
    spread(live);
    std::vector<bool> mentioned = live;
    // What an option switches off is used with another value of the option.
    for (const auto &[taken, other] : dropped)
      if (live[taken])
        mentioned[other] = true;
    spread(mentioned);
    for (const PendingWarning &warning : definitions.warnings)
      diagnostics.warning(warning.range, warning.message, warning.name);
    for (const PendingWarning &warning : warnings)
      diagnostics.warning(warning.range, warning.message, warning.name);
    for (const ProgramInput &input : program.inputs)
      warnUnused(mentioned, input.node, "input", input.name, input.range);
    for (const ProgramParam &param : program.params)
      warnUnused(mentioned, param.node, "parameter", param.name, param.range);

    std::vector<NodeId> moved(program.nodes.size());
    std::vector<Node> kept;
    for (size_t i = 0; i < program.nodes.size(); ++i) {
      Node node = program.nodes[i];
      if (!live[i] && node.op != Op::Input && node.op != Op::Param)
        continue;
      for (size_t j = 0; j < node.operandCount; ++j)
        node.operands[j] = moved[node.operands[j]];
      moved[i] = static_cast<NodeId>(kept.size());
      kept.push_back(node);
    }
    program.nodes = std::move(kept);
    program.result = moved[program.result];
    for (ProgramInput &input : program.inputs)
      input.node = moved[input.node];
    for (ProgramParam &param : program.params)
      param.node = moved[param.node];
  }

  void warnUnused(const std::vector<bool> &live, NodeId node, std::string_view what,
                  const std::string &name, SourceRange range) {
    if (!live[node])
      diagnostics.warning(
          range, "the " + std::string(what) + " '" + name + "' has no influence on the result",
          "unused-" + std::string(what));
  }

  unsigned callDepth = 0;
  unsigned depth = 0;
  /// Conditionals that were decided: the branch in the program and the other one.
  std::vector<std::pair<NodeId, NodeId>> dropped;
  std::vector<PendingWarning> warnings;
};

} // namespace

std::optional<Program> inlineAndType(const Definitions &definitions,
                                     DiagnosticEngine &diagnostics) {
  return Inliner(definitions, diagnostics).run();
}

} // namespace loss::lang::detail
