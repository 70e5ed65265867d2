// Names of other languages: what the hints say has the value of the function elsewhere.
#include "CallLoss.h"
#include "lang/Foreign.h"

#include <cmath>
#include <limits>

using namespace loss::lang;
using namespace loss::lang::testing;

namespace {

constexpr double inf = std::numeric_limits<double>::infinity();

/// Value and gradients of the form of a function of one or two numbers, at one place.
struct AtPlace {
  double value, dx, dy;
};
AtPlace call(const std::string &name, double x, double y, size_t count) {
  const Foreign *row = findForeignFunction(name, count, false);
  EXPECT_TRUE(row) << name;
  std::vector<std::string> names = {"x", "y"};
  names.resize(count);
  CompiledLoss loss("loss t(x: [b, c], y: [b, c]) { return sum((if x > 0 then 0 else 0) + (" +
                    foreignForm(*row, {names, "c", "b", {}}) + ") over c) }");
  Called called = loss.call({{{x}}, {{y}}});
  return {called.value[0], called.grads[0][0][0], called.grads[1][0][0]};
}

TEST(ForeignValues, AreThoseOfTheFunction) { // [LANG-10.12]
  EXPECT_NEAR(call("erfcx", 20, 0, 1).value, 0.028174347, 1e-6);
  EXPECT_NEAR(call("erfcx", 0.5, 0, 1).value, 0.615690344, 1e-9);
  EXPECT_NEAR(call("erfcx", 6.5, 0, 1).value, 0.085805670, 1e-6);
  EXPECT_NEAR(call("log_ndtr", -30, 0, 1).value, -454.3212439, 1e-5);
  EXPECT_NEAR(call("log_ndtr", -1, 0, 1).value, -1.841021645, 1e-9);
  EXPECT_NEAR(call("log_ndtr", 9, 0, 1).value / -1.128588406e-19, 1, 1e-6);
  EXPECT_NEAR(call("lchoose", 7, 3, 2).value, std::log(35), 1e-9);
  EXPECT_NEAR(call("choose", 7, 3, 2).value, 35, 1e-9);
  EXPECT_NEAR(call("betaln", 2, 3, 2).value, std::log(1. / 12), 1e-9);
  EXPECT_NEAR(call("beta", 2, 3, 2).value, 1. / 12, 1e-9);
  EXPECT_NEAR(call("logsubexp", 3, 1, 2).value, std::log(std::exp(3) - std::exp(1)), 1e-9);
  EXPECT_NEAR(call("hardswish", 1, 0, 1).value, 2. / 3, 1e-9);
  EXPECT_NEAR(call("selu", -1, 0, 1).value, -1.1113307378, 1e-9);
}

TEST(ForeignValues, AreFiniteWhereTheFunctionIs) {
  EXPECT_EQ(call("logaddexp", -inf, -inf, 2).value, -inf);
  EXPECT_EQ(call("logaddexp", -inf, 3, 2).value, 3);
  AtPlace equal = call("logaddexp", 1, 1, 2);
  EXPECT_NEAR(equal.value, 1 + std::log(2), 1e-12);
  EXPECT_EQ(equal.dx, 0.5);
  EXPECT_EQ(equal.dy, 0.5);
  AtPlace cosine = call("cosine_similarity", 0, 2, 2);
  EXPECT_EQ(cosine.value, 0);
  EXPECT_TRUE(std::isfinite(cosine.dx)) << cosine.dx;
  EXPECT_TRUE(std::isfinite(cosine.dy)) << cosine.dy;
  EXPECT_EQ(call("corr", 2, 2, 2).value, 0);
}

} // namespace
