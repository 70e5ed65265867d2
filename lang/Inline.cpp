//===- Inline.cpp - types, and functions expanded at their calls ----------===//
#include "lang/Builtins.h"
#include "lang/Parser.h"
#include "lang/Sema.h"
#include "lang/SemaDetail.h"

#include <set>

namespace loss::lang::detail {

namespace {

/// Leaves the analysis of a program that is too large. Never leaves this file.
struct TooLarge {};

class Inliner {
public:
  Inliner(const Definitions &definitions, DiagnosticEngine &diagnostics)
      : definitions(definitions), diagnostics(diagnostics) {}

  std::optional<Program> run() {
    const LossDef &loss = *definitions.loss;
    program.name = loss.name.name;
    program.doc = loss.doc;
    program.range = loss.name.range;
    program.axes = definitions.axes;
    program.copyOf.assign(program.axes.size(), -1);
    Environment environment;
    for (const LossArg &arg : loss.args)
      environment.emplace(arg.name.name, addArg(arg));
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

  /// Stands for an operand that had an error: everything made of it is silent.
  static constexpr NodeId poison = ~0u;
  static bool isPoison(NodeId id) { return id == poison; }

  AxisSet rowsAxis() const { return 1; }

  //===--- Nodes ----------------------------------------------------------===//

  NodeId addNode(Node node, SourceRange range) {
    checkSize(range);
    node.range = range;
    node.call = currentCall;
    program.nodes.push_back(node);
    return static_cast<NodeId>(program.nodes.size() - 1);
  }

  NodeId addOp(Op op, Type type, std::initializer_list<NodeId> operands, SourceRange range,
               int axis = 0) {
    Node node;
    node.op = op;
    node.type = type;
    node.axis = static_cast<uint8_t>(axis);
    for (NodeId operand : operands)
      node.operands[node.operandCount++] = operand;
    return addNode(node, range);
  }

  NodeId addArg(const LossArg &arg) {
    Node node;
    node.op = arg.kind == LossArg::Kind::Param ? Op::Param : Op::Input;
    if (node.op == Op::Param) {
      node.index = static_cast<uint32_t>(program.params.size());
      NodeId id = addNode(node, arg.name.range);
      double value = evaluateConstant(*arg.defaultValue).value_or(0);
      program.params.push_back(
          {arg.name.name, arg.doc, value, Constraint::Any, arg.name.range, id});
      return id;
    }
    for (const Identifier &axis : arg.axes)
      node.type.axes |= 1u << definitions.axisIndex(axis.name);
    node.index = static_cast<uint32_t>(program.inputs.size());
    NodeId id = addNode(node, arg.name.range);
    bool isTarget = arg.kind == LossArg::Kind::Target;
    auto last = static_cast<uint8_t>(program.axes.size() - 1);
    program.inputs.push_back({arg.name.name, arg.doc,
                              isTarget ? InputKind::Target : InputKind::Value, node.type.axes, last,
                              arg.name.range, id});
    return id;
  }

  Type typeOf(NodeId id) const { return program.nodes[id].type; }
  std::string show(NodeId id) const { return typeString(typeOf(id), program.axes); }

  //===--- Errors ---------------------------------------------------------===//

  /// An error once for each place and message, with the calls that led there.
  NodeId fail(SourceRange range, std::string message, std::string hint = {},
              DiagnosticNote note = {}) {
    if (!reported.emplace(range, message).second)
      return poison;
    Diagnostic &diagnostic = diagnostics.error(range, std::move(message));
    diagnostic.hint = std::move(hint);
    if (!note.message.empty())
      diagnostic.notes.push_back(std::move(note));
    for (int32_t call = currentCall; call >= 0; call = program.calls[call].parent)
      diagnostic.notes.push_back(
          {program.calls[call].range, "in this call of '" + program.calls[call].function + "'"});
    if (diagnostics.errorCount() >= maxErrors)
      throw TooLarge{};
    return poison;
  }

  void checkSize(SourceRange range) {
    if (program.nodes.size() + program.calls.size() < maxProgramSize)
      return;
    fail(range, "expected at most " + std::to_string(maxProgramSize) +
                    " operations after inlining, but found more");
    throw TooLarge{};
  }

  bool needReal(const Expr &expr, NodeId id) {
    if (isPoison(id))
      return false;
    if (!typeOf(id).isBool)
      return true;
    fail(expr.range, "expected a real number, but found a truth value of type '" + show(id) + "'",
         "write 'if c then 1 else 0' to make a number of it");
    return false;
  }

  bool needBool(const Expr &expr, NodeId id) {
    if (isPoison(id))
      return false;
    if (typeOf(id).isBool)
      return true;
    fail(expr.range, "expected a truth value, but found a number of type '" + show(id) + "'",
         "compare it, as in 'x > 0'");
    return false;
  }

  //===--- Expressions ----------------------------------------------------===//

  NodeId evaluateBlock(const Block &block, Environment &environment) {
    for (const Let &let : block.lets)
      environment.emplace(let.name.name, evaluate(*let.value, environment));
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
      return addConstant(expr.number, expr.range);
    case ExprKind::Name: {
      auto found = environment.find(expr.text);
      if (found != environment.end())
        return found->second;
      return addConstant(findBuiltinConstant(expr.text)->value, expr.range);
    }
    case ExprKind::Unary:
      return evaluateUnary(expr, environment);
    case ExprKind::Binary:
      return evaluateBinary(expr, environment);
    case ExprKind::If:
      return evaluateIf(expr, environment);
    case ExprKind::Call:
      return evaluateCall(expr, environment);
    }
    return poison;
  }

  NodeId addConstant(double value, SourceRange range) {
    Node node;
    node.value = value;
    return addNode(node, range);
  }

  NodeId evaluateUnary(const Expr &expr, const Environment &environment) {
    const Expr &operand = *expr.operands[0];
    NodeId id = evaluate(operand, environment);
    bool isNot = expr.unary == UnaryOp::Not;
    if (isNot ? !needBool(operand, id) : !needReal(operand, id))
      return poison;
    return addOp(isNot ? Op::Not : Op::Neg, typeOf(id), {id}, expr.range);
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
    return addOp(op, type, {lhs, rhs}, expr.range);
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
    return addOp(Op::Select, type, {condition, yes, no}, expr.range);
  }

  //===--- Calls ----------------------------------------------------------===//

  NodeId evaluateCall(const Expr &expr, const Environment &environment) {
    auto fn = definitions.functions.find(expr.text);
    if (fn != definitions.functions.end())
      return evaluateFnCall(expr, *fn->second, environment);
    const Builtin &builtin = *findBuiltin(expr.text, expr.axis.has_value());
    if (builtin.kind == BuiltinKind::Query)
      return evaluateQuery(expr, builtin.op);
    if (worksOverAxis(builtin.kind))
      return evaluateOverAxis(expr, builtin, environment);

    const Expr &first = *expr.operands[0];
    NodeId x = evaluate(first, environment);
    bool firstOk = needReal(first, x);
    if (builtin.kind == BuiltinKind::Unary)
      return firstOk ? addOp(builtin.op, typeOf(x), {x}, expr.range) : poison;
    const Expr &second = *expr.operands[1];
    NodeId y = evaluate(second, environment);
    if (!needReal(second, y) || !firstOk)
      return poison;
    Type type;
    type.axes = typeOf(x).axes | typeOf(y).axes;
    return addOp(builtin.op, type, {x, y}, expr.range);
  }

  NodeId rejectRows(const Identifier &axis) {
    return fail(axis.range,
                "'" + axis.name +
                    "' is the axis of the rows, and a loss computes one row at a time",
                "the caller chooses how to reduce over the rows");
  }

  NodeId evaluateQuery(const Expr &expr, Op op) {
    Identifier axis = {expr.operands[0]->text, expr.operands[0]->range};
    int index = definitions.axisIndex(axis.name);
    if (index == 0)
      return rejectRows(axis);
    Type type;
    if (op == Op::Index)
      type.axes = 1u << index;
    return addOp(op, type, {}, expr.range, index);
  }

  NodeId evaluateOverAxis(const Expr &expr, const Builtin &builtin,
                          const Environment &environment) {
    const Expr &operand = *expr.operands[0];
    NodeId x = evaluate(operand, environment);
    int index = definitions.axisIndex(expr.axis->name);
    if (index == 0)
      return rejectRows(*expr.axis);
    if (!needReal(operand, x))
      return poison;
    AxisSet axis = 1u << index;
    if (!(typeOf(x).axes & axis)) {
      std::string hint;
      if (builtin.op == Op::reduce_sum)
        hint = "the sum of a constant is 'size(" + expr.axis->name + ")' times the constant";
      return fail(operand.range,
                  "expected an operand with the axis '" + expr.axis->name + "' in '" + expr.text +
                      "', but found one of type '" + show(x) + "'",
                  hint);
    }
    Type type = typeOf(x);
    if (builtin.kind == BuiltinKind::Reduction)
      type.axes &= ~axis;
    return addOp(builtin.op, type, {x}, expr.range, index);
  }

  NodeId evaluateFnCall(const Expr &expr, const FnDef &fn, const Environment &environment) {
    Environment inner;
    bool ok = true;
    for (size_t i = 0; i < fn.args.size(); ++i) {
      NodeId id = evaluate(*expr.operands[i], environment);
      ok &= checkArgAxes(fn.args[i], *expr.operands[i], id);
      inner.emplace(fn.args[i].name.name, id);
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
    NodeId result = evaluateBlock(fn.body, inner);
    currentCall = caller;
    --callDepth;
    return result;
  }

  bool checkArgAxes(const FnArg &arg, const Expr &operand, NodeId id) {
    if (!arg.axes || isPoison(id))
      return true;
    for (const Identifier &axis : *arg.axes)
      if (!(typeOf(id).axes >> definitions.axisIndex(axis.name) & 1)) {
        fail(operand.range,
             "expected an argument '" + arg.name.name + "' with the axis '" + axis.name +
                 "', but found one of type '" + show(id) + "'",
             {}, {axis.range, "the function demands the axis here"});
        return false;
      }
    return true;
  }

  //===--- The end --------------------------------------------------------===//

  void checkResult(const Expr &expr, NodeId id) {
    Type wanted = {false, rowsAxis()};
    Type type = typeOf(id);
    if (type == wanted)
      return;
    std::string hint;
    if (type.axes & ~rowsAxis())
      hint = "reduce it, as in 'sum(... over " + program.axes.back() + ")'";
    else if (!type.axes)
      hint = "a loss has one value for each row of '" + program.axes.front() + "'";
    fail(expr.range,
         "expected a result of type '" + typeString(wanted, program.axes) + "', but found '" +
             show(id) + "'",
         type.isBool ? "write 'if c then 1 else 0' to make a number of it" : hint);
  }

  /// Removes operations that the result does not need, and warns of inputs among them.
  void prune() {
    std::vector<bool> live(program.nodes.size());
    live[program.result] = true;
    for (size_t i = program.nodes.size(); i-- > 0;)
      if (live[i])
        for (size_t j = 0; j < program.nodes[i].operandCount; ++j)
          live[program.nodes[i].operands[j]] = true;
    for (const DiagnosticNote &unused : definitions.unused)
      diagnostics.warning(unused.range, unused.message);
    for (const ProgramInput &input : program.inputs)
      warnUnused(live, input.node, "input", input.name, input.range);
    for (const ProgramParam &param : program.params)
      warnUnused(live, param.node, "parameter", param.name, param.range);

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
      diagnostics.warning(range, "the " + std::string(what) + " '" + name +
                                     "' has no influence on the result");
  }

  const Definitions &definitions;
  DiagnosticEngine &diagnostics;
  Program program;
  int32_t currentCall = -1;
  unsigned callDepth = 0;
  unsigned depth = 0;
  std::set<std::pair<SourceRange, std::string>> reported;
};

} // namespace

std::optional<Program> inlineAndType(const Definitions &definitions,
                                     DiagnosticEngine &diagnostics) {
  return Inliner(definitions, diagnostics).run();
}

} // namespace loss::lang::detail
