//===- Programs.cpp - a loss as written and as optimised ------------------===//

#include "test/random/Programs.h"

#include "compiler/Autodiff/Passes.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"
#include "compiler/MLIRGen/MLIRGen.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace loss::stress {

std::string Programs::text() const {
  std::string result;
  llvm::raw_string_ostream stream(result);
  if (module)
    const_cast<OwningOpRef<ModuleOp> &>(module)->print(stream);
  return result;
}

Laboratory::Laboratory() : context(MLIRContext::Threading::DISABLED), simplify(&context) {
  context.printOpOnDiagnostic(false);
  context.loadDialect<ir::LossDialect, arith::ArithDialect, math::MathDialect>();
  simplify.addNestedPass<ir::ProgramOp>(ir::createSimplify());
  simplify.addPass(createCanonicalizerPass());
  simplify.addPass(createCSEPass());
}

Programs Laboratory::asWritten(const lang::Program &program) { return build(program, false); }
Programs Laboratory::optimised(const lang::Program &program) { return build(program, true); }

Programs Laboratory::build(const lang::Program &program, bool optimise) {
  said.clear();
  ScopedDiagnosticHandler handler(&context, [&](Diagnostic &diagnostic) {
    said += diagnostic.str() + "\n";
    return success();
  });
  Programs result;
  result.module = generate(context, program);
  if (!result.module)
    return result;
  ir::DifferentiateOptions options;
  for (const lang::ProgramInput &input : program.inputs)
    options.wrt.push_back(input.name);
  for (const lang::ProgramParam &param : program.params)
    options.wrt.push_back(param.name);
  PassManager differentiate(&context);
  differentiate.addPass(ir::createDifferentiate(options));
  bool done = (!optimise || succeeded(simplify.run(*result.module))) &&
              succeeded(differentiate.run(*result.module)) &&
              (!optimise || succeeded(simplify.run(*result.module)));
  if (!done)
    return {};
  result.value = result.module->lookupSymbol<ir::ProgramOp>(program.name);
  result.gradient = result.module->lookupSymbol<ir::ProgramOp>(program.name + "_grad");
  return result;
}

} // namespace loss::stress
