//===- BasicInterpreter.h - the interpreter, for any scalar -----*- C++ -*-===//
//
// Elementwise.h has the operations that work element by element; here are those over axes.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_REFERENCE_BASICINTERPRETER_H
#define LOSSLANG_REFERENCE_BASICINTERPRETER_H

#include "compiler/Reference/Array.h"
#include "compiler/Reference/Elementwise.h"

#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/StringMap.h"

namespace loss::ir::reference {

using llvm::ArrayRef, llvm::StringRef, llvm::TypeSwitch, llvm::dyn_cast, llvm::isa;
using mlir::failed, mlir::FailureOr, mlir::failure, mlir::success;
using mlir::FloatAttr, mlir::IntegerAttr, mlir::StringAttr, mlir::Type, mlir::Value;

/// The rows of one axis of an array: element j of a row lies `stride` after element j - 1.
struct AxisView {
  template <typename S> AxisView(const BasicArray<S> &array, StringRef axis) {
    size_t position = llvm::find(array.axes, axis) - array.axes.begin();
    for (size_t i = 0; i < array.axes.size(); ++i)
      (i < position ? outer : i == position ? size : stride) *= array.sizes[i];
  }
  /// First element of row (o, s).
  int64_t start(int64_t o, int64_t s) const { return o * size * stride + s; }

  int64_t outer = 1, size = 1, stride = 1;
};

template <typename S> S greatest(ArrayRef<S> row) {
  S result = -std::numeric_limits<double>::infinity();
  for (const S &x : row)
    result = maximum(result, x);
  return result;
}

template <typename S> S least(ArrayRef<S> row) {
  S result = std::numeric_limits<double>::infinity();
  for (const S &x : row)
    result = minimum(result, x);
  return result;
}

/// exp(x - shift) of a row.
template <typename S> std::vector<S> shiftedExp(ArrayRef<S> row, const S &shift) {
  std::vector<S> result;
  for (const S &x : row)
    result.push_back(exp(x - shift));
  return result;
}

template <typename S> S logSumExp(ArrayRef<S> row) {
  S shift = greatest(row);
  if (!std::isfinite(toDouble(shift)))
    shift = 0;
  return shift + log(total(ArrayRef<S>(shiftedExp(row, shift))));
}

/// A stop_gradient that is more than the inside of a function whose derivative is given.
inline bool stopsGradient(mlir::Operation *op) {
  return isa<StopGradientOp>(op) && !llvm::any_of(op->getUses(), [](mlir::OpOperand &use) {
           return isa<CustomGradientOp>(use.getOwner()) && use.getOperandNumber() == 0;
         });
}

/// One evaluation of a program.
template <typename S> class BasicInterpreter {
public:
  using Array = BasicArray<S>;
  using Arguments = BasicArguments<S>;

  explicit BasicInterpreter(ProgramOp program) : program(program) {}

  /// Arguments by name. One of kind "tangent" has the name of the argument that it is a direction
  /// of: those are in `tangents`.
  llvm::LogicalResult bind(const Arguments &arguments, const Arguments &tangents = {});
  llvm::LogicalResult run();
  std::vector<Array> results();

  /// The values that stop_gradient gave, in order, but for those of functions whose derivative is
  /// given. With `freezeStopped` a later evaluation uses these instead of its own: differences of
  /// such evaluations are derivatives as the language means them.
  std::vector<Array> stoppedValues();
  void freezeStopped(const std::vector<Array> &values) { stopped = &values; }

private:
  using Operation = mlir::Operation;
  using Row = ArrayRef<S>;
  using Out = llvm::MutableArrayRef<S>;

  llvm::LogicalResult bindArgument(unsigned i, const Arguments &arguments);
  FailureOr<Array> evaluate(Operation *op);
  FailureOr<Array> elementwise(Operation *op);
  FailureOr<Array> gather(GatherOp op);
  FailureOr<Array> oneHot(OneHotOp op);
  Array cumulative(const Cumulative &op, const Array &from);
  /// Operand 0 by the names of its axes: transposed, and repeated along those it lacks.
  Array laidOutAs(Type type, const Array &from);
  /// `f` maps a row of the input to the row, or the one element, of the result.
  Array alongAxis(Operation *op, StringRef axis, llvm::function_ref<void(Row, Out)> f);
  FailureOr<int64_t> classAt(Operation *op, const S &index, int64_t size);

  Array empty(Type type);
  const Array &operand(Operation *op, unsigned i) { return values[op->getOperand(i)]; }

  ProgramOp program;
  const std::vector<Array> *stopped = nullptr;
  llvm::StringMap<int64_t> sizes;
  llvm::DenseMap<Value, Array> values;
};

/// The results of `program`, in order, as reference::evaluate.
template <typename S>
FailureOr<std::vector<BasicArray<S>>> evaluateIn(ProgramOp program,
                                                 const BasicArguments<S> &arguments,
                                                 const BasicArguments<S> &tangents = {}) {
  BasicInterpreter<S> interpreter(program);
  if (failed(interpreter.bind(arguments, tangents)) || failed(interpreter.run()))
    return failure();
  return interpreter.results();
}

//===----------------------------------------------------------------------===//
// Arguments
//===----------------------------------------------------------------------===//

template <typename S>
llvm::LogicalResult BasicInterpreter<S>::bind(const Arguments &arguments,
                                              const Arguments &tangents) {
  for (unsigned i = 0, e = program.getNumArguments(); i < e; ++i)
    if (failed(bindArgument(i, program.getArgKind(i) == "tangent" ? tangents : arguments)))
      return failure();
  // A copy of an axis is as long as the axis.
  if (mlir::DictionaryAttr copies = program.getCopiesAttr())
    for (mlir::NamedAttribute copy : copies)
      if (auto found = sizes.find(llvm::cast<StringAttr>(copy.getValue()).getValue());
          found != sizes.end())
        sizes[copy.getName().getValue()] = int64_t(found->second);
  return success();
}

template <typename S>
llvm::LogicalResult BasicInterpreter<S>::bindArgument(unsigned i, const Arguments &arguments) {
  StringRef name = program.getArgName(i);
  ArrayRef<StringAttr> axes = axesOf(program.getArgument(i).getType());
  Array &value = values[program.getArgument(i)];
  if (auto found = arguments.find(name.str()); found != arguments.end())
    value = found->second;
  else if (auto fallback = program.getArgAttrOfType<FloatAttr>(i, "loss.default"))
    value = Array(S(fallback.getValueAsDouble()));
  else
    return program.emitOpError(program.getArgKind(i) == "tangent"
                                   ? "expected a tangent for argument '"
                                   : "expected a value for argument '")
           << name << "', but found none";

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

template <typename S> llvm::LogicalResult BasicInterpreter<S>::run() {
  size_t stops = 0;
  for (Operation &op : program.getBody().front().without_terminator()) {
    for (Value result : op.getResults())
      for (StringAttr axis : axesOf(result.getType()))
        if (!sizes.contains(axis.getValue()))
          return op.emitOpError("expected an argument with axis '") << axis.getValue() << "'";
    FailureOr<Array> result = stopped && stopsGradient(&op) ? (*stopped)[stops++] : evaluate(&op);
    if (failed(result))
      return failure();
    values[op.getResult(0)] = std::move(*result);
  }
  return success();
}

template <typename S> std::vector<BasicArray<S>> BasicInterpreter<S>::stoppedValues() {
  std::vector<Array> result;
  for (Operation &op : program.getBody().front())
    if (stopsGradient(&op))
      result.push_back(values[op.getResult(0)]);
  return result;
}

template <typename S> std::vector<BasicArray<S>> BasicInterpreter<S>::results() {
  std::vector<Array> results;
  for (Value value : program.getYield().getValues())
    results.push_back(values[value]);
  return results;
}

template <typename S> BasicArray<S> BasicInterpreter<S>::empty(Type type) {
  std::vector<std::string> names;
  std::vector<int64_t> counts;
  for (StringAttr axis : axesOf(type)) {
    names.push_back(axis.str());
    counts.push_back(sizes.lookup(axis.getValue()));
  }
  return Array(std::move(names), std::move(counts));
}

template <typename S> FailureOr<BasicArray<S>> BasicInterpreter<S>::evaluate(Operation *op) {
  namespace arith = mlir::arith;
  return TypeSwitch<Operation *, FailureOr<Array>>(op)
      .Case([&](arith::ConstantOp constant) -> FailureOr<Array> {
        if (auto number = dyn_cast<FloatAttr>(constant.getValue()))
          return Array(S(number.getValueAsDouble()));
        if (auto integer = dyn_cast<IntegerAttr>(constant.getValue()))
          return Array(S(double(integer.getValue().getZExtValue())));
        return op->emitOpError("expected a number or a boolean");
      })
      .Case([&](AxisSizeOp size) -> FailureOr<Array> {
        if (!sizes.contains(size.getAxis()))
          return op->emitOpError("expected an argument with axis '") << size.getAxis() << "'";
        return Array(S(double(sizes.lookup(size.getAxis()))));
      })
      .Case([&](PositionOp position) -> FailureOr<Array> {
        Array result = empty(position.getType());
        for (size_t k = 0; k < result.data.size(); ++k)
          result.data[k] = S(double(k));
        return result;
      })
      .Case([&](BroadcastOp cast) { return laidOutAs(cast.getType(), operand(op, 0)); })
      .Case([&](RenameOp rename) {
        Array copy = operand(op, 0);
        llvm::replace(copy.axes, rename.getFrom().str(), rename.getTo().str());
        return laidOutAs(rename.getType(), copy);
      })
      .Case([&](StopGradientOp) {
        Array result = operand(op, 0);
        for (S &x : result.data)
          x = withoutSlope(x);
        return result;
      })
      .Case([&](CustomGradientOp custom) {
        Array result = operand(op, 0), argument = laidOutAs(custom.getType(), operand(op, 1)),
              slope = laidOutAs(custom.getType(), operand(op, 2));
        for (size_t k = 0; k < result.data.size(); ++k)
          result.data[k] = withSlope(result.data[k], argument.data[k], slope.data[k]);
        return result;
      })
      .template Case<CumsumOp, LogCumSumExpOp, DecayedCumsumOp>(
          [&](auto) { return cumulative(*matchCumulative(op), operand(op, 0)); })
      .Case([&](NormOp norm) {
        return alongAxis(op, norm.getAxis(), [](Row x, Out out) {
          std::vector<S> squares;
          for (const S &element : x)
            squares.push_back(element * element);
          out[0] = sqrt(total(Row(squares)));
        });
      })
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
          S shift = greatest(x), sum = total(Row(shiftedExp(x, shift)));
          for (size_t i = 0; i < x.size(); ++i)
            out[i] = (x[i] - shift) - log(sum);
        });
      })
      .Case([&](SoftmaxOp softmax) {
        return alongAxis(op, softmax.getAxis(), [](Row x, Out out) {
          std::vector<S> terms = shiftedExp(x, greatest(x));
          S sum = total(Row(terms));
          for (size_t i = 0; i < x.size(); ++i)
            out[i] = terms[i] / sum;
        });
      })
      .Case([&](GatherOp gatherOp) { return gather(gatherOp); })
      .Case([&](OneHotOp oneHotOp) { return oneHot(oneHotOp); })
      .Default([&](Operation *) { return elementwise(op); });
}

template <typename S> FailureOr<BasicArray<S>> BasicInterpreter<S>::elementwise(Operation *op) {
  namespace arith = mlir::arith;
  Unary<S> unary = unaryFunction<S>(op);
  Binary<S> binary = binaryFunction<S>(op);
  auto comparison = dyn_cast<arith::CmpFOp>(op);
  if (!unary && !binary && !comparison && !isa<arith::SelectOp>(op))
    return op->emitOpError("expected an operation that the interpreter knows");
  Array result = empty(op->getResult(0).getType());
  // All operands have the result's axes, but the condition of a select may be a number.
  auto at = [&](unsigned i, size_t k) -> const S & {
    const Array &array = operand(op, i);
    return array.axes.empty() ? array.data[0] : array.data[k];
  };
  for (size_t k = 0; k < result.data.size(); ++k)
    result.data[k] = unary        ? unary(at(0, k))
                     : binary     ? binary(at(0, k), at(1, k))
                     : comparison ? compare(comparison.getPredicate(), at(0, k), at(1, k))
                                  : select(at(0, k), at(1, k), at(2, k));
  return result;
}

template <typename S> BasicArray<S> BasicInterpreter<S>::laidOutAs(Type type, const Array &from) {
  Array result = empty(type);
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

template <typename S>
BasicArray<S> BasicInterpreter<S>::alongAxis(Operation *op, StringRef axis,
                                             llvm::function_ref<void(Row, Out)> f) {
  const Array &from = operand(op, 0);
  Array result = empty(op->getResult(0).getType());
  AxisView view(from, axis);
  bool reduces = result.axes.size() < from.axes.size();
  std::vector<S> in(view.size), out(reduces ? 1 : view.size);
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

template <typename S>
BasicArray<S> BasicInterpreter<S>::cumulative(const Cumulative &op, const Array &from) {
  using P = mlir::arith::CmpFPredicate;
  // Without a key all elements tie, and ties are in the order of the axis.
  Array key = op.key ? values[op.key] : Array(from.axes, from.sizes);
  const Array &level = op.level ? values[op.level] : from;
  const double inf = std::numeric_limits<double>::infinity();
  const S none = op.kind == ScanKind::logsumexp ? S(-inf) : S(0);
  Array result(from.axes, from.sizes);
  AxisView view(from, op.axis.getValue());
  std::vector<S> terms(view.size);
  for (int64_t o = 0; o < view.outer; ++o)
    for (int64_t s = 0; s < view.stride; ++s)
      for (int64_t i = 0; i < view.size; ++i) {
        auto at = [&](int64_t j) { return view.start(o, s) + j * view.stride; };
        // Element j counts where it comes before i: a greater key, or the same one and j < i.
        for (int64_t j = 0; j < view.size; ++j) {
          const S &mine = key.data[at(op.reverse ? j : i)];
          const S &other = key.data[at(op.reverse ? i : j)];
          bool first = op.reverse ? i < j : j < i;
          S counts = j == i ? S(1) : compare(first ? P::OGE : P::OGT, other, mine);
          S term = from.data[at(j)];
          if (op.kind == ScanKind::decayed_sum) {
            const S &here = level.data[at(i)], &there = level.data[at(j)];
            S fade = exp(op.reverse ? here - there : there - here);
            term = term * select(compare(P::OEQ, here, there), S(1), fade);
          }
          terms[j] = select(counts, term, none);
          // A NaN has no place in the order, and so has no other key beside it.
          const S &any = key.data[at(j)];
          terms[j] = select(compare(P::UNO, any, any), any, terms[j]);
        }
        result.data[at(i)] =
            op.kind == ScanKind::logsumexp ? logSumExp(Row(terms)) : total(Row(terms));
      }
  return result;
}

template <typename S>
FailureOr<int64_t> BasicInterpreter<S>::classAt(Operation *op, const S &position, int64_t size) {
  double index = toDouble(position);
  if (index >= 0 && index < double(size) && std::trunc(index) == index)
    return int64_t(index);
  return op->emitOpError("expected a class index from 0 to ")
         << size - 1 << ", but found " << index;
}

template <typename S> FailureOr<BasicArray<S>> BasicInterpreter<S>::gather(GatherOp op) {
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

template <typename S> FailureOr<BasicArray<S>> BasicInterpreter<S>::oneHot(OneHotOp op) {
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

} // namespace loss::ir::reference

#endif // LOSSLANG_REFERENCE_BASICINTERPRETER_H
