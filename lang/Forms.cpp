//===- Forms.cpp ----------------------------------------------------------===//
#include "lang/Forms.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <tuple>

namespace loss::lang {

Forms::Forms(const Program &program) : program(program) {
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

bool Forms::isOpposite(NodeId x, NodeId y) const {
  if (is(x, Op::Neg) || is(y, Op::Neg))
    return (is(x, Op::Neg) && isSame(operand(x, 0), y)) ||
           (is(y, Op::Neg) && isSame(operand(y, 0), x));
  return is(x, Op::Sub) && is(y, Op::Sub) && isSame(operand(x, 0), operand(y, 1)) &&
         isSame(operand(x, 1), operand(y, 0));
}

std::optional<NodeId> Forms::rootOfSquare(NodeId id) const {
  if (is(id, Op::pow) && valueOf(operand(id, 1)) == 2)
    return operand(id, 0);
  if (is(id, Op::Mul) && isSame(operand(id, 0), operand(id, 1)))
    return operand(id, 0);
  return std::nullopt;
}

double Forms::valueOf(NodeId id) const {
  double unknown = std::nan("");
  const Node &node = at(id);
  if (node.op == Op::Constant)
    return node.type.isBool ? unknown : node.value;
  if (node.op == Op::Param)
    return program.params[node.index].defaultValue;
  if (node.operandCount == 0 || node.operandCount > 2)
    return unknown;
  bool isArithmetic = node.op == Op::Broadcast || node.op == Op::Neg || node.op == Op::Add ||
                      node.op == Op::Sub || node.op == Op::Mul || node.op == Op::Div;
  if (!isArithmetic)
    return unknown;
  double x = valueOf(node.operands[0]);
  if (std::isnan(x) || node.operandCount == 1)
    return node.op == Op::Neg ? -x : x;
  double y = valueOf(node.operands[1]);
  switch (node.op) {
  case Op::Add:
    return x + y;
  case Op::Sub:
    return x - y;
  case Op::Mul:
    return x * y;
  default:
    return x / y;
  }
}

NodeId Forms::strip(NodeId id) const {
  while (is(id, Op::Broadcast) || is(id, Op::stop_gradient) || is(id, Op::CustomGradient))
    id = operand(id, 0);
  return id;
}

//===----------------------------------------------------------------------===//
// Cosines
//===----------------------------------------------------------------------===//

Forms::Length Forms::summed(NodeId id) const {
  id = strip(id);
  Length sum = {id, is(id, Op::reduce_mean), 0};
  Op op = at(id).op;
  if (op != Op::reduce_sum && op != Op::reduce_mean && op != Op::reduce_norm)
    return sum;
  while (at(sum.vector).op == op) {
    sum.axes |= AxisSet(1) << at(sum.vector).axis;
    sum.vector = strip(operand(sum.vector, 0));
  }
  return sum;
}

/// The lengths whose product has the square `id`, or is not greater.
Forms::Lengths Forms::lengthsOfSquare(NodeId id) const {
  id = strip(id);
  Length sum = summed(id);
  if (sum.axes && !is(id, Op::reduce_norm)) {
    auto vector = rootOfSquare(sum.vector);
    return vector ? Lengths{{first(strip(*vector)), sum.isMean, sum.axes}} : Lengths{};
  }
  if (auto root = rootOfSquare(id))
    return lengths(*root);
  if (is(id, Op::Mul)) {
    Lengths x = lengthsOfSquare(operand(id, 0)), y = lengthsOfSquare(operand(id, 1));
    x.insert(x.end(), y.begin(), y.end());
    return y.empty() ? y : x;
  }
  if (is(id, Op::max) || is(id, Op::Add))
    for (size_t i : {0, 1})
      if (valueOf(operand(id, i)) >= 0)
        return lengthsOfSquare(operand(id, 1 - i));
  return {};
}

/// The lengths that a divisor is the product of, or of which it is not less than the product.
Forms::Lengths Forms::lengths(NodeId divisor) const {
  NodeId id = strip(divisor);
  if (is(id, Op::reduce_norm)) {
    Length norm = summed(id);
    return {{first(norm.vector), false, norm.axes}};
  }
  if (is(id, Op::sqrt) || (is(id, Op::pow) && valueOf(operand(id, 1)) == 0.5))
    return lengthsOfSquare(operand(id, 0));
  if (is(id, Op::Mul)) {
    Lengths x = lengths(operand(id, 0)), y = lengths(operand(id, 1));
    x.insert(x.end(), y.begin(), y.end());
    return y.empty() || x.size() == y.size() ? Lengths{} : x;
  }
  if (is(id, Op::max) || is(id, Op::Add))
    for (size_t i : {0, 1})
      if (valueOf(operand(id, i)) >= 0)
        return lengths(operand(id, 1 - i));
  return {};
}

bool Forms::isDistribution(NodeId id, uint8_t axis) const {
  id = strip(id);
  const Node &node = at(id);
  switch (node.op) {
  case Op::Input:
    return program.inputs[node.index].kind == InputKind::Target &&
           program.inputs[node.index].classAxis == axis;
  case Op::softmax:
    return node.axis == axis;
  case Op::exp:
    return is(strip(operand(id, 0)), Op::log_softmax) && at(strip(operand(id, 0))).axis == axis;
  case Op::Rename:
    return node.axis2 == axis ? isDistribution(operand(id, 0), node.axis)
                              : node.axis != axis && isDistribution(operand(id, 0), axis);
  default:
    return false;
  }
}

/// Whether the squares of the elements along an axis add up to 1 or less.
bool Forms::isUnit(NodeId id, uint8_t axis) const {
  id = strip(id);
  const Node &node = at(id);
  auto isLengthOf = [&](NodeId divisor, NodeId vector) {
    Lengths all = lengths(divisor);
    Length expected = {first(strip(vector)), false, AxisSet(1) << axis};
    return all.size() == 1 && all[0] == expected;
  };
  auto isInverse = [&](NodeId factor, NodeId vector) {
    factor = strip(factor);
    return is(factor, Op::Div) && valueOf(operand(factor, 0)) == 1 &&
           isLengthOf(operand(factor, 1), vector);
  };
  switch (node.op) {
  case Op::Neg:
    return isUnit(operand(id, 0), axis);
  case Op::Rename:
    return node.axis2 == axis ? isUnit(operand(id, 0), node.axis)
                              : node.axis != axis && isUnit(operand(id, 0), axis);
  case Op::sqrt:
    return isDistribution(operand(id, 0), axis);
  case Op::Div:
    return isLengthOf(operand(id, 1), operand(id, 0));
  case Op::Mul:
    return isInverse(operand(id, 0), operand(id, 1)) || isInverse(operand(id, 1), operand(id, 0));
  default:
    return isDistribution(id, axis);
  }
}

/// The product of two vectors, divided by their lengths.
bool Forms::isCosineOfQuotient(NodeId id) const {
  Lengths divisors;
  for (; is(id, Op::Div); id = strip(operand(id, 0))) {
    Lengths more = lengths(operand(id, 1));
    if (more.empty())
      return false;
    divisors.insert(divisors.end(), more.begin(), more.end());
  }
  Length sum = summed(id);
  if (divisors.size() != 2 || !sum.axes || is(id, Op::reduce_norm) || !is(sum.vector, Op::Mul))
    return false;
  auto lengthOf = [&](size_t i) {
    return Length{first(strip(operand(sum.vector, i))), sum.isMean, sum.axes};
  };
  return (divisors[0] == lengthOf(0) && divisors[1] == lengthOf(1)) ||
         (divisors[0] == lengthOf(1) && divisors[1] == lengthOf(0));
}

bool Forms::isCosine(NodeId id) const {
  if (is(id, Op::Div))
    return isCosineOfQuotient(id);
  if (!is(id, Op::reduce_sum))
    return false;
  uint8_t axis = at(id).axis;
  NodeId product = strip(operand(id, 0));
  if (auto x = rootOfSquare(product))
    return isUnit(*x, axis);
  auto bothAre = [&](NodeId of, bool (Forms::*kind)(NodeId, uint8_t) const) {
    return is(of, Op::Mul) && (this->*kind)(operand(of, 0), axis) &&
           (this->*kind)(operand(of, 1), axis);
  };
  if (is(product, Op::sqrt))
    return bothAre(strip(operand(product, 0)), &Forms::isDistribution);
  return bothAre(product, &Forms::isUnit);
}

bool Forms::isDot(NodeId id) const {
  id = strip(id);
  Length sum = summed(id);
  return is(id, Op::reduce_sum) && is(sum.vector, Op::Mul) &&
         !isSame(operand(sum.vector, 0), operand(sum.vector, 1));
}

bool Forms::isAffineOfSum(NodeId id) const {
  for (;;) {
    id = strip(id);
    switch (at(id).op) {
    case Op::reduce_sum:
    case Op::reduce_mean:
      return true;
    case Op::Neg:
    case Op::clamp:
    case Op::Rename:
      id = operand(id, 0);
      break;
    case Op::Add:
    case Op::Sub:
    case Op::Mul:
    case Op::Div:
    case Op::max:
    case Op::min:
      if (!std::isnan(valueOf(operand(id, 1))))
        id = operand(id, 0);
      else if (!std::isnan(valueOf(operand(id, 0))) && !is(id, Op::Div))
        id = operand(id, 1);
      else
        return false;
      break;
    default:
      return isCosine(id);
    }
  }
}

//===----------------------------------------------------------------------===//
// Differences that are never negative
//===----------------------------------------------------------------------===//

/// Adds the summands of a node; false where they are many.
bool Forms::addTerms(NodeId id, double factor, std::vector<Term> &terms) const {
  constexpr size_t most = 3;
  id = strip(id);
  if (double value = valueOf(id); !std::isnan(value)) {
    terms.push_back({factor * value, std::nullopt});
    return terms.size() <= most;
  }
  switch (at(id).op) {
  case Op::Neg:
    return addTerms(operand(id, 0), -factor, terms);
  case Op::Add:
  case Op::Sub:
    return addTerms(operand(id, 0), factor, terms) &&
           addTerms(operand(id, 1), is(id, Op::Sub) ? -factor : factor, terms);
  case Op::Mul:
    for (size_t i : {0, 1})
      if (double value = valueOf(operand(id, i)); !std::isnan(value))
        return addTerms(operand(id, 1 - i), factor * value, terms);
    break;
  case Op::Div:
    if (double value = valueOf(operand(id, 1)); !std::isnan(value))
      return addTerms(operand(id, 0), factor / value, terms);
    break;
  default:
    break;
  }
  terms.push_back({factor, id});
  return terms.size() <= most;
}

std::vector<Forms::Term> Forms::termsOf(NodeId id) const {
  std::vector<Term> terms;
  return addTerms(id, 1, terms) ? terms : std::vector<Term>();
}

/// `1 - sum(x * y)`, also of its square: of vectors that whoever takes its root has normalised.
bool Forms::isComplementOfDot(const std::vector<Term> &terms) const {
  if (terms.size() != 2)
    return false;
  size_t i = terms[0].node ? 0 : 1;
  const Term &dot = terms[i], &one = terms[1 - i];
  if (!dot.node || one.node || one.factor <= 0 || dot.factor != -one.factor)
    return false;
  auto root = rootOfSquare(*dot.node);
  return isDot(*dot.node) || (root && isDot(*root));
}

/// `x^2 - 2 * x * y + y^2`, also of sums: `sum(x^2) + sum(y^2) - 2 * sum(x * y)`.
bool Forms::isExpandedSquare(const std::vector<Term> &terms) const {
  if (terms.size() != 3)
    return false;
  using Factor = std::pair<NodeId, std::vector<std::pair<uint8_t, uint8_t>>>;
  struct Product {
    double factor = 0;
    AxisSet axes = 0;
    bool isMean = false;
    std::vector<Factor> of;
  };
  std::vector<std::pair<uint8_t, uint8_t>> renamed;
  auto withRenames = [&](NodeId id) {
    Factor factor = {strip(id), renamed};
    while (is(factor.first, Op::Rename)) {
      const Node &node = at(factor.first);
      factor.second.push_back({node.axis, node.axis2});
      factor.first = strip(node.operands[0]);
    }
    factor.first = first(factor.first);
    return factor;
  };
  std::vector<Product> products;
  for (const Term &term : terms) {
    if (!term.node)
      return false;
    Product product;
    product.factor = term.factor;
    renamed.clear();
    NodeId id = strip(*term.node);
    for (; is(id, Op::Rename); id = strip(operand(id, 0)))
      renamed.push_back({at(id).axis, at(id).axis2});
    if (auto root = rootOfSquare(id); root && is(strip(*root), Op::reduce_norm)) {
      Length norm = summed(*root);
      product.axes = norm.axes;
      product.of = {withRenames(norm.vector), withRenames(norm.vector)};
      products.push_back(product);
      continue;
    }
    if (is(id, Op::reduce_sum) || is(id, Op::reduce_mean)) {
      Length sum = summed(id);
      product.axes = sum.axes;
      product.isMean = sum.isMean;
      id = sum.vector;
    }
    if (auto x = rootOfSquare(id)) {
      product.of = {withRenames(*x), withRenames(*x)};
    } else if (is(id, Op::Mul)) {
      NodeId x = operand(id, 0), y = operand(id, 1);
      // `2 * x * y` is `(2 * x) * y`.
      if (NodeId inner = strip(x); is(inner, Op::Mul) && !std::isnan(valueOf(operand(inner, 0)))) {
        product.factor *= valueOf(operand(inner, 0));
        x = operand(inner, 1);
      }
      product.of = {withRenames(x), withRenames(y)};
    } else {
      return false;
    }
    std::sort(product.of.begin(), product.of.end());
    products.push_back(product);
  }
  for (size_t i = 0; i < 3; ++i) {
    const Product &mixed = products[i], &x = products[(i + 1) % 3], &y = products[(i + 2) % 3];
    std::vector<Factor> roots = {x.of[0], y.of[0]};
    std::sort(roots.begin(), roots.end());
    if (x.of[0] == x.of[1] && y.of[0] == y.of[1] && mixed.of == roots && x.factor > 0 &&
        x.factor == y.factor && mixed.factor == -2 * x.factor && x.axes == y.axes &&
        x.axes == mixed.axes && x.isMean == y.isMean && x.isMean == mixed.isMean)
      return true;
  }
  return false;
}

/// A function above its tangent: `exp(x) - 1 - x`, `x - 1 - log(x)`.
bool Forms::isTangentGap(const std::vector<Term> &terms) const {
  if (terms.size() != 3)
    return false;
  double constant = 0;
  std::vector<Term> others;
  for (const Term &term : terms)
    if (term.node)
      others.push_back(term);
    else
      constant = term.factor;
  if (others.size() != 2 || constant >= 0)
    return false;
  if (others[0].factor < 0)
    std::swap(others[0], others[1]);
  if (others[0].factor != -constant || others[1].factor != constant)
    return false;
  NodeId above = *others[0].node, below = *others[1].node;
  return (is(above, Op::exp) && isSame(strip(operand(above, 0)), below)) ||
         (is(below, Op::log) && isSame(strip(operand(below, 0)), above));
}

/// Whether a sum is an average of values with weights that add up to 1.
bool Forms::isAverage(NodeId sum) const {
  if (is(sum, Op::reduce_mean))
    return true;
  NodeId product = strip(operand(sum, 0));
  uint8_t axis = at(sum).axis;
  return is(product, Op::Mul) &&
         (isDistribution(operand(product, 0), axis) || isDistribution(operand(product, 1), axis));
}

/// Whether `second` is the average of the squares of what `first` is the average of.
/// `isDivided`: sums are divided by the number of elements.
bool Forms::isMoment(NodeId second, NodeId firstMoment, bool isDivided) const {
  bool hasAverage = false;
  for (;;) {
    if (auto root = rootOfSquare(second); root && isSame(strip(*root), strip(firstMoment)))
      return hasAverage;
    const Node &x = at(second), &y = at(firstMoment);
    if (x.op != y.op || x.operandCount != y.operandCount || x.axis != y.axis || x.axis2 != y.axis2)
      return false;
    switch (x.op) {
    case Op::reduce_mean:
    case Op::reduce_sum:
      if (!isAverage(second) && !isDivided)
        return false;
      hasAverage = true;
      break;
    case Op::Div:
      isDivided = is(strip(x.operands[1]), Op::Size);
      break;
    case Op::Mul:
    case Op::Broadcast:
      break;
    default:
      return false;
    }
    // The one operand that differs.
    size_t different = x.operandCount;
    for (size_t i = 0; i < x.operandCount; ++i)
      if (!isSame(x.operands[i], y.operands[i])) {
        if (different != x.operandCount)
          return false;
        different = i;
      }
    if (different == x.operandCount)
      return false;
    second = x.operands[different];
    firstMoment = y.operands[different];
  }
}

/// `mean(x^2) - mean(x)^2`, `sum(x^2) - sum(x)^2 / size`, `size * sum(x^2) - sum(x)^2`
bool Forms::isVariance(NodeId id) const {
  if (!is(id, Op::Sub))
    return false;
  NodeId second = strip(operand(id, 0)), square = strip(operand(id, 1));
  auto isSize = [&](NodeId x) { return is(strip(x), Op::Size); };
  bool isDivided = true;
  if (is(square, Op::Div) && isSize(operand(square, 1)))
    square = strip(operand(square, 0));
  else if (is(second, Op::Mul) && isSize(operand(second, 0)))
    second = strip(operand(second, 1));
  else if (is(second, Op::Mul) && isSize(operand(second, 1)))
    second = strip(operand(second, 0));
  else
    isDivided = false;
  auto mean = rootOfSquare(square);
  return mean && isMoment(second, strip(*mean), isDivided);
}

/// Whether x >= y by their form, and x = y somewhere: `max(x over c) - x`.
bool Forms::isNeverBelow(NodeId x, NodeId y) const {
  x = strip(x);
  y = strip(y);
  auto has = [&](NodeId node, NodeId of) {
    for (size_t i = 0; i < at(node).operandCount; ++i)
      if (isSame(strip(operand(node, i)), of))
        return true;
    return false;
  };
  switch (at(x).op) {
  case Op::abs:
  case Op::max:
  case Op::expm1:
  case Op::ceil:
  case Op::reduce_max:
  case Op::reduce_logsumexp:
    if (has(x, y))
      return true;
    break;
  case Op::reduce_norm:
    if (has(x, y) || (is(y, Op::abs) && has(x, strip(operand(y, 0)))))
      return true;
    break;
  default:
    break;
  }
  switch (at(y).op) {
  case Op::min:
  case Op::log1p:
  case Op::floor:
  case Op::reduce_min:
    return has(y, x);
  default:
    return false;
  }
}

bool Forms::isLogOf(NodeId log, NodeId x) const {
  log = strip(log);
  x = strip(x);
  if (is(log, Op::log) && isSame(strip(operand(log, 0)), x))
    return true;
  if (is(x, Op::exp) && isSame(strip(operand(x, 0)), log))
    return true;
  return is(log, Op::log_softmax) && is(x, Op::softmax) && at(log).axis == at(x).axis &&
         isSame(operand(log, 0), operand(x, 0));
}

/// `sum(p * (log(p) - log(q)))`, also written with a quotient or with xlogy.
bool Forms::isRelativeEntropy(NodeId id) const {
  Length sum = summed(id);
  if (!sum.axes || is(id, Op::reduce_norm))
    return false;
  NodeId element = sum.vector;
  auto isXlogy = [&](NodeId node) { return is(strip(node), Op::xlogy); };
  auto isQuotientOf = [&](NodeId quotient, NodeId p) {
    quotient = strip(quotient);
    return is(quotient, Op::Div) && isSame(strip(operand(quotient, 0)), strip(p));
  };
  if (isXlogy(element))
    return isQuotientOf(operand(element, 1), operand(element, 0));
  if (is(element, Op::Sub)) {
    // p log(p) - p log(q), each written either way.
    NodeId x = strip(operand(element, 0)), y = strip(operand(element, 1));
    if (!(isXlogy(x) || is(x, Op::Mul)) || !(isXlogy(y) || is(y, Op::Mul)))
      return false;
    for (size_t i : {0, 1}) {
      NodeId p = operand(x, i), other = operand(x, 1 - i);
      bool isWhole = isXlogy(x) ? i == 0 && isSame(p, other) : isLogOf(other, p);
      bool isFactor = isSame(p, operand(y, 0)) || (is(y, Op::Mul) && isSame(p, operand(y, 1)));
      if (isWhole && isFactor)
        return true;
    }
    return false;
  }
  if (!is(element, Op::Mul))
    return false;
  for (size_t i : {0, 1}) {
    NodeId p = operand(element, i), log = strip(operand(element, 1 - i));
    if ((is(log, Op::Sub) && isLogOf(operand(log, 0), p)) ||
        (is(log, Op::log) && isQuotientOf(operand(log, 0), p)))
      return true;
  }
  return false;
}

bool Forms::isDistance(NodeId id) const {
  std::vector<Term> terms = termsOf(id);
  if (isExpandedSquare(terms))
    return true;
  if (!isComplementOfDot(terms))
    return false;
  // 1 less the probability of the target is none.
  NodeId product = summed(terms[terms[0].node ? 0 : 1].node.value()).vector;
  auto isProbability = [&](NodeId id) {
    id = strip(id);
    return (is(id, Op::Input) && program.inputs[at(id).index].kind == InputKind::Target) ||
           is(id, Op::softmax) || is(id, Op::sigmoid) || is(id, Op::exp);
  };
  return is(product, Op::Mul) && !isProbability(operand(product, 0)) &&
         !isProbability(operand(product, 1));
}

bool Forms::isGap(NodeId id) const {
  switch (at(id).op) {
  case Op::reduce_sum:
  case Op::reduce_mean:
    return isRelativeEntropy(id);
  case Op::Sub:
    if (isNeverBelow(operand(id, 0), operand(id, 1)) || isVariance(id))
      return true;
    [[fallthrough]];
  case Op::Add:
    return isComplementOfDot(termsOf(id)) || isDistance(id) || isTangentGap(termsOf(id));
  default:
    return false;
  }
}

} // namespace loss::lang
