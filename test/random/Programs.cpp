//===- Programs.cpp - a loss as written and as optimised ------------------===//

#include "test/random/Programs.h"

#include "compiler/Autodiff/Passes.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"
#include "compiler/MLIRGen/MLIRGen.h"
#include "compiler/Pipeline/Describe.h"
#include "compiler/Pipeline/Programs.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/Transforms/Passes.h"

using namespace mlir;

namespace loss::stress {

static std::string printed(const OwningOpRef<ModuleOp> &module) {
  std::string result;
  llvm::raw_string_ostream stream(result);
  if (module)
    const_cast<OwningOpRef<ModuleOp> &>(module)->print(stream);
  return result;
}

std::string Programs::text() const { return printed(module); }
std::string SecondOrderPrograms::text() const { return printed(module); }

Laboratory::Laboratory() : context(MLIRContext::Threading::DISABLED), simplify(&context) {
  context.printOpOnDiagnostic(false);
  context.loadDialect<ir::LossDialect, arith::ArithDialect, math::MathDialect>();
  simplify.addNestedPass<ir::ProgramOp>(ir::createSimplify());
  simplify.addPass(createCanonicalizerPass());
  simplify.addPass(createCSEPass());
}

Programs Laboratory::asWritten(const lang::Program &program) { return build(program, false); }
Programs Laboratory::optimised(const lang::Program &program) { return build(program, true); }

LogicalResult Laboratory::note(Diagnostic &diagnostic) {
  said += diagnostic.str() + "\n";
  return success();
}

Programs Laboratory::build(const lang::Program &program, bool optimise) {
  said.clear();
  ScopedDiagnosticHandler handler(&context,
                                  [this](Diagnostic &diagnostic) { return note(diagnostic); });
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

std::optional<SecondOrderPrograms>
Laboratory::secondOrder(const lang::Program &program, bool optimise, bool all, unsigned target) {
  said.clear();
  ScopedDiagnosticHandler handler(&context,
                                  [this](Diagnostic &diagnostic) { return note(diagnostic); });
  SecondOrderPrograms result;
  result.module = generate(context, program);
  if (!result.module || (optimise && failed(simplify.run(*result.module))))
    return std::nullopt;
  auto value = result.module->lookupSymbol<ir::ProgramOp>(program.name);
  ModuleInfo info = describe(program, "");
  describeRows(info, value);
  if (std::string why = value.whyNoRowAxis(); !why.empty())
    value->setAttr("loss.no_rows", StringAttr::get(&context, why));
  for (unsigned mode : {LOSS_TANGENT_ALL, LOSS_TANGENT}) {
    if (result.tangent || (mode == LOSS_TANGENT_ALL && !all))
      continue;
    KernelSelection selection;
    selection.modes = 1u << mode, selection.targets = 1u << target;
    if (failed(addGradientPrograms(value, LOSS_PLAIN, info, selection)))
      return std::nullopt;
    result.mode = mode;
    for (ir::ProgramOp added : result.module->getOps<ir::ProgramOp>()) {
      StringRef name = added->getAttrOfType<StringAttr>("loss.mode").getValue();
      if (name == abi::modeKey(mode))
        result.tangent = added;
      else if (name != abi::modeKey(LOSS_VALUE))
        result.gradient = added;
    }
  }
  if (optimise && failed(simplify.run(*result.module)))
    return std::nullopt;
  return result;
}

} // namespace loss::stress
