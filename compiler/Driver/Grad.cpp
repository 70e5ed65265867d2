//===- Grad.cpp - lossc grad ----------------------------------------------===//

#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Files.h"

#include "compiler/Autodiff/Passes.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"
#include "compiler/Export/ToLanguage.h"
#include "lang/AstPrinter.h"
#include "lang/Parser.h"
#include "lang/Suggest.h"

#include "mlir/Transforms/Passes.h"
#include "llvm/ADT/StringExtras.h"

using namespace loss;

/// The argument that --wrt names, or the only input with a gradient; nothing after a message.
static std::optional<std::string> chooseArgument(ir::ProgramOp program, const std::string &wrt) {
  std::vector<std::string> all, inputs;
  for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i) {
    all.push_back(program.getArgName(i).str());
    if (program.getArgKind(i) == "input")
      inputs.push_back(all.back());
  }
  if (llvm::is_contained(all, wrt))
    return wrt;
  if (!wrt.empty()) {
    std::string hint = lang::didYouMean(wrt, {all.begin(), all.end()});
    complain(exitUsage, "--wrt: expected one of " + llvm::join(all, ", ") + ", but found '" + wrt +
                            "'" + (hint.empty() ? "" : "; " + hint));
    return std::nullopt;
  }
  if (inputs.size() == 1)
    return inputs.front();
  complain(exitUsage, "expected --wrt and one of " + llvm::join(all, ", ") + ", because " +
                          (inputs.empty() ? "no input has" : "several inputs have") +
                          " a gradient");
  return std::nullopt;
}

/// Keeps the gradient alone of what a program yields, and only what it needs.
static mlir::LogicalResult keepGradient(mlir::ModuleOp module, ir::ProgramOp gradient) {
  ir::YieldOp yield = gradient.getYield();
  unsigned last = yield.getValues().size() - 1;
  mlir::Value value = yield.getValues()[last];
  auto *context = module.getContext();
  mlir::DictionaryAttr attributes = gradient.getResultAttrDict(last);
  yield.getValuesMutable().assign(value);
  gradient.setFunctionType(
      mlir::FunctionType::get(context, gradient.getArgumentTypes(), value.getType()));
  gradient.setResAttrsAttr(mlir::ArrayAttr::get(context, attributes));
  mlir::PassManager passes(context);
  passes.addNestedPass<ir::ProgramOp>(ir::createSimplify());
  passes.addPass(mlir::createCanonicalizerPass());
  passes.addPass(mlir::createCSEPass());
  passes.addPass(mlir::createCanonicalizerPass());
  return passes.run(module);
}

std::optional<std::string> loss::gradientText(Compilation &compilation, const std::string &wrt) {
  auto program = *compilation.module->getOps<ir::ProgramOp>().begin();
  mlir::ScopedDiagnosticHandler handler(program.getContext(), [&](mlir::Diagnostic &diagnostic) {
    addError(compilation.diagnostics, diagnostic);
    return mlir::success();
  });
  mlir::FailureOr<ir::ProgramOp> gradient = ir::differentiate(program, {wrt});
  if (mlir::failed(gradient) || mlir::failed(keepGradient(*compilation.module, *gradient)))
    return std::nullopt;
  lang::DiagnosticEngine ignored{""};
  mlir::FailureOr<lang::File> file =
      gradientFile(lang::parse(compilation.source, ignored), *gradient, wrt);
  if (mlir::failed(file))
    return std::nullopt;
  return lang::print(*file);
}

int loss::printGradient(const DriverOptions &options) {
  int exitCode = exitSuccess;
  std::optional<SourceFile> source = readSource(options.input, exitCode);
  if (!source)
    return exitCode;
  PipelineContext context;
  PipelineOptions pipeline;
  pipeline.overrides = options.defines;
  pipeline.stopAfter = Phase::Simplify;
  Compilation compilation =
      context.compile(source->text, source->name, pipeline, /*descriptorInLevel=*/false);
  auto report = [&] {
    llvm::errs() << renderNamed(applyWarningOptions(compilation.diagnostics, {}),
                                compilation.diagnostics);
  };
  if (compilation.diagnostics.hasErrors()) {
    report();
    return exitCompileError;
  }
  if (!compilation.failure.empty())
    return complain(exitInternal, compilation.failure);

  auto program = *compilation.module->getOps<ir::ProgramOp>().begin();
  std::optional<std::string> wrt = chooseArgument(program, options.wrt);
  if (!wrt)
    return exitUsage;
  std::optional<std::string> text = gradientText(compilation, *wrt);
  report();
  if (!text)
    return exitCompileError;
  std::string output = options.output.empty() ? "-" : options.output;
  if (int code = refuseInput(output, compilation.diagnostics.files()))
    return code;
  return writeOutput(output, *text);
}
