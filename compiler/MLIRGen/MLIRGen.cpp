//===- MLIRGen.cpp --------------------------------------------------------===//
//
// Writes down what the program says, one operation after another. Rewriting it into something
// better is the business of the passes.
//
//===----------------------------------------------------------------------===//
#include "compiler/MLIRGen/MLIRGen.h"

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Math/IR/Math.h"
#include "mlir/IR/Builders.h"

using namespace mlir;
using namespace loss::ir;
using loss::lang::Node;
using loss::lang::NodeId;
using Kind = loss::lang::Op;

namespace {

class Generator {
public:
  Generator(MLIRContext &context, const loss::lang::Program &program)
      : program(program), builder(&context), file(builder.getStringAttr(program.file)) {
    for (const std::string &axis : program.axes)
      axes.push_back(builder.getStringAttr(axis));
    for (const loss::lang::CallSite &call : program.calls)
      calls.push_back(inlinedAt(locationOf(call.range), call.parent));
  }

  OwningOpRef<ModuleOp> run() {
    Location loc = locationOf(program.range);
    OwningOpRef<ModuleOp> module = ModuleOp::create(loc);
    builder.setInsertionPointToEnd(module->getBody());
    ProgramOp op = createProgram(loc);
    builder.setInsertionPointToEnd(&op.getBody().front());
    values.reserve(program.nodes.size());
    for (const Node &node : program.nodes) {
      location = inlinedAt(locationOf(node.range), node.call);
      values.push_back(emit(op, node));
    }
    YieldOp::create(builder, loc, ValueRange{values[program.result]});
    return module;
  }

private:
  //===--- Places and types -----------------------------------------------===//

  LocationAttr locationOf(loss::lang::SourceRange range) {
    return FileLineColLoc::get(file, range.begin.line, range.begin.column);
  }

  Location inlinedAt(LocationAttr loc, int32_t call) {
    if (call < 0)
      return Location(loc);
    return CallSiteLoc::get(Location(loc), calls[call]);
  }

  Type typeOf(loss::lang::AxisSet set, Type element) {
    SmallVector<StringAttr> names;
    for (auto [i, axis] : llvm::enumerate(axes))
      if (set >> i & 1)
        names.push_back(axis);
    return typeWithAxes(element, names);
  }

  Type typeOf(loss::lang::Type type) {
    return typeOf(type.axes, type.isBool ? Type(builder.getI1Type()) : builder.getF64Type());
  }

  //===--- The program ----------------------------------------------------===//

  NamedAttribute named(StringRef name, Attribute value) {
    return builder.getNamedAttr(name, value);
  }

  /// Inputs and parameters keep the order of the text: the nodes that stand for them come first.
  ProgramOp createProgram(Location loc) {
    SmallVector<Type> types;
    SmallVector<Attribute> attributes;
    for (const Node &node : program.nodes) {
      if (node.op != Kind::Input && node.op != Kind::Param)
        continue;
      types.push_back(typeOf(node.type));
      attributes.push_back(node.op == Kind::Input ? describe(program.inputs[node.index])
                                                  : describe(program.params[node.index]));
    }
    Type result = typeOf(program.nodes[program.result].type);
    auto op = ProgramOp::create(builder, loc, program.name, builder.getFunctionType(types, result),
                                AxesAttr::get(builder.getContext(), axes));
    op.setArgAttrsAttr(builder.getArrayAttr(attributes));
    op.setResAttrsAttr(builder.getArrayAttr(
        builder.getDictionaryAttr(named("loss.result", builder.getStringAttr("value")))));
    if (!program.doc.empty())
      op->setAttr("loss.doc", builder.getStringAttr(program.doc));
    for (auto [argument, node] : llvm::zip(op.getBody().getArguments(), program.nodes))
      argument.setLoc(Location(locationOf(node.range)));
    return op;
  }

  static StringRef kindName(loss::lang::InputKind kind) {
    switch (kind) {
    case loss::lang::InputKind::Value:
      return "input";
    case loss::lang::InputKind::Target:
      return "target";
    case loss::lang::InputKind::Fixed:
      return "fixed";
    }
    llvm_unreachable("unknown kind of input");
  }

  DictionaryAttr describe(const loss::lang::ProgramInput &input) {
    SmallVector<NamedAttribute> attributes = {
        named("loss.name", builder.getStringAttr(input.name)),
        named("loss.kind", builder.getStringAttr(kindName(input.kind)))};
    addDoc(attributes, input.doc);
    return builder.getDictionaryAttr(attributes);
  }

  DictionaryAttr describe(const loss::lang::ProgramParam &param) {
    SmallVector<NamedAttribute> attributes = {
        named("loss.name", builder.getStringAttr(param.name)),
        named("loss.kind", builder.getStringAttr("param")),
        named("loss.default", builder.getF64FloatAttr(param.defaultValue))};
    addDoc(attributes, param.doc);
    return builder.getDictionaryAttr(attributes);
  }

  void addDoc(SmallVectorImpl<NamedAttribute> &attributes, const std::string &doc) {
    if (!doc.empty())
      attributes.push_back(named("loss.doc", builder.getStringAttr(doc)));
  }

  //===--- Operations -----------------------------------------------------===//

  /// Operand `i` repeated along the axes that it lacks.
  Value operand(const Node &node, unsigned i) {
    return spread(values[node.operands[i]], node.type.axes);
  }

  Value spread(Value value, loss::lang::AxisSet set) {
    return broadcastTo(builder, location, value, typeOf(set, getElementTypeOrSelf(value)));
  }

  Value number(double value) {
    return arith::ConstantOp::create(builder, location, builder.getF64FloatAttr(value));
  }

  template <typename OpTy> Value unary(const Node &node) {
    return OpTy::create(builder, location, operand(node, 0));
  }

  template <typename OpTy> Value binary(const Node &node) {
    return OpTy::create(builder, location, operand(node, 0), operand(node, 1));
  }

  Value compare(const Node &node, arith::CmpFPredicate predicate) {
    return arith::CmpFOp::create(builder, location, predicate, operand(node, 0), operand(node, 1));
  }

  Value logicalNot(const Node &node) {
    Value truth = arith::ConstantOp::create(builder, location, builder.getBoolAttr(true));
    return arith::XOrIOp::create(builder, location, operand(node, 0),
                                 spread(truth, node.type.axes));
  }

  /// 0 where x <= 0, else x: keeps NaN, and is flat at 0.
  Value relu(const Node &node) {
    Value x = operand(node, 0), zero = spread(number(0), node.type.axes);
    Value below = arith::CmpFOp::create(builder, location, arith::CmpFPredicate::OLE, x, zero);
    return arith::SelectOp::create(builder, location, below, zero, x);
  }

  StringAttr axis(const Node &node) { return axes[node.axis]; }

  Value reduce(const Node &node, ReduceKind kind) {
    return ReduceOp::create(builder, location, kind, values[node.operands[0]], axis(node));
  }

  Value size(StringAttr axis) {
    return AxisSizeOp::create(builder, location, builder.getF64Type(), axis);
  }

  Value mean(const Node &node) {
    Value sum = reduce(node, ReduceKind::sum);
    return arith::DivFOp::create(builder, location, sum, spread(size(axis(node)), node.type.axes));
  }

  Value emit(ProgramOp op, const Node &node) {
    switch (node.op) {
    case Kind::Input:
    case Kind::Param:
      return op.getBody().getArgument(values.size());
    case Kind::Constant:
      return number(node.value);
    case Kind::Size:
      return size(axis(node));
    case Kind::Neg:
      return unary<arith::NegFOp>(node);
    case Kind::Not:
      return logicalNot(node);
    case Kind::Add:
      return binary<arith::AddFOp>(node);
    case Kind::Sub:
      return binary<arith::SubFOp>(node);
    case Kind::Mul:
      return binary<arith::MulFOp>(node);
    case Kind::Div:
      return binary<arith::DivFOp>(node);
    case Kind::Less:
    case Kind::LessEqual:
    case Kind::Greater:
    case Kind::GreaterEqual:
    case Kind::Equal:
    case Kind::NotEqual:
      return emitComparison(node);
    case Kind::And:
      return binary<arith::AndIOp>(node);
    case Kind::Or:
      return binary<arith::OrIOp>(node);
    case Kind::Select:
      return arith::SelectOp::create(builder, location, operand(node, 0), operand(node, 1),
                                     operand(node, 2));
    case Kind::max:
      return binary<arith::MaximumFOp>(node);
    case Kind::min:
      return binary<arith::MinimumFOp>(node);
    case Kind::pow:
      return binary<math::PowFOp>(node);
    case Kind::reduce_sum:
      return reduce(node, ReduceKind::sum);
    case Kind::reduce_mean:
      return mean(node);
    case Kind::reduce_max:
      return reduce(node, ReduceKind::max);
    case Kind::reduce_min:
      return reduce(node, ReduceKind::min);
    case Kind::reduce_logsumexp:
      return LogSumExpOp::create(builder, location, values[node.operands[0]], axis(node));
    case Kind::softmax:
      return SoftmaxOp::create(builder, location, values[node.operands[0]], axis(node));
    case Kind::log_softmax:
      return LogSoftmaxOp::create(builder, location, values[node.operands[0]], axis(node));
    default:
      return emitFunction(node);
    }
  }

  Value emitComparison(const Node &node) {
    // Comparisons with NaN are false, but for != : as in IEEE 754.
    switch (node.op) {
    case Kind::Less:
      return compare(node, arith::CmpFPredicate::OLT);
    case Kind::LessEqual:
      return compare(node, arith::CmpFPredicate::OLE);
    case Kind::Greater:
      return compare(node, arith::CmpFPredicate::OGT);
    case Kind::GreaterEqual:
      return compare(node, arith::CmpFPredicate::OGE);
    case Kind::Equal:
      return compare(node, arith::CmpFPredicate::OEQ);
    default:
      return compare(node, arith::CmpFPredicate::UNE);
    }
  }

  /// The elementwise functions of one operand.
  Value emitFunction(const Node &node) {
    switch (node.op) {
    case Kind::abs:
      return unary<math::AbsFOp>(node);
    case Kind::exp:
      return unary<math::ExpOp>(node);
    case Kind::expm1:
      return unary<math::ExpM1Op>(node);
    case Kind::exp2:
      return unary<math::Exp2Op>(node);
    case Kind::log:
      return unary<math::LogOp>(node);
    case Kind::log1p:
      return unary<math::Log1pOp>(node);
    case Kind::log2:
      return unary<math::Log2Op>(node);
    case Kind::log10:
      return unary<math::Log10Op>(node);
    case Kind::sqrt:
      return unary<math::SqrtOp>(node);
    case Kind::sin:
      return unary<math::SinOp>(node);
    case Kind::cos:
      return unary<math::CosOp>(node);
    case Kind::tan:
      return unary<math::TanOp>(node);
    case Kind::sinh:
      return unary<math::SinhOp>(node);
    case Kind::cosh:
      return unary<math::CoshOp>(node);
    case Kind::tanh:
      return unary<math::TanhOp>(node);
    case Kind::asinh:
      return unary<math::AsinhOp>(node);
    case Kind::atan:
      return unary<math::AtanOp>(node);
    case Kind::erf:
      return unary<math::ErfOp>(node);
    case Kind::erfc:
      return unary<math::ErfcOp>(node);
    case Kind::sigmoid:
      return unary<SigmoidOp>(node);
    case Kind::log_sigmoid:
      return unary<LogSigmoidOp>(node);
    case Kind::softplus:
      return unary<SoftplusOp>(node);
    case Kind::relu:
      return relu(node);
    case Kind::sign:
      return unary<SignOp>(node);
    case Kind::bessel_i0:
      return unary<BesselI0Op>(node);
    case Kind::bessel_i0e:
      return unary<BesselI0eOp>(node);
    case Kind::bessel_i1:
      return unary<BesselI1Op>(node);
    case Kind::bessel_i1e:
      return unary<BesselI1eOp>(node);
    default:
      llvm_unreachable("every other operation has a case in emit()");
    }
  }

  const loss::lang::Program &program;
  OpBuilder builder;
  StringAttr file;
  SmallVector<StringAttr> axes;
  /// Location of every call, with the calls around it.
  SmallVector<Location> calls;
  SmallVector<Value> values;
  Location location = builder.getUnknownLoc();
};

} // namespace

OwningOpRef<ModuleOp> loss::generate(MLIRContext &context, const lang::Program &program) {
  context.loadDialect<LossDialect, arith::ArithDialect, math::MathDialect>();
  return Generator(context, program).run();
}
