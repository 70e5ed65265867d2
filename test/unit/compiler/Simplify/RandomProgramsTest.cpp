//===- RandomProgramsTest.cpp - passes on programs nobody wrote -----------===//
//
// Random formulas, biased to what the laws look for. Simplifying must keep the value, and the
// gradient must be the same whether the program was simplified before and after or not at all.
//
//===----------------------------------------------------------------------===//

#include "../Support.h"

#include "gtest/gtest.h"

#include <cmath>
#include <cstdlib>
#include <random>
#include <string>

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

  /// The same body, but %e is 0 where every value on the way is finite, else NaN.
  std::string finiteness() {
    std::string zero = constants.back(), sum = zero;
    text.resize(text.find("%e = "));
    for (const std::string &value : values)
      sum = add("arith.addf " + sum + ", " + add("arith.mulf " + value + ", " + zero + " : T") +
                " : T");
    return text + "%e = arith.addf " + sum + ", " + zero + " : T\n";
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

/// Where a value on the way overflows or divides by 0, the simplified program may know better.
bool isFinite(Writer &writer, const Arguments &arguments) {
  Module module(elementwiseText({"x", "y"}, writer.finiteness()));
  return std::isfinite(total(module.value("f", arguments)));
}

void expectSame(const std::vector<Array> &actual, const std::vector<Array> &expected, uint64_t seed,
                const Module &module) {
  ASSERT_EQ(actual.size(), expected.size());
  for (size_t i = 0; i < actual.size(); ++i)
    for (size_t k = 0; k < expected[i].data.size(); ++k) {
      double e = expected[i].data[k];
      // A derivative may have a pole where the value has none; rounding grows with steepness.
      if (std::isfinite(e) && std::abs(e) < 1e4)
        ASSERT_NEAR(actual[i].data[k], e, 1e-6 * (1 + std::abs(e)))
            << "seed " << seed << ", result " << i << "\n"
            << module.text();
    }
}

/// More can be tried by hand: LOSSLANG_TEST_SEEDS=100000.
uint64_t seeds() {
  const char *wanted = std::getenv("LOSSLANG_TEST_SEEDS");
  return wanted ? std::stoull(wanted) : 400;
}

TEST(RandomPrograms, SimplifyingKeepsTheValue) {
  uint64_t finite = 0;
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    Writer writer(seed);
    Module module(elementwiseText({"x", "y"}, writer.write(10)));
    Arguments arguments = randomArguments(seed);
    if (!isFinite(writer, arguments))
      continue;
    ++finite;
    auto before = module.evaluate("f", arguments);
    module.run("loss.program(loss-simplify)");
    expectSame(module.evaluate("f", arguments), before, seed, module);
    if (HasFatalFailure())
      return;
  }
  EXPECT_GT(finite, seeds() / 5);
}

TEST(RandomPrograms, SimplifyingKeepsTheGradient) {
  uint64_t finite = 0;
  for (uint64_t seed = 1; seed <= seeds(); ++seed) {
    Writer writer(seed);
    std::string text = elementwiseText({"x", "y"}, writer.write(8));
    Arguments arguments = randomArguments(seed);
    if (!isFinite(writer, arguments))
      continue;
    ++finite;
    Module plain(text), simplified(text);
    plain.run("loss-differentiate");
    simplified.run("loss.program(loss-simplify), loss-differentiate, loss.program(loss-simplify)");
    expectSame(simplified.evaluate("f_grad", arguments), plain.evaluate("f_grad", arguments), seed,
               simplified);
    if (HasFatalFailure())
      return;
  }
  EXPECT_GT(finite, seeds() / 5);
}

} // namespace
