//===- KernelTest.cpp - compiled kernels against the interpreter ----------===//
//
// Each of the 34 functions and each library loss, in f32 and f64, with class indices and dense
// targets, at each feature level of this processor.
//
// The bound of an element: what the result changes by when each input moves by 2 units in the last
// place (times 16, for the operations between), and 64 units of rounding of the result itself.
//
//===----------------------------------------------------------------------===//

#include "Call.h"
#include "Functions.h"
#include "Oracle.h"

#include <cmath>
#include <fstream>
#include <random>
#include <sstream>

using namespace loss;
using namespace loss::test;

namespace {

constexpr int64_t classCounts[] = {1, 2, 3, 7, 16, 17, 33, 100, 1000};

Compiler &compiler() {
  static Compiler shared;
  return shared;
}

/// The inputs of a call in f64: exactly those that the kernel sees in T.
struct Data {
  int64_t rows = 0, classes = 0;
  std::vector<Matrix> inputs;
  std::vector<int64_t> indices;
  /// Rows far from kinks and poles.
  std::vector<bool> smooth;
};

enum class Scores { Elementwise, Softmax };

/// Rows: random, extreme, ties, all equal, tiny.
template <typename T>
Data makeData(const LossModule &module, int64_t classes, Scores kind, uint32_t target,
              double extreme32) {
  std::mt19937 random(unsigned(classes) * 8 + target);
  std::normal_distribution<double> normal;
  std::uniform_real_distribution<double> uniform;
  double extreme = sizeof(T) == 4 ? extreme32 : 100;
  Data data;
  data.rows = 6;
  data.classes = classes;
  data.smooth = {true, true, false, false, false, false};
  for (uint32_t i = 0; i < module.input_count; ++i) {
    Matrix &matrix = data.inputs.emplace_back(data.rows * classes);
    bool isTarget = module.inputs[i].kind == LOSS_INPUT_TARGET;
    for (int64_t row = 0; row < data.rows; ++row) {
      double *x = &matrix[row * classes];
      if (isTarget) {
        int64_t index = int64_t(random() % classes);
        data.indices.push_back(index);
        bool oneHot = target == LOSS_TARGET_INDEX || row % 2;
        double sum = 0;
        for (int64_t k = 0; k < classes; ++k)
          sum += x[k] = oneHot ? k == index : -std::log1p(-uniform(random));
        for (int64_t k = 0; k < classes; ++k)
          x[k] = T(x[k] / sum);
        continue;
      }
      for (int64_t k = 0; k < classes; ++k) {
        double sign = random() % 2 ? 1 : -1;
        switch (row) {
        case 0:
        case 1:
          x[k] = T(sign * (0.5 + 2 * uniform(random)));
          break;
        case 2:
          x[k] = sign * extreme;
          break;
        case 3:
          x[k] = double(random() % 3) - 1;
          break;
        case 4:
          x[k] = 0.5;
          break;
        default:
          x[k] = T(normal(random) * 1e-5);
        }
      }
    }
  }
  return data;
}

/// The result and what it may be off by.
struct Bounded {
  Expected expected;
  std::vector<double> valueBound;
  std::vector<Matrix> gradBounds;
};

template <typename T>
Bounded expect(const Oracle &oracle, const LossModule &module, const Data &data, Scores kind) {
  constexpr double ulp = std::numeric_limits<T>::epsilon();
  Bounded result{oracle.evaluate(data.rows, data.classes, data.inputs), {}, {}};
  const Expected &exact = result.expected;
  result.valueBound.assign(data.rows, 0);
  result.gradBounds.assign(exact.grads.size(), Matrix(data.rows * data.classes, 0.0));
  std::mt19937 random(7);
  auto widen = [](double &bound, double a, double b) {
    if (std::isfinite(a - b))
      bound = std::max(bound, 16 * std::abs(a - b));
  };
  for (int trial = 0; trial < 3; ++trial) {
    std::vector<Matrix> moved = data.inputs;
    for (uint32_t i = 0; i < module.input_count; ++i)
      for (double &x : moved[i]) {
        double size = module.inputs[i].kind == LOSS_INPUT_TARGET ? std::abs(x)
                      : kind == Scores::Softmax                  ? std::max(1.0, std::abs(x))
                                                                 : std::abs(x);
        x += (random() % 2 ? 2 : -2) * ulp * size;
      }
    Expected other = oracle.evaluate(data.rows, data.classes, moved);
    for (int64_t row = 0; row < data.rows; ++row) {
      widen(result.valueBound[row], other.value[row], exact.value[row]);
      for (size_t g = 0; g < exact.grads.size(); ++g) {
        double rowBound = 0;
        for (int64_t k = row * data.classes; k < (row + 1) * data.classes; ++k) {
          widen(result.gradBounds[g][k], other.grads[g][k], exact.grads[g][k]);
          rowBound = std::max(rowBound, result.gradBounds[g][k]);
        }
        // A softmax carries the noise of one class, and of the sum over them, to all.
        if (kind == Scores::Softmax)
          for (int64_t k = row * data.classes; k < (row + 1) * data.classes; ++k)
            result.gradBounds[g][k] = rowBound + 64 * ulp * std::abs(exact.value[row]);
      }
    }
  }
  for (int64_t row = 0; row < data.rows; ++row) {
    // The terms of an elementwise sum may cancel.
    double terms = std::abs(exact.value[row]);
    if (kind == Scores::Elementwise) {
      std::vector<Matrix> single;
      for (const Matrix &input : data.inputs)
        single.emplace_back(input.begin() + row * data.classes,
                            input.begin() + (row + 1) * data.classes);
      terms = 0;
      for (double term : oracle.evaluate(data.classes, 1, single).value)
        terms += std::abs(term);
    }
    result.valueBound[row] += 64 * ulp * (1 + terms);
  }
  for (size_t g = 0; g < exact.grads.size(); ++g)
    for (size_t k = 0; k < exact.grads[g].size(); ++k)
      result.gradBounds[g][k] += 64 * ulp * (1 + std::abs(exact.grads[g][k]));
  return result;
}

template <typename T> Call<T> makeCall(const LossModule &module, const Data &data) {
  Call<T> call(module, data.rows, data.classes);
  call.indices = data.indices;
  for (uint32_t i = 0; i < module.input_count; ++i)
    for (int64_t row = 0; row < data.rows; ++row)
      for (int64_t k = 0; k < data.classes; ++k)
        call.inputs[i](row, k) = T(data.inputs[i][row * data.classes + k]);
  return call;
}

bool near(double actual, double expected, double bound) {
  if (std::isnan(expected))
    return std::isnan(actual);
  return actual == expected || std::abs(actual - expected) <= bound;
}

template <typename T> void compare(const Call<T> &call, const Data &data, const Bounded &bounded) {
  const Expected &expected = bounded.expected;
  for (int64_t row = 0; row < data.rows; ++row) {
    ASSERT_PRED3(near, call.value[row], expected.value[row], bounded.valueBound[row])
        << "row " << row;
    for (size_t g = 0; g < expected.grads.size(); ++g)
      for (int64_t k = 0; k < data.classes; ++k)
        ASSERT_PRED3(near, call.grads[g](row, k), expected.grads[g][row * data.classes + k],
                     bounded.gradBounds[g][row * data.classes + k])
            << "gradient " << g << " of row " << row << ", class " << k << ", score "
            << data.inputs[0][row * data.classes + k];
  }
}

class Subject {
public:
  /// `extreme32`: the greatest score in f32; exp(100) is none.
  Subject(const std::string &text, Scores kind, double extreme32)
      : oracle(text), kind(kind), extreme32(extreme32) {
    for (int level : hostLevels())
      modules.push_back(compiler().compile(text, "test.loss", atLevel(level)));
  }

  const LossModule &module() const { return modules.back()->module(); }
  std::vector<uint32_t> targets() const {
    for (uint32_t i = 0; i < module().input_count; ++i)
      if (module().inputs[i].kind == LOSS_INPUT_TARGET)
        return {LOSS_TARGET_INDEX, LOSS_TARGET_DENSE};
    return {LOSS_TARGET_NONE};
  }

  template <typename T> void matchesReference() const {
    for (uint32_t target : targets())
      for (int64_t classes : classCounts) {
        Data data = makeData<T>(module(), classes, kind, target, extreme32);
        Bounded bounded = expect<T>(oracle, module(), data, kind);
        for (size_t level = 0; level < modules.size(); ++level) {
          SCOPED_TRACE(std::string(sizeof(T) == 4 ? "f32" : "f64") + ", target " +
                       std::to_string(target) + ", classes " + std::to_string(classes) +
                       ", x86-64-v" + std::to_string(level + 2));
          auto call = makeCall<T>(modules[level]->module(), data);
          call.run(target, LOSS_VALUE_AND_GRAD);
          compare(call, data, bounded);
          std::vector<T> value = call.value;
          call.reset();
          call.run(target, LOSS_VALUE);
          for (int64_t row = 0; row < data.rows; ++row)
            ASSERT_PRED3(near, call.value[row], value[row], bounded.valueBound[row])
                << "value without gradient, row " << row;
          if (::testing::Test::HasFatalFailure())
            return;
        }
      }
  }

  /// Rewriting has not changed the meaning.
  void matchesFormula() const {
    for (uint32_t target : targets()) {
      Data data = makeData<double>(module(), 7, kind, target, extreme32);
      std::vector<double> written = oracle.asWritten(data.rows, data.classes, data.inputs);
      Expected expected = oracle.evaluate(data.rows, data.classes, data.inputs);
      for (int64_t row = 0; row < data.rows; ++row)
        if (data.smooth[row])
          EXPECT_NEAR(written[row], expected.value[row], 1e-12 * (1 + std::abs(written[row])));
    }
  }

  /// Fourth-order central differences of the kernel's own value.
  void matchesDifferences() const {
    for (uint32_t target : targets()) {
      Data data = makeData<double>(module(), 7, kind, target, extreme32);
      auto call = makeCall<double>(module(), data);
      call.run(target, LOSS_VALUE_AND_GRAD);
      auto grads = call.grads;
      for (uint32_t i = 0; i < module().input_count; ++i) {
        int grad = module().inputs[i].has_gradient ? static_cast<int>(i) : -1;
        for (int64_t k = 0; grad >= 0 && k < data.classes; ++k) {
          constexpr double h = 1e-3;
          std::vector<double> difference(data.rows, 0.0);
          for (auto [step, weight] :
               {std::pair(h, 8.0), {-h, -8.0}, {2 * h, -1.0}, {-2 * h, 1.0}}) {
            for (int64_t row = 0; row < data.rows; ++row)
              call.inputs[i](row, k) = data.inputs[i][row * data.classes + k] + step;
            call.run(target, LOSS_VALUE);
            for (int64_t row = 0; row < data.rows; ++row)
              difference[row] += weight * call.value[row] / (12 * h);
          }
          for (int64_t row = 0; row < data.rows; ++row) {
            call.inputs[i](row, k) = data.inputs[i][row * data.classes + k];
            // The error of the differences: rounding of the value over h, and h^4.
            if (data.smooth[row])
              EXPECT_NEAR(grads[grad](row, k), difference[row],
                          1e-7 * (1 + std::abs(difference[row])) +
                              1e-12 * std::abs(call.value[row]))
                  << "row " << row << ", class " << k;
          }
        }
      }
    }
  }

  /// NaN in one class makes the row NaN, and no other.
  template <typename T> void propagatesNaN() const {
    for (uint32_t target : targets())
      for (int64_t classes : {1, 3, 17, 40}) {
        Data data = makeData<T>(module(), classes, kind, target, extreme32);
        auto clean = makeCall<T>(module(), data);
        clean.run(target, LOSS_VALUE_AND_GRAD);
        for (int64_t where : {int64_t(0), classes / 2, classes - 1}) {
          auto call = makeCall<T>(module(), data);
          call.inputs[0](0, where) = std::numeric_limits<T>::quiet_NaN();
          call.run(target, LOSS_VALUE_AND_GRAD);
          EXPECT_TRUE(std::isnan(call.value[0])) << classes << " classes, NaN in " << where;
          EXPECT_EQ(call.value[1], clean.value[1]);
          if (kind == Scores::Softmax)
            for (int64_t k = 0; k < classes; ++k)
              EXPECT_TRUE(std::isnan(call.grads[0](0, k)))
                  << classes << " classes, NaN in " << where << ", gradient " << k;
          call.run(target, LOSS_VALUE);
          EXPECT_TRUE(std::isnan(call.value[0])) << "value alone, NaN in " << where;
        }
      }
  }

private:
  Oracle oracle;
  Scores kind;
  double extreme32;
  std::vector<std::unique_ptr<JitModule>> modules;
};

void checkAll(const Subject &subject) {
  subject.matchesFormula();
  subject.matchesReference<double>();
  subject.matchesReference<float>();
  subject.matchesDifferences();
  subject.propagatesNaN<double>();
  subject.propagatesNaN<float>();
}

struct FunctionTest : ::testing::TestWithParam<Function> {};
TEST_P(FunctionTest, OfScores) { checkAll({GetParam().direct(), Scores::Elementwise, 80}); }
TEST_P(FunctionTest, OfSoftmax) {
  // A square root has no derivative at 0, where a probability of 1e-87 ends in f32.
  double extreme = GetParam().name == "root" ? 40 : 100;
  checkAll({GetParam().composed(), Scores::Softmax, extreme});
}
INSTANTIATE_TEST_SUITE_P(All, FunctionTest, ::testing::ValuesIn(allFunctions()),
                         [](auto &info) { return info.param.name; });

struct LibraryTest : ::testing::TestWithParam<std::string> {};
TEST_P(LibraryTest, Kernels) {
  std::ifstream file(findLibraryLoss(GetParam()));
  std::stringstream text;
  text << file.rdbuf();
  bool ofScores = GetParam() == "logit_squared" || GetParam() == "squared_hinge";
  Subject subject(text.str(), Scores::Softmax, 100);
  subject.matchesFormula();
  subject.matchesReference<double>();
  subject.matchesReference<float>();
  subject.matchesDifferences();
  if (!ofScores) {
    subject.propagatesNaN<double>();
    subject.propagatesNaN<float>();
  }
}
INSTANTIATE_TEST_SUITE_P(All, LibraryTest, ::testing::ValuesIn(rowLosses()),
                         [](auto &info) { return info.param; });

} // namespace
