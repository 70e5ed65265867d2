//===- Scan.cpp - a loss against its formula, at all its points -----------===//

#include "test/library/Scan.h"

#include "compiler/MLIRGen/MLIRGen.h"
#include "lang/Imports.h"
#include "lang/Parser.h"
#include "lang/Sema.h"
#include "test/library/Exact.h"
#include "test/library/Kernels.h"

#include <atomic>
#include <cmath>
#include <cstdio>
#include <limits>
#include <map>
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
    for (const Point &point : pointsOf(*typed, {compiled.row_axis == 0, options.few})) {
      auto exact = evaluateExactly(program, *typed, point);
      if (failed(exact)) {
        result.failure = "the formula cannot be evaluated: " + point.words;
        return;
      }
      ++result.points;
      if (point.isFirst)
        rememberScales(*exact, hasSoftmax(program));
      for (const Format &format : formats)
        for (unsigned mode : {LOSS_VALUE, LOSS_VALUE_AND_GRAD, LOSS_VALUE_AND_ALL_GRADS})
          if (const LossKernel *kernel = kernelFor(compiled, point, format.element, mode))
            compare(*typed, compiled, *exact, callKernel(compiled, *kernel, point), format, point,
                    roundings(program, point));
    }
  }

private:
  /// Probabilities near 1 are rounded as 1 is, and so are differences from them, as in LibTorch:
  /// the numbers of a loss with a softmax are exact relative to those of ordinary logits.
  void rememberScales(const Exact &exact, bool isSoftmax) {
    auto largest = [&](const std::vector<ExactNumber> &numbers) {
      Real result = 0;
      for (const ExactNumber &x : numbers)
        if (isSoftmax && !x.isNaN && !x.isInfinite)
          result = maximum(result, maximum(abs(x.least), abs(x.greatest)));
      return result;
    };
    scales = {largest(exact.value)};
    for (const std::vector<ExactNumber> &gradient : exact.gradients)
      scales.push_back(largest(gradient));
  }

  void compare(const lang::Program &typed, const LossModule &compiled, const Exact &exact,
               const Answer &answer, const Format &format, const Point &point, double roundings) {
    for (size_t k = 0; k < answer.value.size(); ++k)
      compare("value", answer.value[k], exact.value[k], scales[0], format, point, roundings);
    for (size_t i = 0; i < answer.gradients.size(); ++i) {
      bool isInput = i < typed.inputs.size();
      std::string what = "gradient by " + (isInput ? typed.inputs[i].name
                                                   : typed.params[i - typed.inputs.size()].name);
      for (size_t k = 0; k < answer.gradients[i].size(); ++k)
        compare(what, answer.gradients[i][k], exact.gradients[i][k], scales[i + 1], format, point,
                gradientShare * roundings);
    }
  }

  void compare(const std::string &what, double found, const ExactNumber &exact, const Real &scale,
               const Format &format, const Point &point, double roundings) {
    ++result.compared;
    result.limits += exact.isLimit && !exact.isInfinite && !exact.isNaN;
    result.infinite += exact.isInfinite;
    if (std::isnan(found))
      return report(what, "NaN", found, exact, format, point, 0, infinity);
    if (exact.isNaN || exact.isInfinite)
      return;
    Real bound =
        ((exact.condition + scale) * Real(format.epsilon) + Real(format.least)) * Real(roundings);
    Real largest = maximum(abs(exact.least), abs(exact.greatest));
    if (std::isinf(found)) {
      if (largest + bound < Real(format.largest))
        report(what, "infinite", found, exact, format, point, 0, infinity);
      return;
    }
    Real error = maximum(maximum(exact.least - Real(found), Real(found) - exact.greatest), Real(0));
    if (error < bound || error == bound)
      return;
    double excess = toDouble(error / bound);
    double ulps = toDouble(error / maximum(largest * Real(format.epsilon), Real(format.least)));
    report(what, found == 0 ? "0" : "off", found, exact, format, point, ulps, excess);
  }

  void report(const std::string &what, const char *kind, double found, const ExactNumber &exact,
              const Format &format, const Point &point, double ulps, double excess) {
    std::string words = optionWords + point.words;
    for (size_t i = 0; i + 1 < std::size(exceptions); ++i)
      if (loss == exceptions[i].loss && what == exceptions[i].what &&
          words.find(exceptions[i].words) != std::string::npos) {
        ++exceptionUses[i];
        ++result.excepted;
        return;
      }
    Finding &finding = findings[{what, format.name, kind}];
    ++finding.count;
    if (finding.count > 1 && excess <= finding.excess)
      return;
    uint64_t count = finding.count;
    finding = {loss,           format.name,    what, kind,   words,
               printed(found), printed(exact), ulps, excess, count};
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
  /// Of the value, and of the gradients.
  std::vector<Real> scales;
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
