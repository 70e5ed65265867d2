// The rules of forward differentiation against central differences of the functions themselves.
#include "test/library/Jet.h"

#include "gtest/gtest.h"

using namespace loss::stress;

namespace {

struct Unary {
  const char *name;
  Jet (*ofJet)(const Jet &);
  Real (*ofReal)(const Real &);
};
const Unary unaries[] = {
#define LOSS_REAL_UNARY(NAME) {#NAME, &NAME, &NAME},
#include "test/random/RealFunctions.def"
};

struct Binary {
  const char *name;
  Jet (*ofJet)(const Jet &, const Jet &);
  Real (*ofReal)(const Real &, const Real &);
};
const Binary binaries[] = {
#define LOSS_REAL_BINARY(NAME) {#NAME, &NAME, &NAME},
#include "test/random/RealFunctions.def"
};

const double places[] = {-30.25, -2.375, -0.75, -0x1p-20, 0x1p-20, 0.375, 0.8, 1.75, 4.625, 40.25};

/// A central difference in f(x +- h) that leaves some 100 digits in 512 bits.
template <typename F> Real difference(F f) {
  const Real h = powerOfTwo(-170);
  return (f(h) - f(-h)) / (h + h);
}

void expectSlope(const std::string &what, const Jet &jet, unsigned i, const Real &expected) {
  if (!expected.isFinite() || !jet.value.isFinite())
    return; // Outside the domain, or at a pole.
  Real slope = 0;
  for (const auto &[place, number] : jet.slopes)
    if (place == i)
      slope = number;
  EXPECT_TRUE(abs(slope - expected) <
              (abs(slope) + abs(expected)) * powerOfTwo(-130) + powerOfTwo(-170))
      << what << ": " << toDouble(slope) << ", but " << toDouble(expected);
}

TEST(Jet, UnaryRulesAreDerivatives) {
  Real::Precision precision(512);
  for (const Unary &f : unaries)
    for (double x : places) {
      if (std::string(f.name) == "pentagamma")
        continue; // Its derivative is not known.
      expectSlope(std::string(f.name) + " at " + std::to_string(x), f.ofJet(Jet(Real(x), 7)), 7,
                  difference([&](const Real &h) { return f.ofReal(Real(x) + h); }));
    }
}

TEST(Jet, BinaryRulesAreDerivatives) {
  Real::Precision precision(512);
  for (const Binary &f : binaries)
    for (double x : places)
      for (double y : places) {
        if (x == y)
          continue; // max and min have a kink.
        std::string what =
            std::string(f.name) + " at " + std::to_string(x) + ", " + std::to_string(y);
        Jet jet = f.ofJet(Jet(Real(x), 3), Jet(Real(y), 5));
        expectSlope(what + " by x", jet, 3,
                    difference([&](const Real &h) { return f.ofReal(Real(x) + h, Real(y)); }));
        expectSlope(what + " by y", jet, 5,
                    difference([&](const Real &h) { return f.ofReal(Real(x), Real(y) + h); }));
      }
}

TEST(Jet, ArithmeticHasTheRulesOfSumsProductsAndQuotients) {
  Real::Precision precision(512);
  Real x = 1.75, y = -0.375;
  auto f = [](auto a, auto b) { return (a * b - a / b) * (b - a) + a; };
  Jet jet = f(Jet(x, 0), Jet(y, 1));
  expectSlope("by x", jet, 0, difference([&](const Real &h) { return f(x + h, y); }));
  expectSlope("by y", jet, 1, difference([&](const Real &h) { return f(x, y + h); }));
}

TEST(Jet, GivenDerivativesTakeThePlaceOfOnesOwn) {
  Jet x(Real(3), 0), square = x * x;
  EXPECT_TRUE(withoutSlope(square).slopes.empty());
  expectSlope("given", withSlope(withoutSlope(square), x, Jet(7)), 0, Real(7));
}

TEST(Real, KeepsTheBitsThatAreAskedFor) {
  Real::Precision precision(2048);
  Real third = Real(1) / Real(3), copy = third, sum;
  sum = copy + copy + copy;
  EXPECT_TRUE(abs(sum - Real(1)) < powerOfTwo(-2040));
  Real moved = std::move(copy);
  copy = sum;
  EXPECT_TRUE(moved == third && copy == sum);
}

} // namespace
