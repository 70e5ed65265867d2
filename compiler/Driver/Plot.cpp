//===- Plot.cpp - a loss over the certainty of its answer -----------------===//

#include "compiler/Driver/Plot.h"

#include "compiler/Driver/Evaluator.h"
#include "compiler/Export/Svg.h"
#include "lang/Builtins.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/raw_ostream.h"

#include <cmath>

using namespace loss;
using Array = Evaluator::Array;
using Arguments = Evaluator::Arguments;

namespace {

/// What is varied along the x axis.
struct Sweep {
  enum Kind { Probability, Score, Error } kind = Probability;
  double low = 0, high = 1;
};

/// The points of a plot and their evaluation.
class Sampler {
public:
  Sampler(Evaluator &evaluator, Sweep sweep) : evaluator(evaluator), sweep(sweep) {}

  /// Finds the input that is varied; false when the loss has none of the kind.
  bool chooseInputs();
  std::vector<double> points() const;
  void sample(int64_t classes, double x, double &value, double &gradient);
  bool hasTarget() const { return target != nullptr; }
  const std::string &input() const { return varied->name; }

private:
  Array fill(const lang::ProgramInput &input, int64_t classes, double number) const;
  /// Sets the elements of the true class, the last; along the other axes there is one element.
  static void setTrueClass(Array &array, double number) { array.data.back() = number; }

  Evaluator &evaluator;
  Sweep sweep;
  const lang::ProgramInput *varied = nullptr, *target = nullptr;
};

} // namespace

bool Sampler::chooseInputs() {
  const lang::Program &program = evaluator.program();
  for (const lang::ProgramInput &input : program.inputs)
    if (input.kind == lang::InputKind::Target)
      target = &input;
  for (const lang::ProgramInput &input : program.inputs)
    if (input.kind == lang::InputKind::Value && (!target || input.axes >> target->classAxis & 1)) {
      varied = &input;
      break;
    }
  if (!varied || target)
    return varied;
  // Elementwise: nothing works over an axis, and prediction and truth have the same.
  bool overAxis = llvm::any_of(program.nodes, [&](const lang::Node &node) {
    return node.type.axes != 0 && node.type.axes != varied->axes;
  });
  for (const lang::Node &node : program.nodes)
    overAxis |= lang::takesKey(node.op) || node.op == lang::Op::softmax ||
                node.op == lang::Op::log_softmax || node.op == lang::Op::rank ||
                node.op == lang::Op::Rename;
  return !overAxis && program.inputs.size() == 2 &&
         program.inputs[0].axes == program.inputs[1].axes;
}

Array Sampler::fill(const lang::ProgramInput &input, int64_t classes, double number) const {
  const lang::Program &program = evaluator.program();
  std::vector<std::string> axes;
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < program.axes.size(); ++i)
    if (input.axes >> i & 1) {
      axes.push_back(program.axes[i]);
      sizes.push_back(target && i == target->classAxis ? classes : 1);
    }
  return Array(axes, sizes, number);
}

std::vector<double> Sampler::points() const {
  constexpr int count = 60;
  std::vector<double> points;
  for (int i = 0; i <= count; ++i)
    points.push_back(sweep.low + (sweep.high - sweep.low) * i / count);
  return points;
}

void Sampler::sample(int64_t classes, double x, double &value, double &gradient) {
  Arguments arguments;
  for (const lang::ProgramInput &input : evaluator.program().inputs)
    arguments[input.name] = fill(input, classes, target ? 1 : 0);
  Array &scores = arguments[varied->name];
  if (target) {
    Array &truth = arguments[target->name] = fill(*target, classes, 0);
    setTrueClass(truth, 1);
    bool isProbability = sweep.kind == Sweep::Probability;
    double others = isProbability ? std::log((1 - x) / static_cast<double>(classes - 1)) : 0;
    scores = fill(*varied, classes, others);
    setTrueClass(scores, isProbability ? std::log(x) : x);
  } else {
    setTrueClass(scores, x);
  }
  std::optional<double> sum = evaluator.value(arguments);
  std::optional<Arguments> gradients = evaluator.gradients(arguments);
  value = sum ? *sum : NAN;
  auto found = gradients ? gradients->find(varied->name) : Arguments::iterator();
  gradient = gradients && found != gradients->end() ? found->second.data.back() : NAN;
}

/// What a `Plot:` line asks for; nothing for `none`. Without one, cosines run from -1 to 1.
static std::optional<Sweep> readSweep(const LossDescription &description) {
  llvm::SmallVector<llvm::StringRef> words;
  std::string tag = description.tag("Plot");
  llvm::StringRef(tag).split(words, ' ', -1, /*KeepEmpty=*/false);
  Sweep sweep;
  if (!words.empty() && words[0] == "none")
    return std::nullopt;
  if (words.size() == 3 && words[0] == "score") {
    sweep.kind = Sweep::Score;
    if (!words[1].getAsDouble(sweep.low) && !words[2].getAsDouble(sweep.high))
      return sweep;
  }
  if (!description.arguments.empty() && description.arguments[0].name.starts_with("cosine"))
    return Sweep{Sweep::Score, -0.99, 0.99};
  return Sweep{Sweep::Probability, 0.01, 0.99};
}

std::optional<LossPlot> loss::plotLoss(const SourceFile &source, const LossDescription &description,
                                       PipelineContext &context) {
  std::optional<Sweep> sweep = readSweep(description);
  if (!sweep)
    return std::nullopt;
  std::unique_ptr<Evaluator> evaluator = Evaluator::create(source, {}, context);
  if (!evaluator)
    return std::nullopt;
  bool hasTarget = llvm::any_of(evaluator->program().inputs, [](const auto &input) {
    return input.kind == lang::InputKind::Target;
  });
  if (!hasTarget)
    sweep = Sweep{Sweep::Error, -3, 3};
  Sampler sampler(*evaluator, *sweep);
  if (!sampler.chooseInputs())
    return std::nullopt;

  const std::vector<lang::ProgramInput> &inputs = evaluator->program().inputs;
  std::string x = sweep->kind == Sweep::Probability ? "probability of the true class"
                  : sweep->kind == Sweep::Score     ? "'" + sampler.input() + "' of the true class"
                                                    : inputs[0].name + " - " + inputs[1].name;
  Panel value{"loss", x, sampler.points(), {}};
  Panel gradient{"gradient", x, value.x, {}};
  for (int64_t classes : hasTarget ? std::vector<int64_t>{2, 10} : std::vector<int64_t>{1}) {
    std::string name = hasTarget ? "K = " + std::to_string(classes) : "";
    Curve values{name, {}}, gradients{name, {}};
    for (double point : value.x)
      sampler.sample(classes, point, values.y.emplace_back(), gradients.y.emplace_back());
    value.curves.push_back(std::move(values));
    gradient.curves.push_back(std::move(gradients));
  }
  if (!value.hasPoints() || !gradient.hasPoints())
    return std::nullopt;
  LossPlot plot;
  plot.svg = svgOf({value, gradient});
  plot.caption = "The loss and its gradient by '" + sampler.input() + "'" +
                 (hasTarget ? " of the true class" : "") + " over " +
                 (hasTarget ? "the " + x + ", for 2 and 10 classes" : "the error " + x);
  if (sweep->kind == Sweep::Score)
    plot.caption = "The loss and its gradient over " + x + ", 0 elsewhere, for 2 and 10 classes";
  plot.caption += ".";
  return plot;
}
