//===- Data.cpp - arguments of random losses ------------------------------===//

#include "test/random/Data.h"

#include "test/random/Generator.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <random>

using loss::ir::reference::Array;

namespace loss::stress {

namespace {

class Chooser {
public:
  Chooser(const lang::Program &program, uint64_t seed, Flavour flavour)
      : program(program), random(seed * 0x2545f4914f6cdd1du + 7), flavour(flavour),
        byIndex(random() % 3 != 0) {}

  Data choose() {
    chooseSizes();
    for (const lang::ProgramInput &input : program.inputs)
      data.arguments[input.name] =
          input.kind == lang::InputKind::Target ? target(input) : numbers(input.axes);
    for (const lang::ProgramParam &param : program.params)
      data.arguments[param.name] =
          Array(float(param.constraint == lang::Constraint::Unit      ? uniform(0.05, 0.95)
                      : param.constraint == lang::Constraint::Integer ? std::floor(uniform(1, 4))
                                                                      : uniform(0.25, 2.5)));
    return std::move(data);
  }

private:
  double uniform(double lo, double hi) { return lo + (hi - lo) * double(random() >> 11) * 0x1p-53; }
  size_t below(size_t n) { return random() % n; }

  /// Small, because the oracle is slow; the longest axis has room for vectors and their rest.
  void chooseSizes() {
    size_t count = program.axes.size();
    data.sizes.assign(count, 1);
    size_t longest = below(count);
    int64_t budget = 48;
    for (size_t pass = 0; pass < 2; ++pass)
      for (size_t i = 0; i < count; ++i) {
        if (program.copyOf[i] >= 0 || (i == longest) != (pass == 1))
          continue;
        // An axis with a copy counts twice.
        bool isCopied =
            std::find(program.copyOf.begin(), program.copyOf.end(), int(i)) != program.copyOf.end();
        int64_t most = isCopied ? int64_t(std::sqrt(double(budget))) : budget;
        most = std::min<int64_t>(most, pass == 1 ? 20 : 4);
        data.sizes[i] = 1 + int64_t(below(std::max<int64_t>(most, 1)));
        budget = std::max<int64_t>(
            budget / (isCopied ? data.sizes[i] * data.sizes[i] : data.sizes[i]), 1);
      }
    for (size_t i = 0; i < count; ++i)
      if (program.copyOf[i] >= 0)
        data.sizes[i] = data.sizes[program.copyOf[i]];
  }

  Array shaped(lang::AxisSet set) const {
    std::vector<std::string> axes;
    std::vector<int64_t> sizes;
    for (size_t i = 0; i < program.axes.size(); ++i)
      if (set >> i & 1) {
        axes.push_back(program.axes[i]);
        sizes.push_back(data.sizes[i]);
      }
    return Array(axes, sizes);
  }

  double number() {
    if (flavour == Flavour::Ordinary) {
      double normal = std::sqrt(-2 * std::log(uniform(1e-9, 1))) * std::cos(uniform(0, 6.2831853));
      return std::clamp(1.5 * normal, -inputReach, inputReach);
    }
    static const double extremes[] = {0,   -0.0, 1,    -1,  2,     -2,   0.5,   -0.5, 1,    0,
                                      100, -100, 30.5, -20, 1e-30, 1e-8, -1e-6, 1e4,  -1e3, 5};
    return below(3) ? extremes[below(std::size(extremes))] : uniform(-3, 3);
  }

  Array numbers(lang::AxisSet set) {
    Array array = shaped(set);
    for (double &x : array.data)
      x = float(number());
    return array;
  }

  Array target(const lang::ProgramInput &input) {
    Array array = shaped(input.axes);
    int64_t classes = data.sizes[input.classAxis], stride = 1;
    for (size_t i = input.classAxis + 1; i < program.axes.size(); ++i)
      if (input.axes >> i & 1)
        stride *= data.sizes[i];
    // The same for all data of a seed, so that it needs one kernel.
    for (int64_t begin = 0; begin < int64_t(array.data.size()); begin += classes * stride)
      for (int64_t s = 0; s < stride; ++s) {
        if (byIndex) {
          data.classes.push_back(int64_t(below(classes)));
          array.data[begin + data.classes.back() * stride + s] = 1;
          continue;
        }
        double sum = 0;
        for (int64_t k = 0; k < classes; ++k)
          sum += array.data[begin + k * stride + s] = std::exp(2 * uniform(-1, 1));
        for (int64_t k = 0; k < classes; ++k)
          array.data[begin + k * stride + s] = float(array.data[begin + k * stride + s] / sum);
      }
    return array;
  }

  const lang::Program &program;
  std::mt19937_64 random;
  Flavour flavour;
  bool byIndex;
  Data data;
};

} // namespace

std::string Data::text() const {
  std::string text;
  for (const auto &[name, array] : arguments) {
    text += name + " = [";
    for (size_t i = 0; i < array.axes.size(); ++i)
      text += (i ? ", " : "") + array.axes[i] + ": " + std::to_string(array.sizes[i]);
    text += array.axes.empty() ? "] " : "]:";
    for (size_t i = 0; i < array.data.size(); ++i) {
      char number[40];
      std::snprintf(number, sizeof number, " %.9g", array.data[i]);
      text += number;
    }
    text += "\n";
  }
  return text + (classes.empty() ? "" : "the target is passed as class indices\n");
}

Data randomData(const lang::Program &program, uint64_t seed, Flavour flavour) {
  return Chooser(program, seed, flavour).choose();
}

} // namespace loss::stress
