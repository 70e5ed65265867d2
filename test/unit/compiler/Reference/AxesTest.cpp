//===- AxesTest.cpp - the oracle on operations over axes ------------------===//

#include "../Support.h"

#include "gtest/gtest.h"

#include <cmath>
#include <limits>

using namespace loss::ir;
using namespace loss::ir::test;

namespace {

/// A program over batch, class and a copy of batch. X is [batch, class], R is [batch], O is
/// [other].
std::string overAxes(std::string body, const std::string &resultType) {
  auto replaceAll = [](std::string text) {
    for (auto [word, type] :
         {std::pair<std::string, std::string>{"$X", "tensor<?x?xf64, #loss.axes<batch, class>>"},
          {"$R", "tensor<?xf64, #loss.axes<batch>>"},
          {"$C", "tensor<?xf64, #loss.axes<class>>"},
          {"$O", "tensor<?xf64, #loss.axes<other>>"},
          {"$P", "tensor<?x?xf64, #loss.axes<class, other>>"}})
      for (size_t at; (at = text.find(word)) != std::string::npos;)
        text.replace(at, word.size(), type);
    return text;
  };
  return replaceAll("loss.program @f(%x: $X {loss.kind = \"input\", loss.name = \"x\"}, "
                    "%k: $X {loss.kind = \"input\", loss.name = \"k\"}) -> (" +
                    resultType +
                    " {loss.result = \"value\"}) attributes {axes = #loss.axes<batch, class, "
                    "other>, copies = {other = \"batch\"}} {\n" +
                    body + "\nloss.yield %r : " + resultType + "\n}\n");
}

std::vector<double> run(const std::string &body, const std::string &resultType) {
  Module module(overAxes(body, resultType));
  return module
      .value("f", {{"x", matrix(3, {3, 4, 12, 1, -2, 2})}, {"k", matrix(3, {1, 7, 1, 5, 5, 9})}})
      .data;
}

using Numbers = std::vector<double>;

TEST(Axes, CumulativeSumInTheOrderOfTheAxis) {
  EXPECT_EQ(run("%r = loss.cumsum %x over \"class\" : $X -> $X", "$X"),
            (Numbers{3, 7, 19, 1, -1, 1}));
  EXPECT_EQ(run("%r = loss.cumsum %x over \"class\" reverse : $X -> $X", "$X"),
            (Numbers{19, 16, 12, 1, 0, 2}));
  EXPECT_EQ(run("%r = loss.cumsum %x over \"batch\" : $X -> $X", "$X"),
            (Numbers{3, 4, 12, 4, 2, 14}));
}

/// The greatest key first, ties by position.
TEST(Axes, CumulativeSumByKey) {
  EXPECT_EQ(run("%r = loss.cumsum %x by %k over \"class\" : $X by $X -> $X", "$X"),
            (Numbers{7, 4, 19, 3, 1, 2}));
  EXPECT_EQ(run("%r = loss.cumsum %x by %k over \"class\" reverse : $X by $X -> $X", "$X"),
            (Numbers{15, 19, 12, -1, -2, 1}));
}

/// -inf where nothing has been added up; no element is lost beside one that is far above it.
TEST(Axes, CumulativeLogSumExp) {
  const double inf = std::numeric_limits<double>::infinity();
  Numbers result = run("%a = loss.logcumsumexp %x over \"class\" : $X -> $X\n"
                       "%r = arith.mulf %a, %a : $X",
                       "$X");
  EXPECT_NEAR(result[1], std::pow(std::log(std::exp(3.0) + std::exp(4.0)), 2), 1e-12);
  EXPECT_NEAR(result[0], 9, 1e-12);
  EXPECT_EQ(run("%c = arith.constant 0xFFF0000000000000 : f64\n"
                "%b = loss.broadcast %c : f64 to $X\n"
                "%r = loss.logcumsumexp %b over \"class\" : $X -> $X",
                "$X"),
            (Numbers{-inf, -inf, -inf, -inf, -inf, -inf}));
}

/// Of equal levels it is the cumulative sum; an element fades by the rise of the level.
TEST(Axes, DecayedCumulativeSum) {
  // Each step of the level halves what came before.
  Numbers halved = run("%p = loss.position \"class\" : $C\n%b = loss.broadcast %p : $C to $X\n"
                       "%c = arith.constant 0.69314718055994530942 : f64\n"
                       "%d = loss.broadcast %c : f64 to $X\n%l = arith.mulf %b, %d : $X\n"
                       "%r = loss.decayed_cumsum %x at %l over \"class\" : $X at $X -> $X",
                       "$X");
  for (auto [i, expected] : {std::pair(0, 3.0), {1, 5.5}, {2, 14.75}})
    EXPECT_NEAR(halved[i], expected, 1e-12);
  const char *const flat = "%c = arith.constant 7.0 : f64\n%l = loss.broadcast %c : f64 to $X\n";
  EXPECT_EQ(run(std::string(flat) +
                    "%r = loss.decayed_cumsum %x at %l over \"class\" reverse : $X at $X -> $X",
                "$X"),
            (Numbers{19, 16, 12, 1, 0, 2}));
}

TEST(Axes, Norm) {
  EXPECT_EQ(run("%r = loss.norm %x over \"class\" : $X -> $R", "$R"), (Numbers{13, 3}));
}

TEST(Axes, PositionsAndRenamedAxes) {
  EXPECT_EQ(run("%r = loss.position \"class\" : $C", "$C"), (Numbers{0, 1, 2}));
  // The order of axes in a type may change: the copy comes last.
  EXPECT_EQ(run("%r = loss.rename %x \"batch\" to \"other\" : $X -> $P", "$P"),
            (Numbers{3, 1, 4, -2, 12, 2}));
  EXPECT_EQ(run("%r = loss.position \"other\" : $O", "$O"), (Numbers{0, 1}));
}

TEST(Axes, DerivativesByDecreeDoNotChangeValues) {
  EXPECT_EQ(run("%s = loss.stop_gradient %x : $X\n"
                "%r = loss.custom_gradient %s by %k is %x : $X, $X, $X",
                "$X"),
            (Numbers{3, 4, 12, 1, -2, 2}));
}

} // namespace
