//===- ToLanguage.cpp - a loss.program as a program of the language -------===//
//
// Operations become expressions again. Broadcasting is implicit in the language, so it disappears;
// where that would take an axis from an operation over it, or from the result, the axis is put
// back.
//
//===----------------------------------------------------------------------===//
#include "compiler/Export/ToLanguage.h"

#include "lang/AstPrinter.h"
#include "lang/Builtins.h"

#include "mlir/IR/Matchers.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/StringSet.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace loss;
using namespace loss::ir;
using lang::BinaryOp;
using lang::ExprPtr;
using lang::UnaryOp;

namespace {

using Axes = llvm::SmallSetVector<StringAttr, 4>;

/// An expression and the axes that it has in the language.
struct Written {
  ExprPtr expr;
  Axes axes;
};

class Writer {
public:
  explicit Writer(ProgramOp program) : program(program) {}
  FailureOr<lang::Block> run();

private:
  // Values.
  Written use(Value value);
  Written write(Operation *op);
  Written constant(TypedAttr value);
  void findReached();
  bool needsName(Operation *op);
  std::string nameFor(Operation *op);
  std::string unique(std::string base);

  // Operations.
  Written elementwise(Operation *op);
  Written call(StringRef function, Operation *op);
  Written compare(arith::CmpFOp op);
  Written reduce(ReduceOp op);
  Written overAxis(StringRef function, Value operand, StringAttr axis, bool keepsAxis);
  Written rename(RenameOp op);
  Written cumulative(StringRef function, Written x, Value key, StringAttr axis);
  Written cumsum(CumsumOp op);
  Written logCumSumExp(LogCumSumExpOp op);
  Written decayedCumsum(DecayedCumsumOp op);
  ExprPtr reversedKey(Value key, StringAttr axis, Axes &axes);
  Written binary(BinaryOp kind, Written x, Written y);
  Written negate(Written x) { return {lang::makeUnary(UnaryOp::Not, std::move(x.expr)), x.axes}; }
  Written size(StringAttr axis);
  /// `value` with at least these axes: 0 index(axis) has the axis and changes nothing.
  Written withAxes(Written value, ArrayRef<StringAttr> wanted);
  Written unknown(Operation *op);

  ProgramOp program;
  /// The operations that the result is made of. Those that only say what a derivative would be are
  /// left out.
  llvm::DenseSet<Operation *> reached;
  llvm::DenseMap<Value, std::string> names;
  llvm::DenseMap<Value, Axes> axesOfNamed;
  llvm::StringSet<> taken;
  unsigned count = 0;
  bool hasFailed = false;
};

/// Behind the broadcasts.
Value stripped(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getInput();
  return value;
}

bool isNumber(Value value) {
  FloatAttr constant;
  return matchPattern(value, m_Constant(&constant)) && !constant.getValue().isNaN();
}

ExprPtr number(double value) {
  if (std::isnan(value))
    return lang::makeBinary(BinaryOp::Div, lang::makeNumber(0), lang::makeNumber(0));
  ExprPtr magnitude =
      std::isinf(value) ? lang::makeBinary(BinaryOp::Div, lang::makeNumber(1), lang::makeNumber(0))
                        : lang::makeNumber(std::abs(value));
  return std::signbit(value) ? lang::makeUnary(UnaryOp::Neg, std::move(magnitude))
                             : std::move(magnitude);
}

} // namespace

Written Writer::unknown(Operation *op) {
  if (!hasFailed)
    op->emitError("the derivative needs '")
        << op->getName().stripDialect() << "', which has no name in the language";
  hasFailed = true;
  return {lang::makeNumber(0), {}};
}

Written Writer::constant(TypedAttr value) {
  if (auto real = dyn_cast<FloatAttr>(value))
    return {number(real.getValueAsDouble()), {}};
  return {lang::makeName(cast<IntegerAttr>(value).getValue().isZero() ? "false" : "true"), {}};
}

Written Writer::use(Value value) {
  value = stripped(value);
  if (auto named = names.find(value); named != names.end())
    return {lang::makeName(named->second), axesOfNamed[value]};
  return write(value.getDefiningOp());
}

std::string Writer::unique(std::string base) {
  std::string name = base;
  for (unsigned i = 2; !taken.insert(name).second; ++i)
    name = base + std::to_string(i);
  return name;
}

std::string Writer::nameFor(Operation *op) {
  std::string base =
      llvm::TypeSwitch<Operation *, std::string>(op)
          .Case<SoftmaxOp>([](auto) { return "p"; })
          .Case<LogSoftmaxOp>([](auto) { return "logp"; })
          .Case<ReduceOp>([](ReduceOp reduce) {
            return reduce.getKind() == ReduceKind::sum ? "total" : "extremum";
          })
          .Case<arith::CmpFOp, arith::AndIOp, arith::OrIOp>([](auto) { return "condition"; })
          .Default([](auto) { return ""; });
  return base.empty() ? unique("t" + std::to_string(++count)) : unique(base);
}

/// Whether the language needs the operands more than once for this.
static bool isWrittenTwice(Operation *op) {
  if (isa<SigmoidSlopeOp>(op))
    return true;
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return compare.getPredicate() == arith::CmpFPredicate::ORD ||
           compare.getPredicate() == arith::CmpFPredicate::UNO;
  auto cumsum = dyn_cast<CumsumOp>(op);
  return (cumsum && cumsum.getReverse()) || isa<DecayedCumsumOp>(op);
}

/// A gradient is a value like others: what its own derivative would be matters no more.
bool isOnlyForDerivative(OpOperand &operand) {
  return isa<CustomGradientOp>(operand.getOwner()) && operand.getOperandNumber() > 0;
}

void Writer::findReached() {
  SmallVector<Operation *> open = {program.getYield()};
  while (!open.empty())
    for (OpOperand &operand : open.pop_back_val()->getOpOperands())
      if (Operation *op = operand.get().getDefiningOp();
          op && !isOnlyForDerivative(operand) && reached.insert(op).second)
        open.push_back(op);
}

bool Writer::needsName(Operation *op) {
  unsigned uses = 0;
  SmallVector<Value> values = {op->getResult(0)};
  while (!values.empty())
    for (OpOperand &operand : values.pop_back_val().getUses()) {
      if (isOnlyForDerivative(operand) ||
          !(reached.contains(operand.getOwner()) || isa<YieldOp>(operand.getOwner())))
        continue;
      if (auto broadcast = dyn_cast<BroadcastOp>(operand.getOwner()))
        values.push_back(broadcast.getResult());
      else
        uses += isWrittenTwice(operand.getOwner()) ? 2 : 1;
    }
  return uses > 1;
}

FailureOr<lang::Block> Writer::run() {
  for (auto [i, argument] : llvm::enumerate(program.getBody().getArguments())) {
    std::string name = program.getArgName(i).str();
    taken.insert(name);
    names[argument] = name;
    axesOfNamed[argument] =
        Axes(ir::axesOf(argument.getType()).begin(), ir::axesOf(argument.getType()).end());
  }
  for (const lang::BuiltinConstant &constant : lang::builtinConstants())
    taken.insert(constant.name);
  lang::Block block;
  constexpr size_t longest = 88;
  findReached();
  for (Operation &op : program.getBody().front().without_terminator()) {
    if (!reached.contains(&op) || isa<BroadcastOp, arith::ConstantOp, AxisSizeOp, PositionOp>(op))
      continue;
    bool shared = needsName(&op);
    // What is used once stands in its place, unless that makes a long line.
    if (!shared && lang::print(*write(&op).expr).size() <= longest)
      continue;
    Written written = write(&op);
    if (hasFailed)
      break;
    std::string name = nameFor(&op);
    names[op.getResult(0)] = name;
    axesOfNamed[op.getResult(0)] = written.axes;
    block.lets.push_back({{name, {}}, std::move(written.expr), {}});
  }
  if (DictionaryAttr copies = program.getCopiesAttr())
    for (NamedAttribute copy : copies)
      block.axes.push_back(
          {{copy.getName().str(), {}}, {cast<StringAttr>(copy.getValue()).str(), {}}, {}});
  Value result = program.getYield().getValues().front();
  block.result = withAxes(use(result), ir::axesOf(result.getType())).expr;
  if (hasFailed)
    return failure();
  return block;
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

Written Writer::binary(BinaryOp kind, Written x, Written y) {
  x.axes.insert(y.axes.begin(), y.axes.end());
  return {lang::makeBinary(kind, std::move(x.expr), std::move(y.expr)), x.axes};
}

Written Writer::size(StringAttr axis) {
  std::vector<ExprPtr> operands;
  operands.push_back(lang::makeName(axis.str()));
  return {lang::makeCall("size", std::move(operands)), {}};
}

Written Writer::withAxes(Written value, ArrayRef<StringAttr> wanted) {
  for (StringAttr axis : wanted) {
    if (value.axes.contains(axis))
      continue;
    std::vector<ExprPtr> operands;
    operands.push_back(lang::makeName(axis.str()));
    Written zeros = {lang::makeBinary(BinaryOp::Mul, lang::makeNumber(0),
                                      lang::makeCall("index", std::move(operands))),
                     {}};
    zeros.axes.insert(axis);
    value = binary(BinaryOp::Add, std::move(value), std::move(zeros));
  }
  return value;
}

Written Writer::overAxis(StringRef function, Value operand, StringAttr axis, bool keepsAxis) {
  Written x = withAxes(use(operand), axis);
  Axes axes = x.axes;
  if (!keepsAxis)
    axes.remove(axis);
  std::vector<ExprPtr> operands;
  operands.push_back(std::move(x.expr));
  return {lang::makeCall(function.str(), std::move(operands), {axis.str()}), axes};
}

Written Writer::reduce(ReduceOp op) {
  StringAttr axis = op.getAxisAttr();
  // A sum of equal elements is a product, their maximum is one of them.
  if (Written x = use(op.getInput()); !x.axes.contains(axis))
    return op.getKind() == ReduceKind::sum ? binary(BinaryOp::Mul, std::move(x), size(axis))
                                           : std::move(x);
  switch (op.getKind()) {
  case ReduceKind::sum:
    return overAxis("sum", op.getInput(), axis, false);
  case ReduceKind::max:
    return overAxis("max", op.getInput(), axis, false);
  case ReduceKind::min:
    return overAxis("min", op.getInput(), axis, false);
  default:
    return unknown(op);
  }
}

Written Writer::cumulative(StringRef function, Written x, Value key, StringAttr axis) {
  x = withAxes(std::move(x), axis);
  Axes axes = x.axes;
  std::vector<ExprPtr> operands;
  operands.push_back(std::move(x.expr));
  if (key) {
    Written by = withAxes(use(key), axis);
    axes.insert(by.axes.begin(), by.axes.end());
    operands.push_back(std::move(by.expr));
  }
  ExprPtr call = lang::makeCall(function.str(), std::move(operands), {axis.str()});
  call->hasKey = static_cast<bool>(key);
  return {std::move(call), axes};
}

Written Writer::cumsum(CumsumOp op) {
  StringAttr axis = op.getAxisAttr();
  Written sum = cumulative("cumsum", use(op.getInput()), op.getKey(), axis);
  if (!op.getReverse())
    return sum;
  // Those from an element on: all, without those up to it, and the element itself.
  Written total = overAxis("sum", op.getInput(), axis, false);
  Written others = binary(BinaryOp::Sub, std::move(total), std::move(sum));
  return binary(BinaryOp::Add, std::move(others), use(op.getInput()));
}

Written Writer::logCumSumExp(LogCumSumExpOp op) {
  if (op.getReverse())
    return unknown(op);
  return cumulative("logcumsumexp", use(op.getInput()), op.getKey(), op.getAxisAttr());
}

/// The rank of the key has no ties and turns the order round as its negative; without a key the
/// position does.
ExprPtr Writer::reversedKey(Value key, StringAttr axis, Axes &axes) {
  if (!key) {
    axes.insert(axis);
    std::vector<ExprPtr> operands;
    operands.push_back(lang::makeName(axis.str()));
    return lang::makeCall("index", std::move(operands));
  }
  Written by = withAxes(use(key), axis);
  axes.insert(by.axes.begin(), by.axes.end());
  std::vector<ExprPtr> operands;
  operands.push_back(std::move(by.expr));
  return lang::makeCall("rank", std::move(operands), {axis.str()});
}

/// Of the positive elements and of the negative ones: exp(logcumsumexp(log(x) + l) - l) where the
/// level falls behind, exp(l + logcumsumexp(log(x) - l)) where it rises.
Written Writer::decayedCumsum(DecayedCumsumOp op) {
  StringAttr axis = op.getAxisAttr();
  bool reverse = op.getReverse();
  auto part = [&](bool negative) {
    Written x = use(op.getInput());
    if (negative)
      x.expr = lang::makeUnary(UnaryOp::Neg, std::move(x.expr));
    std::vector<ExprPtr> positive, logOf;
    positive.push_back(std::move(x.expr));
    logOf.push_back(lang::makeCall("relu", std::move(positive)));
    x.expr = lang::makeCall("log", std::move(logOf));
    Written terms = withAxes(
        binary(reverse ? BinaryOp::Sub : BinaryOp::Add, std::move(x), use(op.getLevel())), axis);
    Written sum;
    if (reverse) {
      Axes axes = terms.axes;
      std::vector<ExprPtr> operands;
      operands.push_back(std::move(terms.expr));
      operands.push_back(reversedKey(op.getKey(), axis, axes));
      ExprPtr call = lang::makeCall("logcumsumexp", std::move(operands), {axis.str()});
      call->hasKey = true;
      sum = {std::move(call), axes};
    } else {
      sum = cumulative("logcumsumexp", std::move(terms), op.getKey(), axis);
    }
    Written log =
        binary(reverse ? BinaryOp::Add : BinaryOp::Sub, std::move(sum), use(op.getLevel()));
    std::vector<ExprPtr> operands;
    operands.push_back(std::move(log.expr));
    return Written{lang::makeCall("exp", std::move(operands)), log.axes};
  };
  // Of a constant there is only one part.
  if (FloatAttr number; matchPattern(stripped(op.getInput()), m_Constant(&number))) {
    Written one = part(number.getValue().isNegative());
    if (number.getValue().isNegative())
      one.expr = lang::makeUnary(UnaryOp::Neg, std::move(one.expr));
    return one;
  }
  Written positive = part(false);
  return binary(BinaryOp::Sub, std::move(positive), part(true));
}

Written Writer::rename(RenameOp op) {
  Written x = use(op.getInput());
  if (!x.axes.remove(op.getFromAttr()))
    return x;
  x.axes.insert(op.getToAttr());
  return {lang::makeRename(std::move(x.expr), op.getFrom().str(), op.getTo().str()), x.axes};
}

Written Writer::compare(arith::CmpFOp op) {
  auto make = [&](BinaryOp kind) { return binary(kind, use(op.getLhs()), use(op.getRhs())); };
  // NaN is unequal to itself; constants are numbers.
  auto areNumbers = [&](BinaryOp join, BinaryOp kind) {
    llvm::SmallSetVector<Value, 2> values;
    for (Value value : op.getOperands())
      if (!isNumber(stripped(value)))
        values.insert(stripped(value));
    if (values.empty())
      return make(kind);
    Written first = binary(kind, use(values.front()), use(values.front()));
    if (values.size() == 1)
      return first;
    return binary(join, std::move(first), binary(kind, use(values.back()), use(values.back())));
  };
  switch (op.getPredicate()) {
  case arith::CmpFPredicate::OLT:
    return make(BinaryOp::Less);
  case arith::CmpFPredicate::OLE:
    return make(BinaryOp::LessEqual);
  case arith::CmpFPredicate::OGT:
    return make(BinaryOp::Greater);
  case arith::CmpFPredicate::OGE:
    return make(BinaryOp::GreaterEqual);
  case arith::CmpFPredicate::OEQ:
    return make(BinaryOp::Equal);
  case arith::CmpFPredicate::UNE:
    return make(BinaryOp::NotEqual);
  // The opposite of an ordered comparison.
  case arith::CmpFPredicate::UGE:
    return negate(make(BinaryOp::Less));
  case arith::CmpFPredicate::UGT:
    return negate(make(BinaryOp::LessEqual));
  case arith::CmpFPredicate::ULE:
    return negate(make(BinaryOp::Greater));
  case arith::CmpFPredicate::ULT:
    return negate(make(BinaryOp::GreaterEqual));
  case arith::CmpFPredicate::ONE:
    return binary(BinaryOp::Or, make(BinaryOp::Less), make(BinaryOp::Greater));
  case arith::CmpFPredicate::UEQ:
    return negate(binary(BinaryOp::Or, make(BinaryOp::Less), make(BinaryOp::Greater)));
  case arith::CmpFPredicate::ORD:
    return areNumbers(BinaryOp::And, BinaryOp::Equal);
  case arith::CmpFPredicate::UNO:
    return areNumbers(BinaryOp::Or, BinaryOp::NotEqual);
  default:
    return unknown(op);
  }
}

Written Writer::call(StringRef function, Operation *op) {
  Axes axes;
  std::vector<ExprPtr> operands;
  for (Value operand : op->getOperands()) {
    Written written = use(operand);
    axes.insert(written.axes.begin(), written.axes.end());
    operands.push_back(std::move(written.expr));
  }
  return {lang::makeCall(function.str(), std::move(operands)), axes};
}

/// Functions whose operation has another name than the function.
static StringRef functionName(Operation *op) {
  StringRef name = op->getName().stripDialect();
  return llvm::StringSwitch<StringRef>(name)
      .Case("absf", "abs")
      .Case("maximumf", "max")
      .Case("minimumf", "min")
      .Case("roundeven", "round")
      .Default(name);
}

Written Writer::elementwise(Operation *op) {
  StringRef name = functionName(op);
  const lang::Builtin *builtin = lang::findBuiltin({name.data(), name.size()}, false);
  if (!builtin || lang::worksOverAxis(builtin->kind))
    return unknown(op);
  return call(name, op);
}

Written Writer::write(Operation *op) {
  auto infix = [&](BinaryOp kind) {
    return binary(kind, use(op->getOperand(0)), use(op->getOperand(1)));
  };
  return llvm::TypeSwitch<Operation *, Written>(op)
      .Case<arith::ConstantOp>([&](auto op) { return constant(op.getValue()); })
      .Case<arith::AddFOp>([&](auto) { return infix(BinaryOp::Add); })
      .Case<arith::SubFOp>([&](auto) { return infix(BinaryOp::Sub); })
      .Case<arith::MulFOp>([&](auto) { return infix(BinaryOp::Mul); })
      .Case<arith::DivFOp>([&](auto) { return infix(BinaryOp::Div); })
      .Case<math::PowFOp>([&](auto) { return infix(BinaryOp::Pow); })
      .Case<arith::AndIOp>([&](auto) { return infix(BinaryOp::And); })
      .Case<arith::OrIOp>([&](auto) { return infix(BinaryOp::Or); })
      .Case<arith::NegFOp>([&](auto op) {
        Written x = use(op.getOperand());
        return Written{lang::makeUnary(UnaryOp::Neg, std::move(x.expr)), x.axes};
      })
      .Case<arith::XOrIOp>([&](arith::XOrIOp op) {
        auto truth = stripped(op.getRhs()).getDefiningOp<arith::ConstantOp>();
        if (!truth || cast<IntegerAttr>(truth.getValue()).getValue().isZero())
          return unknown(op);
        return negate(use(op.getLhs()));
      })
      .Case<arith::SelectOp>([&](arith::SelectOp op) {
        Written c = use(op.getCondition()), x = use(op.getTrueValue()), y = use(op.getFalseValue());
        c.axes.insert(x.axes.begin(), x.axes.end());
        c.axes.insert(y.axes.begin(), y.axes.end());
        return Written{lang::makeIf(std::move(c.expr), std::move(x.expr), std::move(y.expr)),
                       c.axes};
      })
      .Case<arith::CmpFOp>([&](arith::CmpFOp op) { return compare(op); })
      .Case<math::RsqrtOp>([&](math::RsqrtOp op) {
        Written root = call("sqrt", op);
        return Written{lang::makeBinary(BinaryOp::Div, lang::makeNumber(1), std::move(root.expr)),
                       root.axes};
      })
      // s'(x) = s(x) s(-x) for the sigmoid s.
      .Case<SigmoidSlopeOp>([&](SigmoidSlopeOp op) {
        auto sigmoid = [](ExprPtr x) {
          std::vector<ExprPtr> operands;
          operands.push_back(std::move(x));
          return lang::makeCall("sigmoid", std::move(operands));
        };
        Written x = use(op.getInput());
        Written again = use(op.getInput());
        return Written{
            lang::makeBinary(BinaryOp::Mul, sigmoid(std::move(x.expr)),
                             sigmoid(lang::makeUnary(UnaryOp::Neg, std::move(again.expr)))),
            x.axes};
      })
      .Case<AxisSizeOp>([&](AxisSizeOp op) { return size(op.getAxisAttr()); })
      .Case<PositionOp>([&](PositionOp op) {
        Written axis = size(op.getAxisAttr());
        axis.expr->text = "index";
        axis.axes.insert(op.getAxisAttr());
        return axis;
      })
      .Case<ReduceOp>([&](ReduceOp op) { return reduce(op); })
      .Case<RenameOp>([&](RenameOp op) { return rename(op); })
      .Case<CumsumOp>([&](CumsumOp op) { return cumsum(op); })
      .Case<LogCumSumExpOp>([&](LogCumSumExpOp op) { return logCumSumExp(op); })
      .Case<DecayedCumsumOp>([&](DecayedCumsumOp op) { return decayedCumsum(op); })
      .Case<LogSumExpOp, NormOp>([&](auto op) {
        return overAxis(op->getName().stripDialect(), op.getInput(), op.getAxisAttr(), false);
      })
      .Case<SoftmaxOp, LogSoftmaxOp>([&](auto op) {
        return overAxis(op->getName().stripDialect(), op.getInput(), op.getAxisAttr(), true);
      })
      .Case<CustomGradientOp>([&](CustomGradientOp op) { return use(op.getValue()); })
      .Case<StopGradientOp>([&](StopGradientOp op) { return use(op.getInput()); })
      .Default([&](Operation *op) { return elementwise(op); });
}

//===----------------------------------------------------------------------===//
// Files
//===----------------------------------------------------------------------===//

FailureOr<lang::Block> loss::blockOf(ProgramOp program) { return Writer(program).run(); }

FailureOr<lang::File> loss::gradientFile(lang::File file, ProgramOp gradient,
                                         const std::string &wrt) {
  FailureOr<lang::Block> body = blockOf(gradient);
  if (failed(body))
    return failure();
  lang::File out;
  for (auto &item : file.items) {
    auto *loss = std::get_if<lang::LossDef>(&item);
    if (!loss)
      continue;
    loss->doc = "Gradient of the loss '" + loss->name.name + "' with respect to '" + wrt +
                "', written by lossc grad.";
    loss->name.name += "_grad_" + wrt;
    loss->body = std::move(*body);
    // An option is decided: its value is part of the formula.
    std::erase_if(loss->args,
                  [](const lang::LossArg &arg) { return arg.kind == lang::LossArg::Kind::Option; });
    out.items.push_back(std::move(*loss));
    break;
  }
  return out;
}
