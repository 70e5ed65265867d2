//===- Points.cpp - the arguments that a loss is tried with ---------------===//

#include "test/library/Points.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <functional>
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

using Numbers = std::vector<double>;

/// One way to fill an input.
struct Pattern {
  std::string words;
  /// Number k, of row r (the first axis) and place j in it.
  std::function<double(int64_t r, int64_t j)> at;
};

/// Generic, but the same at each run.
double generic(uint64_t salt, int64_t r, int64_t j) {
  std::mt19937_64 random(salt * 1000003 + uint64_t(r) * 101 + uint64_t(j));
  random.discard(3);
  return double(random() >> 11) * 0x1p-53;
}

Pattern listed(std::string words, Numbers numbers) {
  return {std::move(words),
          [numbers](int64_t r, int64_t j) { return numbers[size_t(r + j) % numbers.size()]; }};
}
/// The numbers along the last axes; the same in each row.
Pattern along(std::string words, Numbers numbers) {
  return {std::move(words),
          [numbers](int64_t, int64_t j) { return numbers[size_t(j) % numbers.size()]; }};
}
Pattern scattered(std::string words, uint64_t salt, double lo, double hi) {
  return {std::move(words),
          [=](int64_t r, int64_t j) { return lo + (hi - lo) * generic(salt, r, j); }};
}
Pattern chosen(std::string words, uint64_t salt, Numbers numbers) {
  return {std::move(words), [=](int64_t r, int64_t j) {
            return numbers[size_t(generic(salt, r, j) * double(numbers.size()))];
          }};
}

/// The numbers where functions of the domain are special, ordinary ones first.
Numbers specialNumbers(Domain domain) {
  switch (domain) {
  case Domain::Positive:
    return {1, 0.75, 3, 20, 1e-4, 1e-8, 1e4};
  case Domain::Nonnegative:
    return {1, 0.75, 3, 20, 0, 1e-4, 1e-8, 1e4};
  case Domain::Count:
    return {10, 20, 30, 1, 0, 2, 1e6};
  case Domain::Unit:
    return {0.25, 0.5, 0.875, 0, 1, 1e-3, 1e-8, 1e-30, 1 - 0x1p-10, 1 - 0x1p-24};
  case Domain::Sign:
    return {1, -1};
  case Domain::Binary:
    return {0, 1};
  case Domain::Cosine:
    return {0.25, -0.5, 0.75, 0, 1e-8, 1, -1, 1 - 0x1p-20, 0x1p-20 - 1};
  case Domain::LogProbability:
    return {-0.75, -2, -1e-3, 0, -1e-8, -20, -110, -1e4};
  case Domain::AboveOne:
    return {1.5, 2, 10, 1 + 0x1p-20, 1e4};
  case Domain::AboveMinusOne:
    return {0.5, 1, -0.5, 0, 1e-8, 0x1p-20 - 1, 1e4};
  case Domain::Level:
  case Domain::Relevance:
    return {0, 1, 2, 3};
  case Domain::Group:
    return {0, 1};
  default:
    return {1,    -0.75, 2.5, 0,  0.5,   -1,  1e-4, -1e-4, 1e-8, 1e-30,
            -3.5, 9.25,  -12, 20, -30.5, 110, -115, 800,   1e4,  -1e4};
  }
}

std::vector<Pattern> logitPatterns(bool masked) {
  std::vector<Pattern> result = {
      scattered("ordinary numbers", 1, -2, 2),
      along("all 0", {0}),
      along("all equal and large", {1e4}),
      along("1e4 and somewhat more", {1e4, 10001, 10002.5, 10000.5}),
      along("nearly equal", {1e-4, 0, -1e-4, 2e-4}),
      along("tiny", {1e-30, 0, -1e-30, 2e-30}),
  };
  for (double gap : {9.25, 20., 60., 110., 300., 800.}) {
    char text[32];
    std::snprintf(text, sizeof text, "%g", gap);
    result.push_back(
        along(std::string("the first ") + text + " above the others", {gap, 0, 0.5, 0.25}));
    result.push_back(
        along(std::string("the first ") + text + " below the others", {-gap, 0, 0.5, 0.25}));
  }
  result.push_back(along("the first 1e4 above the others", {1e4, 0, 0.5, 0.25}));
  if (masked) {
    result.push_back(along("the last masked (-inf)", {0, 1, 0.5, -infinity}));
    result.push_back(
        along("all masked (-inf) but the first", {0.5, -infinity, -infinity, -infinity}));
  }
  return result;
}

std::vector<Pattern> realPatterns() {
  return {
      scattered("ordinary numbers", 2, -2, 2),
      along("all 0", {0}),
      along("all equal", {1}),
      along("nearly equal", {1, 1 + 0x1p-14, 1 - 0x1p-14, 1 + 0x1p-13}),
      scattered("near 1e-4", 3, -1e-4, 1e-4),
      scattered("near 1e-30", 4, -1e-30, 1e-30),
      scattered("up to 20", 5, -20, 20),
      scattered("up to 120", 6, -120, 120),
      scattered("up to 1e4", 7, -1e4, 1e4),
      along("one 1, the others 0", {1, 0, 0}),
      listed("one 1, the others 0, another one in each row", {1, 0, 0}),
      chosen("special numbers", 8, {0, 1, -1, 1e-4, 1e-30, 20, -100}),
  };
}

std::vector<Pattern> boxPatterns() {
  return {
      along("ordinary boxes", {1, 2, 4, 7}),
      along("other boxes", {2, 1, 6, 5}),
      along("boxes far away", {100, 100, 103, 104}),
      along("touching boxes", {4, 2, 6, 7}),
      along("points", {5, 5, 5, 5}),
      along("boxes without height", {1, 3, 4, 3}),
      along("boxes without width", {2, 1, 2, 7}),
      along("large boxes", {0, 0, 1e4, 1e4}),
      along("tiny boxes", {0, 0, 1e-6, 1e-6}),
  };
}

std::vector<Pattern> patternsOf(Domain domain, bool masked) {
  switch (domain) {
  case Domain::Logits:
    return logitPatterns(masked);
  case Domain::Real:
    return realPatterns();
  case Domain::Box:
    return boxPatterns();
  case Domain::Count:
    return {along("10, 20, 30, 40", {10, 20, 30, 40}),
            along("0 in the last class", {10, 20, 30, 0}),
            along("0 but in the first class", {5, 0, 0, 0}), along("1 to 1e6", {1e6, 1, 1000, 10}),
            along("all equal", {7})};
  case Domain::Binary:
    return {listed("0 and 1", {0, 1, 1, 0, 1}), along("all 0", {0}), along("all 1", {1}),
            along("1 at the first", {1, 0, 0, 0})};
  case Domain::Group:
    return {along("two groups", {0}), listed("two groups", {0, 1}),
            listed("groups of one", {0, 1, 2, 3, 4})};
  case Domain::Level:
    return {listed("0, 1, 2, 3", {1, 0, 2, 3}), along("all 0", {0}), along("all at the top", {3})};
  case Domain::Relevance:
    return {along("2, 1, 0, 3", {2, 1, 0, 3}), along("ties", {2, 1, 1, 2}), along("all equal", {1}),
            along("only the last", {0, 0, 0, 1})};
  case Domain::IndexList:
    return {along("two", {0, 2, -1, 0}), along("none", {-1, 0, 0, 0}), along("one", {1, -1, 2, 0})};
  case Domain::Target:
    return {};
  default: {
    Numbers numbers = specialNumbers(domain);
    std::vector<Pattern> result = {
        listed("ordinary numbers",
               {numbers[0], numbers[1], numbers.size() > 2 ? numbers[2] : numbers[0]})};
    for (double x : numbers) {
      char text[32];
      std::snprintf(text, sizeof text, "all %g", x);
      result.push_back(along(text, {x}));
    }
    result.push_back(chosen("special numbers", 9, numbers));
    return result;
  }
  }
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
           words.find("120") != std::string::npos || words.find("last masked") != std::string::npos;
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
