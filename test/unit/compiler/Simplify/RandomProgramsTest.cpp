//===- RandomProgramsTest.cpp - passes on programs nobody wrote -----------===//
//
// Random formulas, biased to what the laws look for. Simplifying must keep the value, and the
// gradient must be the same whether the program was simplified before and after or not at all.
//
//===----------------------------------------------------------------------===//

#include "../Support.h"

#include "gtest/gtest.h"

#include <cmath>
#include <random>

using namespace loss::ir::test;

namespace {

/// Writes a random body that defines %e.
class Writer {
public:
  explicit Writer(uint64_t seed) : random(seed) {}

  std::string write(int count) {
    for (const char *c : {"1.0", "2.0", "-1.0", "0.5", "0.0"}) {
      std::string number = fresh();
      text += number + " = arith.constant " + c + " : f64\n";
      constants.push_back(add("loss.broadcast " + number + " : f64 to T"));
    }
    values = {"%x", "%y"};
    for (int i = 0; i < count; ++i)
      values.push_back(step());
    // All of the last values take part, so that few are dead.
    std::string sum = values.back();
    for (size_t i = values.size() - 3; i + 1 < values.size(); ++i)
      sum = add("arith.addf " + sum + ", " + values[i] + " : T");
    text += "%e = math.tanh " + sum + " : T\n";
    return text;
  }

private:
  std::string fresh() { return "%v" + std::to_string(next++); }
  std::string add(const std::string &operation) {
    std::string name = fresh();
    text += name + " = " + operation + "\n";
    return name;
  }
  size_t below(size_t n) { return std::uniform_int_distribution<size_t>(0, n - 1)(random); }
  std::string pick() {
    // Recent values more often: deeper formulas.
    if (below(4) == 0)
      return constants[below(constants.size())];
    return below(2) ? values.back() : values[below(values.size())];
  }
  std::string step() {
    static const char *const unary[] = {"arith.negf",   "math.exp",      "math.exp",
                                        "math.log",     "math.absf",     "math.sin",
                                        "loss.sigmoid", "loss.softplus", "loss.log_sigmoid"};
    static const char *const binary[] = {"arith.addf", "arith.subf", "arith.mulf",    "arith.divf",
                                         "arith.subf", "arith.addf", "arith.maximumf"};
    static const char *const axis[] = {"softmax", "log_softmax"};
    switch (below(8)) {
    case 0:
    case 1:
    case 2:
      return add(std::string(unary[below(std::size(unary))]) + " " + pick() + " : T");
    case 3:
      return add("loss." + std::string(axis[below(2)]) + " " + pick() + " over \"class\" : T");
    case 4: {
      std::string reduced = add((below(2) ? "loss.reduce sum " : "loss.reduce max ") + pick() +
                                " over \"class\" : T -> R");
      if (below(2))
        reduced = add("math.log " + reduced + " : R");
      return add("loss.broadcast " + reduced + " : R to T");
    }
    case 5:
      return add("math.powf " + pick() + ", " + constants[below(constants.size())] + " : T");
    default: {
      std::string left = pick();
      return add(std::string(binary[below(std::size(binary))]) + " " + left + ", " + pick() +
                 " : T");
    }
    }
  }

  std::mt19937_64 random;
  std::string text;
  std::vector<std::string> values, constants;
  int next = 0;
};

Arguments randomArguments(uint64_t seed) {
  std::mt19937_64 random(seed);
  std::uniform_real_distribution<double> uniform(-2, 2);
  auto draw = [&] {
    std::vector<double> elements(6);
    for (double &e : elements)
      e = uniform(random);
    return matrix(3, elements);
  };
  return {{"x", draw()}, {"y", draw()}, {"w", draw()}};
}

void expectSame(const std::vector<Array> &actual, const std::vector<Array> &expected, uint64_t seed,
                const Module &module, int &finite) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    for (size_t k = 0; k < expected[i].data.size(); ++k) {
      double e = expected[i].data[k], a = actual[i].data[k];
      // Where the program as written overflows or cancels, the simplified one may know better.
      if (!std::isfinite(e) || std::abs(e) > 1e6)
        continue;
      ++finite;
      ASSERT_NEAR(a, e, 1e-6 * (1 + std::abs(e))) << "seed " << seed << ", result " << i << "\n"
                                                  << module.text();
    }
}

TEST(RandomPrograms, SimplifyingKeepsTheValue) {
  int finite = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    Module module(elementwiseText({"x", "y"}, Writer(seed).write(10)));
    Arguments arguments = randomArguments(seed);
    auto before = module.evaluate("f", arguments);
    module.run("loss.program(loss-simplify)");
    expectSame(module.evaluate("f", arguments), before, seed, module, finite);
    if (HasFatalFailure())
      return;
  }
  EXPECT_GT(finite, 100);
}

TEST(RandomPrograms, SimplifyingKeepsTheGradient) {
  int finite = 0;
  for (uint64_t seed = 1; seed <= 400; ++seed) {
    std::string text = elementwiseText({"x", "y"}, Writer(seed).write(8));
    Module plain(text), simplified(text);
    Arguments arguments = randomArguments(seed);
    plain.run("loss-differentiate");
    simplified.run("loss.program(loss-simplify), loss-differentiate, loss.program(loss-simplify)");
    expectSame(simplified.evaluate("f_grad", arguments), plain.evaluate("f_grad", arguments), seed,
               simplified, finite);
    if (HasFatalFailure())
      return;
  }
  EXPECT_GT(finite, 1000);
}

} // namespace
