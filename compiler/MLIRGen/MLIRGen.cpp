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

#include <numbers>

using namespace mlir;
using namespace loss::ir;
using loss::lang::Node;
using loss::lang::NodeId;
using Kind = loss::lang::Op;

namespace {

class Generator {
public:
  Generator(MLIRContext &context, const loss::lang::Program &program)
      : program(program), builder(&context) {
    for (const std::string &name : program.files)
      files.push_back(builder.getStringAttr(name));
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
    return FileLineColLoc::get(files[range.file], range.begin.line, range.begin.column);
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

  /// Inputs and parameters keep the order of the text.
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
    setAxisProperties(op);
    op.setArgAttrsAttr(builder.getArrayAttr(attributes));
    op.setResAttrsAttr(builder.getArrayAttr(
        builder.getDictionaryAttr(named("loss.result", builder.getStringAttr("value")))));
    if (!program.doc.empty())
      op->setAttr("loss.doc", builder.getStringAttr(program.doc));
    unsigned i = 0;
    for (const Node &node : program.nodes)
      if (node.op == Kind::Input || node.op == Kind::Param)
        op.getBody().getArgument(i++).setLoc(Location(locationOf(node.range)));
    return op;
  }

  void setAxisProperties(ProgramOp op) {
    for (const loss::lang::ProgramInput &input : program.inputs)
      if (input.kind == loss::lang::InputKind::Target)
        op.setClassAxisAttr(axes[input.classAxis]);
    SmallVector<NamedAttribute> copies;
    for (auto [axis, original] : llvm::zip_equal(axes, program.copyOf))
      if (original >= 0)
        copies.push_back(named(axis, axes[original]));
    if (!copies.empty())
      op.setCopiesAttr(builder.getDictionaryAttr(copies));
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

  Value constant(const Node &node) {
    if (node.type.isBool)
      return arith::ConstantOp::create(builder, location, builder.getBoolAttr(node.value != 0));
    return number(node.value);
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

  Value half(Value x) { return arith::MulFOp::create(builder, location, x, like(0.5, x)); }

  /// A number with the axes of `x`.
  Value like(double value, Value x) {
    return broadcastTo(builder, location, number(value), x.getType());
  }

  /// x Phi(x) = x erfc(-x / sqrt 2) / 2: no cancellation below 0.
  Value gelu(const Node &node) {
    Value x = operand(node, 0);
    Value scaled = arith::MulFOp::create(builder, location, x, like(-1 / std::numbers::sqrt2, x));
    return arith::MulFOp::create(builder, location, x,
                                 half(math::ErfcOp::create(builder, location, scaled)));
  }

  Value silu(const Node &node) {
    Value x = operand(node, 0);
    return arith::MulFOp::create(builder, location, x, SigmoidOp::create(builder, location, x));
  }

  /// By comparisons, so that at a bound the gradient goes to x.
  Value clamp(const Node &node) {
    using P = arith::CmpFPredicate;
    Value x = operand(node, 0), low = operand(node, 1), high = operand(node, 2);
    Value below = arith::CmpFOp::create(builder, location, P::OLT, x, low);
    Value result = arith::SelectOp::create(builder, location, below, low, x);
    Value above = arith::CmpFOp::create(builder, location, P::OGT, result, high);
    result = arith::SelectOp::create(builder, location, above, high, result);
    auto isConstant = [&](unsigned i) {
      return program.nodes[node.operands[i]].op == Kind::Constant;
    };
    if (isConstant(1) && isConstant(2))
      return result;
    // A bound may be NaN.
    Value unordered = arith::CmpFOp::create(builder, location, P::UNO, low, high);
    Value sum = arith::AddFOp::create(builder, location, low, high);
    return arith::SelectOp::create(builder, location, unordered, sum, result);
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

  Value position(const Node &node) {
    Type type = typeOf(loss::lang::AxisSet(1) << node.axis, builder.getF64Type());
    return PositionOp::create(builder, location, type, axis(node));
  }

  /// The first position of the greatest (smallest) element: the smallest of their positions. NaN
  /// where an element is.
  Value extremalPosition(const Node &node, ReduceKind kind) {
    Value x = values[node.operands[0]];
    Value extremum = ReduceOp::create(builder, location, kind, x, axis(node));
    Value isExtremal = arith::CmpFOp::create(builder, location, arith::CmpFPredicate::OEQ, x,
                                             broadcastTo(builder, location, extremum, x.getType()));
    Value candidate = arith::SelectOp::create(
        builder, location, isExtremal, broadcastTo(builder, location, position(node), x.getType()),
        broadcastTo(builder, location, size(axis(node)), x.getType()));
    Value first = ReduceOp::create(builder, location, ReduceKind::min, candidate, axis(node));
    Value isNaN =
        arith::CmpFOp::create(builder, location, arith::CmpFPredicate::UNO, extremum, extremum);
    return arith::SelectOp::create(builder, location, isNaN,
                                   StopGradientOp::create(builder, location, extremum), first);
  }

  /// Operand 0 in the order of the axis, or of the key that operand 1 is.
  template <typename Op> Value cumulative(const Node &node) {
    Value key = node.operandCount > 1 ? operand(node, 1) : Value();
    return Op::create(builder, location, operand(node, 0).getType(), operand(node, 0), key,
                      axis(node), /*reverse=*/false);
  }

  /// How many elements come up to this one in descending order.
  Value rank(const Node &node) {
    Value ones = spread(number(1), node.type.axes);
    return CumsumOp::create(builder, location, ones.getType(), ones, operand(node, 0), axis(node),
                            /*reverse=*/false);
  }

  Value rename(const Node &node) {
    return RenameOp::create(builder, location, typeOf(node.type), values[node.operands[0]],
                            axis(node), axes[node.axis2]);
  }

  Value customGradient(const Node &node) {
    // The partial derivative has every axis of the value, so that the incoming gradient meets it.
    loss::lang::AxisSet wide = node.type.axes | program.nodes[node.operands[2]].type.axes;
    return CustomGradientOp::create(builder, location, operand(node, 0), values[node.operands[1]],
                                    spread(values[node.operands[2]], wide));
  }

  Value emit(ProgramOp op, const Node &node) {
    switch (node.op) {
    case Kind::Input:
    case Kind::Param:
      return op.getBody().getArgument(arguments++);
    case Kind::Constant:
      return constant(node);
    case Kind::Size:
      return size(axis(node));
    case Kind::Index:
      return position(node);
    case Kind::Rename:
      return rename(node);
    case Kind::Broadcast:
      return operand(node, 0);
    case Kind::CustomGradient:
      return customGradient(node);
    case Kind::stop_gradient:
      return unary<StopGradientOp>(node);
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
    case Kind::atan2:
      return binary<math::Atan2Op>(node);
    case Kind::hypot:
      return binary<HypotOp>(node);
    case Kind::xlogy:
      return binary<XlogyOp>(node);
    case Kind::lbeta:
      return binary<LogBetaOp>(node);
    case Kind::log_rising_factorial:
      return binary<LogRisingFactorialOp>(node);
    case Kind::digamma_difference:
      return binary<DigammaDifferenceOp>(node);
    case Kind::clamp:
      return clamp(node);
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
    case Kind::reduce_norm:
      return NormOp::create(builder, location, values[node.operands[0]], axis(node));
    case Kind::reduce_argmax:
      return extremalPosition(node, ReduceKind::max);
    case Kind::reduce_argmin:
      return extremalPosition(node, ReduceKind::min);
    case Kind::cumsum:
      return cumulative<CumsumOp>(node);
    case Kind::logcumsumexp:
      return cumulative<LogCumSumExpOp>(node);
    case Kind::rank:
      return rank(node);
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
    case Kind::log1mexp:
      return unary<Log1mExpOp>(node);
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
    case Kind::acosh:
      return unary<math::AcoshOp>(node);
    case Kind::atanh:
      return unary<math::AtanhOp>(node);
    case Kind::asin:
      return unary<math::AsinOp>(node);
    case Kind::acos:
      return unary<math::AcosOp>(node);
    case Kind::atan:
      return unary<math::AtanOp>(node);
    case Kind::erf:
      return unary<math::ErfOp>(node);
    case Kind::erfc:
      return unary<math::ErfcOp>(node);
    case Kind::erfinv:
      return unary<ErfInvOp>(node);
    case Kind::lgamma:
      return unary<LgammaOp>(node);
    case Kind::digamma:
      return unary<DigammaOp>(node);
    case Kind::trigamma:
      return unary<TrigammaOp>(node);
    case Kind::exprel:
      return unary<ExprelOp>(node);
    case Kind::stirling_error:
      return unary<StirlingErrorOp>(node);
    case Kind::gamma_entropy:
      return unary<GammaEntropyOp>(node);
    case Kind::sigmoid:
      return unary<SigmoidOp>(node);
    case Kind::log_sigmoid:
      return unary<LogSigmoidOp>(node);
    case Kind::softplus:
      return unary<SoftplusOp>(node);
    case Kind::relu:
      return relu(node);
    case Kind::gelu:
      return gelu(node);
    case Kind::silu:
      return silu(node);
    case Kind::floor:
      return unary<math::FloorOp>(node);
    case Kind::ceil:
      return unary<math::CeilOp>(node);
    case Kind::round:
      return unary<math::RoundEvenOp>(node);
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
  /// By SourceRange::file.
  SmallVector<StringAttr> files;
  SmallVector<StringAttr> axes;
  /// Location of every call, with the calls around it.
  SmallVector<Location> calls;
  SmallVector<Value> values;
  /// Inputs and parameters seen.
  unsigned arguments = 0;
  Location location = builder.getUnknownLoc();
};

} // namespace

OwningOpRef<ModuleOp> loss::generate(MLIRContext &context, const lang::Program &program) {
  context.loadDialect<LossDialect, arith::ArithDialect, math::MathDialect>();
  return Generator(context, program).run();
}
