//===- Oracle.cpp - what a loss means, in f64 -----------------------------===//

#include "Oracle.h"

#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Reference/Interpreter.h"

#include "gtest/gtest.h"

using namespace loss;
using namespace loss::test;
using namespace loss::ir::reference;

struct Oracle::Impl {
  explicit Impl(const std::string &text) {
    PipelineOptions options;
    options.stopAfter = Phase::Loss;
    written.emplace(context.compile(text, "test.loss", options, false));
    options.stopAfter = Phase::Differentiate;
    differentiated.emplace(context.compile(text, "test.loss", options, false));
    if (!differentiated->succeeded())
      ADD_FAILURE() << lang::render(differentiated->diagnostics.diagnostics(), text)
                    << differentiated->failure;
  }

  std::vector<Array> run(const Compilation &compilation, const std::string &suffix, int64_t rows,
                         int64_t classes, const std::vector<Matrix> &inputs) const {
    const lang::Program &program = *compilation.program;
    Arguments arguments;
    for (auto [input, data] : llvm::zip_equal(program.inputs, inputs))
      arguments[input.name] = Array({program.axes[0], program.axes[1]}, {rows, classes}, data);
    auto results = ir::reference::evaluate(
        mlir::ModuleOp(compilation.module.get()).lookupSymbol<ir::ProgramOp>(program.name + suffix),
        arguments);
    if (succeeded(results))
      return *results;
    ADD_FAILURE() << "the interpreter failed";
    return std::vector<Array>(3);
  }

  PipelineContext context;
  std::optional<Compilation> written, differentiated;
};

Oracle::Oracle(const std::string &text) : impl(std::make_unique<Impl>(text)) {}
Oracle::~Oracle() = default;

Expected Oracle::evaluate(int64_t rows, int64_t classes, const std::vector<Matrix> &inputs) const {
  std::vector<Array> results = impl->run(*impl->differentiated, "_grad", rows, classes, inputs);
  Expected expected;
  expected.value = results[0].data;
  for (size_t i = 1; i < results.size(); ++i)
    expected.grads.push_back(results[i].data);
  return expected;
}

std::vector<double> Oracle::asWritten(int64_t rows, int64_t classes,
                                      const std::vector<Matrix> &inputs) const {
  return impl->run(*impl->written, "", rows, classes, inputs)[0].data;
}
