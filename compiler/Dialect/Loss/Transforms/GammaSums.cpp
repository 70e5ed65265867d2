//===- GammaSums.cpp - sums of log-gammas that cancel --------------------===//
//
// lgamma(u) - lgamma(v) loses what u and v have in common. In a sum, however it is grouped, such
// terms are joined:
//
//   lgamma(u) - lgamma(v)              = log_rising_factorial(v, u - v)
//   lgamma(u) + lgamma(v) - lgamma(w)  = lbeta(u, v), if w = u + v
//                                      = lgamma(v) - log_rising_factorial(u, w - u),
//                                        if w = u + v + c, u the greater of the two
//   digamma(u) - digamma(v)            = digamma_difference(v, u - v), trigamma likewise
//
// and so are sums of such terms over one axis.
//
// The differences are formed from what the arguments are made of, so that (r + y) - r is y.
//
//===----------------------------------------------------------------------===//

#include "compiler/Dialect/Loss/Transforms/Laws.h"

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "llvm/ADT/MapVector.h"

#include <optional>

using namespace mlir;
using namespace loss::ir;

namespace {

Value behindBroadcasts(Value value) {
  while (auto broadcast = value.getDefiningOp<BroadcastOp>())
    value = broadcast.getInput();
  return value;
}

/// A value as a sum of multiples of others and a constant.
class LinearForm {
public:
  explicit LinearForm(Value value) { add(value, 1); }

  LinearForm minus(const LinearForm &other) const {
    LinearForm result = *this;
    for (auto [value, factor] : other.terms)
      result.addTerm(value, -factor);
    result.constant -= other.constant;
    return result;
  }
  /// How many values it is made of.
  size_t size() const { return terms.size(); }
  bool isConstant() const { return terms.empty(); }
  double getConstant() const { return constant; }

  Value build(OpBuilder &b, Location loc, Type type) const {
    auto number = [&](double x) {
      Value literal =
          arith::ConstantOp::create(b, loc, b.getFloatAttr(getElementTypeOrSelf(type), x));
      return broadcastTo(b, loc, literal, type);
    };
    Value sum;
    for (auto [value, factor] : terms) {
      Value term = broadcastTo(b, loc, value, type);
      if (factor != 1 && factor != -1)
        term = arith::MulFOp::create(b, loc, term, number(std::abs(factor)));
      if (!sum)
        sum = factor < 0 ? arith::NegFOp::create(b, loc, term).getResult() : term;
      else if (factor < 0)
        sum = arith::SubFOp::create(b, loc, sum, term);
      else
        sum = arith::AddFOp::create(b, loc, sum, term);
    }
    if (!sum)
      return number(constant);
    return constant == 0 ? sum : arith::AddFOp::create(b, loc, sum, number(constant)).getResult();
  }

private:
  void add(Value value, double factor) {
    value = behindBroadcasts(value);
    if (std::optional<double> number = constantOf(value)) {
      constant += factor * *number;
      return;
    }
    Operation *op = value.getDefiningOp();
    auto constantOperand = [&](unsigned i) { return constantOf(op->getOperand(i)); };
    if (isa_and_nonnull<arith::AddFOp, arith::SubFOp>(op)) {
      add(op->getOperand(0), factor);
      add(op->getOperand(1), isa<arith::SubFOp>(op) ? -factor : factor);
    } else if (isa_and_nonnull<arith::NegFOp>(op)) {
      add(op->getOperand(0), -factor);
    } else if (isa_and_nonnull<arith::MulFOp>(op) && constantOperand(1)) {
      add(op->getOperand(0), factor * *constantOperand(1));
    } else {
      addTerm(value, factor);
    }
  }
  void addTerm(Value value, double factor) {
    double &sum = terms[value];
    sum += factor;
    if (sum == 0)
      terms.erase(value);
  }

  llvm::MapVector<Value, double> terms;
  double constant = 0;
};

/// A term of a sum that is the function of an argument, or the sum of it over an axis.
struct Term {
  OpOperand *use;
  Value argument;
  bool negative;
  LinearForm form;
  StringAttr axis;
};

/// The sum that `root` is the last operation of, its terms f(x) for one of the three functions.
template <typename Function, typename Difference> class GammaSum : public RewritePattern {
public:
  explicit GammaSum(MLIRContext *context) : RewritePattern(MatchAnyOpTypeTag(), 1, context) {}

  LogicalResult matchAndRewrite(Operation *root, PatternRewriter &rewriter) const override {
    if (!isa<arith::AddFOp, arith::SubFOp>(root) || isPartOfSum(root))
      return failure();
    SmallVector<Term> terms;
    collect(root, false, terms);
    if (terms.size() < 2)
      return failure();
    rewriter.setInsertionPointAfter(root);
    Value sum = root->getResult(0);
    auto addUp = [&](std::optional<Joined> joined) {
      if (!joined)
        return false;
      Location loc = root->getLoc();
      Value wide = broadcastTo(rewriter, loc, joined->value, sum.getType());
      if (joined->negative)
        sum = arith::SubFOp::create(rewriter, loc, sum, wide);
      else
        sum = arith::AddFOp::create(rewriter, loc, sum, wide);
      return true;
    };
    if constexpr (std::is_same_v<Function, LgammaOp>) {
      while (addUp(joinTriples(root, terms, rewriter)))
        ;
      while (addUp(joinThree(root, terms, rewriter)))
        ;
    }
    while (addUp(joinTwo(root, terms, rewriter)))
      ;
    if (sum == root->getResult(0))
      return failure();
    // Behind the root come the joined terms; the first of them uses it.
    rewriter.replaceUsesWithIf(root->getResult(0), sum, [&](OpOperand &use) {
      return root->getBlock() != use.getOwner()->getBlock() ||
             sum.getDefiningOp()->isBeforeInBlock(use.getOwner());
    });
    return success();
  }

private:
  static bool isSum(Operation *op) {
    return isa_and_nonnull<arith::AddFOp, arith::SubFOp, arith::NegFOp>(op);
  }
  static bool isPartOfSum(Operation *op) { return op->hasOneUse() && isSum(*op->user_begin()); }

  static void collect(Operation *sum, bool negative, SmallVectorImpl<Term> &terms) {
    for (OpOperand &operand : sum->getOpOperands()) {
      bool subtracted =
          isa<arith::NegFOp>(sum) || (isa<arith::SubFOp>(sum) && operand.getOperandNumber() == 1);
      bool sign = negative != subtracted;
      Value value = behindBroadcasts(operand.get());
      auto reduce = value.getDefiningOp<ReduceOp>();
      bool isSumOver = reduce && reduce.getKind() == ReduceKind::sum;
      if (isSumOver)
        value = reduce.getInput();
      if (auto function = value.getDefiningOp<Function>())
        terms.push_back({&operand, function.getInput(), sign, LinearForm(function.getInput()),
                         isSumOver ? reduce.getAxisAttr() : StringAttr()});
      else if (Operation *inner = operand.get().getDefiningOp(); isSum(inner) && inner->hasOneUse())
        collect(inner, sign, terms);
    }
  }

  /// The type with the axes of all arguments.
  static Type join(Operation *root, ArrayRef<const Term *> terms) {
    SmallVector<StringAttr> axes;
    for (const Term *term : terms)
      llvm::append_range(axes, axesOf(term->argument.getType()));
    return root->getParentOfType<ProgramOp>().typeOver(
        getElementTypeOrSelf(root->getResult(0).getType()), axes);
  }

  /// The sum over the axis, if there is one.
  static Value over(StringAttr axis, Value value, PatternRewriter &rewriter) {
    if (!axis)
      return value;
    return ReduceOp::create(rewriter, value.getLoc(), ReduceKind::sum, value, axis);
  }

  /// What takes the place of some terms, in the sum with this sign.
  struct Joined {
    Value value;
    bool negative;
  };

  /// Takes the terms out of the sum.
  static void remove(SmallVectorImpl<Term> &terms, SmallVector<unsigned> indices,
                     PatternRewriter &rewriter) {
    OpBuilder::InsertionGuard guard(rewriter);
    for (unsigned index : indices) {
      OpOperand *use = terms[index].use;
      Type type = use->get().getType();
      rewriter.setInsertionPoint(use->getOwner());
      Location loc = use->getOwner()->getLoc();
      Value zero = arith::ConstantOp::create(rewriter, loc,
                                             rewriter.getFloatAttr(getElementTypeOrSelf(type), 0));
      Value zeros = broadcastTo(rewriter, loc, zero, type);
      rewriter.modifyOpInPlace(use->getOwner(), [&] { use->set(zeros); });
    }
    llvm::sort(indices, std::greater<>());
    for (unsigned index : indices)
      terms.erase(terms.begin() + index);
  }

  /// u - v of a term and one of the other sign, those first that have the most in common.
  static std::optional<Joined> joinTwo(Operation *root, SmallVectorImpl<Term> &terms,
                                       PatternRewriter &rewriter) {
    std::optional<std::pair<unsigned, unsigned>> best;
    int mostInCommon = -1;
    for (unsigned i = 0; i < terms.size(); ++i)
      for (unsigned j = 0; j < terms.size(); ++j) {
        if (terms[i].negative || !terms[j].negative || terms[i].axis != terms[j].axis)
          continue;
        int common = inCommon(terms[i].form, terms[j].form);
        if (common > mostInCommon) {
          best = {i, j};
          mostInCommon = common;
        }
      }
    if (!best)
      return std::nullopt;
    return joinPair(root, terms, best->first, best->second, rewriter);
  }

  /// u - v of the terms at these places.
  static Joined joinPair(Operation *root, SmallVectorImpl<Term> &terms, unsigned first,
                         unsigned second, PatternRewriter &rewriter) {
    const Term *u = &terms[first], *v = &terms[second];
    // The base is the one that is made of less, or is less: the other may have rounded it away.
    const bool isNegative = isLess(u->form, v->form);
    if (isNegative)
      std::swap(u, v);
    Location loc = root->getLoc();
    Type type = join(root, {u, v});
    Value difference = u->form.minus(v->form).build(rewriter, loc, type);
    Value base = broadcastTo(rewriter, loc, v->argument, type);
    Value joined = Difference::create(rewriter, loc, base, difference);
    Value sum = over(u->axis, joined, rewriter);
    remove(terms, {first, second}, rewriter);
    return {sum, isNegative};
  }

  static int inCommon(const LinearForm &u, const LinearForm &v) {
    return int(u.size() + v.size()) - int(u.minus(v).size());
  }

  static bool isLess(const LinearForm &u, const LinearForm &v) {
    LinearForm difference = u.minus(v);
    return difference.isConstant() ? difference.getConstant() < 0 : u.size() < v.size();
  }

  /// Where w = u + v exactly: a logarithm of the beta function.
  struct Triple {
    unsigned u, v, w;
  };

  /// The difference of two of them that have their variables in common, as in a beta-binomial
  /// likelihood, cancels: it is the one of their parts. Those of w come first, then no such pair is
  /// left.
  static std::optional<Joined> joinTriples(Operation *root, SmallVectorImpl<Term> &terms,
                                           PatternRewriter &rewriter) {
    SmallVector<Triple> triples;
    for (unsigned w = 0; w < terms.size(); ++w)
      for (unsigned u = 0; u < terms.size(); ++u)
        for (unsigned v = u + 1; v < terms.size(); ++v)
          if (terms[u].negative != terms[w].negative && terms[v].negative != terms[w].negative &&
              terms[u].axis == terms[w].axis && terms[v].axis == terms[w].axis) {
            LinearForm rest = terms[w].form.minus(terms[u].form).minus(terms[v].form);
            if (rest.isConstant() && rest.getConstant() == 0 && !terms[w].form.isConstant())
              triples.push_back({u, v, w});
          }
    auto areLike = [&](unsigned i, unsigned j) {
      return inCommon(terms[i].form, terms[j].form) > 0;
    };
    for (const Triple &a : triples)
      for (const Triple &b : triples)
        if (!terms[a.w].negative && terms[b.w].negative && terms[a.w].axis == terms[b.w].axis &&
            areLike(a.w, b.w) &&
            ((areLike(a.u, b.u) && areLike(a.v, b.v)) || (areLike(a.u, b.v) && areLike(a.v, b.u))))
          return joinPair(root, terms, a.w, b.w, rewriter);
    return std::nullopt;
  }

  /// w, and u and v of the other sign, with w = u + v + c.
  static std::optional<Joined> joinThree(Operation *root, SmallVectorImpl<Term> &terms,
                                         PatternRewriter &rewriter) {
    for (unsigned k = 0; k < terms.size(); ++k)
      for (unsigned i = 0; i < terms.size(); ++i)
        for (unsigned j = i + 1; j < terms.size(); ++j) {
          const Term &u = terms[i], &v = terms[j], &w = terms[k];
          if (u.negative == w.negative || v.negative == w.negative || u.axis != w.axis ||
              v.axis != w.axis)
            continue;
          LinearForm rest = w.form.minus(u.form).minus(v.form);
          if (!rest.isConstant() || w.form.isConstant())
            continue;
          Value value = rest.getConstant() == 0 ? beta(root, u, v, rewriter)
                                                : nearlyBeta(root, u, v, w, rewriter);
          Joined joined{over(u.axis, value, rewriter), u.negative};
          remove(terms, {i, j, k}, rewriter);
          return joined;
        }
    return std::nullopt;
  }

  static Value beta(Operation *root, const Term &u, const Term &v, PatternRewriter &rewriter) {
    Type type = join(root, {&u, &v});
    Location loc = root->getLoc();
    return LogBetaOp::create(rewriter, loc, broadcastTo(rewriter, loc, u.argument, type),
                             broadcastTo(rewriter, loc, v.argument, type));
  }

  /// The greater one is the base: its log-gamma is the one that w's cancels. But for w less than
  /// both, where they are below 2, it may have rounded the other one away, and nothing cancels.
  static Value nearlyBeta(Operation *root, const Term &u, const Term &v, const Term &w,
                          PatternRewriter &rewriter) {
    Type type = join(root, {&u, &v, &w});
    Location loc = root->getLoc();
    Value x = broadcastTo(rewriter, loc, u.argument, type);
    Value y = broadcastTo(rewriter, loc, v.argument, type);
    Value toX = w.form.minus(u.form).build(rewriter, loc, type);
    Value toY = w.form.minus(v.form).build(rewriter, loc, type);
    // One condition for all three, so that derivatives are those of one branch at a time.
    Value isX = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OGE, x, y);
    if (w.form.minus(u.form).minus(v.form).getConstant() < 0) {
      Value two = arith::ConstantOp::create(rewriter, loc,
                                            rewriter.getFloatAttr(getElementTypeOrSelf(type), 2));
      Value isSmall = arith::CmpFOp::create(rewriter, loc, arith::CmpFPredicate::OLT,
                                            arith::MaximumFOp::create(rewriter, loc, x, y),
                                            broadcastTo(rewriter, loc, two, type));
      isX = arith::XOrIOp::create(rewriter, loc, isX, isSmall);
    }
    Value base = arith::SelectOp::create(rewriter, loc, isX, x, y);
    Value other = arith::SelectOp::create(rewriter, loc, isX, y, x);
    Value difference = arith::SelectOp::create(rewriter, loc, isX, toX, toY);
    return arith::SubFOp::create(rewriter, loc, LgammaOp::create(rewriter, loc, other),
                                 LogRisingFactorialOp::create(rewriter, loc, base, difference));
  }
};

} // namespace

void loss::ir::addGammaSums(RewritePatternSet &patterns) {
  patterns.add<GammaSum<LgammaOp, LogRisingFactorialOp>, GammaSum<DigammaOp, DigammaDifferenceOp>,
               GammaSum<TrigammaOp, TrigammaDifferenceOp>>(patterns.getContext());
}
