// Values and gradients that docs/language.md promises, rule by rule.
#include "CallLoss.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numbers>

using namespace loss::lang::testing;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();
constexpr double nan = std::numeric_limits<double>::quiet_NaN();
/// Stands for "not checked".
constexpr double any = 123456789;

void expectSame(double actual, double expected, const std::string &what) {
  if (expected == any)
    return;
  if (std::isnan(expected))
    EXPECT_TRUE(std::isnan(actual)) << what << " is " << actual;
  else if (std::isinf(expected) || expected == 0)
    EXPECT_EQ(actual, expected) << what;
  else
    EXPECT_NEAR(actual, expected, 1e-12 * std::abs(expected)) << what;
}

/// Operands, value, and the derivatives by both.
struct Point {
  double x, z, value, byX = any, byZ = any;
};

/// Each point is a row of one class.
void expectPoints(const std::string &expr, const std::vector<Point> &points) {
  CompiledLoss loss("loss t(x: [b, c], z: [b, c]) { return sum(" + expr + " over c) }");
  Rows xs, zs;
  for (const Point &point : points) {
    xs.push_back({point.x});
    zs.push_back({point.z});
  }
  Called called = loss.call({xs, zs});
  for (size_t i = 0; i < points.size(); ++i) {
    std::string at =
        expr + " at x = " + std::to_string(points[i].x) + ", z = " + std::to_string(points[i].z);
    expectSame(called.value[i], points[i].value, at);
    expectSame(called.grads[0][i][0], points[i].byX, at + ", by x");
    expectSame(called.grads[1][i][0], points[i].byZ, at + ", by z");
  }
}

void expectRow(const std::string &expr, const Row &x, double value, const Row &grad = {}) {
  CompiledLoss loss("loss t(x: [b, c]) { return " + expr + " }");
  Called called = loss.call({{x}});
  expectSame(called.value[0], value, expr);
  for (size_t i = 0; i < grad.size(); ++i)
    expectSame(called.grads[0][0][i], grad[i], expr + ", gradient " + std::to_string(i));
}

TEST(Semantics, Precedence) { // [LANG-2.1], [LANG-2.2]
  expectPoints("x - z - 2", {{10, 3, 5}});
  expectPoints("x / z / 2", {{12, 3, 2}});
  expectPoints("-x^2", {{3, 0, -9}});
  expectPoints("2^x^z", {{3, 2, 512}});
  expectPoints("x^-1 * z", {{4, 2, 0.5}});
  expectPoints("if not x > 1 or z > 1 and x > 5 then 1 else 0", {{0, 0, 1}, {2, 2, 0}, {6, 2, 1}});
}

TEST(Semantics, Arithmetic) { // [LANG-5.1]
  expectPoints("x + z", {{inf, -inf, nan}, {1, 2, 3, 1, 1}});
  expectPoints("x * z", {{0, inf, nan}, {3, 2, 6, 2, 3}});
  expectPoints("x / z", {{1, 0, inf}, {-1, 0, -inf}, {0, 0, nan}, {3, 2, 1.5, 0.5, -0.75}});
}

TEST(Semantics, ElementwiseFunctions) { // [LANG-6.1], [LANG-6.2]
  struct Function {
    const char *expr;
    double (*reference)(double);
  };
  const Function functions[] = {
      {"abs(x)", [](double x) { return std::abs(x); }},
      {"exp(x)", [](double x) { return std::exp(x); }},
      {"exp2(x)", [](double x) { return std::exp2(x); }},
      {"expm1(x)", [](double x) { return std::expm1(x); }},
      {"log(x)", [](double x) { return std::log(x); }},
      {"log2(x)", [](double x) { return std::log2(x); }},
      {"log10(x)", [](double x) { return std::log10(x); }},
      {"log1p(x)", [](double x) { return std::log1p(x); }},
      {"sqrt(x)", [](double x) { return std::sqrt(x); }},
      {"sin(x)", [](double x) { return std::sin(x); }},
      {"cos(x)", [](double x) { return std::cos(x); }},
      {"tan(x)", [](double x) { return std::tan(x); }},
      {"sinh(x)", [](double x) { return std::sinh(x); }},
      {"cosh(x)", [](double x) { return std::cosh(x); }},
      {"tanh(x)", [](double x) { return std::tanh(x); }},
      {"asinh(x)", [](double x) { return std::asinh(x); }},
      {"atan(x)", [](double x) { return std::atan(x); }},
      {"erf(x)", [](double x) { return std::erf(x); }},
      {"erfc(x)", [](double x) { return std::erfc(x); }},
      {"sigmoid(x)", [](double x) { return 1 / (1 + std::exp(-x)); }},
      {"log_sigmoid(x)", [](double x) { return -std::log1p(std::exp(-x)); }},
      {"softplus(x)", [](double x) { return std::log1p(std::exp(x)); }},
      {"relu(x)", [](double x) { return std::max(x, 0.0); }},
      {"sign(x)", [](double x) { return x > 0   ? 1.0
                                        : x < 0 ? -1.0
                                                : 0.0; }},
      {"bessel_i0(x)", [](double x) { return std::cyl_bessel_i(0, x); }},
      {"bessel_i1(x)", [](double x) { return std::cyl_bessel_i(1, x); }},
      {"bessel_i0e(x)", [](double x) { return std::exp(-x) * std::cyl_bessel_i(0, x); }},
      {"bessel_i1e(x)", [](double x) { return std::exp(-x) * std::cyl_bessel_i(1, x); }},
  };
  for (const Function &f : functions) {
    std::vector<Point> points;
    for (double x : {0.01, 0.25, 0.9, 2.5, 7.0})
      points.push_back({x, 0, f.reference(x)});
    expectPoints(f.expr, points);
  }
  expectPoints("max(x, z) - min(x, z)", {{2, 5, 3, -1, 1}});
  expectPoints("pow(x, z)", {{-2, 3, -8}});
}

TEST(Semantics, ClampWithCrossedBounds) { // [LANG-7.7]
  expectPoints("clamp(x, 2, 1) + 0 * z", {{0, 0, 1}, {1.5, 0, 1}, {3, 0, 1}});
}

TEST(Semantics, Comparisons) { // [LANG-5.3]
  const char *falseOnNaN[] = {"<", "<=", ">", ">=", "=="};
  for (const char *op : falseOnNaN)
    expectPoints("if x " + std::string(op) + " z then 1 else 2", {{nan, 1, 2}, {1, nan, 2}});
  expectPoints("if x != z then 1 else 2", {{nan, 1, 1}, {nan, nan, 1}, {1, 1, 2}, {0.0, -0.0, 2}});
  expectPoints("if x <= z then 1 else 2", {{1, 1, 1}, {1, 2, 1}, {2, 1, 2}});
}

TEST(Semantics, ConditionalsChooseElementwise) { // [LANG-5.4], [LANG-5.5], [LANG-8.8]
  expectPoints("if x > 0 then log(x) else z",
               {{1, 5, 0, 1, 0}, {0, 5, 5, 0, 1}, {-1, 5, 5, 0, 1}, {nan, 5, 5, 0, 1}});
  expectPoints("if x > 0 then sqrt(x) else 0", {{4, 0, 2, 0.25}, {0, 0, 0, 0}, {-4, 0, 0, 0}});
  expectPoints("if x > 0 and not z > 0 then x else z", {{2, -1, 2, 1, 0}, {2, 1, 1, 0, 1}});
  // The branch not chosen overflows, or gets what it has no value for.
  for (double x : {1e200, inf, nan}) {
    expectPoints("if x <= 1 then x*x*x else 2*x", {{x, 0, 2 * x, 2}});
    expectPoints("if z <= 1 then x - z else sin(x) * exp(x)", {{x, 0, x, 1, -1}});
    expectPoints("if z > 1 then log_softmax(x over c) else x", {{x, 0, x, 1}});
  }
  expectRow("sum(if x < 5 then mean(x*x*x over c) else x over c)", {1e200, 1e200}, 2e200, {1, 1});
  expectRow("sum(if x < 5 then mean(x*x over c) else x over c)", {1, 2}, 5, {2, 4});
  // As torch.nn.functional.huber_loss and smooth_l1_loss.
  for (double x : {1e200, inf, -inf})
    expectPoints("if abs(x - z) <= 2 then (x - z)^2 / 2 else 2 * (abs(x - z) - 1)",
                 {{x, 0, 2 * std::abs(x), x > 0 ? 2.0 : -2.0, x > 0 ? -2.0 : 2.0}});
  // A condition that is known: z is repeated along the axis that only x has.
  CompiledLoss known("loss t(x: [b, c], z: [b]) { return sum(if 1 <= pi then z else x over c) }");
  Called called = known.call({{{1, 2, 3}, {4, 5, 6}}, {{7}, {8}}});
  EXPECT_EQ(called.value, (Row{21, 24}));
  EXPECT_EQ(called.grads[0], (Rows{{0, 0, 0}, {0, 0, 0}}));
  EXPECT_EQ(called.grads[1], (Rows{{3}, {3}}));
}

TEST(Semantics, SizeAndPi) { // [LANG-5.7], [LANG-5.8]
  expectRow("sum(x over c) / size(c)", {1, 2, 6}, 3, {1.0 / 3, 1.0 / 3, 1.0 / 3});
  expectRow("pi * max(x over c)", {1, 2}, 2 * std::numbers::pi);
}

TEST(Semantics, NaNIsNotHidden) { // [LANG-7.1]
  for (const char *f :
       {"abs",      "exp",   "expm1", "exp2",      "log",        "log1p",     "log2",
        "log10",    "sqrt",  "sin",   "cos",       "tan",        "sinh",      "cosh",
        "tanh",     "asinh", "atan",  "erf",       "erfc",       "sigmoid",   "log_sigmoid",
        "softplus", "relu",  "sign",  "bessel_i0", "bessel_i0e", "bessel_i1", "bessel_i1e"})
    expectPoints(std::string(f) + "(x)", {{nan, 0, nan}});
  expectPoints("max(x, z)", {{nan, 1, nan}, {1, nan, nan}});
  expectPoints("min(x, z)", {{nan, 1, nan}, {1, nan, nan}});
  for (const char *f : {"sum", "mean", "max", "min", "logsumexp"})
    for (Row x : {Row{nan, 1, 2}, Row{1, nan, 2}, Row{1, 2, nan}})
      expectRow(std::string(f) + "(x over c)", x, nan);
  expectPoints("x^0", {{nan, 0, 1}});
  expectPoints("x^z", {{nan, 0, 1}, {1, nan, 1}, {nan, 2, nan}});
}

TEST(Semantics, NaNHasNoOrder) { // [LANG-7.8]
  for (Row x : {Row{nan, 1, 2}, Row{1, nan, 2}, Row{1, 2, nan}, Row{nan, nan, nan}}) {
    for (const char *f : {"argmax", "argmin"})
      expectRow(std::string(f) + "(x over c) + 0 * sum(if x > 0 then x else 1 over c)", x, nan);
    for (const char *k : {"0", "1", "2"})
      for (const char *f : {"rank(x over c)", "cumsum(index(c) over c by x)"})
        expectRow("sum(if index(c) == " + std::string(k) + " then " + f + " else 0 over c)", x,
                  nan);
  }
  expectRow("argmax(x over c) + 0 * sum(x over c)", {1, 3, 3}, 1, {0, 0, 0});
  // Sums up to the NaN are numbers.
  expectRow("sum(if index(c) < 1 then cumsum(x over c) else 0 over c)", {1, nan, 2}, 1);
  expectRow("sum(if index(c) > 1 then cumsum(x over c) else 0 over c)", {1, nan, 2}, nan);
}

TEST(Semantics, SpecialLogits) { // [LANG-7.2]
  expectRow("sum(softmax(x over c)^2 over c)", {nan, 0, 1}, nan);
  expectRow("sum(softmax(x over c)^2 over c)", {inf, 0, 1}, nan);
  expectRow("sum(softmax(x over c)^2 over c)", {-inf, -inf, -inf}, nan);
  expectRow("sum(softmax(x over c)^2 over c)", {-inf, 0, 0}, 0.5);
  expectRow("logsumexp(x over c)", {-inf, 0, 0}, std::numbers::ln2, {0, 0.5, 0.5});
  expectRow("min(log_softmax(x over c) over c)", {-inf, 0, 0}, -inf);
  expectRow("logsumexp(x over c)", {1000, 1000}, 1000 + std::numbers::ln2, {0.5, 0.5});
  expectRow("logsumexp(x over c)", {-1000, -1000}, -1000 + std::numbers::ln2, {0.5, 0.5});
}

TEST(Semantics, OneClass) { // [LANG-7.5]
  for (double logit : {0.0, 3.0, -700.0, 1e300})
    expectRow("sum(softmax(x over c) over c) + sum(log_softmax(x over c) over c)", {logit}, 1, {0});
}

TEST(Semantics, IndexAndDenseTargets) { // [LANG-3.4], [LANG-7.3]
  const std::string text =
      "loss t(x: [b, c], y: target [b, c]) { return -sum(y * log_softmax(x over c) over c) }";
  CompiledLoss byIndex(text, LOSS_TARGET_INDEX), dense(text, LOSS_TARGET_DENSE);
  Called one = byIndex.call({{{1, 2, 0.5}, {3, 0, -1}}, {{1}, {2}}});
  Called two = dense.call({{{1, 2, 0.5}, {3, 0, -1}}, {{0, 1, 0}, {0, 0, 1}}});
  for (size_t r = 0; r < 2; ++r) {
    EXPECT_NEAR(one.value[r], two.value[r], 1e-14);
    for (size_t c = 0; c < 3; ++c)
      EXPECT_NEAR(one.grads[0][r][c], two.grads[0][r][c], 1e-14);
  }
  // A class of probability 0 matters only where it is the true one.
  Rows logits = {{-inf, 0, 0}, {-inf, 0, 0}};
  Called index = byIndex.call({logits, {{1}, {0}}});
  EXPECT_NEAR(index.value[0], std::numbers::ln2, 1e-14);
  EXPECT_EQ(index.value[1], inf);
  EXPECT_TRUE(std::isnan(dense.call({logits, {{0, 1, 0}, {1, 0, 0}}}).value[0]));
  // Other functions of the target that are 0 where it is 0.
  CompiledLoss xlogy("loss t(x: [b, c], y: target [b, c]) { return sum(xlogy(y, x) over c) }",
                     LOSS_TARGET_INDEX);
  index = xlogy.call({{{nan, 3, -1}, {2, -inf, 0.5}}, {{1}, {2}}});
  EXPECT_NEAR(index.value[0], std::log(3), 1e-14);
  EXPECT_NEAR(index.value[1], std::log(0.5), 1e-14);
  EXPECT_EQ(index.grads[0][1], (Row{0, 0, 2}));
}

TEST(Semantics, Powers) { // [LANG-5.2], [LANG-7.4], [LANG-8.6]
  expectPoints("x^z",
               {{0, 0, 1, 0, 0},
                {0, 2, 0, 0, 0},
                {0, -1, inf},
                {-0.0, -1, -inf},
                {-2, 2, 4, -4},
                {-2, 3, -8, 12},
                {-2, 0.5, nan},
                {2, 0.5, std::sqrt(2), 0.5 / std::sqrt(2), std::sqrt(2) * std::numbers::ln2}});
  expectPoints("pow(x, z)", {{2, 3, 8, 12, 8 * std::numbers::ln2}});
  expectPoints("x^0", {{0, 0, 1, 0}, {5, 0, 1, 0}});
  expectPoints("x^2", {{-3, 0, 9, -6}, {0, 0, 0, 0}});
  expectPoints("x^0.5", {{4, 0, 2, 0.25}, {0, 0, 0, inf}});
}

TEST(Semantics, KinksAndPoles) { // [LANG-8.1], [LANG-8.2], [LANG-8.5], [LANG-8.7]
  expectPoints("abs(x)", {{0, 0, 0, 0}, {-2, 0, 2, -1}, {2, 0, 2, 1}});
  expectPoints("sign(x)", {{0, 0, 0, 0}, {-2, 0, -1, 0}, {inf, 0, 1, 0}});
  expectPoints("relu(x)", {{0, 0, 0, 0}, {-2, 0, 0, 0}, {2, 0, 2, 1}});
  expectPoints("sqrt(x)", {{0, 0, 0, inf}, {-1, 0, nan}});
  expectPoints("log(x)", {{0, 0, -inf, inf}, {-1, 0, nan}});
  expectPoints("bessel_i1(x)", {{0, 0, 0, 0.5}});
  expectPoints("bessel_i1e(x)", {{0, 0, 0, 0.5}});
}

TEST(Semantics, TiesShareTheGradient) { // [LANG-8.3], [LANG-8.4]
  expectPoints("max(x, z)", {{1, 1, 1, 0.5, 0.5}, {1, 2, 2, 0, 1}, {2, 1, 2, 1, 0}});
  expectPoints("min(x, z)", {{1, 1, 1, 0.5, 0.5}, {1, 2, 1, 1, 0}, {2, 1, 1, 0, 1}});
  expectRow("max(x over c)", {1, 1, 0}, 1, {0.5, 0.5, 0});
  expectRow("max(x over c)", {2, 2, 2, 2}, 2, {0.25, 0.25, 0.25, 0.25});
  expectRow("min(x over c)", {1, 0, 0}, 0, {0, 0.5, 0.5});
}

TEST(Semantics, NormOrderAndSums) { // [LANG-8.14], [LANG-8.15], [LANG-8.16]
  expectRow("norm(x over c)", {3, -4}, 5, {0.6, -0.8});
  expectRow("norm(x over c)", {0, 0}, 0, {0, 0});
  for (const char *f : {"argmax(x over c)", "argmin(x over c)", "sum(rank(x over c) over c)"})
    expectRow("sum(x over c) * 2 + " + std::string(f), {1, 5, 3}, any, {2, 2, 2});
  expectRow("sum(index(c) * cumsum(x over c) over c)", {1, 5, 3}, 24, {3, 3, 2});
  // In the order 5, 3, 1: the positions 1, 2, 0.
  expectRow("sum(index(c) * cumsum(x over c by x) over c)", {1, 5, 3}, 21, {0, 3, 2});
}

TEST(Semantics, BroadcastsAndWeights) { // [LANG-4.3], [LANG-4.4]
  CompiledLoss loss("loss t(x: [b, c], w: [c], m: [b], param k = 2) {"
                    " return sum(k * w * x + m over c) }");
  Called called = loss.call({{{1, 2}, {3, 4}}, {{10, 100}}, {{0.5}, {0.25}}});
  EXPECT_NEAR(called.value[0], 2 * (10 + 200) + 1, 1e-12);
  EXPECT_NEAR(called.value[1], 2 * (30 + 400) + 0.5, 1e-12);
  EXPECT_EQ(called.grads[0][1], (Row{20, 200}));
  EXPECT_EQ(loss.call({{{1, 2}}, {{10, 100}}, {{0}}}, {3}).value[0], 630); // [LANG-3.6]
}

TEST(Semantics, Functions) { // [LANG-3.9]
  CompiledLoss loss("fn total(a: [c]) = sum(a over c)\n"
                    "fn scaled(a, by) { let b = a * by return b }\n"
                    "loss t(x: [b, c]) { return scaled(total(x), 3) + total(scaled(x, size(c))) }");
  EXPECT_NEAR(loss.call({{{1, 2}}}).value[0], 9 + 6, 1e-12);
}

TEST(Semantics, ErrorsReachTheCaller) {
  try {
    CompiledLoss("loss t(x: [b, c]) { return sum(z over c) }");
    FAIL() << "expected an error";
  } catch (const loss::CompileError &error) {
    EXPECT_NE(std::string(error.what()).find("test.loss:1:32: error: unknown name 'z'"),
              std::string::npos)
        << error.what();
  }
}

} // namespace
