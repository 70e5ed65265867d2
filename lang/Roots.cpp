//===- Roots.cpp ----------------------------------------------------------===//
#include "lang/Roots.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <set>
#include <tuple>

namespace loss::lang {

namespace {

bool contains(const Range &x, double value) { return x.low <= value && value <= x.high; }

class RootFinder {
public:
  RootFinder(const Program &program, const std::vector<Range> &ranges,
             const std::vector<bool> &varies)
      : program(program), ranges(ranges), varies(varies) {}

  std::vector<RootAtZero> run() {
    number();
    findZeros();
    findUses();
    std::vector<RootAtZero> found;
    // Following each root to the result takes time, and more warnings help nobody.
    constexpr size_t most = 100;
    for (NodeId id = 0; id < program.nodes.size() && found.size() < most; ++id)
      if (std::string root = rootOf(program.nodes[id]); !root.empty() && isAtRisk(id))
        found.push_back({id, root, hintFor(program.nodes[id])});
    return found;
  }

private:
  const Node &at(NodeId id) const { return program.nodes[id]; }
  NodeId operandId(const Node &node, size_t i) const { return node.operands[i]; }
  const Node &operand(const Node &node, size_t i) const { return at(node.operands[i]); }
  const Range &rangeOf(const Node &node, size_t i) const { return ranges[node.operands[i]]; }
  bool isConstant(const Node &node, double value) const {
    return node.op == Op::Constant && node.value == value;
  }

  //===--- Equal values ---------------------------------------------------===//

  /// The first node that computes the same as each: what is written twice is one value.
  void number() {
    using Key = std::tuple<Op, uint8_t, uint8_t, uint32_t, double, std::array<NodeId, 3>>;
    std::map<Key, NodeId> first;
    for (NodeId id = 0; id < program.nodes.size(); ++id) {
      const Node &node = at(id);
      std::array<NodeId, 3> operands = {};
      for (size_t i = 0; i < node.operandCount; ++i)
        operands[i] = same[node.operands[i]];
      if (node.op == Op::Add || node.op == Op::Mul)
        std::sort(operands.begin(), operands.begin() + 2);
      same.push_back(
          first.emplace(Key{node.op, node.axis, node.axis2, node.index, node.value, operands}, id)
              .first->second);
    }
  }

  //===--- Exponents ------------------------------------------------------===//

  /// The value of an exponent: a constant, or an expression of parameters at their defaults. NaN
  /// for one that is not known.
  double valueOf(const Node &node) const {
    double unknown = std::nan("");
    if (node.op == Op::Constant)
      return node.value;
    if (node.op == Op::Param)
      return program.params[node.index].defaultValue;
    if (node.operandCount == 0 || node.operandCount > 2)
      return unknown;
    double x = valueOf(operand(node, 0)), y = node.operandCount > 1 ? valueOf(operand(node, 1)) : 0;
    switch (node.op) {
    case Op::Broadcast:
      return x;
    case Op::Neg:
      return -x;
    case Op::Add:
      return x + y;
    case Op::Sub:
      return x - y;
    case Op::Mul:
      return x * y;
    case Op::Div:
      return x / y;
    default:
      return unknown;
    }
  }

  /// What kind of root a node is, or empty.
  std::string rootOf(const Node &node) const {
    if (node.op == Op::sqrt)
      return "sqrt";
    if (node.op != Op::pow)
      return {};
    double exponent = valueOf(operand(node, 1));
    return exponent > 0 && exponent < 1 ? "a power below 1" : "";
  }

  //===--- Zeros ----------------------------------------------------------===//

  /// Which nodes are taken to be never negative. Whoever takes the root of what a label or a weight
  /// is a factor of knows its sign; a range that ends below 0 by a rounding ends there.
  bool hasSign(NodeId id) const {
    const Node &node = at(id);
    auto isFactor = [&](size_t i) { return signs[node.operands[i]] || !varies[node.operands[i]]; };
    constexpr double rounding = 1e-5;
    if (ranges[id].low >= -rounding)
      return true;
    switch (node.op) {
    case Op::Mul:
    case Op::Div:
      return isFactor(0) && isFactor(1);
    case Op::Add:
      return signs[node.operands[0]] && signs[node.operands[1]];
    case Op::Rename:
    case Op::Broadcast:
    case Op::reduce_sum:
    case Op::reduce_mean:
    case Op::cumsum:
      return signs[node.operands[0]];
    default:
      return false;
    }
  }

  /// Which nodes can be exactly 0 at inputs of ordinary size: not by underflow alone, and not where
  /// a conditional chooses another value there.
  void findZeros() {
    for (NodeId id = 0; id < program.nodes.size(); ++id) {
      signs.push_back(!at(id).type.isBool && hasSign(id));
      zeros.push_back(!at(id).type.isBool && contains(ranges[id], 0) && hasZero(at(id)));
      open.push_back(zeros[id] && varies[id] && isOpen(at(id)));
    }
  }

  bool hasZero(const Node &node) const {
    bool x = node.operandCount > 0 && zeros[node.operands[0]];
    bool y = node.operandCount > 1 && zeros[node.operands[1]];
    bool z = node.operandCount > 2 && zeros[node.operands[2]];
    switch (node.op) {
    case Op::Constant:
      return node.value == 0;
    case Op::Param:
    case Op::Size:
      return false;
    // Positive but for underflow.
    case Op::exp:
    case Op::exp2:
    case Op::softmax:
    case Op::sigmoid:
    case Op::softplus:
    case Op::log_sigmoid:
    case Op::erfc:
    case Op::cosh:
    case Op::bessel_i0:
    case Op::bessel_i0e:
    case Op::rank:
      return false;
    case Op::Mul:
      return x || y;
    case Op::Div:
    case Op::atan2:
      return x;
    case Op::pow:
      return x && ranges[node.operands[1]].high > 0;
    case Op::hypot:
      return x && y;
    // A sum of what is never negative is 0 where all of it is.
    case Op::Add:
      return signs[node.operands[0]] && signs[node.operands[1]] ? x && y : true;
    // The greater one is 0, or less than the other that is.
    case Op::max:
      return (x && rangeOf(node, 1).low <= 0) || (y && rangeOf(node, 0).low <= 0);
    case Op::min:
      return (x && rangeOf(node, 1).high >= 0) || (y && rangeOf(node, 0).high >= 0);
    case Op::clamp:
      return x || y || z;
    case Op::relu:
      return x || rangeOf(node, 0).low < 0;
    case Op::Select:
      return y || z;
    // Functions that are 0 at 0, and what has an element of the operand as its value.
    case Op::Neg:
    case Op::Rename:
    case Op::Broadcast:
    case Op::CustomGradient:
    case Op::stop_gradient:
    case Op::abs:
    case Op::sqrt:
    case Op::sign:
    case Op::gelu:
    case Op::silu:
    case Op::reduce_norm:
    case Op::reduce_max:
    case Op::reduce_min:
      return x;
    case Op::reduce_sum:
    case Op::reduce_mean:
    case Op::cumsum:
      return signs[node.operands[0]] || rangeOf(node, 0).high <= 0 ? x : true;
    // Its range says it.
    default:
      return true;
    }
  }

  /// Whether a gradient flows on through a node where it is 0, to an input. A choice stops it: relu
  /// where its operand is not positive, a conditional in the branch that it does not take.
  bool isOpen(const Node &node) const {
    auto isOpenAt = [&](size_t i) { return bool(open[node.operands[i]]); };
    switch (node.op) {
    case Op::relu:
      return false;
    case Op::Select:
      return (isOpenAt(1) && !isTested(node, node.operands[1])) ||
             (isOpenAt(2) && !isTested(node, node.operands[2]));
    case Op::Mul: {
      NodeId x = node.operands[0], y = node.operands[1];
      if (same[x] == same[y])
        return open[x];
      return (zeros[x] && (open[x] || varies[y])) || (zeros[y] && (open[y] || varies[x]));
    }
    // Where it is 0, all of the operands are, or the one that it is.
    case Op::Add:
      if (!signs[node.operands[0]] || !signs[node.operands[1]])
        return true;
      return isOpenAt(0) || isOpenAt(1);
    case Op::max:
    case Op::min:
    case Op::hypot:
      return isOpenAt(0) || isOpenAt(1);
    case Op::Div:
      return isOpenAt(0) || varies[node.operands[1]];
    case Op::clamp:
    case Op::pow:
    case Op::Neg:
    case Op::Rename:
    case Op::Broadcast:
    case Op::abs:
    case Op::sqrt:
    case Op::reduce_norm:
    case Op::reduce_max:
    case Op::reduce_min:
      return isOpenAt(0);
    case Op::reduce_sum:
    case Op::reduce_mean:
    case Op::cumsum:
      return signs[node.operands[0]] || rangeOf(node, 0).high <= 0 ? isOpenAt(0) : true;
    default:
      return true;
    }
  }

  //===--- Conditionals ---------------------------------------------------===//

  /// What u is made of by functions that are 0 where their operand is: the tests of it are tests of
  /// u.
  void addMakings(NodeId u, std::vector<NodeId> &makings) const {
    for (;;) {
      makings.push_back(same[u]);
      const Node &node = at(u);
      bool isSquare = node.op == Op::Mul && same[node.operands[0]] == same[node.operands[1]];
      bool isPower = node.op == Op::pow && at(node.operands[1]).op == Op::Constant;
      switch (node.op) {
      case Op::Neg:
      case Op::abs:
      case Op::relu:
      case Op::Rename:
      case Op::Broadcast:
      case Op::stop_gradient:
      case Op::Div:
        break;
      case Op::Sub:
        // a - b is 0 where a is b.
        makings.push_back(same[node.operands[0]]);
        makings.push_back(same[node.operands[1]]);
        return;
      case Op::Mul:
      case Op::pow:
        if (isSquare || isPower)
          break;
        return;
      case Op::max:
      case Op::min:
        if (at(node.operands[1]).op != Op::Constant)
          return;
        break;
      default:
        return;
      }
      u = node.operands[0];
    }
  }

  /// Whether a condition compares one of these values.
  bool tests(NodeId condition, const std::vector<NodeId> &values) const {
    const Node &node = at(condition);
    for (size_t i = 0; i < node.operandCount; ++i) {
      NodeId id = node.operands[i];
      if (at(id).type.isBool ? tests(id, values)
                             : std::find(values.begin(), values.end(), same[id]) != values.end())
        return true;
    }
    return false;
  }

  /// Whether a conditional asks whether `u` is 0 before it takes a value.
  bool isTested(const Node &select, NodeId u) const {
    std::vector<NodeId> makings;
    addMakings(u, makings);
    return tests(select.operands[0], makings);
  }

  //===--- Uses -----------------------------------------------------------===//

  void findUses() {
    users.resize(program.nodes.size());
    for (NodeId id = 0; id < program.nodes.size(); ++id)
      for (size_t i = 0; i < at(id).operandCount; ++i)
        users[at(id).operands[i]].push_back(id);
  }

  /// Whether a gradient other than 0 flows from the result to a root where its operand `u` is 0.
  bool isReached(NodeId root, NodeId u) const {
    std::vector<NodeId> work = {root};
    std::vector<bool> seen(program.nodes.size());
    while (!work.empty()) {
      NodeId id = work.back();
      work.pop_back();
      if (id == program.result)
        return true;
      for (NodeId user : users[id])
        if (!seen[user] && passes(user, id, root, u)) {
          seen[user] = true;
          work.push_back(user);
        }
    }
    return false;
  }

  /// Whether what flows to `user` flows on to its operand `id`, the root or what is made of it.
  bool passes(NodeId user, NodeId id, NodeId root, NodeId u) const {
    const Node &node = at(user);
    if (!varies[user])
      return false;
    bool isRoot = id == root;
    auto isOther = [&](size_t i) { return node.operands[i] != id; };
    switch (node.op) {
    // The square of the root again.
    case Op::Mul:
      return !isRoot || isOther(0) || isOther(1);
    case Op::pow:
      return !isRoot || isOther(0) || !(valueOf(operand(node, 1)) > 1);
    // At 0 the other one is the greater.
    case Op::max:
      return !isRoot || rangeOf(node, isOther(0) ? 0 : 1).low <= 0;
    case Op::clamp:
      return !isRoot || isOther(0) || rangeOf(node, 1).low <= 0;
    case Op::Select:
      return !isTested(node, u);
    case Op::CustomGradient:
      return !isOther(1);
    case Op::cumsum:
      return !isOther(0);
    default:
      return true;
    }
  }

  bool isAtRisk(NodeId root) const {
    NodeId u = at(root).operands[0];
    return open[u] && signs[u] && isReached(root, u);
  }

  //===--- What to write --------------------------------------------------===//

  /// x^2, or x * x.
  bool isSquare(const Node &node) const {
    if (node.op == Op::pow)
      return isConstant(operand(node, 1), 2);
    return node.op == Op::Mul && same[node.operands[0]] == same[node.operands[1]];
  }

  /// A sum or a mean, over one axis or several.
  struct Sum {
    const Node *elements;
    bool isMean = false;
    std::set<uint8_t> axes;
  };
  Sum sumAt(const Node *node) const {
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
  std::string normOf(const Node *node, const std::string &x) const {
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

  /// What to write for the square root of a node, or empty.
  std::string stableRoot(const Node &u) const {
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
      return x + (u.op == Op::Mul ? " * sqrt(k)" : " / sqrt(k)");
    if (u.op == Op::Mul && !y.empty() && !varies[u.operands[0]])
      return "sqrt(k) * " + normOf(&operand(u, 1), "x");
    return {};
  }

  std::string hintFor(const Node &root) const {
    bool isSqrt = root.op == Op::sqrt || valueOf(operand(root, 1)) == 0.5;
    const Node &u = operand(root, 0);
    if (std::string form = isSqrt ? stableRoot(u) : std::string(); !form.empty())
      return "write '" + form + "', whose gradient is 0 there";
    std::string power = root.op == Op::sqrt ? "sqrt(... + 1e-12)"
                        : isSqrt            ? "(... + 1e-12)^0.5"
                                            : "(... + 1e-12)^p";
    std::string hint = "keep the operand above 0, as in '" + power + "'";
    if (Sum sum = sumAt(&u); !sum.axes.empty())
      hint += "; the root of a sum of squares is 'norm(x over " + program.axes[*sum.axes.begin()] +
              ")'";
    return hint;
  }

  const Program &program;
  const std::vector<Range> &ranges;
  const std::vector<bool> &varies;
  std::vector<NodeId> same;
  /// By node: whether it can be 0, and whether a gradient flows on through it there.
  std::vector<bool> zeros, open;
  std::vector<bool> signs;
  std::vector<std::vector<NodeId>> users;
};

} // namespace

std::vector<RootAtZero> rootsAtZero(const Program &program, const std::vector<Range> &ranges,
                                    const std::vector<bool> &varies) {
  return RootFinder(program, ranges, varies).run();
}

} // namespace loss::lang
