//===- Roots.cpp ----------------------------------------------------------===//
#include "lang/Roots.h"

#include "lang/Forms.h"
#include "lang/RootHints.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>

namespace loss::lang {

namespace {

bool contains(const Range &x, double value) { return x.low <= value && value <= x.high; }

class RootFinder {
public:
  RootFinder(const Program &program, const std::vector<Range> &ranges,
             const std::vector<bool> &varies)
      : program(program), ranges(ranges), varies(varies), forms(program) {}

  std::vector<RootAtZero> run() {
    findZeros();
    findUses();
    RootHints hints(program, varies, users, forms);
    std::vector<RootAtZero> found;
    // Following each root to the result takes time, and more warnings help nobody.
    constexpr size_t most = 100;
    for (NodeId id = 0; id < program.nodes.size() && found.size() < most; ++id)
      if (auto root = rootOf(program.nodes[id]); root && isAtRisk(id, *root))
        found.push_back({id, root->name, placeOf(*root), hints.hintFor(id, *root)});
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

  /// The least value of an operand; of an expression of parameters that at their defaults.
  double lowOf(const Node &node, size_t i) const {
    double value = forms.valueOf(node.operands[i]);
    return std::isnan(value) ? rangeOf(node, i).low : value;
  }

  //===--- Kinds of roots -------------------------------------------------===//

  /// `c * log(u)`, `log(u) / k`: u and its power.
  std::optional<std::pair<NodeId, double>> powerOf(NodeId exponent, Op log) const {
    double power = 1;
    for (NodeId id = forms.strip(exponent);;) {
      const Node &node = at(id);
      if (node.op == log)
        return std::pair(node.operands[0], power);
      if (node.op != Op::Mul && node.op != Op::Div)
        return std::nullopt;
      size_t factor = node.op == Op::Mul && !std::isnan(forms.valueOf(node.operands[0])) ? 0 : 1;
      double value = forms.valueOf(node.operands[factor]);
      power = node.op == Op::Mul ? power * value : power / value;
      id = forms.strip(node.operands[1 - factor]);
    }
  }

  /// What kind of root a node is, or nothing.
  std::optional<Root> rootOf(const Node &node) const {
    switch (node.op) {
    case Op::sqrt:
      return Root{"sqrt", node.operands[0]};
    case Op::pow:
      if (double power = forms.valueOf(node.operands[1]); power > 0 && power < 1)
        return Root{"a power below 1", node.operands[0], Root::AtZero, power};
      return std::nullopt;
    case Op::exp:
    case Op::exp2:
      if (auto power = powerOf(node.operands[0], node.op == Op::exp ? Op::log : Op::log2);
          power && power->second > 0 && power->second != 1)
        return Root{node.op == Op::exp ? "exp(c * log(x))" : "exp2(c * log2(x))", power->first,
                    Root::AtZero, power->second};
      return std::nullopt;
    case Op::acos:
    case Op::asin:
      return Root{std::string(opName(node.op)), node.operands[0], Root::AtEnds};
    case Op::acosh:
      return Root{"acosh", node.operands[0], Root::AtOne};
    default:
      return std::nullopt;
    }
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
    if (forms.isGap(id))
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
      return (x && lowOf(node, 1) <= 0) || (y && lowOf(node, 0) <= 0);
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
      if (forms.isSame(x, y))
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
      makings.push_back(forms.first(u));
      const Node &node = at(u);
      bool isSquare = node.op == Op::Mul && forms.isSame(node.operands[0], node.operands[1]);
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
        makings.push_back(forms.first(node.operands[0]));
        makings.push_back(forms.first(node.operands[1]));
        return;
      case Op::Mul:
      case Op::pow:
        if (isSquare || isPower)
          break;
        return;
      case Op::max:
      case Op::min:
      case Op::clamp:
        if (std::isnan(forms.valueOf(node.operands[1])))
          return;
        break;
      default:
        return;
      }
      u = node.operands[0];
    }
  }

  /// Whether a condition compares one of these values, or its absolute value.
  bool tests(NodeId condition, const std::vector<NodeId> &values) const {
    const Node &node = at(condition);
    auto isOneOf = [&](NodeId id) {
      return std::find(values.begin(), values.end(), forms.first(id)) != values.end();
    };
    for (size_t i = 0; i < node.operandCount; ++i) {
      NodeId id = node.operands[i], inner = forms.strip(id);
      if (at(id).type.isBool ? tests(id, values)
                             : isOneOf(id) || isOneOf(inner) ||
                                   (at(inner).op == Op::abs && isOneOf(at(inner).operands[0])))
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
  bool isReached(NodeId root, const Root &kind) const {
    NodeId u = kind.operand;
    bool isZeroThere = kind.place != Root::AtEnds;
    std::vector<NodeId> work = {root};
    std::vector<bool> seen(program.nodes.size());
    while (!work.empty()) {
      NodeId id = work.back();
      work.pop_back();
      if (id == program.result)
        return true;
      for (NodeId user : users[id])
        if (!seen[user] && !(id == root && cutsEnds(user, kind)) &&
            passes(user, id, isZeroThere && id == root, u)) {
          seen[user] = true;
          work.push_back(user);
        }
    }
    return false;
  }

  /// Whether a clamp of an angle keeps it away from the values at the ends: by its numbers, or by
  /// what its writer computes of parameters.
  bool cutsEnds(NodeId user, const Root &kind) const {
    const Node &node = at(user);
    if (kind.place != Root::AtEnds || node.op != Op::clamp || varies[node.operands[1]] ||
        varies[node.operands[2]])
      return false;
    constexpr double pi = 3.14159265;
    double low = forms.valueOf(node.operands[1]), high = forms.valueOf(node.operands[2]);
    double shift = kind.name == "asin" ? pi / 2 : 0;
    return !(low <= -shift) && !(high >= pi - shift);
  }

  /// Whether what flows to `user` flows on to its operand `id`, the root or what is made of it.
  /// `isRoot`: it is the root, which is 0 where `u` is.
  bool passes(NodeId user, NodeId id, bool isRoot, NodeId u) const {
    const Node &node = at(user);
    if (!varies[user])
      return false;
    auto isOther = [&](size_t i) { return node.operands[i] != id; };
    switch (node.op) {
    // The square of the root again.
    case Op::Mul:
      return !isRoot || isOther(0) || isOther(1);
    case Op::pow:
      return !isRoot || isOther(0) || !(forms.valueOf(node.operands[1]) > 1);
    // At 0 the other one is the greater.
    case Op::max:
      return !isRoot || lowOf(node, isOther(0) ? 0 : 1) <= 0;
    case Op::clamp:
      return !isRoot || isOther(0) || lowOf(node, 1) <= 0;
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

  //===--- Ends of a domain -----------------------------------------------===//

  /// A number as f32 has it, where it is known.
  double boundOf(NodeId id, double otherwise) const {
    double value = forms.valueOf(id);
    return std::isnan(value) ? otherwise : static_cast<float>(value);
  }

  /// The range of a node, with the bounds that are written as they are: `clamp(x, -1 + 1e-7, 1)`.
  Range boundsOf(NodeId id) const {
    const Node &node = at(id);
    Range x = ranges[id];
    switch (node.op) {
    case Op::Broadcast:
      return boundsOf(node.operands[0]);
    case Op::clamp:
      return {std::max(boundsOf(node.operands[0]).low, boundOf(node.operands[1], x.low)),
              std::min(boundsOf(node.operands[0]).high, boundOf(node.operands[2], x.high))};
    case Op::max:
    case Op::min:
      for (size_t i : {0, 1})
        if (double bound = boundOf(node.operands[i], std::nan("")); !std::isnan(bound)) {
          Range other = boundsOf(node.operands[1 - i]);
          return node.op == Op::max
                     ? Range{std::max(other.low, bound), std::max(other.high, bound)}
                     : Range{std::min(other.low, bound), std::min(other.high, bound)};
        }
      return x;
    default:
      return x;
    }
  }

  /// Whether the operand of acos or asin can be 1 or -1 and has a gradient there. What is given as
  /// it is, `acos(x)`, is known to be less.
  bool reachesEnds(NodeId id) const {
    constexpr double rounding = 1e-5;
    const Node &node = at(id);
    if (node.op == Op::Select) {
      auto reaches = [&](size_t i) {
        return !isTested(node, node.operands[i]) && reachesEnds(node.operands[i]);
      };
      return reaches(1) || reaches(2);
    }
    if (!varies[id] || !std::isnan(forms.valueOf(id)))
      return false;
    Range x = boundsOf(id);
    bool isBounded = x.low >= -1 - rounding && x.high <= 1 + rounding;
    bool isInside = x.low > -1 && x.high < 1;
    return !isInside && (isBounded || forms.isAffineOfSum(id));
  }

  /// Whether the operand of acosh can be 1 and has a gradient there.
  bool reachesOne(NodeId id) const {
    const Node &node = at(id);
    if (!varies[id])
      return false;
    switch (node.op) {
    case Op::cosh:
      return true;
    case Op::max:
    case Op::clamp:
      return static_cast<float>(boundsOf(id).low) == 1;
    case Op::Add:
      for (size_t i : {0, 1})
        if (boundOf(node.operands[i], 0) == 1) {
          NodeId gap = node.operands[1 - i];
          return open[gap] && signs[gap];
        }
      return false;
    default:
      return false;
    }
  }

  bool isAtRisk(NodeId id, const Root &root) const {
    NodeId u = root.operand;
    bool isThere = root.place == Root::AtZero   ? open[u] && signs[u]
                   : root.place == Root::AtEnds ? reachesEnds(u)
                                                : reachesOne(u);
    return isThere && isReached(id, root);
  }

  static std::string placeOf(const Root &root) {
    return root.place == Root::AtZero ? "0" : root.place == Root::AtEnds ? "1 or -1" : "1";
  }

  const Program &program;
  const std::vector<Range> &ranges;
  const std::vector<bool> &varies;
  Forms forms;
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
