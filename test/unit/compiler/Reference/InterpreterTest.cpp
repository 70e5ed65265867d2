//===- InterpreterTest.cpp - the oracle itself ----------------------------===//

#include "../Support.h"

#include "compiler/Autodiff/Passes.h"
#include "compiler/Reference/Functions.h"

#include "mlir/IR/Diagnostics.h"
#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace loss::ir;
using namespace loss::ir::test;

namespace {

/// %e over a row of elements.
std::vector<double> elementwise(const std::string &body, std::vector<double> x) {
  Module module(elementwiseText({"x"}, body));
  auto f = module.program("f");
  f.getYield();
  int64_t n = int64_t(x.size());
  // One row an element: then the sum over classes is the element itself.
  Arguments arguments{{"x", Array({kRows, kClasses}, {n, 1}, x)},
                      {"w", Array({kRows, kClasses}, {n, 1}, 1.0)}};
  return module.value("f", arguments).data;
}

// Values from the tables of Abramowitz and Stegun, 9.8 and 9.11, extended by exact series.
TEST(Functions, Bessel) {
  EXPECT_DOUBLE_EQ(reference::besselI0(0), 1);
  EXPECT_DOUBLE_EQ(reference::besselI0(1), 1.2660658777520082);
  EXPECT_DOUBLE_EQ(reference::besselI1(1), 0.5651591039924850);
  EXPECT_DOUBLE_EQ(reference::besselI1(-1), -0.5651591039924850);
  EXPECT_DOUBLE_EQ(reference::besselI0(10), 2815.716628466254);
  EXPECT_DOUBLE_EQ(reference::besselI1(10), 2670.988303701255);
  for (double x : {29.9, 30.0, 30.1, 100.0}) {
    EXPECT_NEAR(reference::besselI0e(x) / (std::cyl_bessel_i(0, x) * std::exp(-x)), 1, 1e-13);
    EXPECT_NEAR(reference::besselI1e(x) / (std::cyl_bessel_i(1, x) * std::exp(-x)), 1, 1e-13);
  }
  // exp(713) overflows, I0(713) does not.
  EXPECT_TRUE(std::isfinite(reference::besselI0(713)));
  EXPECT_TRUE(std::isinf(reference::besselI0(720)));
  EXPECT_EQ(reference::besselI0e(std::numeric_limits<double>::infinity()), 0);
}

// Values from mpmath, to 20 digits.
TEST(Functions, Gamma) {
  constexpr double inf = std::numeric_limits<double>::infinity();
  EXPECT_DOUBLE_EQ(reference::lgamma(0.5), 0.57236494292470008707);
  EXPECT_DOUBLE_EQ(reference::lgamma(-2.5), -0.056243716497674050667);
  EXPECT_DOUBLE_EQ(reference::digamma(1), -0.57721566490153286061);
  EXPECT_DOUBLE_EQ(reference::digamma(-2.5), 1.1031566406452431872);
  EXPECT_DOUBLE_EQ(reference::digamma(1e-5), -100000.57719921567289);
  EXPECT_DOUBLE_EQ(reference::trigamma(1), 1.6449340668482264365);
  EXPECT_DOUBLE_EQ(reference::trigamma(-2.5), 9.5392466449891237539);
  EXPECT_DOUBLE_EQ(reference::tetragamma(1), -2.404113806319188570799);
  EXPECT_DOUBLE_EQ(reference::tetragamma(0.3), -75.27253658872603891730);
  EXPECT_DOUBLE_EQ(reference::tetragamma(-2.5), -0.1082040516417274030037);
  EXPECT_DOUBLE_EQ(reference::pentagamma(1), 6.493939402266829149096);
  EXPECT_DOUBLE_EQ(reference::pentagamma(0.3), 743.1417646550497770878);
  EXPECT_DOUBLE_EQ(reference::pentagamma(-2.5), 194.7478762191876224216);
  EXPECT_EQ(reference::lgamma(-1), inf);
  EXPECT_EQ(reference::digamma(0), -inf);
  EXPECT_EQ(reference::digamma(-0.0), inf);
  EXPECT_TRUE(std::isnan(reference::digamma(-1)));
  EXPECT_EQ(reference::digamma(inf), inf);
  EXPECT_EQ(reference::trigamma(-1), inf);
  EXPECT_EQ(reference::trigamma(inf), 0);
  EXPECT_EQ(reference::tetragamma(0), -inf);
  EXPECT_EQ(reference::tetragamma(-0.0), inf);
  EXPECT_TRUE(std::isnan(reference::tetragamma(-1)));
  EXPECT_EQ(reference::pentagamma(-1), inf);
  EXPECT_EQ(reference::pentagamma(inf), 0);
}

TEST(Functions, InverseErrorFunction) {
  EXPECT_DOUBLE_EQ(reference::erfinv(0.5), 0.47693627620446987338);
  EXPECT_DOUBLE_EQ(reference::erfinv(-0.05), -0.0443403879100054963);
  EXPECT_DOUBLE_EQ(reference::erfinv(1 - 0x1p-53), 5.8635847487551679272);
  EXPECT_DOUBLE_EQ(reference::erfinv(1e-300), 8.8622692545275803586e-301);
  EXPECT_TRUE(std::isinf(reference::erfinv(1)) && std::isnan(reference::erfinv(1.1)));
}

TEST(Functions, XLogYAndRounding) {
  EXPECT_EQ(reference::xlogy(0, 0), 0);
  EXPECT_EQ(reference::xlogy(0, -1), 0);
  EXPECT_TRUE(std::isnan(reference::xlogy(0, std::nan(""))));
  EXPECT_DOUBLE_EQ(reference::xlogy(2, 3), 2 * std::log(3.0));
  EXPECT_EQ(reference::roundHalfEven(2.5), 2);
  EXPECT_EQ(reference::roundHalfEven(-3.5), -4);
}

TEST(Functions, Sigmoids) {
  EXPECT_EQ(reference::sigmoid(0), 0.5);
  EXPECT_EQ(reference::sigmoid(-1000), 0);
  EXPECT_EQ(reference::softplus(1000), 1000);
  EXPECT_EQ(reference::softplus(-1000), 0);
  EXPECT_EQ(reference::logSigmoid(-1000), -1000);
  EXPECT_EQ(reference::exprel(0), 1);
  EXPECT_DOUBLE_EQ(reference::exprel(-3), std::expm1(-3.0) / -3);
  EXPECT_DOUBLE_EQ(reference::exprel(1e-9), 1 + 0.5e-9);
  EXPECT_DOUBLE_EQ(reference::stirlingError(1), 1 - 0.91893853320467274178);
  EXPECT_DOUBLE_EQ(reference::stirlingError(1e8), 1 / 12e8);
  EXPECT_EQ(reference::stirlingError(HUGE_VAL), 0);
  EXPECT_EQ(reference::gammaEntropy(1), 1);
  EXPECT_DOUBLE_EQ(reference::gammaEntropy(1e12), 15.2344490911686135);
  EXPECT_EQ(reference::sigmoidSlope(0), 0.25);
  EXPECT_DOUBLE_EQ(reference::sigmoidSlope(-40), std::exp(-40.0));
  EXPECT_DOUBLE_EQ(reference::log1mExp(-1e-20), std::log(1e-20));
  EXPECT_DOUBLE_EQ(reference::log1mExp(-50), -std::exp(-50.0));
  EXPECT_EQ(reference::log1mExp(0), -HUGE_VAL);
  EXPECT_TRUE(std::isnan(reference::log1mExp(1)));
  EXPECT_DOUBLE_EQ(reference::softplus(0), std::log(2.0));
  EXPECT_EQ(reference::sign(-3), -1);
  EXPECT_EQ(reference::sign(0), 0);
  EXPECT_TRUE(std::isnan(reference::sign(std::nan(""))));
}

TEST(Interpreter, Elementwise) {
  EXPECT_EQ(elementwise("%e = arith.mulf %x, %x : T", {2, -3}), (std::vector<double>{4, 9}));
  EXPECT_EQ(
      elementwise("%c = arith.cmpf olt, %x, %w : T\n%e = arith.select %c, %x, %w : B, T", {-5, 5}),
      (std::vector<double>{-5, 1}));
  auto maximum = elementwise("%e = arith.maximumf %x, %w : T", {std::nan(""), 0, 2});
  EXPECT_TRUE(std::isnan(maximum[0]));
  EXPECT_EQ(maximum[1], 1);
  EXPECT_EQ(maximum[2], 2);
}

TEST(Interpreter, Axes) {
  Module module(programText({"x"}, R"(
    %m = loss.reduce max %x over "class" : T -> R
    %n = loss.axis_size "class" : f64
    %ns = loss.broadcast %n : f64 to R
    %r = arith.mulf %m, %ns : R)"));
  EXPECT_EQ(module.value("f", {{"x", matrix(3, {1, 5, 2, -1, -7, -2})}}).data,
            (std::vector<double>{15, -3}));
  Module overRows(programText({"x"}, R"(
    %m = loss.reduce min %x over "batch" : T -> tensor<?xf64, #loss.axes<class>>
    %ms = loss.broadcast %m : tensor<?xf64, #loss.axes<class>> to T
    %r = loss.reduce sum %ms over "class" : T -> R)"));
  EXPECT_EQ(overRows.value("f", {{"x", matrix(3, {1, 5, 2, -1, -7, -2})}}).data,
            (std::vector<double>{-10, -10}));
}

TEST(Interpreter, SoftmaxDoesNotOverflow) {
  Module module(programText({"x"}, R"(
    %l = loss.log_softmax %x over "class" : T
    %p = loss.softmax %x over "class" : T
    %t = arith.mulf %p, %l : T
    %s = loss.reduce sum %t over "class" : T -> R
    %z = loss.logsumexp %x over "class" : T -> R
    %r = arith.addf %s, %z : R)"));
  auto r = module.value("f", {{"x", matrix(2, {1000, 1000, -1000, -1000})}}).data;
  EXPECT_DOUBLE_EQ(r[0], 1000);
  EXPECT_DOUBLE_EQ(r[1], -1000);
}

/// The diagnostic that evaluating `program` gives.
std::string complaint(ProgramOp program, const Arguments &arguments) {
  std::string text;
  mlir::ScopedDiagnosticHandler handler(program.getContext(), [&](mlir::Diagnostic &diagnostic) {
    text = diagnostic.str();
    return mlir::success();
  });
  EXPECT_TRUE(failed(reference::evaluate(program, arguments)));
  return text;
}

/// A tangent bears the name of the argument that it is a direction of.
TEST(Interpreter, Tangents) {
  Module module(programText({"x"}, R"(
    %t = arith.mulf %x, %x : T
    %r = loss.reduce sum %t over "class" : T -> R)"));
  auto gradient = gradientForKernel(module.program("f"), {0}, "_grad");
  ASSERT_TRUE(succeeded(gradient));
  auto program = tangentForKernel(*gradient, "f_tangent");
  ASSERT_TRUE(succeeded(program));
  Arguments x{{"x", matrix(2, {1, 2, 3, 4})}}, direction{{"x", matrix(2, {1, 0, 0.5, -1})}};
  auto results = reference::evaluate(*program, x, direction);
  ASSERT_TRUE(succeeded(results));
  EXPECT_EQ((*results)[0].data, (std::vector<double>{2, -5}));
  EXPECT_EQ((*results)[1].data, (std::vector<double>{2, 0, 1, -2}));
  EXPECT_EQ(complaint(*program, x),
            "'loss.program' op expected a tangent for argument 'x', but found none");
}

TEST(Interpreter, Complaints) {
  Module module(programText({"x", "y"}, R"(
    %t = arith.mulf %x, %y : T
    %r = loss.reduce sum %t over "class" : T -> R)"));
  ProgramOp program = module.program("f");
  EXPECT_EQ(complaint(program, {{"x", matrix(2, {1, 2})}}),
            "'loss.program' op expected a value for argument 'y', but found none");
  EXPECT_EQ(complaint(program, {{"x", matrix(2, {1, 2})}, {"y", matrix(3, {1, 2, 3})}}),
            "'loss.program' op expected argument 'y' to have 2 elements along axis 'class', but "
            "found 3");
  EXPECT_EQ(complaint(program, {{"x", matrix(2, {1, 2})}, {"y", Array(1.0)}}),
            "'loss.program' op expected argument 'y' to have the axes of 'tensor<?x?xf64, "
            "#loss.axes<batch, class>>'");
}

} // namespace
