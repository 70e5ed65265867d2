//===- ProgramBuilder.h - the nodes of a typed program ----------*- C++ -*-===//
//
// Internal to semantic analysis: adds nodes, says what is wrong with them, and knows the values of
// those that are constants.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_PROGRAMBUILDER_H
#define LOSSLANG_LANG_PROGRAMBUILDER_H

#include "lang/Parser.h"
#include "lang/Sema.h"
#include "lang/SemaDetail.h"

#include <cmath>
#include <set>

namespace loss::lang::detail {

/// Leaves the analysis of a program that is too large. Never leaves the inliner.
struct TooLarge {};

class ProgramBuilder {
public:
  ProgramBuilder(const Definitions &definitions, DiagnosticEngine &diagnostics)
      : definitions(definitions), diagnostics(diagnostics) {}

protected:
  /// Stands for an operand that had an error: everything made of it is silent.
  static constexpr NodeId poison = ~0u;
  static bool isPoison(NodeId id) { return id == poison; }

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

  //===--- Values known at compile time -----------------------------------===//

  /// The value of a node; `isSetting` where an option or an argument of a function has part in it,
  /// so that another program may have another value there.
  struct Known {
    double value = 0;
    bool isSetting = false;
  };

  const Known *findKnown(NodeId id) const {
    auto found = known.find(id);
    return found == known.end() ? nullptr : &found->second;
  }

  /// Whether a value was passed to the function that is being expanded.
  bool isFromOutside(NodeId id) const { return program.nodes[id].call != currentCall; }

  void know(NodeId id, double value, std::initializer_list<NodeId> from) {
    Known result = {value, false};
    for (NodeId operand : from)
      result.isSetting |= known.at(operand).isSetting || isFromOutside(operand);
    known.emplace(id, result);
  }

  static double compute(BinaryOp op, double x, double y) {
    switch (op) {
    case BinaryOp::Or:
      return x != 0 || y != 0;
    case BinaryOp::And:
      return x != 0 && y != 0;
    case BinaryOp::Less:
      return x < y;
    case BinaryOp::LessEqual:
      return x <= y;
    case BinaryOp::Greater:
      return x > y;
    case BinaryOp::GreaterEqual:
      return x >= y;
    case BinaryOp::Equal:
      return x == y;
    case BinaryOp::NotEqual:
      return x != y;
    case BinaryOp::Add:
      return x + y;
    case BinaryOp::Sub:
      return x - y;
    case BinaryOp::Mul:
      return x * y;
    case BinaryOp::Div:
      return x / y;
    case BinaryOp::Pow:
      return std::pow(x, y);
    }
    return 0;
  }

  const Definitions &definitions;
  DiagnosticEngine &diagnostics;
  Program program;
  int32_t currentCall = -1;
  std::set<std::pair<SourceRange, std::string>> reported;
  std::unordered_map<NodeId, Known> known;
};

} // namespace loss::lang::detail

#endif // LOSSLANG_LANG_PROGRAMBUILDER_H
