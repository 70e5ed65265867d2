//===- Scan.cpp - a loss against its formula, at all its points -----------===//

#include "test/library/Scan.h"

#include "compiler/MLIRGen/MLIRGen.h"
#include "lang/Imports.h"
#include "lang/Parser.h"
#include "lang/Sema.h"
#include "test/library/Exact.h"
#include "test/library/Kernels.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>

namespace loss::stress {

namespace {

struct Exception {
  const char *loss, *what, *words;
};
constexpr Exception exceptions[] = {
#define LOSS_EXCEPTION(LOSS, WHAT, WORDS, REASON) {LOSS, WHAT, WORDS},
#include "test/library/Exceptions.def"
    {"", "", ""}};
std::atomic<uint64_t> exceptionUses[std::size(exceptions)];

/// What is known of an element type.
struct Format {
  const char *name;
  unsigned element;
  double epsilon, largest, least;
};
constexpr Format formats[] = {
    {"f32", LOSS_F32, 0x1p-23, std::numeric_limits<float>::max(), 0x1p-149},
    {"f64", LOSS_F64, 0x1p-52, std::numeric_limits<double>::max(), 0x1p-1074}};

/// The gradient of a program has at most four times its operations (Baur and Strassen 1983), and
/// the rounding of each value on the way is that of the value.
constexpr double gradientShare = 5;

std::string printed(double x) {
  char text[40];
  std::snprintf(text, sizeof text, "%.9g", x);
  return text;
}

std::string printed(const ExactNumber &exact) {
  if (exact.isNaN)
    return "no value";
  if (exact.isInfinite)
    return "infinite";
  std::string least = printed(toDouble(exact.least)), greatest = printed(toDouble(exact.greatest));
  return least == greatest ? least : "from " + least + " to " + greatest;
}

/// Whether the parts of `pattern`, which "..." separates, are in `text` in this order.
bool hasParts(std::string_view text, std::string_view pattern) {
  for (;;) {
    size_t end = std::min(pattern.find("..."), pattern.size());
    size_t found = text.find(pattern.substr(0, end));
    if (found == text.npos)
      return false;
    if (end == pattern.size())
      return true;
    text.remove_prefix(found + end);
    pattern.remove_prefix(end + 3);
  }
}

class LossScan {
public:
  LossScan(const std::string &loss, const ScanOptions &options, ScanResult &result)
      : loss(loss), options(options), result(result),
        context(mlir::MLIRContext::Threading::DISABLED) {
    context.printOpOnDiagnostic(false);
  }

  std::optional<lang::Program> read(const std::vector<std::string> &settings) {
    std::string path = options.formulas + "/" + loss + ".loss";
    std::optional<std::string> text = lang::readTextFile(path);
    if (!text)
      return std::nullopt;
    lang::DiagnosticEngine diagnostics(path);
    lang::File file = lang::parse(*text, diagnostics);
    lang::loadImports(file, diagnostics);
    std::vector<lang::Override> overrides;
    std::string error;
    for (const std::string &setting : settings)
      overrides.push_back(*lang::parseOverride(setting, error));
    return lang::analyze(file, diagnostics, overrides);
  }

  /// One value for each option.
  void scan(const std::vector<std::string> &settings) {
    std::optional<lang::Program> typed = read(settings);
    std::string source = options.stdlib + "/" + loss + ".loss";
    auto library = options.lossc.empty()
                       ? Library::compile(options.disabledLaws, source, settings)
                       : Library::compile(options.lossc, source, settings, options.folder);
    if (!typed || !library) {
      result.failure = !typed ? "the formula cannot be read" : llvm::toString(library.takeError());
      if (!typed)
        llvm::consumeError(library.takeError());
      return;
    }
    auto module = generate(context, *typed);
    auto program = module->lookupSymbol<ir::ProgramOp>(typed->name);
    const LossModule &compiled = (*library)->module();
    optionWords.clear();
    for (const std::string &setting : settings)
      optionWords += setting + "; ";
    const PointOptions kinds{compiled.row_axis == 0, options.few};
    const bool isSum = !isElementwise(*typed, kinds);
    scales.clear();
    for (const Point &point : pointsOf(*typed, kinds)) {
      auto exact = evaluateExactly(program, *typed, point);
      if (failed(exact)) {
        result.failure = "the formula cannot be evaluated: " + point.words;
        return;
      }
      ++result.points;
      count(*exact);
      if (point.isFirst && isSum)
        rememberScales(*exact, program);
      if (point.isFirst)
        expectFinite(*exact, point);
      for (const Format &format : formats)
        compareKernels({program, *typed, compiled, point, isSum}, *exact, format);
    }
  }

private:
  /// Probabilities near 1 and directions are rounded as 1 is, however small what is left of their
  /// difference. So where they are in the formula, gradients are exact relative to those at
  /// ordinary arguments, with these parameters or the usual ones; with a softmax the value, too.
  void rememberScales(const Exact &exact, ir::ProgramOp program) {
    if (scales.empty()) {
      scales.assign(1 + exact.gradients.size(), Real(0));
      usualScales.clear();
    }
    for (size_t i = 0; i < scales.size(); ++i) {
      bool isRounded = i == 0 ? hasSoftmax(program) : hasUnitVectors(program);
      Real scale = isRounded ? largestOf(i == 0 ? exact.value : exact.gradients[i - 1]) : Real(0);
      if (usualScales.size() < scales.size())
        usualScales.push_back(scale);
      scales[i] = maximum(usualScales[i], scale);
    }
  }

  /// A parameter for which ordinary inputs have no finite value should be excluded by its
  /// constraint.
  void expectFinite(const Exact &exact, const Point &point) {
    for (const ExactNumber &number : exact.value) {
      if (!number.isNaN && !number.isInfinite)
        continue;
      Finding finding;
      finding.loss = loss, finding.element = "any", finding.what = "value";
      finding.kind = "infinite", finding.words = optionWords + point.words;
      finding.found = "a parameter", finding.right = "one with finite values";
      report(std::move(finding));
    }
  }
  Real scaleOf(size_t i) const { return scales.empty() ? Real(0) : scales[i]; }

  static Real largestOf(const std::vector<ExactNumber> &numbers) {
    Real result = 0;
    for (const ExactNumber &x : numbers)
      if (!x.isNaN && !x.isInfinite)
        result = maximum(result, maximum(abs(x.least), abs(x.greatest)));
    return result;
  }

  /// A loss with one choice of its options, called at a point.
  struct Call {
    ir::ProgramOp program;
    const lang::Program &typed;
    const LossModule &compiled;
    const Point &point;
    /// Elements are added up.
    bool isSum;
  };

  /// All kernels of one element type with the exact numbers. What is not among them may be that of
  /// other arguments, as close as rounding is: an effort that is made only then.
  void compareKernels(const Call &call, const Exact &exact, const Format &format) {
    double count = roundings(call.program, call.point);
    std::optional<Exact> admitted;
    for (unsigned mode : {LOSS_VALUE, LOSS_VALUE_AND_GRAD, LOSS_VALUE_AND_ALL_GRADS}) {
      const LossKernel *kernel = kernelFor(call.compiled, call.point, format.element, mode);
      if (!kernel)
        continue;
      Answer answer = callKernel(call.compiled, *kernel, call.point);
      std::vector<Finding> wrong = compare(call, exact, answer, format, count);
      result.compared += numbersOf(answer);
      if (wrong.empty())
        continue;
      if (!admitted) {
        admitted = exact;
        double relative = gradientShare * count * format.epsilon / 2;
        if (failed(admitNeighbours(*admitted, relative, call.isSum, call.program, call.typed,
                                   call.point))) {
          result.failure = "the formula cannot be evaluated near " + call.point.words;
          return;
        }
      }
      for (Finding &finding : compare(call, *admitted, answer, format, count))
        report(std::move(finding));
    }
  }

  static size_t numbersOf(const Answer &answer) {
    size_t count = answer.value.size();
    for (const std::vector<double> &gradient : answer.gradients)
      count += gradient.size();
    return count;
  }

  void count(const Exact &exact) {
    auto countIn = [&](const std::vector<ExactNumber> &numbers) {
      for (const ExactNumber &x : numbers) {
        result.limits += x.isLimit && !x.isInfinite && !x.isNaN;
        result.infinite += x.isInfinite;
      }
    };
    countIn(exact.value);
    for (const std::vector<ExactNumber> &gradient : exact.gradients)
      countIn(gradient);
  }

  std::vector<Finding> compare(const Call &call, const Exact &exact, const Answer &answer,
                               const Format &format, double roundings) {
    std::vector<Finding> wrong;
    // Where the loss itself is infinite it has no gradient.
    bool hasGradient = std::none_of(exact.value.begin(), exact.value.end(),
                                    [](const ExactNumber &x) { return x.isInfinite; });
    auto add = [&](const std::string &what, double found, const ExactNumber &number,
                   const Real &magnitude, double roundings) {
      if (what != "value" && !hasGradient && number.isInfinite)
        return;
      std::optional<Finding> finding = compare(found, number, magnitude, format, roundings);
      if (!finding)
        return;
      finding->loss = loss, finding->element = format.name, finding->what = what;
      finding->words = optionWords + call.point.words;
      wrong.push_back(std::move(*finding));
    };
    for (size_t k = 0; k < answer.value.size(); ++k)
      add("value", answer.value[k], exact.value[k], scaleOf(0), roundings);
    for (size_t i = 0; i < answer.gradients.size(); ++i) {
      size_t inputs = call.typed.inputs.size();
      std::string what = "gradient by " + (i < inputs ? call.typed.inputs[i].name
                                                      : call.typed.params[i - inputs].name);
      Real magnitude = maximum(scaleOf(i + 1), magnitudeOf(i, call, exact));
      for (size_t k = 0; k < answer.gradients[i].size(); ++k)
        add(what, answer.gradients[i][k], exact.gradients[i][k], magnitude,
            gradientShare * roundings);
    }
    return wrong;
  }

  /// What the gradient by argument `i` is exact relative to: its greatest element, or that by any
  /// input, if it is one itself. A gradient by a parameter adds up all elements, and one by an
  /// input of a sum has terms that multiply the loss; so value / argument counts there, too, with
  /// at least 1 for arguments that may be 0.
  static Real magnitudeOf(size_t i, const Call &call, const Exact &exact) {
    size_t inputs = call.typed.inputs.size();
    Real result = largestOf(exact.gradients[i]);
    for (size_t j = 0; i < inputs && j < inputs; ++j)
      result = maximum(result, largestOf(exact.gradients[j]));
    const std::string &name =
        i < inputs ? call.typed.inputs[i].name : call.typed.params[i - inputs].name;
    bool isPositive =
        i >= inputs && call.typed.params[i - inputs].constraint == lang::Constraint::Positive;
    double argument = isPositive ? 0 : 1;
    for (double x : call.point.data.arguments.find(name)->second.data)
      argument = std::max(argument, std::isfinite(x) ? std::abs(x) : 0);
    if ((i >= inputs || call.isSum) && argument > 0)
      result = maximum(result, largestOf(exact.value) / Real(argument));
    return result;
  }

  /// What is wrong with one number, if anything is: `magnitude` is what it is exact relative to,
  /// beside its own condition.
  static std::optional<Finding> compare(double found, const ExactNumber &exact,
                                        const Real &magnitude, const Format &format,
                                        double roundings) {
    Finding finding;
    finding.found = printed(found), finding.right = printed(exact);
    finding.excess = infinity;
    Real largest = maximum(abs(exact.least), abs(exact.greatest));
    Real bound = ((exact.condition + magnitude) * Real(format.epsilon) + Real(format.least)) *
                 Real(roundings);
    bool isKnown = !exact.isNaN && !exact.isInfinite;
    // A sum of so many numbers of this magnitude is out of range, which may show as infinity or
    // NaN.
    if (!std::isfinite(found) && isKnown &&
        !(largest * Real(roundings) + bound < Real(format.largest)))
      return std::nullopt;
    finding.kind = std::isnan(found) ? "NaN" : "infinite";
    if (std::isnan(found))
      return finding;
    if (!isKnown)
      return std::nullopt;
    if (std::isinf(found))
      return finding;
    Real error = maximum(maximum(exact.least - Real(found), Real(found) - exact.greatest), Real(0));
    if (!(error > bound))
      return std::nullopt;
    finding.kind = found == 0 ? "0" : "off";
    finding.excess = toDouble(error / bound);
    finding.ulps = toDouble(error / maximum(largest * Real(format.epsilon), Real(format.least)));
    return finding;
  }

  void report(Finding found) {
    for (size_t i = 0; i + 1 < std::size(exceptions); ++i)
      if (loss == exceptions[i].loss &&
          (!*exceptions[i].what || found.what == exceptions[i].what) &&
          hasParts(found.words, exceptions[i].words)) {
        ++exceptionUses[i];
        ++result.excepted;
        return;
      }
    Finding &finding = findings[{found.what, found.element, found.kind}];
    found.count = finding.count + 1;
    if (found.count == 1 || found.excess > finding.excess)
      finding = std::move(found);
    else
      finding.count = found.count;
  }

public:
  void finish() {
    for (auto &[key, finding] : findings)
      result.findings.push_back(std::move(finding));
  }

private:
  static constexpr double infinity = std::numeric_limits<double>::infinity();
  const std::string &loss;
  const ScanOptions &options;
  ScanResult &result;
  mlir::MLIRContext context;
  std::string optionWords;
  /// Of the value, and of the gradients: at ordinary arguments, with the present parameters or the
  /// usual ones; and with the usual ones.
  std::vector<Real> scales, usualScales;
  std::map<std::tuple<std::string, std::string, std::string>, Finding> findings;
};

/// All settings of the options: true and false, and those of a few numbers that are allowed.
std::vector<std::vector<std::string>> settingsOf(LossScan &scan, const lang::Program &typed) {
  std::vector<std::vector<std::string>> result = {{}};
  for (const lang::ProgramOption &option : typed.options) {
    std::vector<std::string> values;
    if (option.isBool)
      values = {"false", "true"};
    else
      for (double x : {0.5, 1., 2., 3., 4., 6.})
        values.push_back(printed(x));
    std::vector<std::vector<std::string>> more;
    for (const auto &settings : result)
      for (const std::string &value : values) {
        more.push_back(settings);
        more.back().push_back(option.name + "=" + value);
        if (!scan.read(more.back()))
          more.pop_back();
      }
    result = std::move(more);
  }
  return result;
}

} // namespace

ScanResult scanLoss(const std::string &loss, const ScanOptions &options) {
  ScanResult result;
  LossScan scan(loss, options, result);
  std::optional<lang::Program> typed = scan.read({});
  if (!typed) {
    result.failure = "the formula cannot be read";
    return result;
  }
  for (const auto &settings : settingsOf(scan, *typed))
    if (result.failure.empty())
      scan.scan(settings);
  scan.finish();
  return result;
}

std::vector<std::string> unusedExceptions() {
  std::vector<std::string> result;
  for (size_t i = 0; i + 1 < std::size(exceptions); ++i)
    if (exceptionUses[i] == 0)
      result.push_back(std::string(exceptions[i].loss) + ", " + exceptions[i].what + ", " +
                       exceptions[i].words);
  return result;
}

} // namespace loss::stress
