//===- Specialise.cpp - element type and kind of target -------------------===//

#include "compiler/Dialect/Loss/Transforms/Passes.h"

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/Matchers.h"
#include "mlir/Transforms/GreedyPatternRewriteDriver.h"

#include <cmath>

namespace loss::ir {
#define GEN_PASS_DEF_SPECIALISE
#include "compiler/Dialect/Loss/Transforms/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

bool isElementwise(Operation *op) {
  return op && op->hasTrait<OpTrait::Elementwise>() && op->getNumResults() == 1;
}

/// `op` on other operands, with the result type that follows from their axes.
Value reapply(PatternRewriter &rewriter, Operation *op, ValueRange operands, Type shape) {
  Type element = getElementTypeOrSelf(op->getResult(0));
  OperationState state(op->getLoc(), op->getName(), operands, typeWithAxes(element, axesOf(shape)),
                       op->getAttrs());
  return rewriter.create(state)->getResult(0);
}

Value constant(PatternRewriter &rewriter, Location loc, Type type, double value) {
  Type element = getElementTypeOrSelf(type);
  Value number = arith::ConstantOp::create(rewriter, loc, rewriter.getFloatAttr(element, value));
  return broadcastTo(rewriter, loc, number, type);
}

/// A value that is zero but at the class of an index: one_hot(t) or one_hot(t) * broadcast(factor).
struct Sparse {
  OneHotOp oneHot;
  Value factor; // null: 1

  static std::optional<Sparse> match(Value value) {
    if (auto oneHot = value.getDefiningOp<OneHotOp>())
      return Sparse{oneHot, {}};
    auto mul = value.getDefiningOp<arith::MulFOp>();
    if (!mul)
      return std::nullopt;
    for (auto [hot, other] :
         {std::pair(mul.getLhs(), mul.getRhs()), std::pair(mul.getRhs(), mul.getLhs())}) {
      auto oneHot = hot.getDefiningOp<OneHotOp>();
      auto factor = other.getDefiningOp<BroadcastOp>();
      if (oneHot && factor && !hasAxis(factor.getInput().getType(), oneHot.getAxisAttr()))
        return Sparse{oneHot, factor.getInput()};
    }
    return std::nullopt;
  }

  /// The factor, with the axes of the index.
  Value factorOrOne(PatternRewriter &rewriter, Location loc) {
    Type type = typeWithoutAxis(oneHot.getType(), oneHot.getAxis());
    return factor ? broadcastTo(rewriter, loc, factor, type) : constant(rewriter, loc, type, 1.0);
  }

  /// one_hot(t) * broadcast(factor).
  static Value build(PatternRewriter &rewriter, Location loc, OneHotOp oneHot, Value factor) {
    return arith::MulFOp::create(rewriter, loc, oneHot,
                                 broadcastTo(rewriter, loc, factor, oneHot.getType()));
  }
};

/// The element of `x` at the class of the one-hot value.
Value gather(PatternRewriter &rewriter, Location loc, Value x, OneHotOp oneHot) {
  return GatherOp::create(rewriter, loc, x, oneHot.getIndex(), oneHot.getAxisAttr());
}

// s * x  ==  one_hot * broadcast(factor * gather(x))     for a sparse s; likewise s / x
// and xlogy(s, x)
template <typename Op> struct MultiplySparse : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    if (Sparse::match(op.getResult()))
      return failure(); // Already in its final form.
    Location loc = op.getLoc();
    if (auto sparse = Sparse::match(op.getLhs()); sparse && sparse->oneHot.getNarrow()) {
      Value left = sparse->factorOrOne(rewriter, loc);
      Value right = gather(rewriter, loc, op.getRhs(), sparse->oneHot);
      rewriter.replaceOp(
          op, Sparse::build(rewriter, loc, sparse->oneHot, Op::create(rewriter, loc, left, right)));
      return success();
    }
    if (!std::is_same_v<Op, arith::MulFOp>)
      return failure();
    if (auto sparse = Sparse::match(op.getRhs()); sparse && sparse->oneHot.getNarrow()) {
      Value left = gather(rewriter, loc, op.getLhs(), sparse->oneHot);
      Value right = sparse->factorOrOne(rewriter, loc);
      rewriter.replaceOp(
          op, Sparse::build(rewriter, loc, sparse->oneHot, Op::create(rewriter, loc, left, right)));
      return success();
    }
    return failure();
  }
};

/// The one-hot value that chooses `value`, and what: if one_hot(t) != 0 then x else 0, or
/// one_hot(t).
struct Chosen {
  OneHotOp oneHot;
  Value chosen; // null: 1

  static std::optional<Chosen> match(Value value) {
    if (auto oneHot = value.getDefiningOp<OneHotOp>())
      return Chosen{oneHot, {}};
    auto select = value.getDefiningOp<arith::SelectOp>();
    auto isMeant = select ? select.getCondition().getDefiningOp<arith::CmpFOp>() : nullptr;
    if (!isMeant || isMeant.getPredicate() != arith::CmpFPredicate::UNE ||
        !isZero(isMeant.getRhs()) || !isZero(select.getFalseValue()))
      return std::nullopt;
    auto oneHot = isMeant.getLhs().getDefiningOp<OneHotOp>();
    return oneHot ? std::optional(Chosen{oneHot, select.getTrueValue()}) : std::nullopt;
  }

private:
  static bool isZero(Value value) {
    auto broadcast = value.getDefiningOp<BroadcastOp>();
    return broadcast && matchPattern(broadcast.getInput(), m_AnyZeroFloat());
  }
};

// one_hot(t) * x  ==  if one_hot(t) != 0 then x else 0     where it is not gathered: 0 also where x
// is infinite
struct ChooseWide : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulFOp op, PatternRewriter &rewriter) const override {
    if (Sparse::match(op.getResult()))
      return failure();
    Location loc = op.getLoc();
    for (auto [hot, x] :
         {std::pair(op.getLhs(), op.getRhs()), std::pair(op.getRhs(), op.getLhs())}) {
      auto chosen = Chosen::match(hot);
      if (!chosen || chosen->oneHot.getNarrow())
        continue;
      Value product =
          chosen->chosen ? arith::MulFOp::create(rewriter, loc, chosen->chosen, x).getResult() : x;
      Value zero = constant(rewriter, loc, op.getType(), 0.0);
      Value isMeant =
          arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::UNE, chosen->oneHot, zero);
      rewriter.replaceOpWithNewOp<arith::SelectOp>(op, isMeant, product, zero);
      return success();
    }
    return failure();
  }
};

// -(one_hot * f)  ==  one_hot * (-f)
struct NegateSparse : OpRewritePattern<arith::NegFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::NegFOp op, PatternRewriter &rewriter) const override {
    auto sparse = Sparse::match(op.getOperand());
    if (!sparse)
      return failure();
    Value factor =
        arith::NegFOp::create(rewriter, op.getLoc(), sparse->factorOrOne(rewriter, op.getLoc()));
    rewriter.replaceOp(op, Sparse::build(rewriter, op.getLoc(), sparse->oneHot, factor));
    return success();
  }
};

// one_hot(t) * f + one_hot(t) * g  ==  one_hot(t) * (f + g); likewise the difference
template <typename Op> struct AddSparse : OpRewritePattern<Op> {
  using OpRewritePattern<Op>::OpRewritePattern;
  LogicalResult matchAndRewrite(Op op, PatternRewriter &rewriter) const override {
    auto left = Sparse::match(op.getLhs()), right = Sparse::match(op.getRhs());
    if (!left || !right || left->oneHot.getIndex() != right->oneHot.getIndex())
      return failure();
    Location loc = op.getLoc();
    Value factor = Op::create(rewriter, loc, left->factorOrOne(rewriter, loc),
                              right->factorOrOne(rewriter, loc));
    rewriter.replaceOp(op, Sparse::build(rewriter, loc, left->oneHot, factor));
    return success();
  }
};

// sum(one_hot(t) * f)  ==  f
struct SumSparse : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    if (op.getKind() != ReduceKind::sum)
      return failure();
    auto sparse = Sparse::match(op.getInput());
    if (!sparse || sparse->oneHot.getAxis() != op.getAxis())
      return failure();
    rewriter.replaceOp(op, sparse->factorOrOne(rewriter, op.getLoc()));
    return success();
  }
};

// max(if one_hot(t) != 0 then x else -inf)  ==  gather(x, t)
struct MaxAtClass : OpRewritePattern<ReduceOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(ReduceOp op, PatternRewriter &rewriter) const override {
    auto choice = op.getInput().getDefiningOp<arith::SelectOp>();
    auto isMeant = choice ? choice.getCondition().getDefiningOp<arith::CmpFOp>() : arith::CmpFOp();
    if (op.getKind() != ReduceKind::max || !isMeant ||
        isMeant.getPredicate() != arith::CmpFPredicate::UNE)
      return failure();
    auto number = [](Value value) {
      while (auto broadcast = value.getDefiningOp<BroadcastOp>())
        value = broadcast.getInput();
      FloatAttr constant;
      return matchPattern(value, m_Constant(&constant)) ? constant.getValueAsDouble() : NAN;
    };
    auto oneHot = isMeant.getLhs().getDefiningOp<OneHotOp>();
    if (!oneHot || !oneHot.getNarrow() || oneHot.getAxis() != op.getAxis() ||
        number(isMeant.getRhs()) != 0 || number(choice.getFalseValue()) != -INFINITY)
      return failure();
    rewriter.replaceOp(op, gather(rewriter, op.getLoc(), choice.getTrueValue(), oneHot));
    return success();
  }
};

/// Whether what the value is at the class of an index can be computed: truth values are not
/// gathered, but what they are made of is.
bool canGather(Value value, StringAttr axis) {
  if (!getElementTypeOrSelf(value).isInteger(1) || !hasAxis(value.getType(), axis))
    return true;
  Operation *def = value.getDefiningOp();
  if (auto broadcast = dyn_cast_or_null<BroadcastOp>(def))
    return !hasAxis(broadcast.getInput().getType(), axis);
  return isElementwise(def) &&
         llvm::all_of(def->getOperands(), [&](Value operand) { return canGather(operand, axis); });
}

// gather(f(x, y), t)  ==  f(gather(x, t), gather(y, t)), down to inputs, one-hots and broadcasts.
// All the way at once: what a value is used for many times is gathered once.
struct SinkGather : OpRewritePattern<GatherOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(GatherOp op, PatternRewriter &rewriter) const override {
    Sunk sunk;
    Value result = sink(op, op.getInput(), sunk, rewriter);
    if (!result)
      return failure();
    rewriter.replaceOp(op, result);
    return success();
  }

private:
  using Sunk = llvm::DenseMap<Value, Value>;

  /// gather(x) by other operations; null where it stays.
  static Value sink(GatherOp op, Value x, Sunk &sunk, PatternRewriter &rewriter) {
    Operation *def = x.getDefiningOp();
    Type type = typeWithoutAxis(x.getType(), op.getAxis());
    if (auto oneHot = dyn_cast_or_null<OneHotOp>(def))
      return oneHot.getIndex() == op.getIndex() ? constant(rewriter, op.getLoc(), type, 1.0)
                                                : Value();
    if (auto broadcast = dyn_cast_or_null<BroadcastOp>(def)) {
      if (hasAxis(broadcast.getInput().getType(), op.getAxisAttr()))
        return {}; // Its other axes differ from the index's: the fusion reads it by row.
      return broadcastTo(rewriter, op.getLoc(), broadcast.getInput(), type);
    }
    if (!isElementwise(def) || !llvm::all_of(def->getOperands(), [&](Value operand) {
          return canGather(operand, op.getAxisAttr());
        }))
      return {};
    SmallVector<Value> operands;
    for (Value operand : def->getOperands())
      operands.push_back(hasAxis(operand.getType(), op.getAxisAttr())
                             ? gathered(op, operand, sunk, rewriter)
                             : operand);
    return reapply(rewriter, def, operands, type);
  }

  static Value gathered(GatherOp op, Value x, Sunk &sunk, PatternRewriter &rewriter) {
    if (Value known = sunk.lookup(x))
      return known;
    Value result = sink(op, x, sunk, rewriter);
    if (!result)
      result = GatherOp::create(rewriter, op.getLoc(), x, op.getIndex(), op.getAxisAttr());
    return sunk[x] = result;
  }
};

/// A value that is one number at the class of an index and another elsewhere, both without the
/// class axis: one_hot(t), one_hot(t) * broadcast(f), or select(one_hot(t) != 0, broadcast(a),
/// broadcast(b)).
struct TwoValued {
  OneHotOp oneHot;
  Value atClass, elsewhere; // null: 1 and 0

  static std::optional<TwoValued> match(Value value) {
    if (auto sparse = Sparse::match(value))
      return TwoValued{sparse->oneHot, sparse->factor, {}};
    auto select = value.getDefiningOp<arith::SelectOp>();
    auto cmp = select ? select.getCondition().getDefiningOp<arith::CmpFOp>() : nullptr;
    auto zero = cmp ? cmp.getRhs().getDefiningOp<BroadcastOp>() : nullptr;
    if (!zero || cmp.getPredicate() != arith::CmpFPredicate::UNE ||
        !matchPattern(zero.getInput(), m_AnyZeroFloat()))
      return std::nullopt;
    auto oneHot = cmp.getLhs().getDefiningOp<OneHotOp>();
    auto yes = select.getTrueValue().getDefiningOp<BroadcastOp>();
    auto no = select.getFalseValue().getDefiningOp<BroadcastOp>();
    if (!oneHot || !yes || !no || hasAxis(yes.getInput().getType(), oneHot.getAxisAttr()) ||
        hasAxis(no.getInput().getType(), oneHot.getAxisAttr()))
      return std::nullopt;
    return TwoValued{oneHot, yes.getInput(), no.getInput()};
  }
};

// f(v, broadcast(x))  ==  select(one_hot(t) != 0, f(v at t, x), f(v elsewhere, x))    for
// two-valued v: f is evaluated twice a row, or at compile time, not once a class.
struct EvaluateAtBothValues : RewritePattern {
  explicit EvaluateAtBothValues(MLIRContext *context)
      : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}
  LogicalResult matchAndRewrite(Operation *op, PatternRewriter &rewriter) const override {
    if (!isElementwise(op) || isa<arith::SelectOp, arith::CmpFOp>(op) ||
        !isa<FloatType>(getElementTypeOrSelf(op->getResult(0))) || Sparse::match(op->getResult(0)))
      return failure();
    SmallVector<std::optional<TwoValued>> values;
    OneHotOp oneHot;
    for (Value operand : op->getOperands()) {
      auto &value = values.emplace_back(TwoValued::match(operand));
      if (!value && !operand.getDefiningOp<BroadcastOp>())
        return failure();
      if (value && oneHot && value->oneHot.getIndex() != oneHot.getIndex())
        return failure();
      if (value)
        oneHot = value->oneHot;
    }
    if (!oneHot)
      return failure();
    for (Value operand : op->getOperands())
      if (auto broadcast = operand.getDefiningOp<BroadcastOp>())
        if (hasAxis(broadcast.getInput().getType(), oneHot.getAxisAttr()))
          return failure();

    Location loc = op->getLoc();
    Type narrow = typeWithoutAxis(oneHot.getType(), oneHot.getAxis());
    auto evaluate = [&](bool atClass) -> Value {
      SmallVector<Value> operands;
      for (auto [operand, value] : llvm::zip_equal(op->getOperands(), values)) {
        Value number = !value    ? operand.getDefiningOp<BroadcastOp>().getInput()
                       : atClass ? value->atClass
                                 : value->elsewhere;
        operands.push_back(number ? broadcastTo(rewriter, loc, number, narrow)
                                  : constant(rewriter, loc, narrow, atClass ? 1.0 : 0.0));
      }
      return broadcastTo(rewriter, loc, reapply(rewriter, op, operands, narrow), oneHot.getType());
    };
    Value atClass = evaluate(true), elsewhere = evaluate(false);
    Value isClass = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::UNE, oneHot,
                                          constant(rewriter, loc, oneHot.getType(), 0.0));
    rewriter.replaceOpWithNewOp<arith::SelectOp>(op, isClass, atClass, elsewhere);
    return success();
  }
};

// x * -1  ==  -x;   a - -b  ==  a + b     for the constant factors that gathering leaves
struct MultiplyByMinusOne : OpRewritePattern<arith::MulFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::MulFOp op, PatternRewriter &rewriter) const override {
    auto broadcast = op.getRhs().getDefiningOp<BroadcastOp>();
    FloatAttr factor;
    if (!broadcast || !matchPattern(broadcast.getInput(), m_Constant(&factor)) ||
        !factor.getValue().isExactlyValue(-1.0) || op.getLhs().getDefiningOp<OneHotOp>())
      return failure();
    rewriter.replaceOpWithNewOp<arith::NegFOp>(op, op.getLhs());
    return success();
  }
};
struct SubtractNegated : OpRewritePattern<arith::SubFOp> {
  using OpRewritePattern::OpRewritePattern;
  LogicalResult matchAndRewrite(arith::SubFOp op, PatternRewriter &rewriter) const override {
    auto negated = op.getRhs().getDefiningOp<arith::NegFOp>();
    if (!negated)
      return failure();
    rewriter.replaceOpWithNewOp<arith::AddFOp>(op, op.getLhs(), negated.getOperand());
    return success();
  }
};

struct SpecialisePass : loss::ir::impl::SpecialiseBase<SpecialisePass> {
  using SpecialiseBase::SpecialiseBase;

  LogicalResult initialize(MLIRContext *context) override {
    RewritePatternSet set(context);
    set.add<MultiplySparse<arith::MulFOp>, MultiplySparse<arith::DivFOp>, MultiplySparse<XlogyOp>,
            ChooseWide, NegateSparse, AddSparse<arith::AddFOp>, AddSparse<arith::SubFOp>, SumSparse,
            MaxAtClass, SinkGather, EvaluateAtBothValues, MultiplyByMinusOne, SubtractNegated>(
        context);
    BroadcastOp::getCanonicalizationPatterns(set, context);
    ReduceOp::getCanonicalizationPatterns(set, context);
    patterns = FrozenRewritePatternSet(std::move(set));
    return success();
  }

  void runOnOperation() override {
    if (element != "f32" && element != "f64") {
      getOperation().emitOpError("expected element f32 or f64, but found '") << element << "'";
      return signalPassFailure();
    }
    if (element == "f32")
      convertElements(Float32Type::get(&getContext()));
    if (target != "index")
      return;
    replaceTargets();
    GreedyRewriteConfig config;
    config.setRegionSimplificationLevel(GreedySimplifyRegionLevel::Disabled);
    if (failed(applyPatternsGreedily(getOperation(), patterns, config)))
      signalPassFailure();
  }

private:
  /// Every f64 becomes `to`; constants are rounded.
  void convertElements(Type to) {
    ProgramOp program = getOperation();
    auto convert = [&](Type type) -> Type {
      return getElementTypeOrSelf(type).isF64() ? typeWithAxes(to, axesOf(type)) : type;
    };
    program.walk([&](Operation *op) {
      if (auto constant = dyn_cast<arith::ConstantOp>(op)) {
        if (auto value = dyn_cast<FloatAttr>(constant.getValue()))
          constant.setValueAttr(FloatAttr::get(to, value.getValueAsDouble()));
      }
      for (OpResult result : op->getResults())
        result.setType(convert(result.getType()));
    });
    for (BlockArgument argument : program.getBody().getArguments())
      argument.setType(convert(argument.getType()));
    SmallVector<Type> results = llvm::map_to_vector(program.getResultTypes(), convert);
    setTypes(program, results);
  }

  /// A target argument [batch, class] becomes an index [batch] and its uses a one-hot value.
  void replaceTargets() {
    ProgramOp program = getOperation();
    OpBuilder builder(program.getBody());
    for (BlockArgument argument : program.getBody().getArguments()) {
      if (program.getArgKind(argument.getArgNumber()) != "target")
        continue;
      Type type = argument.getType();
      StringAttr axis = program.getTargetAxis();
      argument.setType(typeWithAxes(builder.getI64Type(), axesOf(typeWithoutAxis(type, axis))));
      bool isNarrow = program.getInnerAxes(type) == ArrayRef<StringAttr>(axis);
      auto oneHot = OneHotOp::create(builder, argument.getLoc(), type, argument, axis, isNarrow);
      argument.replaceAllUsesExcept(oneHot, oneHot);
    }
    setTypes(program, SmallVector<Type>(program.getResultTypes()));
  }

  void setTypes(ProgramOp program, ArrayRef<Type> results) {
    program.setFunctionType(FunctionType::get(
        &getContext(), llvm::to_vector(program.getBody().getArgumentTypes()), results));
  }

  FrozenRewritePatternSet patterns;
};

} // namespace
