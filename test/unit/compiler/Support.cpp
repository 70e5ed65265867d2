//===- Support.cpp - programs for the tests of passes ---------------------===//

#include "Support.h"

#include "compiler/Autodiff/Passes.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "mlir/Parser/Parser.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Transforms/Passes.h"
#include "gtest/gtest.h"

#include <algorithm>
#include <cmath>
#include <numeric>

using namespace mlir;
using namespace loss::ir;

test::Module::Module(const std::string &text) {
  static const bool registered = [] {
    registerLossAutodiffPasses();
    registerLossTransformsPasses();
    registerTransformsPasses();
    return true;
  }();
  (void)registered;
  DialectRegistry registry;
  registry.insert<LossDialect, arith::ArithDialect, math::MathDialect>();
  context = std::make_unique<MLIRContext>(registry, MLIRContext::Threading::DISABLED);
  context->loadAllAvailableDialects();
  module = parseSourceString<ModuleOp>(text, context.get());
  if (!module)
    ADD_FAILURE() << "no valid module:\n" << text;
}

ProgramOp test::Module::program(StringRef name) const {
  return module ? module.get().lookupSymbol<ProgramOp>(name) : ProgramOp();
}

void test::Module::run(StringRef pipeline) {
  PassManager manager(context.get());
  if (failed(parsePassPipeline(pipeline, manager)) || !module || failed(manager.run(*module)))
    ADD_FAILURE() << "pipeline failed: " << pipeline.str();
}

std::vector<test::Array> test::Module::evaluate(StringRef name, const Arguments &arguments) const {
  ProgramOp op = program(name);
  FailureOr<std::vector<Array>> results =
      op ? reference::evaluate(op, arguments) : FailureOr<std::vector<Array>>(failure());
  if (succeeded(results))
    return *results;
  ADD_FAILURE() << "no result from " << name.str() << " in\n" << text();
  return std::vector<Array>(4);
}

test::Array test::Module::value(StringRef name, const Arguments &arguments) const {
  return evaluate(name, arguments).front();
}

std::string test::Module::text() const {
  std::string result;
  llvm::raw_string_ostream stream(result);
  if (module)
    module.get().print(stream);
  return result;
}

static void replaceWord(std::string &text, char word, const std::string &by) {
  auto isName = [](char c) { return std::isalnum((unsigned char)c) || c == '_' || c == '%'; };
  std::string result;
  for (size_t i = 0; i < text.size(); ++i) {
    bool whole = text[i] == word && (i == 0 || !isName(text[i - 1])) &&
                 (i + 1 == text.size() || !isName(text[i + 1]));
    result += whole ? by : std::string(1, text[i]);
  }
  text = result;
}

std::string test::programText(const std::vector<std::string> &names, std::string body) {
  replaceWord(body, 'T', "tensor<?x?xf64, #loss.axes<batch, class>>");
  replaceWord(body, 'R', "tensor<?xf64, #loss.axes<batch>>");
  replaceWord(body, 'B', "tensor<?x?xi1, #loss.axes<batch, class>>");
  std::string text = "loss.program @f(";
  for (const std::string &name : names)
    text += (name == names.front() ? "" : ", ") + ("%" + name) +
            ": tensor<?x?xf64, #loss.axes<batch, class>> {loss.kind = \"input\", loss.name = \"" +
            name + "\"}";
  return text +
         ") -> (tensor<?xf64, #loss.axes<batch>> {loss.result = \"value\"}) "
         "attributes {axes = #loss.axes<batch, class>} {\n" +
         body + "\nloss.yield %r : tensor<?xf64, #loss.axes<batch>>\n}\n";
}

std::string test::elementwiseText(std::vector<std::string> names, const std::string &body) {
  names.push_back("w");
  return programText(names, body + "\n%weighted = arith.mulf %e, %w : T\n"
                                   "%r = loss.reduce sum %weighted over \"class\" : T -> R");
}

test::Array test::matrix(int64_t columns, std::vector<double> elements) {
  int64_t rows = int64_t(elements.size()) / columns;
  return Array({kRows, kClasses}, {rows, columns}, std::move(elements));
}

std::vector<double> test::differences(const std::function<double(const Arguments &)> &f,
                                      const Arguments &arguments, const std::string &name) {
  Arguments shifted = arguments;
  std::vector<double> &x = shifted.at(name).data;
  std::vector<double> result;
  for (double &element : x) {
    double centre = element, h = 1e-3 * std::clamp(std::abs(centre), 0.1, 1.0);
    auto at = [&](double offset) {
      element = centre + offset;
      double y = f(shifted);
      element = centre;
      return y;
    };
    result.push_back((8 * (at(h) - at(-h)) - (at(2 * h) - at(-2 * h))) / (12 * h));
  }
  return result;
}

double test::total(const Array &array) {
  return std::accumulate(array.data.begin(), array.data.end(), 0.0);
}
