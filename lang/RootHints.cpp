//===- RootHints.cpp ------------------------------------------------------===//
#include "lang/RootHints.h"

#include <charconv>
#include <cmath>

namespace loss::lang {

/// x^2, or x * x.
bool RootHints::isSquare(const Node &node) const {
  if (node.op == Op::pow)
    return operand(node, 1).op == Op::Constant && operand(node, 1).value == 2;
  return node.op == Op::Mul && forms.isSame(node.operands[0], node.operands[1]);
}

RootHints::Sum RootHints::sumAt(const Node *node) const {
  Sum sum = {node, false, {}};
  while (sum.elements->op == Op::reduce_sum || sum.elements->op == Op::reduce_mean) {
    sum.isMean |= sum.elements->op == Op::reduce_mean;
    sum.axes.insert(sum.elements->axis);
    sum.elements = &operand(*sum.elements, 0);
  }
  return sum;
}

/// "norm(x over a, b) / sqrt(size(a) * size(b))" for the root of a sum or a mean of squares of
/// `x`, also with a factor that does not vary; empty for another node.
std::string RootHints::normOf(const Node *node, const std::string &x) const {
  Sum sum = sumAt(node);
  const Node *square = sum.elements;
  std::string operand = x;
  for (size_t i : {0, 1})
    if (square->op == Op::Mul && !isSquare(*square) && !varies[square->operands[i]] &&
        isSquare(at(square->operands[1 - i]))) {
      operand = "sqrt(w) * " + x;
      square = &at(square->operands[1 - i]);
    }
  if (sum.axes.empty() || !isSquare(*square))
    return {};
  std::string axes, sizes;
  for (uint8_t axis : sum.axes) {
    axes += (axes.empty() ? "" : ", ") + program.axes[axis];
    sizes += (sizes.empty() ? "size(" : " * size(") + program.axes[axis] + ")";
  }
  return "norm(" + operand + " over " + axes + ")" + (sum.isMean ? " / sqrt(" + sizes + ")" : "");
}

/// The square root of a factor, where it is short.
std::string RootHints::rootText(const Node &factor) const {
  const Node *node = &factor;
  while (node->op == Op::Broadcast)
    node = &operand(*node, 0);
  switch (node->op) {
  case Op::Size:
    return "sqrt(size(" + program.axes[node->axis] + "))";
  case Op::Constant: {
    char buffer[32];
    return "sqrt(" +
           std::string(buffer, std::to_chars(buffer, buffer + sizeof buffer, node->value).ptr) +
           ")";
  }
  case Op::Param:
    return "sqrt(" + program.params[node->index].name + ")";
  case Op::Input:
    return "sqrt(" + program.inputs[node->index].name + ")";
  default:
    return "sqrt(...)";
  }
}

/// The axis that a part of an operand is a sum over, or one of the loss.
std::string RootHints::someAxis(const Node &node) const {
  const Node *inner = &node;
  while (inner->op != Op::reduce_sum && inner->op != Op::reduce_mean && inner->operandCount) {
    bool isSum = inner->operandCount == 2 && !std::isnan(forms.valueOf(inner->operands[0]));
    inner = &operand(*inner, isSum ? 1 : 0);
  }
  return program.axes[inner->operandCount ? inner->axis : program.axes.size() - 1];
}

/// What to write for the square root of a node, or empty.
std::string RootHints::stableRoot(const Node &u) const {
  if (isSquare(u))
    return "abs(x)";
  if (std::string norm = normOf(&u, "x"); !norm.empty())
    return norm;
  if (u.op == Op::Add && isSquare(operand(u, 0)) && isSquare(operand(u, 1)))
    return "hypot(x, y)";
  if (u.op != Op::Mul && u.op != Op::Div)
    return {};
  std::string x = normOf(&operand(u, 0), "x"), y = normOf(&operand(u, 1), "y");
  if (u.op == Op::Mul && !x.empty() && !y.empty())
    return x + " * " + y;
  if (!x.empty() && !varies[u.operands[1]])
    return x + (u.op == Op::Mul ? " * " : " / ") + rootText(operand(u, 1));
  if (u.op == Op::Mul && !y.empty() && !varies[u.operands[0]])
    return rootText(operand(u, 0)) + " * " + normOf(&operand(u, 1), "x");
  return {};
}

/// Whether something is divided by a node or by a multiple of it, or its logarithm taken.
bool RootHints::isDivisor(NodeId divisor) const {
  std::vector<NodeId> work = {divisor};
  std::set<NodeId> seen;
  while (!work.empty()) {
    NodeId id = work.back();
    work.pop_back();
    for (NodeId user : users[id]) {
      const Node &node = at(user);
      if ((node.op == Op::Div && node.operands[1] == id) || node.op == Op::log ||
          (node.op == Op::pow && forms.valueOf(node.operands[1]) < 0))
        return true;
      bool isMultiple = node.op == Op::Broadcast || node.op == Op::Neg || node.op == Op::Mul ||
                        node.op == Op::Div;
      if (isMultiple && seen.insert(user).second)
        work.push_back(user);
    }
  }
  return false;
}

std::string RootHints::hintFor(NodeId id, const Root &kind) const {
  const Node &root = at(id), &u = at(kind.operand);
  if (kind.place == Root::AtOne)
    return "keep the operand above 1, as in 'acosh(... + 1e-6)'";
  if (kind.place == Root::AtEnds)
    return "keep the operand between, as in '" + kind.name +
           "(clamp(..., -0.999999, 0.999999))'; the angle between vectors of length 1 is '2 * "
           "atan2(norm(x - y over " +
           someAxis(u) + "), norm(x + y over " + someAxis(u) + "))'";
  bool isSqrt = kind.exponent == 0.5;
  if (std::string form = isSqrt ? stableRoot(u) : std::string(); !form.empty())
    return isDivisor(id) ? "write 'max(" + form + ", 1e-12)', whose gradient is 0 there"
                         : "write '" + form + "', whose gradient is 0 there";
  std::string axis = someAxis(u);
  if (isSqrt && forms.isVariance(kind.operand))
    return "write 'norm(x - mean(x over " + axis + ") over " + axis + ") / sqrt(size(" + axis +
           "))', whose gradient is 0 there";
  if (isSqrt && forms.isDistance(kind.operand))
    return "write the distance, 'norm(x - y over " + axis + ")', whose gradient is 0 there";
  if (kind.exponent > 1)
    return "write it as a power, 'x^c', whose gradient is 0 there";
  std::string power = root.op == Op::sqrt ? "sqrt(... + 1e-12)"
                      : isSqrt            ? "(... + 1e-12)^0.5"
                                          : "(... + 1e-12)^p";
  std::string hint = "keep the operand above 0, as in '" + power + "'";
  if (Sum sum = sumAt(&u); !sum.axes.empty())
    hint +=
        "; the root of a sum of squares is 'norm(x over " + program.axes[*sum.axes.begin()] + ")'";
  return hint;
}

} // namespace loss::lang
