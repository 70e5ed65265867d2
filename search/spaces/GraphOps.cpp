//===- GraphOps.cpp - the operation table of the graph space --------------===//

#include "search/spaces/GraphOps.h"

#include <cassert>
#include <iterator>

using namespace loss::search;

// Inside it, exp and so on mean those of Lanes.h, also for one number.
namespace loss::search::elements {
namespace {
constexpr double eps = 1e-7;
constexpr double ln10 = 2.302585092994045684;
constexpr double twoOverSqrtPi = 1.128379167095512574;

// One struct a row: templates over the element type, so the table's expressions are written once.
#define LOSS_GRAPH_UNARY(id, noun, formula, value, dx)                                             \
  struct Unary##id {                                                                               \
    template <typename T> static T f(const T &x) { return value; }                                 \
    template <typename T> static T slope(const T &x, [[maybe_unused]] const T &f) { return dx; }   \
  };
#define LOSS_GRAPH_BINARY(id, noun, formula, value, da, db)                                        \
  struct Binary##id {                                                                              \
    template <typename T> static T f(const T &a, const T &b) { return value; }                     \
    template <typename T>                                                                          \
    static T slopeA(const T &a, [[maybe_unused]] const T &b, [[maybe_unused]] const T &f) {        \
      return da;                                                                                   \
    }                                                                                              \
    template <typename T>                                                                          \
    static T slopeB(const T &a, [[maybe_unused]] const T &b, [[maybe_unused]] const T &f) {        \
      return db;                                                                                   \
    }                                                                                              \
  };
#include "search/spaces/GraphOps.def"
} // namespace
} // namespace loss::search::elements

namespace {
template <typename Op> GraphOp unaryRow(int id, const char *noun, const char *formula) {
  GraphOp op{};
  op.id = id;
  op.arity = 1;
  op.noun = noun;
  op.formula = parseFormula(formula);
  op.value = [](const Lanes &x, const Lanes &, Lanes &out) { out = Op::f(x); };
  op.derivative = [](const Lanes &x, const Lanes &, const Lanes &f, Lanes &dx, Lanes &) {
    dx = Op::slope(x, f);
  };
  op.valueAt = [](double x, double) { return Op::f(x); };
  op.derivativeAt = [](double x, double, int) { return Op::slope(x, Op::f(x)); };
  return op;
}

template <typename Op> GraphOp binaryRow(int id, const char *noun, const char *formula) {
  GraphOp op{};
  op.id = id;
  op.arity = 2;
  op.noun = noun;
  op.formula = parseFormula(formula);
  const std::string &symbol = op.formula->text;
  bool onOperands = op.formula->operands[0]->kind == Formula::Kind::Name &&
                    op.formula->operands[1]->kind == Formula::Kind::Name;
  op.commutative =
      onOperands && (symbol == "+" || symbol == "*" || symbol == "max" || symbol == "min");
  op.value = [](const Lanes &a, const Lanes &b, Lanes &out) { out = Op::f(a, b); };
  op.derivative = [](const Lanes &a, const Lanes &b, const Lanes &f, Lanes &da, Lanes &db) {
    da = Op::slopeA(a, b, f);
    db = Op::slopeB(a, b, f);
  };
  op.valueAt = [](double a, double b) { return Op::f(a, b); };
  op.derivativeAt = [](double a, double b, int operand) {
    double f = Op::f(a, b);
    return operand ? Op::slopeB(a, b, f) : Op::slopeA(a, b, f);
  };
  return op;
}
} // namespace

const GraphOp &loss::search::graphOp(int arity, int id) {
  static const GraphOp unary[] = {
#define LOSS_GRAPH_UNARY(id, noun, formula, value, dx)                                             \
  unaryRow<elements::Unary##id>(id, noun, formula),
#include "search/spaces/GraphOps.def"
  };
  static const GraphOp binary[] = {
#define LOSS_GRAPH_BINARY(id, noun, formula, value, da, db)                                        \
  binaryRow<elements::Binary##id>(id, noun, formula),
#include "search/spaces/GraphOps.def"
  };
  static_assert(std::size(unary) == unaryOpCount && std::size(binary) == binaryOpCount);
  assert(id >= 0 && id < graphOpCount(arity));
  return arity == 1 ? unary[id] : binary[id];
}
