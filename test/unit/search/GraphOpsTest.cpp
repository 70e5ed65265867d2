// The operation table: value = formula, derivative = slope, one number = block of numbers.

#include "search/spaces/GraphOps.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>
#include <set>
#include <vector>

using namespace loss::search;

namespace {
/// Evaluates a formula of the table with the standard library: independent of the table's C++
/// column.
double evaluateFormula(const Formula &f, const std::map<std::string, double> &names) {
  auto operand = [&](size_t i) { return evaluateFormula(*f.operands[i], names); };
  switch (f.kind) {
  case Formula::Kind::Number:
    return std::stod(f.text);
  case Formula::Kind::Name:
    return names.at(f.text);
  case Formula::Kind::Negate:
    return -operand(0);
  case Formula::Kind::Binary:
    switch (f.text[0]) {
    case '+':
      return operand(0) + operand(1);
    case '-':
      return operand(0) - operand(1);
    case '*':
      return operand(0) * operand(1);
    case '/':
      return operand(0) / operand(1);
    default:
      return std::pow(operand(0), operand(1));
    }
  case Formula::Kind::Call:
    break;
  }
  if (f.text == "max")
    return std::fmax(operand(0), operand(1));
  if (f.text == "min")
    return std::fmin(operand(0), operand(1));
  double x = operand(0), a = std::fabs(x);
  const std::map<std::string, double> calls = {
      {"log", std::log(x)},
      {"log10", std::log10(x)},
      {"exp", std::exp(x)},
      {"abs", a},
      {"sigmoid", 1 / (1 + std::exp(-x))},
      {"erf", std::erf(x)},
      {"erfc", std::erfc(x)},
      {"sin", std::sin(x)},
      {"sinh", std::sinh(x)},
      {"asinh", std::asinh(x)},
      {"tanh", std::tanh(x)},
      {"atan", std::atan(x)},
      {"sqrt", std::sqrt(x)},
      {"bessel_i0", std::cyl_bessel_i(0, a)},
      {"bessel_i0e", std::exp(-a) * std::cyl_bessel_i(0, a)},
      {"bessel_i1", std::copysign(std::cyl_bessel_i(1, a), x)},
      {"bessel_i1e", std::copysign(std::exp(-a) * std::cyl_bessel_i(1, a), x)}};
  return calls.at(f.text);
}

const std::vector<double> &points() {
  static const std::vector<double> p = {-7.3, -2.5,  -1.0, -0.6,  -0.11, -1e-3,
                                        2e-3, 0.037, 0.45, 0.999, 1.7,   6.2};
  return p;
}

std::vector<const GraphOp *> allOps() {
  std::vector<const GraphOp *> ops;
  for (int arity : {1, 2})
    for (int id = 0; id < graphOpCount(arity); ++id)
      ops.push_back(&graphOp(arity, id));
  return ops;
}

class GraphOps : public testing::TestWithParam<const GraphOp *> {};

std::string opName(const testing::TestParamInfo<const GraphOp *> &info) {
  return (info.param->arity == 1 ? "unary" : "binary") + std::to_string(info.param->id) + "_" +
         info.param->noun;
}
} // namespace

TEST_P(GraphOps, valueIsTheEmittedFormula) {
  const GraphOp &op = *GetParam();
  for (double a : points())
    for (double b : points()) {
      double expected =
          evaluateFormula(*op.formula, {{"x", a}, {op.arity == 1 ? "unused" : "a", a}, {"b", b}});
      EXPECT_NEAR(op.valueAt(a, b), expected, 2e-13 * (1 + std::fabs(expected)))
          << print(op.formula) << " at " << a << ", " << b;
    }
}

TEST_P(GraphOps, simplifyingTheFormulaChangesNoValue) {
  const GraphOp &op = *GetParam();
  FormulaPtr simple = simplify(op.formula);
  for (double a : points())
    for (double b : points()) {
      std::map<std::string, double> names = {{"x", a}, {"a", a}, {"b", b}};
      EXPECT_DOUBLE_EQ(evaluateFormula(*simple, names), evaluateFormula(*op.formula, names))
          << print(simple);
    }
}

TEST_P(GraphOps, derivativeIsTheSlope) {
  const GraphOp &op = *GetParam();
  for (double a : points())
    for (double b : points()) {
      if (op.arity == 2 && a == b)
        continue; // max and min have a kink there
      for (int operand = 0; operand < op.arity; ++operand) {
        auto at = [&](double step) {
          return op.valueAt(a + (operand ? 0 : step), b + (operand ? step : 0));
        };
        // Fourth-order central differences.
        double moved = operand ? b : a, h = 1e-4 * std::fmax(std::fabs(moved), 1e-2);
        double slope = (8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h);
        double scale = std::fmax(std::fabs(slope), std::fabs(at(0) / moved));
        EXPECT_NEAR(op.derivativeAt(a, b, operand), slope, 2e-7 * scale + 1e-10)
            << print(op.formula) << " operand " << operand << " at " << a << ", " << b;
      }
    }
}

TEST_P(GraphOps, blocksAndNumbersAgree) {
  const GraphOp &op = *GetParam();
  size_t n = points().size();
  Lanes a(n), b(n), f(n), da(n), db(n);
  for (size_t i = 0; i < n; ++i) {
    a.at[i] = points()[i];
    b.at[i] = points()[n - 1 - i];
  }
  op.value(a, b, f);
  op.derivative(a, b, f, da, db);
  for (size_t i = 0; i < n; ++i) {
    EXPECT_NEAR(f.at[i], op.valueAt(a.at[i], b.at[i]), 1e-14 * (1 + std::fabs(f.at[i])));
    EXPECT_NEAR(da.at[i], op.derivativeAt(a.at[i], b.at[i], 0), 1e-13 * (1 + std::fabs(da.at[i])));
    if (op.arity == 2)
      EXPECT_NEAR(db.at[i], op.derivativeAt(a.at[i], b.at[i], 1),
                  1e-13 * (1 + std::fabs(db.at[i])));
  }
}

TEST_P(GraphOps, nanIsNotHidden) {
  const GraphOp &op = *GetParam();
  EXPECT_TRUE(std::isnan(op.valueAt(NAN, 0.5)));
  if (op.arity == 2)
    EXPECT_TRUE(std::isnan(op.valueAt(0.5, NAN)));
}

INSTANTIATE_TEST_SUITE_P(All, GraphOps, testing::ValuesIn(allOps()), opName);

TEST(GraphOpTable, idsAndNounsAreTheirOwn) {
  std::set<std::string> nouns;
  for (const GraphOp *op : allOps()) {
    EXPECT_EQ(op, &graphOp(op->arity, op->id));
    EXPECT_TRUE(nouns.insert(op->noun).second) << op->noun;
  }
  EXPECT_EQ(nouns.size(), 34u);
}

TEST(GraphOpTable, besselDerivativesAtZero) {
  EXPECT_EQ(graphOp(1, 18).derivativeAt(0, 0, 0), 0.5);
  EXPECT_EQ(graphOp(1, 19).derivativeAt(0, 0, 0), 0.5);
  EXPECT_EQ(graphOp(1, 17).derivativeAt(0, 0, 0), 0.0);
}

TEST(GraphOpTable, commutativity) {
  for (int id = 0; id < binaryOpCount; ++id) {
    bool same = true;
    for (double a : points())
      for (double b : points())
        same &= graphOp(2, id).valueAt(a, b) == graphOp(2, id).valueAt(b, a);
    EXPECT_EQ(graphOp(2, id).commutative, same) << print(graphOp(2, id).formula);
  }
}
