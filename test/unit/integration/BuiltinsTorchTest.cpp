//===- BuiltinsTorchTest.cpp - elementwise builtins against LibTorch ------===//
//
// Every elementwise function of lang/Builtins.def, value and gradient in f64, against LibTorch's
// function and its autograd: over the domain, at its ends, at poles, at infinity and NaN.
//
//===----------------------------------------------------------------------===//

#include "Call.h"

#include "lang/Builtins.h"

#include <torch/torch.h>

#include <functional>
#include <map>
#include <numbers>

using namespace loss;
using namespace loss::test;
using lang::Builtin;
using lang::BuiltinKind;
using torch::Tensor;

namespace {

using Function = std::function<Tensor(Tensor, Tensor)>;

/// The bounds of clamp, as constants of the program.
constexpr double kLow = -0.75, kHigh = 1.5;

const std::map<std::string_view, Function> &torchFunctions() {
#define UNARY(name, ...)                                                                           \
  {                                                                                                \
    #name, [](Tensor x, Tensor) -> Tensor { return __VA_ARGS__; }                                  \
  }
#define BINARY(name, ...)                                                                          \
  {                                                                                                \
    #name, [](Tensor x, Tensor y) -> Tensor { return __VA_ARGS__; }                                \
  }
  static const std::map<std::string_view, Function> table = {
      UNARY(abs, x.abs()),
      UNARY(exp, x.exp()),
      UNARY(expm1, x.expm1()),
      UNARY(exp2, x.exp2()),
      UNARY(log, x.log()),
      UNARY(log1p, x.log1p()),
      UNARY(log2, x.log2()),
      UNARY(log10, x.log10()),
      UNARY(sqrt, x.sqrt()),
      UNARY(sin, x.sin()),
      UNARY(cos, x.cos()),
      UNARY(tan, x.tan()),
      UNARY(sinh, x.sinh()),
      UNARY(cosh, x.cosh()),
      UNARY(tanh, x.tanh()),
      UNARY(asinh, x.asinh()),
      UNARY(acosh, x.acosh()),
      UNARY(atanh, x.atanh()),
      UNARY(asin, x.asin()),
      UNARY(acos, x.acos()),
      UNARY(atan, x.atan()),
      UNARY(erf, x.erf()),
      UNARY(erfc, x.erfc()),
      UNARY(erfinv, x.erfinv()),
      UNARY(lgamma, x.lgamma()),
      UNARY(digamma, x.digamma()),
      UNARY(trigamma, torch::polygamma(1, x)),
      UNARY(exprel, torch::expm1(x) / x),
      UNARY(stirling_error, x.lgamma() - (x - 0.5) * x.log() + x - std::log(2 * M_PI) / 2),
      UNARY(gamma_entropy, x + x.lgamma() + (1 - x) * x.digamma()),
      UNARY(sigmoid, x.sigmoid()),
      UNARY(log_sigmoid, torch::log_sigmoid(x)),
      UNARY(softplus, torch::softplus(x)),
      UNARY(log1mexp, torch::log(-torch::expm1(x))),
      UNARY(relu, x.relu()),
      UNARY(gelu, torch::gelu(x)),
      UNARY(silu, torch::silu(x)),
      UNARY(floor, x.floor()),
      UNARY(ceil, x.ceil()),
      UNARY(round, x.round()),
      UNARY(sign, x.sgn()),
      UNARY(stop_gradient, x.detach() + 0 * x),
      UNARY(bessel_i0, torch::special::i0(x)),
      UNARY(bessel_i0e, torch::special::i0e(x)),
      UNARY(bessel_i1, torch::special::i1(x)),
      UNARY(bessel_i1e, torch::special::i1e(x)),
      BINARY(max, torch::maximum(x, y)),
      BINARY(min, torch::minimum(x, y)),
      BINARY(pow, torch::pow(x, y)),
      BINARY(atan2, torch::atan2(x, y)),
      BINARY(hypot, torch::hypot(x, y)),
      BINARY(xlogy, torch::xlogy(x, y)),
      BINARY(lbeta, x.lgamma() + y.lgamma() - (x + y).lgamma()),
      BINARY(log_rising_factorial, (x + y).lgamma() - x.lgamma()),
      BINARY(digamma_difference, (x + y).digamma() - x.digamma()),
      UNARY(clamp, torch::clamp(x, kLow, kHigh)),
  };
#undef UNARY
#undef BINARY
  return table;
}

constexpr double inf = std::numeric_limits<double>::infinity();
const double nan = std::nan("");

/// Ends of domains, poles, ties and what is no number, of the functions where the language follows
/// LibTorch there; pairs for functions of two operands.
std::vector<std::pair<double, double>> specialPoints(std::string_view name) {
  static const std::map<std::string_view, std::vector<double>> unary = {
      {"abs", {0, inf, -inf}},
      {"asin", {0, 1, -1, 2, inf, nan}},
      {"acos", {0, 1, -1, 2, -inf, nan}},
      // Below -1 LibTorch has a finite derivative of NaN; we do not. [LANG-8.10]
      {"acosh", {1, 0.5, 0, inf, nan}},
      {"atanh", {0, 1, -1, nan}},
      {"erfinv", {0, 1, -1, nan}},
      {"lgamma", {0, -0.0, 1, 2, inf, -inf, nan}},
      // At -1, -2, ... LibTorch's sine is not quite 0.
      {"digamma", {0, -0.0, inf, -inf, nan}},
      {"trigamma", {0, nan}},
      {"gelu", {0, 40, -40, -inf, nan}},
      {"silu", {0, 800, -800, -inf, nan}},
      {"relu", {0, inf, -inf}},
      // LibTorch has the sign 0 of NaN, which hides it. [LANG-7.1]
      {"sign", {0, inf, -inf}},
      {"floor", {-0.5, 2, -2, inf, -inf, nan}},
      {"ceil", {-0.5, 2, -2, inf, -inf, nan}},
      {"round", {-0.5, 0.5, 1.5, 2.5, -2.5, 2, inf, -inf, nan}},
      // At a bound LibTorch 2.15 has 0 or a half, by the kind of bound; we have 1. [LANG-8.9]
      {"clamp", {0, inf, -inf}},
  };
  static const std::map<std::string_view, std::vector<std::pair<double, double>>> binary = {
      {"max", {{1, 1}, {inf, 2}, {-inf, 2}}},
      {"min", {{1, 1}, {inf, 2}, {-inf, 2}}},
      {"pow", {{0, 0}, {0, 2}, {0, 1}, {-2, 3}}},
      // [LANG-8.11]
      {"atan2", {{0, 0}, {-0.0, -1}, {0, 1}, {1, 0}, {-2, 0}, {nan, 1}, {1, nan}}},
      // At the origin LibTorch has NaN; we have 0.
      {"hypot", {{3, 4}, {0, 2}, {-2, 0}, {nan, 1}, {1, inf}}},
      // [LANG-7.6], [LANG-8.12]
      {"xlogy",
       {{0, 0}, {0, 2}, {0, -1}, {0, inf}, {0, nan}, {1, 0}, {2, -1}, {nan, 1}, {nan, 3}, {3, 1}}},
  };
  std::vector<std::pair<double, double>> points;
  if (auto found = unary.find(name); found != unary.end())
    for (double x : found->second)
      points.push_back({x, 1});
  if (auto found = binary.find(name); found != binary.end())
    points = found->second;
  return points;
}

/// Points all over the domain of Builtins.def. y is positive.
std::vector<std::pair<double, double>> ordinaryPoints(std::string_view domain) {
  torch::manual_seed(5);
  Tensor random = torch::randn({200, 2}, torch::kFloat64);
  std::vector<std::pair<double, double>> points;
  for (int64_t i = 0; i < 200; ++i) {
    double x = random[i][0].item<double>(), y = std::exp(random[i][1].item<double>());
    if (domain.starts_with("-1 <"))
      x = std::erf(x) * (1 - 1e-9);
    else if (domain.starts_with("x >= 1"))
      x = 1 + std::exp(3 * x);
    else if (domain.starts_with("x <"))
      x = -std::exp(x);
    else if (domain.starts_with("x >"))
      x = std::exp(2 * x);
    else
      x *= 4;
    points.push_back({x, y});
  }
  return points;
}

struct BuiltinsTorch : ::testing::TestWithParam<const Builtin *> {};

bool same(double ours, double theirs, double tolerance) {
  if (std::isnan(theirs))
    return std::isnan(ours);
  return ours == theirs || std::abs(ours - theirs) <= tolerance * (1 + std::abs(theirs));
}

TEST_P(BuiltinsTorch, ValueAndGradient) {
  const Builtin &builtin = *GetParam();
  std::string name(builtin.name);
  auto found = torchFunctions().find(builtin.name);
  ASSERT_NE(found, torchFunctions().end()) << "no function of LibTorch stands for '" << name << "'";

  bool binary = builtin.kind == BuiltinKind::Binary;
  std::string call = name + (binary                                 ? "(x, y)"
                             : builtin.kind == BuiltinKind::Ternary ? "(x, -0.75, 1.5)"
                                                                    : "(x)");
  static Compiler compiler;
  auto loss = compiler.compile("loss f(x: [batch, class], y: [batch, class]) { return sum(" + call +
                                   " + 0 * min(max(y, 0), 1) over class) }",
                               "test.loss");
  auto points = ordinaryPoints(builtin.domain);
  for (auto point : specialPoints(builtin.name))
    points.push_back(point);
  auto rows = int64_t(points.size());
  Call<double> kernel(loss->module(), rows, 1);
  Tensor x = torch::empty({rows}, torch::kFloat64), y = torch::empty({rows}, torch::kFloat64);
  for (int64_t i = 0; i < rows; ++i) {
    x[i] = kernel.inputs[0](i, 0) = points[i].first;
    y[i] = kernel.inputs[1](i, 0) = points[i].second;
  }
  kernel.run(LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD);

  x.requires_grad_();
  y.requires_grad_();
  Tensor value = found->second(x, y);
  value.sum().backward();
  // LibTorch's trigamma is good to nine digits.
  double tolerance = name == "trigamma" ? 1e-8 : 1e-12;
  bool hasTrigamma = name == "digamma" || name == "digamma_difference" || name == "gamma_entropy";
  double gradTolerance = hasTrigamma ? 1e-8 : 1e-12;
  for (int64_t i = 0; i < rows; ++i) {
    auto [a, b] = points[i];
    if (!binary || !std::isnan(b))
      EXPECT_PRED3(same, kernel.value[i], value[i].item<double>(), tolerance)
          << call << " at " << a << ", " << b;
    EXPECT_PRED3(same, kernel.grads[0](i, 0), x.grad()[i].item<double>(), gradTolerance)
        << "gradient of " << call << " at " << a << ", " << b;
    if (binary)
      EXPECT_PRED3(same, kernel.grads[1](i, 0), y.grad()[i].item<double>(), gradTolerance)
          << "gradient by y of " << call << " at " << a << ", " << b;
  }
}

std::vector<const Builtin *> elementwise() {
  std::vector<const Builtin *> result;
  for (const Builtin &builtin : lang::builtins())
    if (builtin.kind == BuiltinKind::Unary || builtin.kind == BuiltinKind::Binary ||
        builtin.kind == BuiltinKind::Ternary)
      result.push_back(&builtin);
  return result;
}

INSTANTIATE_TEST_SUITE_P(Elementwise, BuiltinsTorch, ::testing::ValuesIn(elementwise()),
                         [](auto &info) { return std::string(info.param->name); });

} // namespace
