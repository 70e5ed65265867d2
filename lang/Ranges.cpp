//===- Ranges.cpp ---------------------------------------------------------===//
#include "lang/Ranges.h"

#include "lang/Forms.h"

#include <algorithm>
#include <cmath>

namespace loss::lang {

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr Range all = {};
constexpr Range truth = {0, 1};

/// The smallest positive number of the narrower element type (f32), so that no claim depends on the
/// type.
constexpr double tiny = 1.40129846432481707e-45;

bool contains(const Range &x, double value) { return x.low <= value && value <= x.high; }

/// One step of f32 rounding outwards, which is enough for a result of a correctly rounded operation
/// and for functions that are off by an ulp or two.
Range outwards(Range x) {
  auto step = [](double value) { return std::abs(value) * 1e-6 + (value == 0 ? 0 : tiny); };
  return {x.low - (std::isinf(x.low) ? 0 : step(x.low)),
          x.high + (std::isinf(x.high) ? 0 : step(x.high))};
}

Range hull(Range x, Range y) { return {std::min(x.low, y.low), std::max(x.high, y.high)}; }

/// The hull of corner values; what is no number may be anything.
Range corners(std::initializer_list<double> values) {
  Range result = {inf, -inf};
  for (double value : values) {
    if (std::isnan(value))
      return all;
    result = {std::min(result.low, value), std::max(result.high, value)};
  }
  return outwards(result);
}

/// A number as f32 has it, with its neighbours.
Range around(double value) {
  float narrow = static_cast<float>(value);
  float limit = std::numeric_limits<float>::infinity();
  return {std::min<double>(value, std::nextafter(narrow, -limit)),
          std::max<double>(value, std::nextafter(narrow, limit))};
}

Range add(Range x, Range y) {
  // Parts of constants: 1 - 1e-6 is not 1.
  if (x.isPoint() && y.isPoint() && std::isfinite(x.low + y.low) && x.low + y.low != 0)
    return around(x.low + y.low);
  return corners({x.low + y.low, x.high + y.high});
}

Range mul(Range x, Range y) {
  // An end that is 0 times one that is infinite: every product between is 0 or has the sign of the
  // others, so 0 stands for it.
  auto times = [](double a, double b) { return a == 0 || b == 0 ? 0 : a * b; };
  return corners(
      {times(x.low, y.low), times(x.low, y.high), times(x.high, y.low), times(x.high, y.high)});
}

Range div(Range x, Range y) {
  if (contains(y, 0))
    return x.low >= 0 && y.low >= 0 ? Range{0, inf} : all;
  auto over = [](double a, double b) { return std::isinf(b) ? 0 : a / b; };
  return corners(
      {over(x.low, y.low), over(x.low, y.high), over(x.high, y.low), over(x.high, y.high)});
}

Range square(Range x) {
  double high = std::max(std::abs(x.low), std::abs(x.high));
  double low = contains(x, 0) ? 0 : std::min(std::abs(x.low), std::abs(x.high));
  return corners({low * low, high * high});
}

Range pow(Range x, Range y) {
  if (y.isPoint() && y.low == 2)
    return square(x);
  bool isEven = y.isPoint() && std::fmod(y.low, 2) == 0;
  if (x.low >= 0 && y.low >= 0 && x.high <= 1)
    return {0, 1};
  return x.low >= 0 || isEven ? Range{0, inf} : all;
}

/// A function that grows with x.
template <typename Fn> Range increasing(Range x, Fn function) {
  return corners({function(x.low), function(x.high)});
}

/// Clipped to where the function has values that are numbers.
Range clip(Range x, double low, double high) {
  return {std::clamp(x.low, low, high), std::clamp(x.high, low, high)};
}

Range absolute(Range x) {
  if (x.low >= 0)
    return x;
  if (x.high <= 0)
    return {-x.high, -x.low};
  return {0, std::max(-x.low, x.high)};
}

Range ofConstraint(Constraint constraint) {
  switch (constraint) {
  case Constraint::Positive:
    return {tiny, inf};
  case Constraint::Nonnegative:
    return {0, inf};
  case Constraint::Unit:
    return {0, 1};
  case Constraint::Any:
  case Constraint::Integer:
    return all;
  }
  return all;
}

/// 0 or 1 for each of the two that can be.
Range compare(Op op, Range x, Range y) {
  bool always = false, never = false;
  switch (op) {
  case Op::Less:
    always = x.high < y.low;
    never = x.low >= y.high;
    break;
  case Op::LessEqual:
    always = x.high <= y.low;
    never = x.low > y.high;
    break;
  case Op::Greater:
    return compare(Op::Less, y, x);
  case Op::GreaterEqual:
    return compare(Op::LessEqual, y, x);
  case Op::Equal:
    always = x.isPoint() && x == y;
    never = x.high < y.low || y.high < x.low;
    break;
  default:
    always = x.high < y.low || y.high < x.low;
    never = x.isPoint() && x == y;
  }
  return always ? Range{1, 1} : never ? Range{0, 0} : truth;
}

class Analysis {
public:
  explicit Analysis(const Program &program) : program(program), forms(program) {}

  std::vector<Range> run() {
    for (NodeId id = 0; id < program.nodes.size(); ++id) {
      Range range = evaluate(program.nodes[id]);
      // The vectors have length 1 but for rounding.
      constexpr double cosine = 1 + 2.5e-7;
      if (forms.isCosine(id))
        range = {std::max(range.low, -cosine), cosine};
      // No number is in it: nothing can be said about what is there instead.
      ranges.push_back(range.low <= range.high ? range : all);
    }
    return std::move(ranges);
  }

private:
  const Range &operand(const Node &node, size_t i) const { return ranges[node.operands[i]]; }

  Range evaluate(const Node &node) const {
    switch (node.op) {
    case Op::Input:
      return all;
    case Op::Param:
      return ofConstraint(program.params[node.index].constraint);
    case Op::Constant:
      return {node.value, node.value};
    case Op::Size:
    case Op::Index:
    case Op::reduce_argmax:
    case Op::reduce_argmin:
    case Op::reduce_norm:
      return {0, inf};
    case Op::rank:
      return {1, inf};
    case Op::softmax:
      return {0, 1};
    case Op::log_softmax:
      return {-inf, 0};
    default:
      break;
    }
    Range x = node.operandCount ? operand(node, 0) : all;
    Range y = node.operandCount > 1 ? operand(node, 1) : all;
    Range z = node.operandCount > 2 ? operand(node, 2) : all;
    if (node.operandCount == 2 && forms.isSame(node.operands[0], node.operands[1])) {
      if (node.op == Op::Mul)
        return square(x);
      if (node.op == Op::Sub)
        return {0, 0};
    }
    if (node.op == Op::Mul && forms.isOpposite(node.operands[0], node.operands[1]))
      return {-square(x).high, -square(x).low};
    switch (node.op) {
    case Op::Rename:
    case Op::Broadcast:
    case Op::CustomGradient:
    case Op::stop_gradient:
    case Op::reduce_mean:
    case Op::reduce_max:
    case Op::reduce_min:
      return x;
    case Op::reduce_sum:
    case Op::cumsum:
      // Of none, one or more elements.
      return {x.low >= 0 ? 0 : -inf, x.high <= 0 ? 0 : inf};
    case Op::reduce_logsumexp:
    case Op::logcumsumexp:
      return outwards({x.low, inf});
    case Op::Select: {
      if (x.isPoint())
        return x.low != 0 ? y : z;
      return hull(y, z);
    }
    case Op::Not:
      return {1 - x.high, 1 - x.low};
    case Op::And:
      return {std::min(x.low, y.low), std::min(x.high, y.high)};
    case Op::Or:
      return {std::max(x.low, y.low), std::max(x.high, y.high)};
    case Op::Less:
    case Op::LessEqual:
    case Op::Greater:
    case Op::GreaterEqual:
    case Op::Equal:
    case Op::NotEqual:
      return compare(node.op, x, y);
    default:
      return elementwise(node.op, x, y, z);
    }
  }

  static Range elementwise(Op op, Range x, Range y, Range z) {
    switch (op) {
    case Op::Neg:
      return {-x.high, -x.low};
    case Op::Add:
      return add(x, y);
    case Op::Sub:
      return add(x, {-y.high, -y.low});
    case Op::Mul:
      return mul(x, y);
    case Op::Div:
      return div(x, y);
    case Op::pow:
      return pow(x, y);
    case Op::max:
      return {std::max(x.low, y.low), std::max(x.high, y.high)};
    case Op::min:
      return {std::min(x.low, y.low), std::min(x.high, y.high)};
    case Op::clamp:
      return {std::min(std::max(x.low, y.low), z.low), std::min(std::max(x.high, y.high), z.high)};
    case Op::hypot:
      return {0, inf};
    case Op::abs:
      return absolute(x);
    case Op::exp:
      return increasing(x, [](double v) { return std::exp(v); });
    case Op::exp2:
      return increasing(x, [](double v) { return std::exp2(v); });
    case Op::expm1:
      return increasing(x, [](double v) { return std::expm1(v); });
    case Op::log:
      return increasing(clip(x, 0, inf), [](double v) { return std::log(v); });
    case Op::log2:
      return increasing(clip(x, 0, inf), [](double v) { return std::log2(v); });
    case Op::log10:
      return increasing(clip(x, 0, inf), [](double v) { return std::log10(v); });
    case Op::log1p:
      return increasing(clip(x, -1, inf), [](double v) { return std::log1p(v); });
    case Op::sqrt:
      return increasing(clip(x, 0, inf), [](double v) { return std::sqrt(v); });
    case Op::relu:
      return clip(x, 0, inf);
    case Op::sign:
      return {x.low > 0 ? 1.0 : x.low < 0 ? -1.0 : 0.0, x.high > 0 ? 1.0 : x.high < 0 ? -1.0 : 0.0};
    case Op::floor:
      return {std::floor(x.low), std::floor(x.high)};
    case Op::ceil:
      return {std::ceil(x.low), std::ceil(x.high)};
    case Op::round:
      return {std::nearbyint(x.low), std::nearbyint(x.high)};
    case Op::sin:
    case Op::cos:
    case Op::tanh:
    case Op::erf:
      return {-1, 1};
    case Op::sigmoid:
    case Op::bessel_i0e:
      return {0, 1};
    case Op::bessel_i1e:
      return {-1, 1};
    case Op::erfc:
      return {0, 2};
    case Op::log1mexp:
    case Op::log_sigmoid:
      return {-inf, 0};
    case Op::softplus:
    case Op::acosh:
    case Op::exprel:
    case Op::stirling_error:
      return {0, inf};
    case Op::cosh:
    case Op::bessel_i0:
      return {1, inf};
    case Op::acos:
      return {0, 3.1416};
    case Op::asin:
    case Op::atan:
      return {-1.5708, 1.5708};
    case Op::atan2:
      return {-3.1416, 3.1416};
    default:
      return all;
    }
  }

  const Program &program;
  Forms forms;
  std::vector<Range> ranges;
};

} // namespace

std::vector<Range> rangesOf(const Program &program) { return Analysis(program).run(); }

} // namespace loss::lang
