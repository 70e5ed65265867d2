// The library's losses against their formulas, written down again in plain C++.
#include "CallLoss.h"
#include "test/Paths.h"

#include <cmath>
#include <fstream>
#include <functional>
#include <iterator>
#include <random>

using namespace loss::lang::testing;

namespace {

std::string libraryText(const std::string &name) {
  std::ifstream stream(std::string(LOSSLANG_SOURCE_ROOT) + "/stdlib/" + name + ".loss");
  EXPECT_TRUE(stream) << name;
  return {std::istreambuf_iterator<char>(stream), {}};
}

Row softmax(const Row &x) {
  double shift = *std::max_element(x.begin(), x.end()), sum = 0;
  Row p;
  for (double logit : x)
    sum += p.emplace_back(std::exp(logit - shift));
  for (double &value : p)
    value /= sum;
  return p;
}

using Formula = std::function<double(const Row &x, const Row &p, const Row &y)>;

/// Sum over the classes of a function of score, probability and target.
Formula summed(std::function<double(double x, double p, double y)> term) {
  return [term](const Row &x, const Row &p, const Row &y) {
    double sum = 0;
    for (size_t k = 0; k < x.size(); ++k)
      sum += term(x[k], p[k], y[k]);
    return sum;
  };
}

Formula averaged(std::function<double(double x, double p, double y)> term) {
  return [sum = summed(term)](const Row &x, const Row &p, const Row &y) {
    return sum(x, p, y) / x.size();
  };
}

struct Library {
  const char *name;
  Formula formula;
};

const std::vector<Library> &library() {
  static const std::vector<Library> list = {
      {"cross_entropy", summed([](double, double p, double y) { return -y * std::log(p); })},
      {"focal",
       summed([](double, double p, double y) { return -y * (1 - p) * (1 - p) * std::log(p); })},
      {"ngl", averaged([](double, double p, double y) {
         return std::exp(2.4092 - p - p * y) - std::cos(std::cos(std::sin(p)));
       })},
      {"logit_squared", averaged([](double x, double, double y) {
         return y * (x - 1) * (x - 1) + (1 - y) * x * x;
       })},
      {"brier", summed([](double, double p, double y) { return (p - y) * (p - y); })},
      {"generalized_cross_entropy",
       summed([](double, double p, double y) { return y * (1 - std::pow(p, 0.7)) / 0.7; })},
      {"taylor_cross_entropy",
       summed([](double, double p, double y) { return y * ((1 - p) + (1 - p) * (1 - p) / 2); })},
      {"poly1", summed([](double, double p, double y) { return y * (-std::log(p) + (1 - p)); })},
      {"symmetric_cross_entropy", summed([](double, double p, double y) {
         return -0.1 * y * std::log(p) - p * std::max(std::log(y), -4.0);
       })},
      {"squared_hinge", summed([](double x, double, double y) {
         double margin = std::max(0.0, 1 - (2 * y - 1) * x);
         return margin * margin;
       })},
  };
  return list;
}

TEST(LibraryValues, FollowTheFormulas) {
  std::mt19937 random(7);
  std::normal_distribution<double> normal(0, 3);
  for (const Library &entry : library()) {
    CompiledLoss dense(libraryText(entry.name), LOSS_TARGET_DENSE);
    CompiledLoss byIndex(libraryText(entry.name), LOSS_TARGET_INDEX);
    for (size_t classes : {2, 3, 10, 37}) {
      Rows x(5, Row(classes)), smooth(5, Row(classes)), hot(5, Row(classes)), index(5, Row(1));
      for (size_t r = 0; r < x.size(); ++r) {
        for (double &logit : x[r])
          logit = normal(random);
        Row scores(classes);
        for (double &score : scores)
          score = normal(random);
        smooth[r] = softmax(scores);
        size_t label = random() % classes;
        hot[r][label] = 1;
        index[r][0] = static_cast<double>(label);
      }
      Called soft = dense.call({x, smooth}), hard = byIndex.call({x, index});
      for (size_t r = 0; r < x.size(); ++r) {
        Row p = softmax(x[r]);
        double expected = entry.formula(x[r], p, smooth[r]);
        EXPECT_NEAR(soft.value[r], expected, 1e-11 * (1 + std::abs(expected))) << entry.name;
        expected = entry.formula(x[r], p, hot[r]);
        EXPECT_NEAR(hard.value[r], expected, 1e-11 * (1 + std::abs(expected))) << entry.name;
      }
    }
  }
}

TEST(LibraryValues, GradientsAreDifferenceQuotients) {
  const double step = 1e-6;
  Row x = {0.3, -1.2, 2.1, 0.9};
  for (const Library &entry : library()) {
    CompiledLoss byIndex(libraryText(entry.name), LOSS_TARGET_INDEX);
    Row grad = byIndex.call({{x}, {{3}}}).grads[0][0];
    for (size_t k = 0; k < x.size(); ++k) {
      Row up = x, down = x;
      up[k] += step;
      down[k] -= step;
      Called called = byIndex.call({{up, down}, {{3}, {3}}});
      EXPECT_NEAR(grad[k], (called.value[0] - called.value[1]) / (2 * step), 1e-7) << entry.name;
    }
  }
}

TEST(LibraryValues, ExtremeLogitsStayFinite) {
  for (const Library &entry : library()) {
    CompiledLoss byIndex(libraryText(entry.name), LOSS_TARGET_INDEX);
    Rows x = {{100, -100, 0}, {-100, 100, 0}, {0, 0, 0}, {100, 100, 100}, {-100, -100, -100}};
    Called called = byIndex.call({x, {{0}, {0}, {0}, {0}, {0}}});
    for (size_t r = 0; r < x.size(); ++r) {
      EXPECT_TRUE(std::isfinite(called.value[r])) << entry.name << " row " << r;
      for (double g : called.grads[0][r])
        EXPECT_TRUE(std::isfinite(g)) << entry.name << " row " << r;
    }
  }
}

/// The values that the paper's formula gives, to six decimals.
TEST(LibraryValues, NextGenerationLoss) {
  struct Case {
    size_t classes;
    double uniform, right, wrong, best;
  };
  CompiledLoss ngl(libraryText("ngl"), LOSS_TARGET_INDEX);
  for (Case c : {Case{2, 4.788645, 5.652148, 6.945681, 0.5659},
                 Case{10, 9.426089, 9.598234, 9.856940, 0.3910},
                 Case{100, 10.472921, 10.486103, 10.511974, 0.3615}}) {
    Row uniform(c.classes, 0.0), right(c.classes, -1000.0), wrong(c.classes, -1000.0);
    right[0] = 1000;
    wrong[1] = 1000;
    Called called = ngl.call({{uniform, right, wrong}, {{0}, {0}, {0}}});
    EXPECT_NEAR(called.value[0], c.uniform, 6e-7);
    EXPECT_NEAR(called.value[1], c.right, 6e-7);
    EXPECT_NEAR(called.value[2], c.wrong, 6e-7);
    // The minimum over the true class's probability, the rest spread evenly.
    Rows logits;
    for (int i = 1; i < 1000; ++i) {
      logits.emplace_back(c.classes, 0.0);
      double p = i / 1000.0;
      logits.back()[0] = std::log(p * (static_cast<double>(c.classes) - 1) / (1 - p));
    }
    Row values = ngl.call({logits, Rows(logits.size(), Row{0})}).value;
    double best = (std::min_element(values.begin(), values.end()) - values.begin() + 1) / 1000.0;
    EXPECT_NEAR(best, c.best, 1.1e-3);
  }
}

} // namespace
