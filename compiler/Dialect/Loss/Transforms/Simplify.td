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
def Product
    : NativeCodeCall<"constantLike($_builder, $_loc, $0, *constantOf($0) * *constantOf($1))">;

//===----------------------------------------------------------------------===//
// Neutral elements and signs
//===----------------------------------------------------------------------===//

// x * 1  =  x / 1  =  x + 0  =  x - 0  =  -(-x)  =  x
def : Pat<(Arith_MulFOp $x, $c, $_), (replaceWithValue $x), [(IsOne $c)]>;
def : Pat<(Arith_DivFOp $x, $c, $_), (replaceWithValue $x), [(IsOne $c)]>;
def : Pat<(Arith_AddFOp $x, $c, $_), (replaceWithValue $x), [(IsZero $c)]>;
def : Pat<(Arith_SubFOp $x, $c, $_), (replaceWithValue $x), [(IsZero $c)]>;
def : Pat<(Arith_NegFOp (Arith_NegFOp $x, $_), $_), (replaceWithValue $x)>;

// 0 - x  =  x * -1  =  x / -1  =  -x
def : Pat<(Arith_SubFOp $c, $x, $f), (Arith_NegFOp $x, $f), [(IsZero $c)]>;
def : Pat<(Arith_MulFOp $x, $c, $f), (Arith_NegFOp $x, $f), [(IsMinusOne $c)]>;
def : Pat<(Arith_DivFOp $x, $c, $f), (Arith_NegFOp $x, $f), [(IsMinusOne $c)]>;

// x + -y  =  x - y,   -x + y  =  y - x,   x - -y  =  x + y,   -(x - y)  =  y - x
def : Pat<(Arith_AddFOp $x, (Arith_NegFOp $y, $_), $f), (Arith_SubFOp $x, $y, $f)>;
def : Pat<(Arith_AddFOp $x, (Loss_BroadcastOp:$b (Arith_NegFOp $y, $_)), $f),
          (Arith_SubFOp $x, (Spread $y, $b), $f)>;
def : Pat<(Arith_AddFOp (Arith_NegFOp $x, $_), $y, $f), (Arith_SubFOp $y, $x, $f)>;
def : Pat<(Arith_SubFOp $x, (Arith_NegFOp $y, $_), $f), (Arith_AddFOp $x, $y, $f)>;
def : Pat<(Arith_SubFOp $x, (Loss_BroadcastOp:$b (Arith_NegFOp $y, $_)), $f),
          (Arith_AddFOp $x, (Spread $y, $b), $f)>;
def : Pat<(Arith_NegFOp (Arith_SubFOp $x, $y, $_), $f), (Arith_SubFOp $y, $x, $f)>;

// -x - y  =  -(x + y)
def : Pat<(Arith_SubFOp (Arith_NegFOp $x, $_), $y, $f),
          (Arith_NegFOp (Arith_AddFOp $x, $y, $f), $f)>;

// -x * y  =  x * -y  =  -(x * y),   -(x * c)  =  x * -c;   the same for quotients
def : Pat<(Arith_MulFOp (Arith_NegFOp $x, $_), $y, $f),
          (Arith_NegFOp (Arith_MulFOp $x, $y, $f), $f)>;
def : Pat<(Arith_MulFOp $x, (Arith_NegFOp $y, $_), $f),
          (Arith_NegFOp (Arith_MulFOp $x, $y, $f), $f)>;
def : Pat<(Arith_MulFOp:$r $x, (Loss_BroadcastOp:$b (Arith_NegFOp $y, $_)), $f),
          (Arith_NegFOp (Arith_MulFOp $x, (Spread $y, $b), $f), $f), [(OnlyAddedUp $r)]>;
def : Pat<(Arith_DivFOp (Arith_NegFOp $x, $_), $y, $f),
          (Arith_NegFOp (Arith_DivFOp $x, $y, $f), $f)>;
def : Pat<(Arith_DivFOp $x, (Arith_NegFOp $y, $_), $f),
          (Arith_NegFOp (Arith_DivFOp $x, $y, $f), $f)>;
def : Pat<(Arith_NegFOp (Arith_MulFOp $x, $c, $_), $f), (Arith_MulFOp $x, (Negated $c), $f),
          [(IsConstant $c)]>;
def : Pat<(Arith_NegFOp (Arith_DivFOp $c, $x, $_), $f), (Arith_DivFOp (Negated $c), $x, $f),
          [(IsConstant $c)]>;

// x / c  =  x * (1 / c),   (x * d) * c  =  x * (d * c)     for c a power of two
def : Pat<(Arith_DivFOp $x, $c, $f), (Arith_MulFOp $x, (Reciprocal $c), $f), [(IsPowerOfTwo $c)]>;
def : Pat<(Arith_MulFOp (Arith_MulFOp $x, $d, $_), $c, $f), (Arith_MulFOp $x, (Product $d, $c), $f),
          [(IsConstant $d), (IsPowerOfTwo $c)]>;

// |-x|  =  ||x||  =  |x|
def : Pat<(Math_AbsFOp (Arith_NegFOp $x, $_), $f), (Math_AbsFOp $x, $f)>;
def : Pat<(Math_AbsFOp (Math_AbsFOp $x, $_), $f), (Math_AbsFOp $x, $f)>;

//===----------------------------------------------------------------------===//
// Truth values
//===----------------------------------------------------------------------===//

// x and true  =  true and x  =  x or false  =  false or x  =  x
def : Pat<(Arith_AndIOp $x, $c), (replaceWithValue $x), [(IsTrue $c)]>;
def : Pat<(Arith_AndIOp $c, $x), (replaceWithValue $x), [(IsTrue $c)]>;
def : Pat<(Arith_OrIOp $x, $c), (replaceWithValue $x), [(IsFalse $c)]>;
def : Pat<(Arith_OrIOp $c, $x), (replaceWithValue $x), [(IsFalse $c)]>;

// x and false  =  false and x  =  false,   x or true  =  true or x  =  true
def : Pat<(Arith_AndIOp $x, $c), (replaceWithValue $c), [(IsFalse $c)]>;
def : Pat<(Arith_AndIOp $c, $x), (replaceWithValue $c), [(IsFalse $c)]>;
def : Pat<(Arith_OrIOp $x, $c), (replaceWithValue $c), [(IsTrue $c)]>;
def : Pat<(Arith_OrIOp $c, $x), (replaceWithValue $c), [(IsTrue $c)]>;

// if true then x else y  =  x,   if false then x else y  =  y
def : Pat<(SelectOp $c, $x, $y), (replaceWithValue $x), [(IsTrue $c)]>;
def : Pat<(SelectOp $c, $x, $y), (replaceWithValue $y), [(IsFalse $c)]>;

//===----------------------------------------------------------------------===//
// Exponentials and logarithms
//===----------------------------------------------------------------------===//

// log(exp(x))  =  x,   also where exp(x) is infinite or 0
def : Pat<(Math_LogOp (Math_ExpOp $x, $_), $_), (replaceWithValue $x)>;

// log(1 + exp(x))  =  log1p(exp(x))  =  softplus(x),   -softplus(-x)  =  log_sigmoid(x)
def : Pat<(Math_LogOp (Arith_AddFOp (Math_ExpOp $x, $_), $c, $_), $_), (Loss_SoftplusOp $x),
          [(IsOne $c)]>;
def : Pat<(Math_Log1pOp (Math_ExpOp $x, $_), $_), (Loss_SoftplusOp $x)>;
def : Pat<(Arith_NegFOp (Loss_SoftplusOp (Arith_NegFOp $x, $_)), $_), (Loss_LogSigmoidOp $x)>;

// log(x + 1)  =  log1p(x),   log(1 - x)  =  log1p(-x)
def : Pat<(Math_LogOp (Arith_AddFOp $x, $c, $_), $f), (Math_Log1pOp $x, $f), [(IsOne $c)]>;
def : Pat<(Math_LogOp (Arith_SubFOp $c, $x, $_), $f), (Math_Log1pOp (Arith_NegFOp $x, $f), $f),
          [(IsOne $c)]>;

// exp(x) - 1  =  expm1(x),   1 - exp(x)  =  -expm1(x)
def : Pat<(Arith_SubFOp (Math_ExpOp $x, $_), $c, $f), (Math_ExpM1Op $x, $f), [(IsOne $c)]>;
def : Pat<(Arith_AddFOp (Math_ExpOp $x, $_), $c, $f), (Math_ExpM1Op $x, $f), [(IsMinusOne $c)]>;
def : Pat<(Arith_SubFOp $c, (Math_ExpOp $x, $_), $f), (Arith_NegFOp (Math_ExpM1Op $x, $f), $f),
          [(IsOne $c), (IsNoLogOfProbability $x)]>;

// 1 / (1 + exp(-x))  =  exp(x) / (1 + exp(x))  =  sigmoid(x),   1 / (1 + exp(x))  =  sigmoid(-x)
def : Pat<(Arith_DivFOp $c, (Arith_AddFOp (Math_ExpOp (Arith_NegFOp $x, $_), $_), $d, $_), $_),
          (Loss_SigmoidOp $x), [(IsOne $c), (IsOne $d)]>;
def : Pat<(Arith_DivFOp $c, (Arith_AddFOp (Math_ExpOp $x, $_), $d, $_), $f),
          (Loss_SigmoidOp (Arith_NegFOp $x, $f)), [(IsOne $c), (IsOne $d)]>;
def : Pat<(Arith_DivFOp (Math_ExpOp $x, $_), (Arith_AddFOp (Math_ExpOp $z, $_), $d, $_), $_),
          (Loss_SigmoidOp $x), [(IsOne $d), (Equal $x, $z)]>;

// log(sigmoid(x))  =  log_sigmoid(x),   exp(log_sigmoid(x))  =  sigmoid(x)
def : Pat<(Math_LogOp (Loss_SigmoidOp $x), $_), (Loss_LogSigmoidOp $x)>;
def : Pat<(Math_ExpOp (Loss_LogSigmoidOp $x), $_), (Loss_SigmoidOp $x)>;

// 1 - sigmoid(x)  =  sigmoid(-x)     where it is used near 0
def : Pat<(Arith_SubFOp:$r $c, (Loss_SigmoidOp $x), $f), (Loss_SigmoidOp (Arith_NegFOp $x, $f)),
          [(IsOne $c), (UsedNearZero $r)]>;
def : Pat<(Math_Log1pOp (Arith_NegFOp (Loss_SigmoidOp $x), $_), $f),
          (Loss_LogSigmoidOp (Arith_NegFOp $x, $f))>;

//===----------------------------------------------------------------------===//
// Softmax
//===----------------------------------------------------------------------===//

// exp(x) / sum(exp(x))  =  softmax(x),   log(sum(exp(x)))  =  logsumexp(x)
def : Pat<(Arith_DivFOp (Math_ExpOp $x, $_),
                        (Loss_BroadcastOp (Loss_ReduceOp $kind, (Math_ExpOp $z, $_), $axis)), $_),
          (Loss_SoftmaxOp $x, $axis), [(IsSum $kind), (Equal $x, $z)]>;
def : Pat<(Math_LogOp (Loss_ReduceOp $kind, (Math_ExpOp $x, $_), $axis), $_),
          (Loss_LogSumExpOp $x, $axis), [(IsSum $kind)]>;

// x - logsumexp(x)  =  log_softmax(x)
def : Pat<(Arith_SubFOp $x, (Loss_BroadcastOp (Loss_LogSumExpOp $z, $axis)), $_),
          (Loss_LogSoftmaxOp $x, $axis), [(Equal $x, $z)]>;

// log(softmax(x))  =  log_softmax(x),   exp(log_softmax(x))  =  softmax(x)
def : Pat<(Math_LogOp (Loss_SoftmaxOp $x, $axis), $_), (Loss_LogSoftmaxOp $x, $axis)>;
def : Pat<(Math_ExpOp (Loss_LogSoftmaxOp $x, $axis), $_), (Loss_SoftmaxOp $x, $axis)>;

// softmax(log_softmax(x))  =  softmax(x),   log_softmax(log_softmax(x))  =  log_softmax(x)
def : Pat<(Loss_SoftmaxOp (Loss_LogSoftmaxOp $x, $a), $b), (Loss_SoftmaxOp $x, $a),
          [(Equal $a, $b)]>;
def : Pat<(Loss_LogSoftmaxOp (Loss_LogSoftmaxOp $x, $a), $b), (Loss_LogSoftmaxOp $x, $a),
          [(Equal $a, $b)]>;

// softmax(x - max(x))  =  softmax(x),   log_softmax likewise,
// logsumexp(x - max(x)) + max(x)  =  logsumexp(x): their own evaluation subtracts the maximum
def : Pat<(Loss_SoftmaxOp (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp $kind, $z, $a)), $_),
                          $b),
          (Loss_SoftmaxOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $x, $z)]>;
def : Pat<(Loss_LogSoftmaxOp
              (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp $kind, $z, $a)), $_), $b),
          (Loss_LogSoftmaxOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $x, $z)]>;
def : Pat<(Arith_AddFOp
              (Loss_LogSumExpOp
                  (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp:$m $kind, $z, $a)), $_), $b),
              $n, $_),
          (Loss_LogSumExpOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $m, $n), (Equal $x, $z)]>;
def : Pat<(Arith_AddFOp
              $n,
              (Loss_LogSumExpOp
                  (Arith_SubFOp $x, (Loss_BroadcastOp (Loss_ReduceOp:$m $kind, $z, $a)), $_), $b),
              $_),
          (Loss_LogSumExpOp $x, $a), [(IsMax $kind), (Equal $a, $b), (Equal $m, $n), (Equal $x, $z)]>;

// 1 - softmax(x)  =  -expm1(log_softmax(x))     where it is used near 0
def : Pat<(Arith_SubFOp:$r $c, (Loss_SoftmaxOp $x, $axis), $f),
          (Arith_NegFOp (Math_ExpM1Op (Loss_LogSoftmaxOp $x, $axis), $f), $f),
          [(IsOne $c), (UsedNearZero $r)]>;
def : Pat<(Math_Log1pOp (Arith_NegFOp (Loss_SoftmaxOp $x, $axis), $_), $f),
          (Math_LogOp (Arith_NegFOp (Math_ExpM1Op (Loss_LogSoftmaxOp $x, $axis), $f), $f), $f)>;

//===----------------------------------------------------------------------===//
// Sums
//===----------------------------------------------------------------------===//

// sum(x * c)  =  sum(x) * c,   sum(x / c)  =  sum(x) / c     for c that lacks the axis
def : Pat<(Loss_ReduceOp $kind, (Arith_MulFOp $x, (Loss_BroadcastOp $c), $f), $axis),
          (Arith_MulFOp (Loss_ReduceOp:$s $kind, $x, $axis), (Spread $c, $s), $f),
          [(IsSum $kind), (Lacks $c, $axis)]>;
def : Pat<(Loss_ReduceOp $kind, (Arith_MulFOp (Loss_BroadcastOp $c), $x, $f), $axis),
          (Arith_MulFOp (Loss_ReduceOp:$s $kind, $x, $axis), (Spread $c, $s), $f),
          [(IsSum $kind), (Lacks $c, $axis)]>;
def : Pat<(Loss_ReduceOp $kind, (Arith_DivFOp $x, (Loss_BroadcastOp $c), $f), $axis),
          (Arith_DivFOp (Loss_ReduceOp:$s $kind, $x, $axis), (Spread $c, $s), $f),
          [(IsSum $kind), (Lacks $c, $axis)]>;

// sum(-x)  =  -sum(x)
def : Pat<(Loss_ReduceOp $kind, (Arith_NegFOp $x, $f), $axis),
          (Arith_NegFOp (Loss_ReduceOp $kind, $x, $axis), $f), [(IsSum $kind)]>;

#endif
