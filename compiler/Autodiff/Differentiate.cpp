//===- Differentiate.cpp - programs that yield derivatives ----------------===//

#include "compiler/Autodiff/Passes.h"
#include "compiler/Autodiff/ReverseSweep.h"

namespace loss::ir {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "compiler/Autodiff/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

/// The arguments to differentiate by, or failure if a name is unknown or not of numbers.
static FailureOr<SmallVector<unsigned>> findArguments(ProgramOp program,
                                                      ArrayRef<std::string> wrt) {
  SmallVector<unsigned> found;
  for (const std::string &name : wrt) {
    unsigned i = 0, e = program.getNumArguments();
    while (i < e && program.getArgName(i) != name)
      ++i;
    if (i == e || !isa<FloatType>(getElementTypeOrSelf(program.getArgument(i))))
      return program.emitOpError("expected an argument of numbers to differentiate by, but found '")
             << name << "'";
    found.push_back(i);
  }
  if (!wrt.empty())
    return found;
  SmallVector<unsigned> inputs;
  for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i)
    if (program.getArgKind(i) == "input") {
      inputs.push_back(i);
      if (hasAxis(program.getArgument(i).getType(), program.getAxes().getNames().front()))
        found.push_back(i);
    }
  return found.empty() ? inputs : found;
}

/// Whether result `i` is what `of` asks for: the value, or the gradient for an argument.
static bool isWanted(ProgramOp program, unsigned i, StringRef of) {
  auto kind = program.getResultAttrOfType<StringAttr>(i, "loss.result");
  if (of.empty())
    return kind == "value";
  return kind == "grad" && program.getResultAttrOfType<StringAttr>(i, "loss.of") == of &&
         !program.getResultAttr(i, "loss.from");
}

/// A copy of `program` behind it, for results to be added.
static FailureOr<ProgramOp> copyAs(ProgramOp program, const std::string &name) {
  if (SymbolTable::lookupSymbolIn(program->getParentOp(), name))
    return program.emitOpError("expected no program named '")
           << name << "', but found one: it takes the gradient's place";
  OpBuilder builder(program.getContext());
  builder.setInsertionPointAfter(program);
  auto copy = cast<ProgramOp>(builder.clone(*program));
  copy.setSymName(name);
  return copy;
}

static Value addArgument(ProgramOp program, Type type, StringRef kind, StringRef name) {
  OpBuilder builder(program.getContext());
  unsigned index = program.getNumArguments();
  NamedAttrList attributes;
  attributes.set("loss.kind", builder.getStringAttr(kind));
  attributes.set("loss.name", builder.getStringAttr(name));
  (void)program.insertArgument(index, type, attributes.getDictionary(program.getContext()),
                               program.getLoc());
  return program.getArgument(index);
}

/// Adds a result to the program.
static void addResult(ProgramOp program, Value value, ArrayRef<NamedAttribute> attributes) {
  OpBuilder builder(program.getContext());
  SmallVector<Type> types(program.getResultTypes());
  SmallVector<Attribute> all;
  for (unsigned i = 0, e = types.size(); i < e; ++i)
    all.push_back(program.getResultAttrDict(i));
  types.push_back(value.getType());
  all.push_back(builder.getDictionaryAttr(attributes));
  program.getYield().getValuesMutable().append(value);
  program.setFunctionType(builder.getFunctionType(program.getArgumentTypes(), types));
  program.setResAttrsAttr(builder.getArrayAttr(all));
}

static void addGradient(ProgramOp program, Value gradient, StringRef of, StringRef from = {}) {
  OpBuilder builder(program.getContext());
  SmallVector<NamedAttribute> attributes = {
      builder.getNamedAttr("loss.of", builder.getStringAttr(of)),
      builder.getNamedAttr("loss.result", builder.getStringAttr("grad"))};
  if (!from.empty())
    attributes.push_back(builder.getNamedAttr("loss.from", builder.getStringAttr(from)));
  addResult(program, gradient, attributes);
}

static SmallVector<Value> argumentsAt(ProgramOp program, ArrayRef<unsigned> indices) {
  return llvm::map_to_vector(indices, [&](unsigned i) -> Value { return program.getArgument(i); });
}

FailureOr<ProgramOp> loss::ir::differentiate(ProgramOp program, ArrayRef<std::string> wrt,
                                             StringRef of) {
  FailureOr<SmallVector<unsigned>> arguments = findArguments(program, wrt);
  if (failed(arguments))
    return failure();
  FailureOr<ProgramOp> copy = copyAs(program, (program.getSymName() + "_grad").str());
  if (failed(copy))
    return failure();

  ReverseSweep sweep(*copy, /*rowAxis=*/{});
  sweep.markActive(argumentsAt(*copy, *arguments));
  YieldOp yield = copy->getYield();
  for (unsigned i = 0, e = copy->getNumResults(); i < e; ++i)
    if (isWanted(*copy, i, of))
      sweep.seed(yield.getValues()[i]);
  if (failed(sweep.run())) {
    copy->erase();
    return failure();
  }
  for (unsigned argument : *arguments)
    addGradient(*copy, sweep.gradient(copy->getArgument(argument)), copy->getArgName(argument), of);
  return copy;
}

FailureOr<ProgramOp> loss::ir::gradientForKernel(ProgramOp program, ArrayRef<unsigned> arguments,
                                                 StringRef suffix) {
  FailureOr<ProgramOp> copy = copyAs(program, (program.getSymName() + suffix).str());
  if (failed(copy))
    return failure();
  Value result = copy->getYield().getOperand(0);
  Value seed;
  if (!copy->getInnerAxes(result.getType()).empty())
    seed = addArgument(*copy, result.getType(), "seed", "seed");
  ReverseSweep sweep(*copy, copy->getRowAxis());
  sweep.markActive(argumentsAt(*copy, arguments));
  sweep.seed(result, seed);
  if (failed(sweep.run())) {
    copy->erase();
    return failure();
  }
  for (unsigned argument : arguments)
    addGradient(*copy, sweep.gradient(copy->getArgument(argument)), copy->getArgName(argument));
  return copy;
}

FailureOr<ProgramOp> loss::ir::tangentForKernel(ProgramOp gradient, StringRef name) {
  FailureOr<ProgramOp> copy = copyAs(gradient, name.str());
  if (failed(copy))
    return failure();
  ProgramOp program = *copy;
  StringAttr rowAxis = program.getRowAxis();
  auto argumentOf = [&](StringRef argument) {
    unsigned i = 0;
    while (program.getArgName(i) != argument)
      ++i;
    return i;
  };

  // The derivative along the tangents: the sum of each gradient times its tangent.
  SmallVector<unsigned> inputs;
  SmallVector<Value> gradients;
  for (unsigned i = 1, e = program.getNumResults(); i < e; ++i) {
    inputs.push_back(argumentOf(program.getResultAttrOfType<StringAttr>(i, "loss.of").getValue()));
    gradients.push_back(program.getYield().getOperand(i));
  }
  SmallVector<Value> tangents;
  for (unsigned input : inputs)
    tangents.push_back(addArgument(program, program.getArgument(input).getType(), "tangent",
                                   program.getArgName(input)));
  OpBuilder builder(program.getYield());
  Site site{builder, program.getLoc()};
  Expr total;
  for (auto [g, tangent] : llvm::zip_equal(gradients, tangents)) {
    Expr part = Expr(&site, g) * Expr(&site, tangent);
    for (StringAttr axis : axesOf(part.type()))
      if (axis != rowAxis)
        part = sum(part, axis);
    total = total.isNothing() ? part : total + part;
  }

  Value seed;
  SmallVector<Value> wrt = argumentsAt(program, inputs);
  for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i)
    if (program.getArgKind(i) == "seed")
      wrt.push_back(seed = program.getArgument(i));
  ReverseSweep sweep(program, rowAxis);
  sweep.markActive(wrt);
  sweep.seed(total.value());
  if (failed(sweep.run())) {
    program.erase();
    return failure();
  }
  // By the seed, it is that of each element of the result.
  Value tangent = seed ? sweep.gradient(seed) : total.value();
  YieldOp yield = program.getYield();
  yield.getValuesMutable().clear();
  program.setFunctionType(builder.getFunctionType(program.getArgumentTypes(), {}));
  program.setResAttrsAttr(builder.getArrayAttr({}));
  addResult(program, tangent,
            {builder.getNamedAttr("loss.result", builder.getStringAttr("tangent"))});
  for (unsigned input : inputs)
    addGradient(program, sweep.gradient(program.getArgument(input)), program.getArgName(input));
  return program;
}

namespace {
struct DifferentiatePass : public loss::ir::impl::DifferentiateBase<DifferentiatePass> {
  using DifferentiateBase::DifferentiateBase;
  void runOnOperation() override {
    SmallVector<std::string> names(wrt.begin(), wrt.end());
    for (ProgramOp program : llvm::make_early_inc_range(getOperation().getOps<ProgramOp>())) {
      bool wanted = false, hasGradient = false;
      for (unsigned i = 0, e = program.getNumResults(); i < e; ++i) {
        wanted |= isWanted(program, i, of);
        hasGradient |= program.getResultAttrOfType<StringAttr>(i, "loss.result") == "grad";
      }
      // A program with its gradient is finished unless the gradient itself is to be differentiated.
      if (wanted && (!hasGradient || !of.empty()))
        if (failed(differentiate(program, names, of)))
          return signalPassFailure();
    }
  }
};
} // namespace
