//===- Simplify.td - algebraic laws of loss programs -----------------------===//
//
// A law may change a result only to make it more accurate, or to give the limit where the formula
// as written overflows. Rounding of an ulp and the sign of a zero do not count. Laws that would hide
// a NaN or an infinity are left out on purpose: x * 0 = 0, x - x = 0, x / x = 1, exp(log(x)) = x,
// sum(softmax(x)) = 1.
//
// A value that a law mentions twice has two names and is required to be Equal: repeating the name
// compares the wrong operands (mlir-tblgen 22.1).
//
// A law's name is its debug label: `disable-patterns` leaves single ones out.
//
// Constants stand on the right of + and * (see Simplify.cpp) and are seen through broadcasts. `$f` is
// an operation's fast-math flags: none, in a program.
//
//===----------------------------------------------------------------------===//

#ifndef LOSSLANG_DIALECT_LOSS_TRANSFORMS_SIMPLIFY_TD
#define LOSSLANG_DIALECT_LOSS_TRANSFORMS_SIMPLIFY_TD

include "compiler/Dialect/Loss/IR/LossOps.td"
include "mlir/Dialect/Arith/IR/ArithOps.td"
include "mlir/Dialect/Math/IR/MathOps.td"
include "mlir/IR/PatternBase.td"

class Is<string value> : Constraint<CPred<"isConstant($0, " # value # ")">, "is " # value>;
def IsZero : Is<"0">;
def IsOne : Is<"1">;
def IsTwo : Is<"2">;
def IsMinusOne : Is<"-1">;
def IsTrue : Constraint<CPred<"isTruth($0, true)">, "is true">;
def IsFalse : Constraint<CPred<"isTruth($0, false)">, "is false">;
def IsConstant : Constraint<CPred<"constantOf($0)">, "is a constant">;
/// Such a divisor has an exact reciprocal, such a factor never rounds.
def IsPowerOfTwo : Constraint<CPred<"isPowerOfTwo($0)">, "is a power of two">;
def IsSum : Constraint<CPred<"$0.getValue() == ReduceKind::sum">, "is a sum">;
def IsMax : Constraint<CPred<"$0.getValue() == ReduceKind::max">, "is a maximum">;
def Lacks : Constraint<CPred<"!hasAxis($0.getType(), $1)">, "lacks the axis">;
def Equal : Constraint<CPred<"$0 == $1">, "are equal">;
/// A use needs the value's relative accuracy near 0: a logarithm, a power, a root, a divisor.
def UsedNearZero : Constraint<CPred<"isUsedNearZero($0)">, "is used near zero">;
/// Every use is a sum or a difference, which takes in a sign for nothing.
def OnlyAddedUp : Constraint<CPred<"isOnlyAddedUp($0)">, "is only added up">;
/// exp of these has a name of its own.
def IsNoLogOfProbability
    : Constraint<CPred<"!isa_and_nonnull<LogSoftmaxOp, LogSigmoidOp>($0.getDefiningOp())">,
                 "is no log_softmax or log_sigmoid">;

def NoFlags : NativeCodeCall<
    "arith::FastMathFlagsAttr::get($_builder.getContext(), arith::FastMathFlags::none)">;
def Spread : NativeCodeCall<"broadcastTo($_builder, $_loc, $0, $1.getType())">;
def Reciprocal : NativeCodeCall<"constantLike($_builder, $_loc, $0, 1.0 / *constantOf($0))">;
def Negated : NativeCodeCall<"constantLike($_builder, $_loc, $0, -*constantOf($0))">;
def Two : NativeCodeCall<"constantLike($_builder, $_loc, $0, 2.0)">;
def Four : NativeCodeCall<"constantLike($_builder, $_loc, $0, 4.0)">;
def Product
    : NativeCodeCall<"constantLike($_builder, $_loc, $0, *constantOf($0) * *constantOf($1))">;

//===----------------------------------------------------------------------===//
// Neutral elements and signs
//===----------------------------------------------------------------------===//

// x * 1  =  x / 1  =  x + 0  =  x - 0  =  -(-x)  =  x
def TimesOne : Pat<(Arith_MulFOp $x, $c, $_), (replaceWithValue $x), [(IsOne $c)]>;
def DividedByOne : Pat<(Arith_DivFOp $x, $c, $_), (replaceWithValue $x), [(IsOne $c)]>;
def PlusZero : Pat<(Arith_AddFOp $x, $c, $_), (replaceWithValue $x), [(IsZero $c)]>;
def MinusZero : Pat<(Arith_SubFOp $x, $c, $_), (replaceWithValue $x), [(IsZero $c)]>;
def NegatedTwice : Pat<(Arith_NegFOp (Arith_NegFOp $x, $_), $_), (replaceWithValue $x)>;

// 0 - x  =  x * -1  =  x / -1  =  -x
def ZeroMinus : Pat<(Arith_SubFOp $c, $x, $f), (Arith_NegFOp $x, $f), [(IsZero $c)]>;
def TimesMinusOne : Pat<(Arith_MulFOp $x, $c, $f), (Arith_NegFOp $x, $f), [(IsMinusOne $c)]>;
def DividedByMinusOne : Pat<(Arith_DivFOp $x, $c, $f), (Arith_NegFOp $x, $f), [(IsMinusOne $c)]>;

// x + -y  =  x - y,   -x + y  =  y - x,   x - -y  =  x + y,   -(x - y)  =  y - x
def PlusNegated : Pat<(Arith_AddFOp $x, (Arith_NegFOp $y, $_), $f), (Arith_SubFOp $x, $y, $f)>;
def PlusNegatedSpread : Pat<(Arith_AddFOp $x, (Loss_BroadcastOp:$b (Arith_NegFOp $y, $_)), $f),
          (Arith_SubFOp $x, (Spread $y, $b), $f)>;
def NegatedPlus : Pat<(Arith_AddFOp (Arith_NegFOp $x, $_), $y, $f), (Arith_SubFOp $y, $x, $f)>;
def MinusNegated : Pat<(Arith_SubFOp $x, (Arith_NegFOp $y, $_), $f), (Arith_AddFOp $x, $y, $f)>;
def MinusNegatedSpread : Pat<(Arith_SubFOp $x, (Loss_BroadcastOp:$b (Arith_NegFOp $y, $_)), $f),
          (Arith_AddFOp $x, (Spread $y, $b), $f)>;
def NegatedDifference : Pat<(Arith_NegFOp (Arith_SubFOp $x, $y, $_), $f), (Arith_SubFOp $y, $x, $f)>;

// -x - y  =  -(x + y)
def NegatedMinus : Pat<(Arith_SubFOp (Arith_NegFOp $x, $_), $y, $f),
          (Arith_NegFOp (Arith_AddFOp $x, $y, $f), $f)>;

// -x * y  =  x * -y  =  -(x * y),   -(x * c)  =  x * -c;   the same for quotients
def NegatedTimes : Pat<(Arith_MulFOp (Arith_NegFOp $x, $_), $y, $f),
          (Arith_NegFOp (Arith_MulFOp $x, $y, $f), $f)>;
def TimesNegated : Pat<(Arith_MulFOp $x, (Arith_NegFOp $y, $_), $f),
          (Arith_NegFOp (Arith_MulFOp $x, $y, $f), $f)>;
def TimesNegatedSpread : Pat<(Arith_MulFOp:$r $x, (Loss_BroadcastOp:$b (Arith_NegFOp $y, $_)), $f),
          (Arith_NegFOp (Arith_MulFOp $x, (Spread $y, $b), $f), $f), [(OnlyAddedUp $r)]>;
def NegatedDividend : Pat<(Arith_DivFOp (Arith_NegFOp $x, $_), $y, $f),
          (Arith_NegFOp (Arith_DivFOp $x, $y, $f), $f)>;
def NegatedDivisor : Pat<(Arith_DivFOp $x, (Arith_NegFOp $y, $_), $f),
          (Arith_NegFOp (Arith_DivFOp $x, $y, $f), $f)>;
def NegatedProduct : Pat<(Arith_NegFOp (Arith_MulFOp $x, $c, $_), $f), (Arith_MulFOp $x, (Negated $c), $f),
          [(IsConstant $c)]>;
def NegatedQuotient : Pat<(Arith_NegFOp (Arith_DivFOp $c, $x, $_), $f), (Arith_DivFOp (Negated $c), $x, $f),
          [(IsConstant $c)]>;

// x / c  =  x * (1 / c),   (x * d) * c  =  x * (d * c)     for c a power of two
def DividedByPowerOfTwo : Pat<(Arith_DivFOp $x, $c, $f), (Arith_MulFOp $x, (Reciprocal $c), $f), [(IsPowerOfTwo $c)]>;
def TimesPowerOfTwo : Pat<(Arith_MulFOp (Arith_MulFOp $x, $d, $_), $c, $f), (Arith_MulFOp $x, (Product $d, $c), $f),
          [(IsConstant $d), (IsPowerOfTwo $c)]>;

// |-x|  =  ||x||  =  |x|
def AbsOfNegated : Pat<(Math_AbsFOp (Arith_NegFOp $x, $_), $f), (Math_AbsFOp $x, $f)>;
def AbsOfAbs : Pat<(Math_AbsFOp (Math_AbsFOp $x, $_), $f), (Math_AbsFOp $x, $f)>;

//===----------------------------------------------------------------------===//
// Truth values
//===----------------------------------------------------------------------===//

// x and true  =  true and x  =  x or false  =  false or x  =  x
def AndTrue : Pat<(Arith_AndIOp $x, $c), (replaceWithValue $x), [(IsTrue $c)]>;
def TrueAnd : Pat<(Arith_AndIOp $c, $x), (replaceWithValue $x), [(IsTrue $c)]>;
def OrFalse : Pat<(Arith_OrIOp $x, $c), (replaceWithValue $x), [(IsFalse $c)]>;
def FalseOr : Pat<(Arith_OrIOp $c, $x), (replaceWithValue $x), [(IsFalse $c)]>;

// x and false  =  false and x  =  false,   x or true  =  true or x  =  true
def AndFalse : Pat<(Arith_AndIOp $x, $c), (replaceWithValue $c), [(IsFalse $c)]>;
def FalseAnd : Pat<(Arith_AndIOp $c, $x), (replaceWithValue $c), [(IsFalse $c)]>;
def OrTrue : Pat<(Arith_OrIOp $x, $c), (replaceWithValue $c), [(IsTrue $c)]>;
def TrueOr : Pat<(Arith_OrIOp $c, $x), (replaceWithValue $c), [(IsTrue $c)]>;

// if true then x else y  =  x,   if false then x else y  =  y
def SelectTrue : Pat<(SelectOp $c, $x, $y), (replaceWithValue $x), [(IsTrue $c)]>;
def SelectFalse : Pat<(SelectOp $c, $x, $y), (replaceWithValue $y), [(IsFalse $c)]>;

//===----------------------------------------------------------------------===//
// Exponentials and logarithms
//===----------------------------------------------------------------------===//

// Logarithms, powers and quotients of what is written as an exponential: StableForms.cpp.

// log(1 + exp(x))  =  log1p(exp(x))  =  softplus(x),   -softplus(-x)  =  log_sigmoid(x)
def LogOfOnePlusExp
    : Pat<(Math_LogOp (Arith_AddFOp (Math_ExpOp $x, $_), $c, $_), $_), (Loss_SoftplusOp $x),
          [(IsOne $c)]>;
def Log1pOfExp : Pat<(Math_Log1pOp (Math_ExpOp $x, $_), $_), (Loss_SoftplusOp $x)>;
def NegatedSoftplus
    : Pat<(Arith_NegFOp (Loss_SoftplusOp (Arith_NegFOp $x, $_)), $_), (Loss_LogSigmoidOp $x)>;

// log(x + 1)  =  log1p(x),   log(1 - x)  =  log1p(-x),   log1p(expm1(x))  =  x
def LogOfOnePlus
    : Pat<(Math_LogOp (Arith_AddFOp $x, $c, $_), $f), (Math_Log1pOp $x, $f), [(IsOne $c)]>;
def LogOfOneMinus
    : Pat<(Math_LogOp (Arith_SubFOp $c, $x, $_), $f), (Math_Log1pOp (Arith_NegFOp $x, $f), $f),
          [(IsOne $c)]>;
def Log1pOfExpM1 : Pat<(Math_Log1pOp (Math_ExpM1Op $x, $_), $_), (replaceWithValue $x)>;

// log(x / (x + y))  =  log(x / (y + x))  =  -log1p(y / x): x / (x + y) may round to 1
def LogOfShare : Pat<(Math_LogOp (Arith_DivFOp $x, (Arith_AddFOp $z, $y, $_), $_), $f),
          (Arith_NegFOp (Math_Log1pOp (Arith_DivFOp $y, $x, $f), $f), $f), [(Equal $x, $z)]>;
def LogOfShareOfSwapped : Pat<(Math_LogOp (Arith_DivFOp $x, (Arith_AddFOp $y, $z, $_), $_), $f),
          (Arith_NegFOp (Math_Log1pOp (Arith_DivFOp $y, $x, $f), $f), $f), [(Equal $x, $z)]>;

// exp(x) - 1  =  expm1(x),   1 - exp(x)  =  -expm1(x)
def ExpMinusOne
    : Pat<(Arith_SubFOp (Math_ExpOp $x, $_), $c, $f), (Math_ExpM1Op $x, $f), [(IsOne $c)]>;
def ExpPlusMinusOne
    : Pat<(Arith_AddFOp (Math_ExpOp $x, $_), $c, $f), (Math_ExpM1Op $x, $f), [(IsMinusOne $c)]>;
def OneMinusExp
    : Pat<(Arith_SubFOp $c, (Math_ExpOp $x, $_), $f), (Arith_NegFOp (Math_ExpM1Op $x, $f), $f),
          [(IsOne $c), (IsNoLogOfProbability $x)]>;

// 1 / (1 + exp(-x))  =  exp(x) / (1 + exp(x))  =  sigmoid(x),   1 / (1 + exp(x))  =  sigmoid(-x)
def SigmoidOfNegated
    : Pat<(Arith_DivFOp $c, (Arith_AddFOp (Math_ExpOp (Arith_NegFOp $x, $_), $_), $d, $_), $_),
          (Loss_SigmoidOp $x), [(IsOne $c), (IsOne $d)]>;
def SigmoidByReciprocal
    : Pat<(Arith_DivFOp $c, (Arith_AddFOp (Math_ExpOp $x, $_), $d, $_), $f),
          (Loss_SigmoidOp (Arith_NegFOp $x, $f)), [(IsOne $c), (IsOne $d)]>;
def SigmoidByQuotient
    : Pat<(Arith_DivFOp (Math_ExpOp $x, $_), (Arith_AddFOp (Math_ExpOp $z, $_), $d, $_), $_),
          (Loss_SigmoidOp $x), [(IsOne $d), (Equal $x, $z)]>;

// exp(log_sigmoid(x))  =  sigmoid(x)
def ExpOfLogSigmoid : Pat<(Math_ExpOp (Loss_LogSigmoidOp $x), $_), (Loss_SigmoidOp $x)>;

// 1 - sigmoid(x)  =  sigmoid(-x)     where it is used near 0
def OneMinusSigmoid
    : Pat<(Arith_SubFOp:$r $c, (Loss_SigmoidOp $x), $f), (Loss_SigmoidOp (Arith_NegFOp $x, $f)),
          [(IsOne $c), (UsedNearZero $r)]>;

// s (1 - s)  =  s'(x)  for s = sigmoid(x),   1 - t t  =  4 s'(2 x)  for t = tanh(x)
def SigmoidTimesComplement
    : Pat<(Arith_MulFOp (Loss_SigmoidOp $x), (Arith_SubFOp $c, (Loss_SigmoidOp $z), $_), $_),
          (Loss_SigmoidSlopeOp $x), [(IsOne $c), (Equal $x, $z)]>;
def ComplementTimesSigmoid
    : Pat<(Arith_MulFOp (Arith_SubFOp $c, (Loss_SigmoidOp $z), $_), (Loss_SigmoidOp $x), $_),
          (Loss_SigmoidSlopeOp $x), [(IsOne $c), (Equal $x, $z)]>;
def OneMinusTanhSquared
    : Pat<(Arith_SubFOp $c, (Arith_MulFOp (Math_TanhOp $x, $_), (Math_TanhOp $z, $_), $_), $f),
          (Arith_MulFOp (Loss_SigmoidSlopeOp (Arith_AddFOp $x, $x, $f)), (Four $x), $f),
          [(IsOne $c), (Equal $x, $z)]>;

// exp(x) + exp(-x)  =  2 cosh(x),   exp(x) - exp(-x)  =  2 sinh(x),   sinh(x) / cosh(x)  =  tanh(x)
def ExpPlusExp
    : Pat<(Arith_AddFOp (Math_ExpOp $x, $_), (Math_ExpOp (Arith_NegFOp $z, $_), $_), $f),
          (Arith_MulFOp (Math_CoshOp $x, $f), (Two $x), $f), [(Equal $x, $z)]>;
def ExpMinusExp
    : Pat<(Arith_SubFOp (Math_ExpOp $x, $_), (Math_ExpOp (Arith_NegFOp $z, $_), $_), $f),
          (Arith_MulFOp (Math_SinhOp $x, $f), (Two $x), $f), [(Equal $x, $z)]>;

def TanhByQuotient
    : Pat<(Arith_DivFOp (Arith_MulFOp (Math_SinhOp $x, $_), $c, $_),
                        (Arith_MulFOp (Math_CoshOp $z, $_), $d, $_), $f),
          (Math_TanhOp $x, $f), [(IsTwo $c), (IsTwo $d), (Equal $x, $z)]>;

// 1 - erf(x)  =  erfc(x),   1 - erfc(x)  =  erf(x)
def OneMinusErf : Pat<(Arith_SubFOp $c, (Math_ErfOp $x, $_), $f), (Math_ErfcOp $x, $f), [(IsOne $c)]>;
def OneMinusErfc
    : Pat<(Arith_SubFOp $c, (Math_ErfcOp $x, $_), $f), (Math_ErfOp $x, $f), [(IsOne $c)]>;

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

// exp(x) / sum(exp(x))  =  softmax(x),   log(sum(exp(x)))  =  logsumexp(x)
def SoftmaxByQuotient : Pat<(Arith_DivFOp (Math_ExpOp $x, $_),
                        (Loss_BroadcastOp (Loss_ReduceOp $kind, (Math_ExpOp $z, $_), $axis)), $_),
          (Loss_SoftmaxOp $x, $axis), [(IsSum $kind), (Equal $x, $z)]>;
def LogOfSumOfExp : Pat<(Math_LogOp (Loss_ReduceOp $kind, (Math_ExpOp $x, $_), $axis), $_),
          (Loss_LogSumExpOp $x, $axis), [(IsSum $kind)]>;

// x - logsumexp(x)  =  log_softmax(x)
def MinusLogSumExp : Pat<(Arith_SubFOp $x, (Loss_BroadcastOp (Loss_LogSumExpOp $z, $axis)), $_),
          (Loss_LogSoftmaxOp $x, $axis), [(Equal $x, $z)]>;

// exp(log_softmax(x))  =  softmax(x)
def ExpOfLogSoftmax : Pat<(Math_ExpOp (Loss_LogSoftmaxOp $x, $axis), $_), (Loss_SoftmaxOp $x, $axis)>;

// softmax(log_softmax(x))  =  softmax(x),   log_softmax(log_softmax(x))  =  log_softmax(x)
def SoftmaxOfLogSoftmax : Pat<(Loss_SoftmaxOp (Loss_LogSoftmaxOp $x, $a), $b), (Loss_SoftmaxOp $x, $a),
          [(Equal $a, $b)]>;
def LogSoftmaxOfLogSoftmax : Pat<(Loss_LogSoftmaxOp (Loss_LogSoftmaxOp $x, $a), $b), (Loss_LogSoftmaxOp $x, $a),
          [(Equal $a, $b)]>;

// softmax(x - max(x))  =  softmax(x),   log_softmax likewise,
// logsumexp(x - max(x)) + max(x)  =  logsumexp(x): their own evaluation subtracts the maximum
def ShiftedSoftmax : Pat<(Loss_SoftmaxOp (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp $kind, $z, $a)), $_),
                          $b),
          (Loss_SoftmaxOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $x, $z)]>;
def ShiftedLogSoftmax : Pat<(Loss_LogSoftmaxOp
              (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp $kind, $z, $a)), $_), $b),
          (Loss_LogSoftmaxOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $x, $z)]>;
def ShiftedLogSumExp : Pat<(Arith_AddFOp
              (Loss_LogSumExpOp
                  (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp:$m $kind, $z, $a)), $_), $b),
              $n, $_),
          (Loss_LogSumExpOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $m, $n), (Equal $x, $z)]>;
def ShiftedLogSumExpReversed : Pat<(Arith_AddFOp
              $n,
              (Loss_LogSumExpOp
                  (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp:$m $kind, $z, $a)), $_), $b),
              $_),
          (Loss_LogSumExpOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $m, $n), (Equal $x, $z)]>;

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

// sum(x * c)  =  sum(x) * c,   sum(x / c)  =  sum(x) / c     for c that lacks the axis
def SumOfScaled : Pat<(Loss_ReduceOp $kind, (Arith_MulFOp $x, (Loss_BroadcastOp $c), $f), $axis),
          (Arith_MulFOp (Loss_ReduceOp:$s $kind, $x, $axis), (Spread $c, $s), $f),
          [(IsSum $kind), (Lacks $c, $axis)]>;
def SumOfScaledReversed : Pat<(Loss_ReduceOp $kind, (Arith_MulFOp (Loss_BroadcastOp $c), $x, $f), $axis),
          (Arith_MulFOp (Loss_ReduceOp:$s $kind, $x, $axis), (Spread $c, $s), $f),
          [(IsSum $kind), (Lacks $c, $axis)]>;
def SumOfDivided : Pat<(Loss_ReduceOp $kind, (Arith_DivFOp $x, (Loss_BroadcastOp $c), $f), $axis),
          (Arith_DivFOp (Loss_ReduceOp:$s $kind, $x, $axis), (Spread $c, $s), $f),
          [(IsSum $kind), (Lacks $c, $axis)]>;

// sum(-x)  =  -sum(x)
def SumOfNegated : Pat<(Loss_ReduceOp $kind, (Arith_NegFOp $x, $f), $axis),
          (Arith_NegFOp (Loss_ReduceOp $kind, $x, $axis), $f), [(IsSum $kind)]>;

#endif
