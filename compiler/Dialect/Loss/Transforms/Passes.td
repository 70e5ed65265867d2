//===- Passes.td - passes of the loss dialect ------------------------------===//

#ifndef LOSSLANG_DIALECT_LOSS_TRANSFORMS_PASSES_TD
#define LOSSLANG_DIALECT_LOSS_TRANSFORMS_PASSES_TD

include "mlir/Pass/PassBase.td"
include "mlir/Rewrite/PassUtil.td"

def Simplify : Pass<"loss-simplify", "::loss::ir::ProgramOp"> {
  let summary = "simplify and stabilise a program by algebraic laws";
  let description = [{
    The laws are in Simplify.td, each above its rule; Simplify.cpp adds powers with constant exponents,
    functions of constants, and log(cumsum(exp(x))) = logcumsumexp(x); StableForms.cpp those that work on
    the logarithm of what is written as an exponential, StableValues.cpp those about differences that
    cancel. GammaSums.cpp joins the log-gammas, digammas and trigammas of a sum that cancel, however it is
    grouped:

        lgamma(u) - lgamma(v)              = log_rising_factorial(v, u - v)
        lgamma(u) + lgamma(v) - lgamma(w)  = lbeta(u, v)       if w = u + v
        the same, if w = u + v + c         = lgamma(least) - log_rising_factorial(greatest, w - greatest)
        digamma(u) - digamma(v)            = digamma_difference(v, u - v)

    where u - v is formed from what u and v are made of: (r + y) - r is y.
    The laws recognise softmax, log_softmax, logsumexp, sigmoid, log_sigmoid, softplus, expm1 and log1p
    written out by hand, which makes a formula stable, and remove needless work. Broadcasts and common
    subexpressions are cleaned up too. To be run before differentiation, and again after it.

    The name of a law is its debug label, so that `disable-patterns=OneMinusErf` leaves it out.
  }];
  let options = RewritePassUtils.options;
}

def Specialise : Pass<"loss-specialise", "::loss::ir::ProgramOp"> {
  let summary = "fix the element type and how the target is passed";
  let description = [{
    A program computes in f64 with its target as a distribution over the classes. Here its numbers
    become `element`, and with `target=index` the target becomes an i64 without the class axis: its
    uses see `loss.one_hot`. Where that is one index a row, what multiplies it is needed at one class
    only:

        sum(one_hot(t))          = 1
        sum(one_hot(t) * x)      = gather(x, t)
        one_hot(t) * x           = one_hot(t) * broadcast(gather(x, t))    if x is not a plain input
        gather(f(x, y), t)       = f(gather(x, t), gather(y, t))
        max(if one_hot(t) != 0 then x else -inf)  = gather(x, t)
        gather(one_hot(t), t)    = 1
        gather(broadcast(x), t)  = x
        f(one_hot(t))            = select(one_hot(t) != 0, f(1), f(0))

    Where it is many,

        one_hot(t) * x           = select(one_hot(t) != 0, x, 0)

    So a term multiplied by a class-index target is computed once a row, and is 0 where the target
    is 0 even if its other factor is not finite there.
  }];
  let options = [
    Option<"element", "element", "std::string", /*default=*/"\"f32\"", "f32 or f64">,
    Option<"target", "target", "std::string", /*default=*/"\"dense\"", "index or dense">,
  ];
}

def AddOptions : Pass<"loss-add-options", "::loss::ir::ProgramOp"> {
  let summary = "label smoothing and class weights, which no loss writes down itself";
  let description = [{
    With the arguments `label_smoothing` s and `class_weights` w, and K classes, the target y becomes

        y' = (1 - s) * y + s / K

    A loss that is linear in its target then takes w * y' in its place, as PyTorch's cross entropy;
    another is multiplied by sum(w * y'), if its result has the axes of the target but the classes.
    The attribute `loss.class_weighting` says which: "target", "result" or "none".
  }];
}

def Expand : Pass<"loss-expand", "::loss::ir::ProgramOp"> {
  let summary = "write the softmax family, norms and rarer functions as formulas, drop the marks of derivatives";
  let description = [{
    With m = max(x) and s = sum(exp(x - m)):

        softmax(x)     = exp(x - m) * (1 / s)
        log_softmax(x) = (x - m) - log(s)
        logsumexp(x)   = m + log(s)
        norm(x)        = sqrt(sum(x * x))
        rsqrt(x)       = 1 / sqrt(x)
        exprel(x)      = (h / x) * (h + 2)    with h = expm1(x / 2)

    and `loss.stirling_error` and `loss.gamma_entropy` by polynomials (compiler/Autodiff/SpecialFunctions.cpp).

    `loss.stop_gradient` and `loss.custom_gradient` speak to the differentiation only, which has been.
  }];
}

def MarkUnitAngles : Pass<"loss-mark-unit-angles", "::loss::ir::ProgramOp"> {
  let summary = "mark sines and cosines whose angle is provably within 1";
  let description = [{
    Interval arithmetic: a softmax or sigmoid lies in [0, 1], a sine in [-1, 1], and so on through sums
    and products. `math.sin` and `math.cos` of an angle in [-1, 1] gain `loss.unit_angle`: their code
    is a polynomial, without reduction of the angle and without a branch for huge ones. Runs while
    softmax is still an operation.
  }];
}

def Fuse : Pass<"loss-fuse", "::mlir::ModuleOp"> {
  let summary = "turn each program into a kernel: phases over the inner axes";
  let description = [{
    The row axis, if the program has one, is left to the caller. A value that varies along other axes
    is computed in a phase; a reduction ends its phase, and what needs its result comes in a later
    one. A value that a later phase needs again, or a phase over more axes, is recomputed where that
    is cheap, and kept in an array otherwise: in that of a gradient if it is free, else in scratch. So
    are the operands of cumulative sums and of renamings, which are needed at other positions.
  }];
  let dependentDialects = ["::loss::ir::LossDialect"];
}

#endif
