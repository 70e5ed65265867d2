//===- Interpreter.cpp - what a loss program means ------------------------===//

#include "compiler/Reference/Interpreter.h"

#include "compiler/Reference/Functions.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"
#include "llvm/ADT/TypeSwitch.h"

#include <cmath>

using namespace mlir;
using namespace loss::ir;
using namespace loss::ir::reference;

namespace {

using Unary = double (*)(double);
using Binary = double (*)(double, double);

double maximum(double a, double b) { return std::isnan(a) || a > b ? a : b; }
double minimum(double a, double b) { return std::isnan(a) || a < b ? a : b; }

Unary unaryFunction(Operation *op) {
#define FUNCTION(OP, ...)                                                                          \
  .Case<OP>([](Operation *) -> Unary { return [](double x) { return double(__VA_ARGS__); }; })
  return TypeSwitch<Operation *, Unary>(op)
      // clang-format off
      FUNCTION(arith::NegFOp, -x)
      FUNCTION(math::AbsFOp, std::abs(x))
      FUNCTION(math::ExpOp, std::exp(x))
      FUNCTION(math::Exp2Op, std::exp2(x))
      FUNCTION(math::ExpM1Op, std::expm1(x))
      FUNCTION(math::LogOp, std::log(x))
      FUNCTION(math::Log1pOp, std::log1p(x))
      FUNCTION(math::Log2Op, std::log2(x))
      FUNCTION(math::Log10Op, std::log10(x))
      FUNCTION(math::SqrtOp, std::sqrt(x))
      FUNCTION(math::RsqrtOp, 1 / std::sqrt(x))
      FUNCTION(math::SinOp, std::sin(x))
      FUNCTION(math::CosOp, std::cos(x))
      FUNCTION(math::TanOp, std::tan(x))
      FUNCTION(math::SinhOp, std::sinh(x))
      FUNCTION(math::CoshOp, std::cosh(x))
      FUNCTION(math::TanhOp, std::tanh(x))
      FUNCTION(math::AsinhOp, std::asinh(x))
      FUNCTION(math::AtanOp, std::atan(x))
      FUNCTION(math::ErfOp, std::erf(x))
      FUNCTION(math::ErfcOp, std::erfc(x))
      FUNCTION(SigmoidOp, sigmoid(x))
      FUNCTION(LogSigmoidOp, logSigmoid(x))
      FUNCTION(SoftplusOp, softplus(x))
      FUNCTION(SignOp, sign(x))
      FUNCTION(BesselI0Op, besselI0(x))
      FUNCTION(BesselI1Op, besselI1(x))
      FUNCTION(BesselI0eOp, besselI0e(x))
      FUNCTION(BesselI1eOp, besselI1e(x))
      .Default(Unary());
  // clang-format on
#undef FUNCTION
}

Binary comparison(arith::CmpFPredicate predicate) {
  using P = arith::CmpFPredicate;
  // Ordered predicates are false for NaN, unordered ones true.
#define COMPARISON(PREDICATE, ...)                                                                 \
  case P::PREDICATE:                                                                               \
    return [](double x, double y) { return double(__VA_ARGS__); }
  switch (predicate) {
    COMPARISON(AlwaysFalse, false);
    COMPARISON(OEQ, x == y);
    COMPARISON(OGT, x > y);
    COMPARISON(OGE, x >= y);
    COMPARISON(OLT, x < y);
    COMPARISON(OLE, x <= y);
    COMPARISON(ONE, x < y || x > y);
    COMPARISON(ORD, !std::isunordered(x, y));
    COMPARISON(UEQ, !(x < y || x > y));
    COMPARISON(UGT, !(x <= y));
    COMPARISON(UGE, !(x < y));
    COMPARISON(ULT, !(x >= y));
    COMPARISON(ULE, !(x > y));
    COMPARISON(UNE, x != y);
    COMPARISON(UNO, std::isunordered(x, y));
    COMPARISON(AlwaysTrue, true);
  }
#undef COMPARISON
  return nullptr;
}

Binary binaryFunction(Operation *op) {
  if (auto compare = dyn_cast<arith::CmpFOp>(op))
    return comparison(compare.getPredicate());
#define FUNCTION(OP, ...)                                                                          \
  .Case<OP>([](Operation *) -> Binary {                                                            \
    return [](double x, double y) { return double(__VA_ARGS__); };                                 \
  })
  return TypeSwitch<Operation *, Binary>(op)
      // clang-format off
      FUNCTION(arith::AddFOp, x + y)
      FUNCTION(arith::SubFOp, x - y)
      FUNCTION(arith::MulFOp, x * y)
      FUNCTION(arith::DivFOp, x / y)
      FUNCTION(arith::MaximumFOp, maximum(x, y))
      FUNCTION(arith::MinimumFOp, minimum(x, y))
      FUNCTION(arith::MaxNumFOp, std::fmax(x, y))
      FUNCTION(arith::MinNumFOp, std::fmin(x, y))
      FUNCTION(arith::AndIOp, x != 0 && y != 0)
      FUNCTION(arith::OrIOp, x != 0 || y != 0)
      FUNCTION(arith::XOrIOp, x != y)
      FUNCTION(math::PowFOp, std::pow(x, y))
      .Default(Binary());
  // clang-format on
#undef FUNCTION
}

/// The rows of one axis of an array: element j of a row lies `stride` after element j - 1.
struct AxisView {
  AxisView(const Array &array, StringRef axis) {
    size_t position = llvm::find(array.axes, axis) - array.axes.begin();
    for (size_t i = 0; i < array.axes.size(); ++i)
      (i < position ? outer : i == position ? size : stride) *= array.sizes[i];
  }
  /// First element of row (o, s).
  int64_t start(int64_t o, int64_t s) const { return o * size * stride + s; }

  int64_t outer = 1, size = 1, stride = 1;
};

/// One evaluation of a program.
class Interpreter {
public:
  explicit Interpreter(ProgramOp program) : program(program) {}

  LogicalResult bind(const Arguments &arguments);
  LogicalResult run();
  std::vector<Array> results();

private:
  LogicalResult bindArgument(unsigned i, const Arguments &arguments);
  FailureOr<Array> evaluate(Operation *op);
  FailureOr<Array> elementwise(Operation *op);
  FailureOr<Array> gather(GatherOp op);
  FailureOr<Array> oneHot(OneHotOp op);
  Array broadcast(BroadcastOp op);
  /// `f` maps a row of the input to the row, or the one element, of the result.
  Array alongAxis(Operation *op, StringRef axis,
                  function_ref<void(ArrayRef<double>, MutableArrayRef<double>)> f);
  FailureOr<int64_t> classAt(Operation *op, double index, int64_t size);

  Array empty(Type type);
  const Array &operand(Operation *op, unsigned i) { return values[op->getOperand(i)]; }

  ProgramOp program;
  llvm::StringMap<int64_t> sizes;
  llvm::DenseMap<Value, Array> values;
};

} // namespace

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::bind(const Arguments &arguments) {
  for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i)
    if (failed(bindArgument(i, arguments)))
      return failure();
  return success();
}

LogicalResult Interpreter::bindArgument(unsigned i, const Arguments &arguments) {
  StringRef name = program.getArgName(i);
  ArrayRef<StringAttr> axes = axesOf(program.getArgument(i).getType());
  Array &value = values[program.getArgument(i)];
  if (auto found = arguments.find(name.str()); found != arguments.end())
    value = found->second;
  else if (auto fallback = program.getArgAttrOfType<FloatAttr>(i, "loss.default"))
    value = Array(fallback.getValueAsDouble());
  else
    return program.emitOpError("expected a value for argument '") << name << "', but found none";

  bool fits = axes.size() == value.axes.size() && axes.size() == value.sizes.size();
  for (size_t a = 0; fits && a < axes.size(); ++a) {
    fits = axes[a].getValue() == value.axes[a];
    if (!fits)
      break;
    int64_t &size = sizes.try_emplace(axes[a].getValue(), value.sizes[a]).first->second;
    if (size != value.sizes[a])
      return program.emitOpError("expected argument '")
             << name << "' to have " << size << " elements along axis '" << axes[a].getValue()
             << "', but found " << value.sizes[a];
  }
  if (!fits)
    return program.emitOpError("expected argument '")
           << name << "' to have the axes of " << program.getArgument(i).getType();
  return success();
}

//===----------------------------------------------------------------------===//
// Operations
//===----------------------------------------------------------------------===//

LogicalResult Interpreter::run() {
  for (Operation &op : program.getBody().front().without_terminator()) {
    for (Value result : op.getResults())
      for (StringAttr axis : axesOf(result.getType()))
        if (!sizes.contains(axis.getValue()))
          return op.emitOpError("expected an argument with axis '") << axis.getValue() << "'";
    FailureOr<Array> result = evaluate(&op);
    if (failed(result))
      return failure();
    values[op.getResult(0)] = std::move(*result);
  }
  return success();
}

std::vector<Array> Interpreter::results() {
  std::vector<Array> results;
  for (Value value : program.getYield().getValues())
    results.push_back(values[value]);
  return results;
}

Array Interpreter::empty(Type type) {
  std::vector<std::string> names;
  std::vector<int64_t> counts;
  for (StringAttr axis : axesOf(type)) {
    names.push_back(axis.str());
    counts.push_back(sizes.lookup(axis.getValue()));
  }
  return Array(std::move(names), std::move(counts));
}

static double total(ArrayRef<double> row) {
  long double sum = 0;
  for (double x : row)
    sum += x;
  return double(sum);
}

static double greatest(ArrayRef<double> row) {
  double result = -std::numeric_limits<double>::infinity();
  for (double x : row)
    result = maximum(result, x);
  return result;
}

static double least(ArrayRef<double> row) {
  double result = std::numeric_limits<double>::infinity();
  for (double x : row)
    result = minimum(result, x);
  return result;
}

static double logSumExp(ArrayRef<double> row) {
  double shift = greatest(row);
  if (!std::isfinite(shift))
    shift = 0;
  long double sum = 0;
  for (double x : row)
    sum += std::exp(x - shift);
  return shift + double(std::log(sum));
}

FailureOr<Array> Interpreter::evaluate(Operation *op) {
  using Row = ArrayRef<double>;
  using Out = MutableArrayRef<double>;
  return TypeSwitch<Operation *, FailureOr<Array>>(op)
      .Case([&](arith::ConstantOp constant) -> FailureOr<Array> {
        if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
          return Array(number.getValueAsDouble());
        if (auto integer = dyn_cast<IntegerAttr>(constant.getValue()))
          return Array(double(integer.getValue().getZExtValue()));
        return op->emitOpError("expected a number or a boolean");
      })
      .Case([&](AxisSizeOp size) -> FailureOr<Array> {
        if (!sizes.contains(size.getAxis()))
          return op->emitOpError("expected an argument with axis '") << size.getAxis() << "'";
        return Array(double(sizes.lookup(size.getAxis())));
      })
      .Case([&](BroadcastOp cast) { return broadcast(cast); })
      .Case([&](ReduceOp reduce) {
        return alongAxis(op, reduce.getAxis(), [&](Row x, Out out) {
          ReduceKind kind = reduce.getKind();
          out[0] = kind == ReduceKind::sum   ? total(x)
                   : kind == ReduceKind::max ? greatest(x)
                                             : least(x);
        });
      })
      .Case([&](LogSumExpOp lse) {
        return alongAxis(op, lse.getAxis(), [](Row x, Out out) { out[0] = logSumExp(x); });
      })
      .Case([&](LogSoftmaxOp softmax) {
        return alongAxis(op, softmax.getAxis(), [](Row x, Out out) {
          // The maximum first: x - logsumexp(x) would cancel for large x.
          double m = greatest(x);
          long double sum = 0;
          for (double v : x)
            sum += std::exp(v - m);
          for (size_t i = 0; i < x.size(); ++i)
            out[i] = (x[i] - m) - double(std::log(sum));
        });
      })
      .Case([&](SoftmaxOp softmax) {
        return alongAxis(op, softmax.getAxis(), [](Row x, Out out) {
          double m = greatest(x);
          long double sum = 0;
          for (double v : x)
            sum += std::exp(v - m);
          for (size_t i = 0; i < x.size(); ++i)
            out[i] = double(std::exp(x[i] - m) / sum);
        });
      })
      .Case([&](GatherOp gatherOp) { return gather(gatherOp); })
      .Case([&](OneHotOp oneHotOp) { return oneHot(oneHotOp); })
      .Default([&](Operation *) { return elementwise(op); });
}

FailureOr<Array> Interpreter::elementwise(Operation *op) {
  Unary unary = unaryFunction(op);
  Binary binary = binaryFunction(op);
  if (!unary && !binary && !isa<arith::SelectOp>(op))
    return op->emitOpError("expected an operation that the interpreter knows");
  Array result = empty(op->getResult(0).getType());
  // All operands have the result's axes, but the condition of a select may be a number.
  auto at = [&](unsigned i, size_t k) {
    const Array &array = operand(op, i);
    return array.axes.empty() ? array.data[0] : array.data[k];
  };
  for (size_t k = 0; k < result.data.size(); ++k)
    result.data[k] = unary           ? unary(at(0, k))
                     : binary        ? binary(at(0, k), at(1, k))
                     : at(0, k) != 0 ? at(1, k)
                                     : at(2, k);
  return result;
}

Array Interpreter::broadcast(BroadcastOp op) {
  const Array &from = operand(op, 0);
  Array result = empty(op.getType());
  // Stride in the input for each axis of the result: 0 along the new ones.
  std::vector<int64_t> strides(result.axes.size(), 0);
  int64_t stride = 1;
  for (size_t i = from.axes.size(); i-- > 0; stride *= from.sizes[i])
    strides[llvm::find(result.axes, from.axes[i]) - result.axes.begin()] = stride;
  for (size_t k = 0; k < result.data.size(); ++k) {
    int64_t rest = k, source = 0;
    for (size_t a = result.axes.size(); a-- > 0; rest /= result.sizes[a])
      source += rest % result.sizes[a] * strides[a];
    result.data[k] = from.data[source];
  }
  return result;
}

Array Interpreter::alongAxis(Operation *op, StringRef axis,
                             function_ref<void(ArrayRef<double>, MutableArrayRef<double>)> f) {
  const Array &from = operand(op, 0);
  Array result = empty(op->getResult(0).getType());
  AxisView view(from, axis);
  bool reduces = result.axes.size() < from.axes.size();
  std::vector<double> in(view.size), out(reduces ? 1 : view.size);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t s = 0; s < view.stride; ++s) {
      for (int64_t j = 0; j < view.size; ++j)
        in[j] = from.data[view.start(o, s) + j * view.stride];
      f(in, out);
      if (reduces)
        result.data[o * view.stride + s] = out[0];
      else
        for (int64_t j = 0; j < view.size; ++j)
          result.data[view.start(o, s) + j * view.stride] = out[j];
    }
  return result;
}

FailureOr<int64_t> Interpreter::classAt(Operation *op, double index, int64_t size) {
  if (index >= 0 && index < double(size) && std::trunc(index) == index)
    return int64_t(index);
  return op->emitOpError("expected a class index from 0 to ")
         << size - 1 << ", but found " << index;
}

FailureOr<Array> Interpreter::gather(GatherOp op) {
  const Array &from = operand(op, 0), &index = operand(op, 1);
  Array result = empty(op.getType());
  AxisView view(from, op.getAxis());
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t s = 0; s < view.stride; ++s) {
      int64_t k = o * view.stride + s;
      FailureOr<int64_t> j = classAt(op, index.data[k], view.size);
      if (failed(j))
        return failure();
      result.data[k] = from.data[view.start(o, s) + *j * view.stride];
    }
  return result;
}

FailureOr<Array> Interpreter::oneHot(OneHotOp op) {
  const Array &index = operand(op, 0);
  Array result = empty(op.getType());
  AxisView view(result, op.getAxis());
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t s = 0; s < view.stride; ++s) {
      FailureOr<int64_t> j = classAt(op, index.data[o * view.stride + s], view.size);
      if (failed(j))
        return failure();
      result.data[view.start(o, s) + *j * view.stride] = 1;
    }
  return result;
}

FailureOr<std::vector<Array>> reference::evaluate(ProgramOp program, const Arguments &arguments) {
  Interpreter interpreter(program);
  if (failed(interpreter.bind(arguments)) || failed(interpreter.run()))
    return failure();
  return interpreter.results();
}
