//===- Differentiate.cpp - reverse mode on a loss.program -----------------===//

#include "compiler/Autodiff/Finite.h"
#include "compiler/Autodiff/Passes.h"
#include "compiler/Autodiff/Rules.h"

#include "llvm/ADT/DenseSet.h"

namespace loss::ir {
#define GEN_PASS_DEF_DIFFERENTIATE
#include "compiler/Autodiff/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::autodiff;

namespace {

/// One backward sweep over a program, appending to it.
class ReverseSweep {
public:
  explicit ReverseSweep(ProgramOp program) : program(program), builder(program.getYield()) {}

  /// Marks everything that depends on the arguments `wrt`.
  void markActive(ArrayRef<unsigned> wrt);
  /// Starts the sweep: the adjoint of `result` is 1.
  void seed(Value result);
  LogicalResult run();
  /// The gradient for an argument: zero when the result does not depend on it.
  Value gradient(unsigned argument);

private:
  LogicalResult visit(Operation *op, Value adjoint);
  void contribute(Value operand, Value adjoint, Expr part);
  Value constant(Location loc, Type type, double value);

  ProgramOp program;
  OpBuilder builder;
  llvm::DenseSet<Value> active;
  llvm::DenseMap<Value, Value> adjoints;
  /// Adjoints that a branch may have set to 0.
  llvm::DenseSet<Value> masked;
  FiniteValues finite;
};

} // namespace

void ReverseSweep::markActive(ArrayRef<unsigned> wrt) {
  for (unsigned i : wrt)
    active.insert(program.getArgument(i));
  for (Operation &op : program.getBody().front())
    if (llvm::any_of(op.getOperands(), [&](Value v) { return active.contains(v); }))
      for (Value result : op.getResults())
        if (isa<FloatType>(getElementTypeOrSelf(result)))
          active.insert(result);
}

Value ReverseSweep::constant(Location loc, Type type, double value) {
  Value number = arith::ConstantOp::create(builder, loc,
                                           builder.getFloatAttr(getElementTypeOrSelf(type), value));
  return broadcastTo(builder, loc, number, type);
}

void ReverseSweep::seed(Value result) {
  if (!active.contains(result))
    return;
  Value &adjoint = adjoints[result];
  Value ones = constant(result.getLoc(), result.getType(), 1);
  adjoint = adjoint ? arith::AddFOp::create(builder, result.getLoc(), adjoint, ones) : ones;
}

LogicalResult ReverseSweep::run() {
  // The operations of the program itself, not those that the sweep appends.
  SmallVector<Operation *> tape;
  for (Operation &op : program.getBody().front().without_terminator())
    if (op.getNumResults() == 1 && active.contains(op.getResult(0)))
      tape.push_back(&op);
  for (Operation *op : llvm::reverse(tape))
    if (Value adjoint = adjoints.lookup(op->getResult(0)))
      if (failed(visit(op, adjoint)))
        return failure();
  return success();
}

LogicalResult ReverseSweep::visit(Operation *op, Value adjoint) {
  ArrayRef<Partial> rule = derivativeRule(op);
  if (rule.empty())
    return op->emitError("expected a derivative rule for '")
           << op->getName() << "', which the value depends on, but found none";
  Site site{builder, op->getLoc()};
  Application at;
  at.g = Expr(&site, adjoint);
  at.r = Expr(&site, op->getResult(0));
  Expr *operands[] = {&at.x, &at.y, &at.z};
  for (auto [i, operand] : llvm::enumerate(op->getOperands()))
    *operands[i] = Expr(&site, operand);
  at.axis = op->getAttrOfType<StringAttr>("axis");
  finite.assume(adjoint);
  for (auto [operand, partial] : llvm::zip_equal(op->getOperands(), rule)) {
    if (!partial || !active.contains(operand))
      continue;
    Expr part = partial(at);
    if (!part.isNothing())
      contribute(operand, adjoint, part);
  }
  return success();
}

void ReverseSweep::contribute(Value operand, Value adjoint, Expr part) {
  bool isMasked = masked.contains(adjoint) || part.value().getDefiningOp<arith::SelectOp>();
  if (isMasked && !finite.contains(part.value())) {
    // In a branch not taken g is 0, but the factor may be infinite or NaN there.
    Expr g = spread(Expr(&part.at(), adjoint), part);
    if (axesOf(g.type()) == axesOf(part.type()))
      part = where(g == 0.0 && part != part, 0.0, part);
  }
  Value &sum = adjoints[operand];
  isMasked |= sum && masked.contains(sum);
  sum = sum ? (Expr(&part.at(), sum) + part).value() : part.value();
  if (isMasked)
    masked.insert(sum);
}

Value ReverseSweep::gradient(unsigned argument) {
  Value of = program.getArgument(argument);
  if (Value adjoint = adjoints.lookup(of))
    return adjoint;
  return constant(program.getLoc(), of.getType(), 0);
}

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

FailureOr<ProgramOp> loss::ir::differentiate(ProgramOp program, ArrayRef<std::string> wrt,
                                             StringRef of) {
  FailureOr<SmallVector<unsigned>> arguments = findArguments(program, wrt);
  if (failed(arguments))
    return failure();
  std::string name = (program.getSymName() + "_grad").str();
  if (SymbolTable::lookupSymbolIn(program->getParentOp(), name))
    return program.emitOpError("expected no program named '")
           << name << "', but found one: it takes the gradient's place";

  OpBuilder builder(program.getContext());
  builder.setInsertionPointAfter(program);
  auto result = cast<ProgramOp>(builder.clone(*program));
  result.setSymName(name);

  ReverseSweep sweep(result);
  sweep.markActive(*arguments);
  YieldOp yield = result.getYield();
  for (unsigned i = 0, e = result.getNumResults(); i < e; ++i)
    if (isWanted(result, i, of))
      sweep.seed(yield.getValues()[i]);
  if (failed(sweep.run())) {
    result.erase();
    return failure();
  }

  SmallVector<Type> types(result.getResultTypes());
  SmallVector<Attribute> attributes;
  for (unsigned i = 0, e = result.getNumResults(); i < e; ++i)
    attributes.push_back(result.getResultAttrDict(i));
  for (unsigned argument : *arguments) {
    Value gradient = sweep.gradient(argument);
    yield.getValuesMutable().append(gradient);
    types.push_back(gradient.getType());
    NamedAttrList list;
    list.set("loss.of", builder.getStringAttr(result.getArgName(argument)));
    list.set("loss.result", builder.getStringAttr("grad"));
    if (!of.empty())
      list.set("loss.from", builder.getStringAttr(of));
    attributes.push_back(list.getDictionary(builder.getContext()));
  }
  result.setFunctionType(builder.getFunctionType(result.getArgumentTypes(), types));
  result.setResAttrsAttr(builder.getArrayAttr(attributes));
  return result;
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
