//===- Evaluator.cpp - values and gradients without kernels ---------------===//

#include "compiler/Driver/Evaluator.h"

#include "compiler/Autodiff/Passes.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"
#include "compiler/Reference/BasicInterpreter.h"

#include "mlir/Transforms/Passes.h"

#include <cmath>
#include <numeric>
#include <random>

using namespace loss;
using namespace loss::ir::reference;

/// Whether a caller may ask for the gradient of argument `i`.
static bool isNumber(ir::ProgramOp program, unsigned i) {
  return llvm::isa<mlir::FloatType>(mlir::getElementTypeOrSelf(program.getArgument(i).getType()));
}

std::unique_ptr<Evaluator> Evaluator::create(const SourceFile &source,
                                             const std::vector<lang::Override> &overrides,
                                             PipelineContext &context) {
  std::unique_ptr<Evaluator> result(new Evaluator);
  PipelineOptions options;
  options.overrides = overrides;
  options.stopAfter = Phase::Loss;
  result->written = context.compile(source.text, source.name, options, false);
  options.stopAfter = Phase::Simplify;
  result->derived = context.compile(source.text, source.name, options, false);
  if (!result->written.succeeded() || !result->derived.succeeded())
    return nullptr;
  result->valueProgram = *result->written.module->getOps<ir::ProgramOp>().begin();

  mlir::ModuleOp module = *result->derived.module;
  mlir::ScopedDiagnosticHandler quiet(module.getContext(),
                                      [](mlir::Diagnostic &) { return mlir::success(); });
  auto program = *module.getOps<ir::ProgramOp>().begin();
  std::vector<std::string> all;
  for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i)
    if (isNumber(program, i))
      all.push_back(program.getArgName(i).str());
  mlir::FailureOr<ir::ProgramOp> gradient = ir::differentiate(program, all);
  if (mlir::failed(gradient))
    return nullptr;
  result->gradientProgram = *gradient;
  mlir::PassManager passes(module.getContext());
  passes.addNestedPass<ir::ProgramOp>(ir::createSimplify());
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  return mlir::failed(passes.run(module)) ? nullptr : std::move(result);
}

/// Random elements of an input from a range.
static Array draw(const lang::Program &program, const lang::ProgramInput &input,
                  std::pair<double, double> range, bool oneHot, std::mt19937_64 &random) {
  static constexpr int64_t lengths[] = {3, 4, 2, 3};
  std::vector<std::string> axes;
  std::vector<int64_t> sizes;
  size_t classes = 0;
  for (size_t i = 0; i < program.axes.size(); ++i)
    if (input.axes >> i & 1) {
      if (i == input.classAxis)
        classes = axes.size();
      axes.push_back(program.axes[i]);
      sizes.push_back(lengths[i % std::size(lengths)]);
    }
  Array array(axes, sizes, 0.0);
  std::uniform_real_distribution<double> uniform(range.first, range.second);
  for (double &x : array.data)
    x = uniform(random);
  if (input.kind != lang::InputKind::Target)
    return array;
  // A distribution over the classes.
  int64_t stride = 1;
  for (size_t a = classes + 1; a < sizes.size(); ++a)
    stride *= sizes[a];
  std::uniform_real_distribution<double> weight(0.1, 1);
  for (double &x : array.data)
    x = weight(random);
  for (size_t i = 0; i < array.data.size(); ++i) {
    if (i / stride % sizes[classes])
      continue;
    int64_t chosen = static_cast<int64_t>(random() % sizes[classes]);
    for (int64_t k = 0; oneHot && k < sizes[classes]; ++k)
      array.data[i + k * stride] = k == chosen;
    double sum = 0;
    for (int64_t k = 0; k < sizes[classes]; ++k)
      sum += array.data[i + k * stride];
    for (int64_t k = 0; k < sizes[classes]; ++k)
      array.data[i + k * stride] /= sum;
  }
  return array;
}

std::optional<Arguments> Evaluator::findPoint(bool oneHot) {
  static constexpr std::pair<double, double> ranges[] = {
      {-2, 2}, {0.05, 0.95}, {0.5, 3}, {-0.95, 0.95}, {1.5, 6}};
  std::mt19937_64 random(20261122);
  for (std::pair<double, double> range : ranges)
    for (int attempt = 0; attempt < 4; ++attempt) {
      Arguments point;
      for (const lang::ProgramInput &input : program().inputs)
        point[input.name] = draw(program(), input, range, oneHot, random);
      for (const lang::ProgramParam &param : program().params)
        point[param.name] = Array(param.defaultValue);
      std::optional<double> value = this->value(point);
      if (value && std::isfinite(*value))
        return point;
    }
  return std::nullopt;
}

static double sumOf(const Array &array) {
  return std::accumulate(array.data.begin(), array.data.end(), 0.0);
}

std::optional<Array> Evaluator::result(const Arguments &arguments) {
  mlir::ScopedDiagnosticHandler quiet(valueProgram.getContext(),
                                      [](mlir::Diagnostic &) { return mlir::success(); });
  FailureOr<std::vector<Array>> results = evaluateIn<double>(valueProgram, arguments);
  if (failed(results))
    return std::nullopt;
  return results->front();
}

std::optional<double> Evaluator::value(const Arguments &arguments) {
  return valueAround(arguments, arguments);
}

std::optional<double> Evaluator::valueAround(const Arguments &base, const Arguments &arguments) {
  mlir::ScopedDiagnosticHandler quiet(valueProgram.getContext(),
                                      [](mlir::Diagnostic &) { return mlir::success(); });
  BasicInterpreter<double> first(valueProgram);
  if (failed(first.bind(base)) || failed(first.run()))
    return std::nullopt;
  std::vector<Array> stopped = first.stoppedValues();
  BasicInterpreter<double> second(valueProgram);
  second.freezeStopped(stopped);
  if (failed(second.bind(arguments)) || failed(second.run()))
    return std::nullopt;
  return sumOf(second.results().front());
}

std::optional<Arguments> Evaluator::gradients(const Arguments &arguments) {
  mlir::ScopedDiagnosticHandler quiet(gradientProgram.getContext(),
                                      [](mlir::Diagnostic &) { return mlir::success(); });
  FailureOr<std::vector<Array>> results = evaluateIn<double>(gradientProgram, arguments);
  if (failed(results))
    return std::nullopt;
  Arguments found;
  for (unsigned i = 0; i < results->size(); ++i)
    if (auto of = gradientProgram.getResultAttrOfType<StringAttr>(i, "loss.of"))
      found[of.str()] = (*results)[i];
  return found;
}
