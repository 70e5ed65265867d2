//===- CheckGradients.cpp - lossc check --check-gradients -----------------===//
//
// Gradients are compared with differences of the loss at random points. A point at which the loss
// is not finite, or a direction in which it has a kink close by, says nothing and is passed over.
//
//===----------------------------------------------------------------------===//
#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Evaluator.h"

#include "lang/Parser.h"

#include "llvm/Support/FormatVariadic.h"

#include <array>
#include <cmath>

using namespace loss;
using Array = Evaluator::Array;
using Arguments = Evaluator::Arguments;

namespace {

/// A derivative from differences, and how far off it may be.
struct Estimate {
  double value = 0, error = INFINITY;
};

/// Ridders' method: central differences at h, h/2, h/4, ... extrapolated to 0.
template <typename F> Estimate differentiate(F f, double h, double magnitude) {
  constexpr int levels = 5;
  std::array<std::array<double, levels>, levels> table;
  Estimate best;
  for (int i = 0; i < levels; ++i, h /= 2) {
    std::optional<double> above = f(h), below = f(-h);
    if (!above || !below)
      return {};
    table[i][0] = (*above - *below) / (2 * h);
    // Each value of the loss is rounded: some ulps, which the division by h enlarges.
    double rounding = 64 * std::numeric_limits<double>::epsilon() * magnitude / h;
    double factor = 4;
    for (int j = 1; j <= i; ++j, factor *= 4) {
      table[i][j] = table[i][j - 1] + (table[i][j - 1] - table[i - 1][j - 1]) / (factor - 1);
      double error = std::max(std::abs(table[i][j] - table[i][j - 1]),
                              std::abs(table[i][j] - table[i - 1][j - 1])) +
                     rounding;
      if (error < best.error)
        best = {table[i][j], error};
    }
  }
  return best;
}

/// One comparison of all gradients of a loss with differences.
class GradientCheck {
public:
  GradientCheck(Evaluator &evaluator, std::vector<lang::DiagnosticNote> notes,
                lang::DiagnosticEngine &diagnostics)
      : evaluator(evaluator), notes(std::move(notes)), diagnostics(diagnostics) {}

  /// Whether any gradient could be compared.
  bool run();

private:
  bool compareAt(const std::optional<Arguments> &point);
  bool compare(const Arguments &point, const std::string &name, lang::SourceRange range,
               const Array &gradient);

  Evaluator &evaluator;
  /// For each difference that is found.
  std::vector<lang::DiagnosticNote> notes;
  lang::DiagnosticEngine &diagnostics;
};

} // namespace

bool GradientCheck::compare(const Arguments &point, const std::string &name,
                            lang::SourceRange range, const Array &gradient) {
  constexpr size_t mostElements = 12;
  const Array &argument = point.at(name);
  double magnitude = std::abs(*evaluator.value(point)) + 1;
  bool compared = false;
  size_t step = std::max<size_t>(1, argument.data.size() / mostElements);
  for (size_t i = 0; i < argument.data.size(); i += step) {
    double x = argument.data[i];
    Estimate estimate = differentiate(
        [&](double h) {
          Arguments moved = point;
          moved[name].data[i] = x + h;
          return evaluator.valueAround(point, moved);
        },
        1e-3 * std::max(1.0, std::abs(x)), magnitude);
    // A kink or a pole nearby: no derivative to compare with.
    if (!(estimate.error < 1e-5 * std::max(1.0, std::abs(estimate.value))))
      continue;
    compared = true;
    double own = gradient.data[gradient.data.size() == 1 ? 0 : i];
    if (std::abs(own - estimate.value) <= 8 * estimate.error)
      continue;
    diagnostics
        .error(range, llvm::formatv("the gradient for '{0}' is {1}, but differences of the loss "
                                    "give {2}, where '{0}' is {3}",
                                    name, own, estimate.value, x)
                          .str())
        .notes = notes;
    return true;
  }
  return compared;
}

bool GradientCheck::run() {
  // Some losses make sense for a single true class only.
  return compareAt(evaluator.findPoint()) || compareAt(evaluator.findPoint(/*oneHot=*/true));
}

bool GradientCheck::compareAt(const std::optional<Arguments> &point) {
  std::optional<Arguments> gradients = point ? evaluator.gradients(*point) : std::nullopt;
  if (!gradients)
    return false;
  bool compared = false;
  const lang::Program &program = evaluator.program();
  for (const lang::ProgramInput &input : program.inputs)
    if (auto gradient = gradients->find(input.name); gradient != gradients->end())
      compared |= compare(*point, input.name, input.range, gradient->second);
  for (const lang::ProgramParam &param : program.params)
    if (auto gradient = gradients->find(param.name);
        gradient != gradients->end() && param.constraint != lang::Constraint::Integer)
      compared |= compare(*point, param.name, param.range, gradient->second);
  return compared;
}

/// The `derivative` lines, which may be what is wrong.
static std::vector<lang::DiagnosticNote> derivativeNotes(const SourceFile &source) {
  std::vector<lang::DiagnosticNote> notes;
  lang::DiagnosticEngine ignored{source.name};
  lang::File file = lang::parse(source.text, ignored);
  for (const lang::Item &item : file.items)
    if (const auto *fn = std::get_if<lang::FnDef>(&item))
      for (const lang::Derivative &derivative : fn->derivatives)
        notes.push_back({derivative.range,
                         "this derivative of '" + fn->name.name + "' is taken as it is written"});
  return notes;
}

void loss::checkGradients(const SourceFile &source, const std::vector<lang::Override> &overrides,
                          PipelineContext &context, lang::DiagnosticEngine &diagnostics) {
  std::unique_ptr<Evaluator> evaluator = Evaluator::create(source, overrides, context);
  if (!evaluator)
    return;
  if (GradientCheck(*evaluator, derivativeNotes(source), diagnostics).run())
    return;
  diagnostics.warning(evaluator->program().range,
                      "the gradient of '" + evaluator->program().name +
                          "' was not compared: no point was found where it is smooth");
}
