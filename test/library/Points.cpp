//===- Points.cpp - the arguments that a loss is tried with ---------------===//

#include "test/library/Patterns.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <random>
#include <set>

using loss::ir::reference::Array;

namespace loss::stress {

static constexpr double infinity = std::numeric_limits<double>::infinity();

/// The node that one is a copy of: broadcasts, and products with numbers that do not vary along the
/// input's axes (a temperature) do not count.
static bool comesFrom(const lang::Program &program, lang::NodeId node, lang::NodeId input) {
  const lang::Node &n = program.nodes[node];
  switch (n.op) {
  case lang::Op::Broadcast:
  case lang::Op::Rename:
  case lang::Op::Neg:
    return comesFrom(program, n.operands[0], input);
  case lang::Op::Add:
  case lang::Op::Mul:
    return comesFrom(program, n.operands[0], input) || comesFrom(program, n.operands[1], input);
  case lang::Op::Sub:
  case lang::Op::Div:
    return comesFrom(program, n.operands[0], input);
  default:
    return node == input;
  }
}

/// Whether the input's numbers are logits of a softmax: a class with the logit -inf is masked.
static bool isOfSoftmax(const lang::Program &program, const lang::ProgramInput &input) {
  return std::any_of(program.nodes.begin(), program.nodes.end(), [&](const lang::Node &node) {
    return (node.op == lang::Op::softmax || node.op == lang::Op::log_softmax) &&
           comesFrom(program, node.operands[0], input.node);
  });
}

Domain domainOf(const lang::ProgramInput &input, const lang::Program &program) {
  if (input.kind == lang::InputKind::Target)
    return Domain::Target;
#define LOSS_DOMAIN(WORDS, DOMAIN)                                                                 \
  if (input.doc.find(WORDS) != std::string::npos)                                                  \
    return Domain::DOMAIN;
#include "test/library/Domains.def"
  if (input.doc.find("oxes") != std::string::npos)
    return Domain::Box;
  return isOfSoftmax(program, input) ? Domain::Logits : Domain::Real;
}

bool isDiscrete(Domain domain) {
  switch (domain) {
  case Domain::Target:
  case Domain::Sign:
  case Domain::Binary:
  case Domain::Group:
  case Domain::Level:
  case Domain::IndexList:
  case Domain::Relevance:
    return true;
  default:
    return false;
  }
}

Range rangeOf(Domain domain) {
  switch (domain) {
  case Domain::Positive:
  case Domain::Nonnegative:
  case Domain::Count:
    return {0, infinity};
  case Domain::Unit:
    return {0, 1};
  case Domain::Cosine:
    return {-1, 1};
  case Domain::LogProbability:
    return {-infinity, 0};
  case Domain::AboveOne:
    return {1, infinity};
  case Domain::AboveMinusOne:
    return {-1, infinity};
  default:
    return {-infinity, infinity};
  }
}

Range rangeOf(lang::Constraint constraint) {
  switch (constraint) {
  case lang::Constraint::Positive:
  case lang::Constraint::Nonnegative:
    return {0, infinity};
  case lang::Constraint::Unit:
    return {0, 1};
  default:
    return {-infinity, infinity};
  }
}

bool isElementwise(const lang::Program &program, const PointOptions &options) {
  return options.byRow && program.axes.size() == 1;
}

namespace {

/// Whether any multiple of a number of the domain is one.
bool mayBeScaled(Domain domain) {
  return domain == Domain::Real || domain == Domain::Logits || domain == Domain::Positive ||
         domain == Domain::Nonnegative;
}

class PointMaker {
public:
  PointMaker(const lang::Program &program, const PointOptions &options)
      : program(program), options(options) {
    for (const lang::ProgramInput &input : program.inputs) {
      domains.push_back(domainOf(input, program));
      patterns.push_back(patternsOf(domains.back(), true));
    }
    chooseSizes();
  }

  std::vector<Point> make() {
    auto addAll = [&] {
      size_t first = points.size();
      isElementwise(program, options) ? elements() : arrays();
      points[first].isFirst = true;
    };
    defaults();
    usual = true;
    addAll();
    usual = false;
    for (const lang::ProgramParam &param : program.params)
      for (double value : settingsOf(param)) {
        defaults();
        params[param.name] = float(value);
        char text[40];
        std::snprintf(text, sizeof text, " = %.9g; ", double(float(value)));
        setting = param.name + text;
        addAll();
      }
    return std::move(points);
  }

private:
  void defaults() {
    setting.clear();
    for (const lang::ProgramParam &param : program.params)
      params[param.name] = float(param.defaultValue);
  }

  /// Bounds of the constraint, numbers close to them, extreme ones, and those that the formula
  /// compares the parameter with, with their neighbours.
  std::vector<double> settingsOf(const lang::ProgramParam &param) const {
    std::set<double> result;
    switch (param.constraint) {
    case lang::Constraint::Nonnegative:
      result.insert(0);
      [[fallthrough]];
    case lang::Constraint::Positive:
      for (double x : {1e-8, 1e-3, 0.5, 1., 2., 100.})
        result.insert(x);
      break;
    case lang::Constraint::Unit:
      for (double x : {0., 1e-8, 1e-3, 0.5, 1 - 0x1p-10, 1 - 0x1p-24, 1.})
        result.insert(x);
      break;
    case lang::Constraint::Integer:
      for (double x : {0, 1, 2, 3, -1})
        result.insert(x);
      break;
    case lang::Constraint::Any:
      for (double x : {-100., -1., -1e-8, 0., 1e-8, 0.5, 1., 100.})
        result.insert(x);
      break;
    }
    for (double x : comparedWith(param)) {
      Range range = rangeOf(param.constraint);
      for (double near : {x, x * (1 + 1e-6), x * (1 - 1e-6), x * 1.01})
        if (near >= range.least && near <= range.greatest)
          result.insert(near);
    }
    std::vector<double> chosen(result.begin(), result.end());
    if (options.few && chosen.size() > 2)
      chosen = {chosen.front(), chosen.back()};
    return chosen;
  }

  std::vector<double> comparedWith(const lang::ProgramParam &param) const {
    std::vector<double> result;
    for (const lang::Node &node : program.nodes)
      if (node.op >= lang::Op::Less && node.op <= lang::Op::NotEqual)
        for (unsigned i = 0; i < 2; ++i)
          if (node.operands[i] == param.node)
            if (const lang::Node &other = program.nodes[node.operands[1 - i]];
                other.op == lang::Op::Constant)
              result.push_back(other.value);
    return result;
  }

  void chooseSizes() {
    for (size_t i = 0; i < program.axes.size(); ++i) {
      const std::string &name = program.axes[i];
      int64_t size = name == "class" || name == "corner" || name == "item" ? 4
                     : name == "element"                                   ? 5
                                                                           : 3;
      sizes.push_back(program.copyOf[i] >= 0    ? sizes[size_t(program.copyOf[i])]
                      : i == 0 && options.byRow ? 1
                                                : size);
    }
    if (!options.byRow && program.axes[0] == "batch")
      for (size_t i = 0; i < sizes.size(); ++i)
        if (i == 0 || program.copyOf[i] == 0)
          sizes[i] = 4;
  }

  Array shaped(lang::AxisSet set) const {
    std::vector<std::string> axes;
    std::vector<int64_t> lengths;
    for (size_t i = 0; i < program.axes.size(); ++i)
      if (set >> i & 1) {
        axes.push_back(program.axes[i]);
        lengths.push_back(sizes[i]);
      }
    return Array(axes, lengths);
  }

  /// Elements of each class in memory, and classes.
  void targetShape(const lang::ProgramInput &input, int64_t &classes, int64_t &stride) const {
    classes = sizes[input.classAxis], stride = 1;
    for (size_t i = input.classAxis + 1u; i < program.axes.size(); ++i)
      if (input.axes >> i & 1)
        stride *= sizes[i];
  }

  /// `kind`: which of the targets.
  std::string fillTarget(const lang::ProgramInput &input, unsigned kind, Data &data) const {
    static const char *const words[] = {"the first class", "the second class", "generic classes",
                                        "a distribution", "a distribution with zeros"};
    Array array = shaped(input.axes);
    int64_t classes, stride;
    targetShape(input, classes, stride);
    const double spread[] = {0.125, 0.25, 0.5, 0.125}, sparse[] = {0.5, 0.5, 0, 0};
    int64_t count = 0;
    for (int64_t begin = 0; begin < int64_t(array.data.size()); begin += classes * stride)
      for (int64_t s = 0; s < stride; ++s, ++count) {
        if (kind < 3) {
          int64_t k = kind < 2 ? int64_t(kind) % classes : count % classes;
          data.classes.push_back(k);
          array.data[size_t(begin + k * stride + s)] = 1;
          continue;
        }
        for (int64_t k = 0; k < classes; ++k)
          array.data[size_t(begin + k * stride + s)] = (kind == 3 ? spread : sparse)[k % 4];
      }
    data.arguments[input.name] = array;
    return words[kind];
  }

  Array filled(size_t i, const Pattern &pattern) const {
    Array array = shaped(program.inputs[i].axes);
    bool hasRows = program.inputs[i].axes & 1;
    int64_t rows = hasRows && !array.sizes.empty() ? array.sizes[0] : 1;
    int64_t rowSize = int64_t(array.data.size()) / rows;
    // A class axis before others: its numbers vary along it.
    int64_t stride = 1;
    if (array.axes.size() > 2 && array.axes[1] == "class")
      stride = rowSize / array.sizes[1];
    // Inputs with the same pattern do not have the same numbers, as far as those differ by row.
    int64_t shift = 101 * int64_t(i);
    for (int64_t r = 0; r < rows; ++r)
      for (int64_t j = 0; j < rowSize; ++j)
        array.data[size_t(r * rowSize + j)] =
            double(float(pattern.at(shift + r + (stride > 1 ? j % stride : 0), j / stride)));
    return array;
  }

  /// `equal`: inputs like the first one are this factor times it.
  void add(const std::vector<size_t> &choice, unsigned target, int equal = -1) {
    constexpr double factors[] = {1, 1 + 0x1p-12, 1024};
    constexpr const char *factorWords[] = {"the same", "nearly the same", "1024 times the same"};
    Point point;
    point.data.sizes = sizes;
    point.words = setting;
    bool isMasked = false;
    for (size_t i = 0; i < program.inputs.size(); ++i) {
      const lang::ProgramInput &input = program.inputs[i];
      std::string what;
      if (domains[i] == Domain::Target) {
        what = fillTarget(input, target, point.data);
      } else if (equal >= 0 && i > 0 && domains[i] == domains[0] &&
                 input.axes == program.inputs[0].axes) {
        Array copy = point.data.arguments[program.inputs[0].name];
        for (double &x : copy.data)
          x = double(float(factors[equal] * x));
        point.data.arguments[input.name] = copy;
        what = factorWords[equal];
      } else {
        const Pattern &pattern = patterns[i][choice[i] % patterns[i].size()];
        point.data.arguments[input.name] = filled(i, pattern);
        what = pattern.words;
      }
      for (double x : point.data.arguments[input.name].data)
        isMasked |= std::isinf(x);
      point.words += (i ? "; " : "") + input.name + ": " + what;
    }
    for (const auto &[name, value] : params)
      point.data.arguments[name] = Array(value);
    // A masked class is not the true one.
    if (!isMasked || target == 0 || target == 4)
      points.push_back(std::move(point));
  }

  void arrays() {
    std::vector<size_t> none(program.inputs.size(), 0);
    bool hasTarget = std::count(domains.begin(), domains.end(), Domain::Target) > 0;
    auto targets = [&](size_t i, size_t p) -> std::vector<unsigned> {
      if (!hasTarget || !usual || options.few)
        return {0};
      if (i > 0 || p >= 6)
        return {0, 1};
      return {0, 1, 2, 3, 4};
    };
    for (size_t i = 0; i < program.inputs.size(); ++i)
      for (size_t p = i == 0 || patterns[i].empty() ? 0 : 1; p < patterns[i].size(); ++p) {
        if (!usual && (i > 0 || !isTelling(patterns[i], p)))
          continue;
        if (options.few && i > 0 && p > 2)
          continue;
        std::vector<size_t> choice = none;
        choice[i] = p;
        for (unsigned target : targets(i, p))
          add(choice, target);
      }
    for (int equal : {0, 1, 2})
      if (program.inputs.size() > 1 && domains[1] == domains[0] &&
          (equal < 2 || mayBeScaled(domains[0])))
        for (size_t p = 0; p < std::min<size_t>(patterns[0].size(), usual ? 9 : 1); ++p)
          add(std::vector<size_t>(program.inputs.size(), p), 0, equal);
    // Several inputs that are special together.
    std::mt19937_64 random(17);
    for (int i = 0; program.inputs.size() > 1 && i < (options.few ? 1 : usual ? 24 : 3); ++i) {
      std::vector<size_t> choice;
      for (auto &list : patterns)
        choice.push_back(list.empty() ? 0 : random() % list.size());
      add(choice, unsigned(random() % 2));
    }
  }

  /// Whether the pattern is tried with each setting of the parameters.
  bool isTelling(const std::vector<Pattern> &list, size_t p) const {
    if (options.few)
      return p == 0 || p == list.size() - 1;
    const std::string &words = list[p].words;
    return p < 3 || words.find("20") != std::string::npos ||
           words.find("110") != std::string::npos || words.find("near") == 0 ||
           words.find("120") != std::string::npos || words.find("masked") != std::string::npos;
  }

  /// All pairs of special numbers, or some of them.
  void elements() {
    std::vector<Numbers> lists;
    size_t all = 1;
    for (Domain domain : domains) {
      lists.push_back(specialNumbers(domain));
      all *= lists.back().size();
    }
    size_t most = options.few ? (usual ? 24 : 6) : usual ? 240 : 30;
    std::mt19937_64 random(23);
    auto addNumbers = [&](const Numbers &numbers) {
      Point point;
      point.data.sizes = sizes;
      point.words = setting;
      for (size_t i = 0; i < numbers.size(); ++i) {
        Array array = shaped(program.inputs[i].axes);
        std::fill(array.data.begin(), array.data.end(), double(float(numbers[i])));
        point.data.arguments[program.inputs[i].name] = array;
        char text[40];
        std::snprintf(text, sizeof text, "%s = %.9g", program.inputs[i].name.c_str(),
                      double(float(numbers[i])));
        point.words += (i ? ", " : "") + std::string(text);
      }
      for (const auto &[name, value] : params)
        point.data.arguments[name] = Array(value);
      points.push_back(std::move(point));
    };
    for (size_t k = 0; k < std::min(all, most); ++k) {
      size_t rest = all <= most ? k : random() % all;
      Numbers numbers;
      for (const Numbers &list : lists) {
        numbers.push_back(list[rest % list.size()]);
        rest /= list.size();
      }
      addNumbers(numbers);
    }
    // Equal and nearly equal.
    if (lists.size() > 1 && domains[0] == domains[1])
      for (double x : {1., -0.75, 1e-8, 20., 110.})
        for (double y : {x, x * (1 + 0x1p-12)}) {
          Numbers numbers;
          for (size_t i = 0; i < lists.size(); ++i)
            numbers.push_back(i == 0 ? x : domains[i] == domains[0] ? y : lists[i][0]);
          Range range = rangeOf(domains[0]);
          if (x >= range.least && y <= range.greatest)
            addNumbers(numbers);
        }
  }

  const lang::Program &program;
  const PointOptions &options;
  std::vector<Domain> domains;
  std::vector<std::vector<Pattern>> patterns;
  std::vector<int64_t> sizes;
  std::map<std::string, double> params;
  std::string setting;
  bool usual = true;
  std::vector<Point> points;
};

} // namespace

std::vector<Point> pointsOf(const lang::Program &program, const PointOptions &options) {
  return PointMaker(program, options).make();
}

} // namespace loss::stress
