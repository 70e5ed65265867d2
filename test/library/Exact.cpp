//===- Exact.cpp - what a kernel should give ------------------------------===//

#include "test/library/Exact.h"

#include "compiler/Reference/BasicInterpreter.h"

#include <cmath>

namespace loss::stress {

using ir::reference::BasicArguments, ir::reference::BasicArray;
using JetArray = BasicArray<Jet>;

namespace {

/// How far points nearby are: digits enough remain of what they have to do with.
constexpr long nearby = -300;
/// Stands for infinity where a class is masked.
constexpr long farAway = 200;

/// Bits that resolve 1 - exp(-x) for the differences x of the point's numbers, up to 1500.
mpfr_prec_t bitsFor(const Point &point) {
  double widest = 0;
  for (const auto &[name, array] : point.data.arguments) {
    double least = INFINITY, greatest = -INFINITY;
    for (double x : array.data)
      if (std::isfinite(x))
        least = std::min(least, x), greatest = std::max(greatest, x);
    // The element of a loss over one axis, and a parameter, differ from 0.
    widest = std::max(widest, array.data.size() == 1 ? std::abs(greatest) : greatest - least);
  }
  return widest <= 300 ? 1024 : 2560;
}

/// An evaluation at the point, or near it.
struct Place {
  /// Which signs the deviations have; 0: at the point itself.
  unsigned direction = 0;
  /// Their size as a power of two.
  long exponent = nearby;
  /// Whether they are those of rounding: relative to the number, so that 0 stays 0, or where
  /// elements are added up with others, to 1 if that is greater.
  enum { Nearby, Rounded, RoundedInSums } kind = Nearby;
};

/// An argument, as far as its deviations depend on it.
struct Role {
  Range range;
  /// Numbers nearby mean nothing.
  bool isFixed = false;
  /// Elements of any size, which are added up with others.
  bool isTerm = false;
};

class Evaluation {
public:
  Evaluation(ir::ProgramOp program, const lang::Program &typed, const Point &point)
      : program(program), typed(typed), point(point) {}

  /// The results, and the derivatives of their sum.
  struct Result {
    std::vector<Jet> value;
    std::vector<Real> gradient;
    /// The arguments' elements; 0 where one is masked.
    std::vector<Real> arguments;
  };

  mlir::FailureOr<Result> at(Place place);
  /// Number of the arguments' elements.
  unsigned count() const { return next; }

private:
  static Real deviated(double x, Place place, const Role &role, unsigned i);

  ir::ProgramOp program;
  const lang::Program &typed;
  const Point &point;
  unsigned next = 0;
};

/// -1 or 1 for element `i`.
int signOf(unsigned direction, unsigned i) {
  uint64_t pair = (direction + 1) / 2, mixed = (i + 1) * 0x9e3779b97f4a7c15u * (2 * pair + 1);
  int sign = mixed >> 40 & 1 ? 1 : -1;
  // Every other direction is the opposite of the one before.
  return direction % 2 ? sign : -sign;
}

Real Evaluation::deviated(double x, Place place, const Role &role, unsigned i) {
  if (std::isinf(x)) {
    Real far = powerOfTwo(place.exponent == nearby ? farAway : 2 * farAway);
    return x < 0 ? -far : far;
  }
  double size = std::abs(x);
  if (place.kind == Place::RoundedInSums && role.isTerm)
    size = std::max(size, 1.);
  else if (place.kind == Place::Nearby && x == 0)
    size = 1;
  if (place.direction == 0 || role.isFixed || size == 0)
    return x;
  // Distances of different elements are no multiples of each other.
  Real distance = powerOfTwo(place.exponent) * Real(1 + 0.25 * double(i * 7 % 11) / 11);
  int sign = x <= role.range.least ? 1 : x >= role.range.greatest ? -1 : signOf(place.direction, i);
  return Real(x) + Real(sign) * distance * Real(size);
}

mlir::FailureOr<Evaluation::Result> Evaluation::at(Place place) {
  BasicArguments<Jet> arguments;
  Result result;
  next = 0;
  auto add = [&](const std::string &name, const Role &role) {
    const ir::reference::Array &from = point.data.arguments.find(name)->second;
    JetArray array(from.axes, from.sizes);
    for (size_t k = 0; k < from.data.size(); ++k, ++next) {
      array.data[k] = Jet(deviated(from.data[k], place, role, next), next);
      result.arguments.push_back(std::isinf(from.data[k]) ? Real(0) : array.data[k].value);
    }
    arguments.emplace(name, std::move(array));
  };
  for (const lang::ProgramInput &input : typed.inputs) {
    Domain domain = domainOf(input, typed);
    bool isDistribution = domain == Domain::Target && point.data.classes.empty();
    add(input.name,
        {isDistribution ? Range{0, 1} : rangeOf(domain), isDiscrete(domain) && !isDistribution,
         domain == Domain::Real || domain == Domain::Logits});
  }
  for (const lang::ProgramParam &param : typed.params)
    add(param.name,
        {rangeOf(param.constraint), param.constraint == lang::Constraint::Integer, false});
  // Constants that are no numbers of f32 are rounded there.
  Jet::Deviation constants(place.direction == 0
                               ? Real(0)
                               : Real(signOf(place.direction, 1)) * powerOfTwo(place.exponent));
  auto results = ir::reference::evaluateIn<Jet>(program, arguments);
  if (failed(results))
    return mlir::failure();
  result.value = std::move((*results)[0].data);
  Jet sum = total(result.value);
  result.gradient.assign(next, Real(0));
  for (auto &[i, slope] : sum.slopes)
    result.gradient[i] = slope;
  return result;
}

/// Whether numbers at different distances are those of a limit: equal, or smaller and smaller.
bool converge(const Real &near, const Real &nearer) {
  return near == nearer || abs(near - nearer) < abs(near) * powerOfTwo(-60) ||
         (abs(nearer) < abs(near) && abs(nearer) < powerOfTwo(-140));
}

/// Directions in which nearby points lie: each with its opposite.
constexpr unsigned directions = 4;

/// One number at the point itself, and nearby: at the distance 2^nearby, at twice and at the square
/// of it.
struct Samples {
  Real here, near[directions], twice[directions], nearer[directions];
};

ExactNumber judge(const Samples &s, bool hasMask) {
  ExactNumber result;
  bool isHere = s.here.isFinite() && (!hasMask || converge(s.here, s.nearer[0]));
  bool isNaN = s.here.isNaN();
  std::vector<Real> all;
  for (unsigned d = 0; d < directions; ++d) {
    isNaN &= s.near[d].isNaN();
    if (s.near[d].isFinite() && converge(s.near[d], s.nearer[d]))
      all.push_back(s.nearer[d]);
  }
  result.isNaN = isNaN;
  result.isInfinite = !isNaN && !isHere && all.size() < directions;
  result.isLimit = !isHere;
  if (isHere)
    all.push_back(s.here);
  if (all.empty())
    all.push_back(Real(0));
  result.least = result.greatest = all[0];
  for (const Real &x : all) {
    result.least = minimum(result.least, x);
    result.greatest = maximum(result.greatest, x);
  }
  Real moved = 0;
  for (unsigned d = 0; d < directions; ++d) {
    Real change = abs(s.twice[d] - s.near[d]) * powerOfTwo(-nearby);
    if (change.isFinite())
      moved = maximum(moved, change);
  }
  // Four times a sum of terms of either sign stands for the sum of their magnitudes.
  result.condition = maximum(abs(result.least), abs(result.greatest)) + Real(4) * moved;
  return result;
}

} // namespace

bool hasSoftmax(ir::ProgramOp program) {
  return llvm::any_of(program.getBody().front(), [](mlir::Operation &op) {
    return llvm::isa<ir::SoftmaxOp, ir::LogSoftmaxOp, ir::LogSumExpOp>(op);
  });
}

bool hasUnitVectors(ir::ProgramOp program) {
  return hasSoftmax(program) || llvm::any_of(program.getBody().front(), [](mlir::Operation &op) {
           return llvm::isa<ir::NormOp>(op);
         });
}

double roundings(ir::ProgramOp program, const Point &point) {
  double operations = 0, longest = 1;
  for (mlir::Operation &op : program.getBody().front().without_terminator())
    operations += !llvm::isa<ir::BroadcastOp, ir::RenameOp, mlir::arith::ConstantOp>(op);
  for (int64_t size : point.data.sizes)
    longest *= double(size);
  return 4 * operations + longest;
}

mlir::FailureOr<Exact> evaluateExactly(ir::ProgramOp program, const lang::Program &typed,
                                       const Point &point) {
  Real::Precision precision(bitsFor(point));
  bool hasMask = false;
  for (const auto &[name, array] : point.data.arguments)
    for (double x : array.data)
      hasMask |= std::isinf(x);
  Evaluation evaluation(program, typed, point);
  auto here = evaluation.at({0});
  if (failed(here))
    return mlir::failure();
  // Two directions tell whether the function is smooth; elsewhere their opposites matter, too.
  std::vector<Evaluation::Result> near(directions), twice(directions), nearer(directions);
  auto evaluate = [&](Evaluation::Result &result, unsigned d, long exponent) {
    auto evaluated = evaluation.at({d + 1, exponent});
    if (succeeded(evaluated))
      result = std::move(*evaluated);
    return succeeded(evaluated);
  };
  bool isSmooth = !hasMask;
  for (unsigned d : {0u, 2u}) {
    if (!evaluate(near[d], d, nearby) || !evaluate(twice[d], d, nearby + 1))
      return mlir::failure();
    for (size_t k = 0; isSmooth && k < here->value.size(); ++k)
      isSmooth = converge(here->value[k].value, near[d].value[k].value);
    for (size_t k = 0; isSmooth && k < here->gradient.size(); ++k)
      isSmooth = converge(here->gradient[k], near[d].gradient[k]);
  }
  for (unsigned d = 0; d < directions; ++d) {
    bool isOpposite = d % 2;
    if (isOpposite && isSmooth)
      near[d] = near[d - 1];
    else if (isOpposite && !evaluate(near[d], d, nearby))
      return mlir::failure();
    if (isOpposite)
      twice[d] = near[d];
    if (isSmooth)
      nearer[d] = near[d];
    else if (!evaluate(nearer[d], d, 2 * nearby))
      return mlir::failure();
  }
  auto number = [&](auto get) {
    Samples s;
    s.here = get(*here);
    for (unsigned d = 0; d < directions; ++d) {
      s.near[d] = get(near[d]), s.twice[d] = get(twice[d]), s.nearer[d] = get(nearer[d]);
    }
    return judge(s, hasMask);
  };
  Exact exact;
  exact.isSmooth = isSmooth;
  for (size_t k = 0; k < here->value.size(); ++k) {
    ExactNumber value = number([&](const auto &r) { return r.value[k].value; });
    for (auto &[i, slope] : near[0].value[k].slopes)
      if (Real term = abs(near[0].arguments[i] * slope); term.isFinite())
        value.condition = value.condition + term;
    exact.value.push_back(std::move(value));
  }
  size_t i = 0;
  auto take = [&](const std::string &name) {
    std::vector<ExactNumber> &list = exact.gradients.emplace_back();
    for (size_t k = 0; k < point.data.arguments.find(name)->second.data.size(); ++k, ++i)
      list.push_back(number([&](const auto &r) { return r.gradient[i]; }));
  };
  for (const lang::ProgramInput &input : typed.inputs)
    take(input.name);
  for (const lang::ProgramParam &param : typed.params)
    take(param.name);
  return exact;
}

mlir::LogicalResult admitNeighbours(Exact &exact, double relative, bool isSum,
                                    ir::ProgramOp program, const lang::Program &typed,
                                    const Point &point) {
  Real::Precision precision(bitsFor(point));
  Evaluation evaluation(program, typed, point);
  Exact admitted = exact;
  // `reach`: how many times the way to the other number counts.
  auto admit = [&](Place place, double reach) {
    auto result = evaluation.at(place);
    if (failed(result))
      return mlir::failure();
    auto admitNumber = [&](ExactNumber &number, const ExactNumber &from, const Real &other) {
      if (!other.isFinite())
        return;
      number.least = minimum(number.least, from.least + Real(reach) * (other - from.least));
      number.greatest =
          maximum(number.greatest, from.greatest + Real(reach) * (other - from.greatest));
    };
    for (size_t k = 0; place.kind != Place::RoundedInSums && k < exact.value.size(); ++k)
      admitNumber(admitted.value[k], exact.value[k], result->value[k].value);
    size_t i = 0;
    for (size_t a = 0; a < exact.gradients.size(); ++a)
      for (size_t k = 0; k < exact.gradients[a].size(); ++k)
        admitNumber(admitted.gradients[a][k], exact.gradients[a][k], result->gradient[i++]);
    return mlir::success();
  };
  constexpr unsigned manyDirections = 24;
  // Twice the way to what these directions show stands for the other ones.
  for (unsigned d = 1; d <= manyDirections / 2; ++d)
    for (auto kind : {Place::Rounded, Place::RoundedInSums})
      if (kind == Place::Rounded || isSum)
        if (failed(admit({d, long(std::ilogb(relative)), kind}, 2)))
          return mlir::failure();
  for (unsigned d = directions + 1; !exact.isSmooth && d <= manyDirections; ++d)
    if (failed(admit({d, nearby}, 1)))
      return mlir::failure();
  exact = std::move(admitted);
  return mlir::success();
}

} // namespace loss::stress
