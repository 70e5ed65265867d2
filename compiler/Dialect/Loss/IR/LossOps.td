//===- LossOps.td - operations of a loss.program --------------------------===//

#ifndef LOSSLANG_DIALECT_LOSS_IR_LOSSOPS_TD
#define LOSSLANG_DIALECT_LOSS_IR_LOSSOPS_TD

include "LossDialect.td"
include "mlir/Interfaces/FunctionInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"
include "mlir/IR/OpAsmInterface.td"
include "mlir/IR/SymbolInterfaces.td"

class Loss_Op<string mnemonic, list<Trait> traits = []> : Op<Loss_Dialect, mnemonic, traits>;

def Loss_Float : AnyTypeOf<[F32, F64]>;
/// A number, or a tensor of numbers with named axes.
def Loss_Value
    : TypeOrValueSemanticsContainer<Loss_Float, "number or tensor of numbers with named axes">;
/// Class indices: one a row, or a single one.
def Loss_Index : TypeOrValueSemanticsContainer<I64, "class index or tensor of class indices">;

//===----------------------------------------------------------------------===//
// Program
//===----------------------------------------------------------------------===//

def Loss_ProgramOp : Loss_Op<"program", [
    AutomaticAllocationScope, FunctionOpInterface, IsolatedFromAbove, SingleBlock]> {
  let summary = "a loss as a formula over whole tensors";
  let description = [{
    `axes` lists all axes of the loss, in an order that every type keeps. `copies` maps an axis to
    the one that it is a second copy of. `class_axis` is what a target is a distribution over; the
    last axis where it is not given. Each argument carries `loss.name` and `loss.kind`: "input",
    "target", "fixed" (an input that gradients do not flow to), "param" (with `loss.default`),
    "seed" (factors of the result's elements), "tangent" (a direction of the argument of that name),
    "class_weights" or "label_smoothing". Each result carries `loss.result`: "value", "tangent" or "grad", the latter
    with `loss.of`, the name of the argument it is the gradient for.

    ```mlir
    loss.program @brier(%x: tensor<?x?xf64, #loss.axes<batch, class>> {loss.kind = "input", loss.name = "x"},
                        %y: tensor<?x?xf64, #loss.axes<batch, class>> {loss.kind = "target", loss.name = "y"})
        -> (tensor<?xf64, #loss.axes<batch>> {loss.result = "value"})
        attributes {axes = #loss.axes<batch, class>} { ... }
    ```
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<FunctionType>:$function_type,
                       Loss_AxesAttr:$axes,
                       OptionalAttr<StrAttr>:$class_axis,
                       OptionalAttr<DictionaryAttr>:$copies,
                       OptionalAttr<DictArrayAttr>:$arg_attrs,
                       OptionalAttr<DictArrayAttr>:$res_attrs);
  let regions = (region SizedRegion<1>:$body);
  let hasCustomAssemblyFormat = 1;
  let hasVerifier = 1;
  let builders = [OpBuilder<(ins "::llvm::StringRef":$name, "::mlir::FunctionType":$type,
                                 "AxesAttr":$axes)>];
  let extraClassDeclaration = [{
    // FunctionOpInterface.
    ::llvm::ArrayRef<::mlir::Type> getArgumentTypes() { return getFunctionType().getInputs(); }
    ::llvm::ArrayRef<::mlir::Type> getResultTypes() { return getFunctionType().getResults(); }
    ::mlir::Region *getCallableRegion() { return &getBody(); }

    /// Name and kind ("input", "target", ...) of argument `i`.
    ::llvm::StringRef getArgName(unsigned i);
    ::llvm::StringRef getArgKind(unsigned i);
    /// The axis that the caller's threads divide: the first one, if no operation works over it, and
    /// the value and the arguments that have it have it first. Null: there is none, or the
    /// attribute `loss.no_rows` says why there shall be none: all programs of a module must agree,
    /// and simplification may remove the operation from one of them.
    ::mlir::StringAttr getRowAxis();
    /// Why there is none, for people; empty when there is one.
    std::string whyNoRowAxis();
    /// What a target is a distribution over.
    ::mlir::StringAttr getTargetAxis() {
      return getClassAxisAttr() ? getClassAxisAttr() : getAxes().getNames().back();
    }
    /// Whether the row axis is the only axis: a kernel works on a range of it at once then, and the
    /// axis counts as an inner one.
    bool worksOnRange() { return getRowAxis() && getAxes().getNames().size() == 1; }
    /// The axes of `type` that a kernel loops over: all but the row axis.
    ::llvm::SmallVector<::mlir::StringAttr> getInnerAxes(::mlir::Type type);
    /// The type that `axes`, in any order, gives in this program.
    ::mlir::Type typeOver(::mlir::Type element, ::llvm::ArrayRef<::mlir::StringAttr> axes);
    YieldOp getYield();
  }];
}

def Loss_YieldOp : Loss_Op<"yield", [Pure, Terminator, HasParent<"ProgramOp">]> {
  let summary = "results of a loss.program";
  let arguments = (ins Variadic<Loss_Value>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Axes
//===----------------------------------------------------------------------===//

def Loss_BroadcastOp : Loss_Op<"broadcast", [Pure]> {
  let summary = "repeat a value along the axes it lacks";
  let arguments = (ins AnyType:$input);
  let results = (outs AnyRankedTensor:$result);
  let assemblyFormat = "$input attr-dict `:` type($input) `to` type($result)";
  let hasFolder = 1;
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def Loss_ReduceOp : Loss_Op<"reduce", [Pure, InferTypeOpAdaptor]> {
  let summary = "sum, maximum or minimum over one axis";
  let description = [{
    A NaN operand gives NaN, but `maxnum` passes over it: that is the cheap shift of a softmax, whose
    sum sees the NaN anyway. The other axes stay, in their order.
  }];
  let arguments = (ins Loss_ReduceKindAttr:$kind, Loss_Value:$input, StrAttr:$axis);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$kind $input `over` $axis attr-dict `:` type($input) `->` type($result)";
  let hasCanonicalizer = 1;
  let hasVerifier = 1;
}

def Loss_RenameOp : Loss_Op<"rename", [Pure]> {
  let summary = "the same values along a copy of an axis";
  let arguments = (ins Loss_Value:$input, StrAttr:$from, StrAttr:$to);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$input $from `to` $to attr-dict `:` type($input) `->` type($result)";
  let hasFolder = 1;
  let hasVerifier = 1;
}

def Loss_PositionOp : Loss_Op<"position", [Pure]> {
  let summary = "0, 1, ... along an axis";
  let arguments = (ins StrAttr:$axis);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
}

/// Along an axis in its order or, with a key, by descending key, ties by position. Of each element
/// those "up to it" are itself and the ones before; with `reverse`, the ones behind. The element stays
/// at its position.
class Loss_CumulativeOp<string mnemonic> : Loss_Op<mnemonic, [Pure]> {
  let arguments = (ins Loss_Value:$input, Optional<Loss_Value>:$key, StrAttr:$axis,
                       UnitAttr:$reverse);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = [{
    $input (`by` $key^)? `over` $axis (`reverse` $reverse^)? attr-dict `:` type($input)
    (`by` type($key)^)? `->` type($result)
  }];
  let hasVerifier = 1;
}

def Loss_CumsumOp : Loss_CumulativeOp<"cumsum"> {
  let summary = "cumulative sum along an axis, in the order of a descending key";
  let description = [{
    Each element becomes the sum of those up to it in the order of the axis or, with a key, of those
    whose key is greater, ties by position. `reverse`: the sum of those from it on. The element stays
    at its position.
  }];
}

def Loss_LogCumSumExpOp : Loss_CumulativeOp<"logcumsumexp"> {
  let summary = "log of the cumulative sum of exp(x), without overflow";
  let description = "As loss.cumsum. Where all elements so far are -inf, so is the result.";
}

def Loss_DecayedCumsumOp : Loss_Op<"decayed_cumsum", [Pure]> {
  let summary = "cumulative sum in which an element fades with the rise of a level";
  let description = [{
    r_i = sum over the j up to i of x_j exp(-|l_i - l_j|), for levels l that never fall in the order of
    loss.cumsum: what the derivative of loss.logcumsumexp sums, no factor above 1.
  }];
  let arguments = (ins Loss_Value:$input, Loss_Value:$level, Optional<Loss_Value>:$key,
                       StrAttr:$axis, UnitAttr:$reverse);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = [{
    $input `at` $level (`by` $key^)? `over` $axis (`reverse` $reverse^)? attr-dict `:` type($input)
    `at` type($level) (`by` type($key)^)? `->` type($result)
  }];
  let hasVerifier = 1;
}

def Loss_AxisSizeOp : Loss_Op<"axis_size", [Pure]> {
  let summary = "number of elements of an axis, as a number";
  let arguments = (ins StrAttr:$axis);
  let results = (outs Loss_Float:$result);
  let assemblyFormat = "$axis attr-dict `:` type($result)";
}

class Loss_AxisMapOp<string mnemonic>
    : Loss_Op<mnemonic, [Pure, SameOperandsAndResultType]> {
  let arguments = (ins Loss_Value:$input, StrAttr:$axis);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$input `over` $axis attr-dict `:` type($input)";
  let hasVerifier = 1;
}

def Loss_SoftmaxOp : Loss_AxisMapOp<"softmax"> {
  let summary = "exp(x_i) / sum_j exp(x_j) over one axis, without overflow";
}

def Loss_LogSoftmaxOp : Loss_AxisMapOp<"log_softmax"> {
  let summary = "x_i - log sum_j exp(x_j) over one axis, without overflow";
}

def Loss_LogSumExpOp : Loss_Op<"logsumexp", [Pure, InferTypeOpAdaptor]> {
  let summary = "log sum_j exp(x_j) over one axis, without overflow";
  let arguments = (ins Loss_Value:$input, StrAttr:$axis);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$input `over` $axis attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

def Loss_NormOp : Loss_Op<"norm", [Pure, InferTypeOpAdaptor]> {
  let summary = "square root of the sum of squares over one axis; gradient 0 at 0";
  let arguments = (ins Loss_Value:$input, StrAttr:$axis);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$input `over` $axis attr-dict `:` type($input) `->` type($result)";
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Derivatives by decree
//===----------------------------------------------------------------------===//

def Loss_StopGradientOp : Loss_Op<"stop_gradient", [Pure, SameOperandsAndResultType]> {
  let summary = "the operand, whose derivative counts as 0";
  let arguments = (ins Loss_Value:$input);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Loss_CustomGradientOp : Loss_Op<"custom_gradient", [Pure, AllTypesMatch<["value", "result"]>]> {
  let summary = "a value whose derivative by an argument is given";
  let description = [{
    The result is `value`; the incoming gradient flows on to `value`, and times `partial` to
    `argument`, summed over the axes that the argument lacks.
  }];
  let arguments = (ins Loss_Value:$value, Loss_Value:$argument, Loss_Value:$partial);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = [{
    $value `by` $argument `is` $partial attr-dict `:` type($value) `,` type($argument) `,`
    type($partial)
  }];
}

//===----------------------------------------------------------------------===//
// Class indices
//===----------------------------------------------------------------------===//

def Loss_OneHotOp : Loss_Op<"one_hot", [Pure]> {
  let summary = "1 at the class of the index, 0 elsewhere; never stored in memory";
  let description = [{
    `narrow`: the index is one number a row and the class axis the only inner axis, so that a factor
    is needed at one element only.
  }];
  let arguments = (ins Loss_Index:$index, StrAttr:$axis, UnitAttr:$narrow);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = [{
    $index `over` $axis (`narrow` $narrow^)? attr-dict `:` type($index) `->` type($result)
  }];
  let hasVerifier = 1;
}

def Loss_GatherOp : Loss_Op<"gather", [Pure, InferTypeOpAdaptor]> {
  let summary = "the element at the class of the index";
  let arguments = (ins Loss_Value:$input, Loss_Index:$index, StrAttr:$axis);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = [{
    $input `at` $index `over` $axis attr-dict `:` type($input) `,` type($index) `->` type($result)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Elementwise functions that arith and math lack
//===----------------------------------------------------------------------===//

class Loss_UnaryOp<string mnemonic, string formula>
    : Loss_Op<mnemonic, [Pure, SameOperandsAndResultType] # ElementwiseMappable.traits> {
  let summary = formula;
  // Vectors appear below loss.kernel.
  let arguments = (ins Loss_Value:$input);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

def Loss_SigmoidOp : Loss_UnaryOp<"sigmoid", "1 / (1 + exp(-x))">;
def Loss_SigmoidSlopeOp
    : Loss_UnaryOp<"sigmoid_slope", "derivative of sigmoid: exp(-x) / (1 + exp(-x))^2">;
def Loss_LogSigmoidOp : Loss_UnaryOp<"log_sigmoid", "-log(1 + exp(-x)), without overflow">;
def Loss_SoftplusOp : Loss_UnaryOp<"softplus", "log(1 + exp(x)), without overflow">;
def Loss_Log1mExpOp
    : Loss_UnaryOp<"log1mexp", "log(1 - exp(x)) for x <= 0, without cancellation">;
def Loss_SignOp : Loss_UnaryOp<"sign", "-1, 0 or 1; NaN for NaN">;
def Loss_BesselI0Op : Loss_UnaryOp<"bessel_i0", "modified Bessel function I0(x)">;
def Loss_BesselI0eOp : Loss_UnaryOp<"bessel_i0e", "exp(-abs(x)) I0(x)">;
def Loss_BesselI1Op : Loss_UnaryOp<"bessel_i1", "modified Bessel function I1(x)">;
def Loss_BesselI1eOp : Loss_UnaryOp<"bessel_i1e", "exp(-abs(x)) I1(x)">;
def Loss_ErfInvOp : Loss_UnaryOp<"erfinv", "inverse of the error function">;
def Loss_LgammaOp : Loss_UnaryOp<"lgamma", "log of the absolute value of the gamma function">;
def Loss_DigammaOp : Loss_UnaryOp<"digamma", "derivative of lgamma">;
def Loss_TrigammaOp : Loss_UnaryOp<"trigamma", "derivative of digamma">;
def Loss_TetragammaOp : Loss_UnaryOp<"tetragamma", "derivative of trigamma">;
def Loss_PentagammaOp : Loss_UnaryOp<"pentagamma", "derivative of tetragamma">;
def Loss_ExprelOp : Loss_UnaryOp<"exprel", "(exp(x) - 1) / x, and 1 at 0">;
def Loss_StirlingErrorOp
    : Loss_UnaryOp<"stirling_error", "lgamma(x) - (x - 1/2) log(x) + x - log(2 pi) / 2">;
def Loss_GammaEntropyOp : Loss_UnaryOp<"gamma_entropy", "x + lgamma(x) + (1 - x) digamma(x)">;

class Loss_BinaryOp<string mnemonic, string formula>
    : Loss_Op<mnemonic, [Pure, SameOperandsAndResultType] # ElementwiseMappable.traits> {
  let summary = formula;
  let arguments = (ins Loss_Value:$lhs, Loss_Value:$rhs);
  let results = (outs Loss_Value:$result);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($result)";
}

def Loss_HypotOp : Loss_BinaryOp<"hypot", "sqrt(x^2 + y^2), without overflow">;
def Loss_XlogyOp : Loss_BinaryOp<"xlogy", "x log(y), and 0 at x = 0 unless y is NaN">;
def Loss_LogBetaOp : Loss_BinaryOp<"lbeta", "lgamma(x) + lgamma(y) - lgamma(x + y)">;
def Loss_LogRisingFactorialOp
    : Loss_BinaryOp<"log_rising_factorial", "lgamma(x + y) - lgamma(x), without cancellation">;
def Loss_DigammaDifferenceOp
    : Loss_BinaryOp<"digamma_difference", "digamma(x + y) - digamma(x), without cancellation">;
def Loss_TrigammaDifferenceOp
    : Loss_BinaryOp<"trigamma_difference", "trigamma(x + y) - trigamma(x), without cancellation">;

//===----------------------------------------------------------------------===//
// Kernel
//===----------------------------------------------------------------------===//

def Loss_Array
    : DialectType<Loss_Dialect, CPred<"::llvm::isa<::loss::ir::ArrayType>($_self)">, "array">;

def Loss_KernelOp : Loss_Op<"kernel", [IsolatedFromAbove, Symbol, SingleBlock]> {
  let summary = "what one row of a loss costs";
  let description = [{
    The body runs once for each row of the row axis; once, where there is none. `roles` says what
    each argument is: a number, or an array over inner axes; `returns`, what the numbers are that the
    body returns. `axes` are the axes of the loss without
    the `copies`. `range`: the row axis is the only axis, and the body works on a range of it at once.
    `target` is "none", "index" or "dense"; `mode` is "value", "grad", "all", "tangent"
    or "tangent_all": LOSS_VALUE and so on in runtime/abi/LossAbi.h.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name, StrAttr:$target, StrAttr:$mode,
                       TypeAttr:$element, Loss_RoleArrayAttr:$roles, Loss_RoleArrayAttr:$returns,
                       Loss_AxesAttr:$axes,
                       OptionalAttr<DictionaryAttr>:$copies, OptionalAttr<StrAttr>:$row_axis,
                       OptionalAttr<StrAttr>:$class_axis, UnitAttr:$range);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = "$sym_name attr-dict-with-keyword $body";
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    /// The role of body argument `i`.
    RoleAttr getRole(unsigned i) { return ::llvm::cast<RoleAttr>(getRoles()[i]); }
    /// The axis whose size `axis` has: what it is a copy of, or itself.
    ::mlir::StringAttr getOriginal(::mlir::StringAttr axis);
  }];
}

def Loss_KernelReturnOp : Loss_Op<"kernel_return", [Terminator, HasParent<"KernelOp">]> {
  let summary = "the results of the row that are numbers";
  let arguments = (ins Variadic<Loss_Float>:$values);
  let assemblyFormat = "attr-dict ($values^ `:` type($values))?";
}

def Loss_ScratchOp : Loss_Op<"scratch", [HasParent<"KernelOp">, MemoryEffects<[MemAlloc]>]> {
  let summary = "an array in scratch memory of the calling thread";
  let results = (outs Loss_Array:$array);
  let assemblyFormat = "attr-dict `:` type($array)";
}

def Loss_LoadOp : Loss_Op<"load", [MemoryEffects<[MemRead]>]> {
  let summary = "one element of an array over one axis";
  let arguments = (ins Loss_Array:$array, I64:$index);
  let results = (outs Loss_Float:$result);
  let assemblyFormat = "$array `[` $index `]` attr-dict `:` type($array) `->` type($result)";
}

def Loss_ScanOp : Loss_Op<"scan", [
    HasParent<"KernelOp">, AttrSizedOperandSegments,
    MemoryEffects<[MemRead, MemWrite]>]> {
  let summary = "a cumulative operation along an axis of an array, for every position along its other axes";
  let description = [{
    See loss.cumsum, loss.logcumsumexp and, with a level, loss.decayed_cumsum. `order` is scratch over the
    axis, present with a key.
  }];
  let arguments = (ins Loss_ScanKindAttr:$kind, Loss_Array:$input, Optional<Loss_Array>:$level,
                       Optional<Loss_Array>:$key, Optional<Loss_Array>:$order, Loss_Array:$output,
                       StrAttr:$axis, UnitAttr:$reverse);
  let assemblyFormat = [{
    $kind $input (`at` $level^)? (`by` $key^ `,` $order)? `into` $output `over` $axis
    (`reverse` $reverse^)? attr-dict
    `:` type($input) (`at` type($level)^)? (`by` type($key)^ `,` type($order))? `into` type($output)
  }];
}

def Loss_IsClassOp : Loss_Op<"is_class", [Pure, HasParent<"PhaseOp">]> {
  let summary = "whether the element at hand is the class of the index";
  let arguments = (ins I64:$index, StrAttr:$axis);
  let results = (outs I1:$result);
  let assemblyFormat = "$index `over` $axis attr-dict";
}

def Loss_PhaseOp : Loss_Op<"phase", [
    AttrSizedOperandSegments, SingleBlock,
    DeclareOpInterfaceMethods<MemoryEffectsOpInterface>]> {
  let summary = "one pass over some inner axes";
  let description = [{
    A nest of loops over the axes `over`, the last of them in vectors. The body is the work on one
    element: its arguments are the elements of the arrays read, read i along the axes `read_axes[i]`
    (a copy of an axis stands for the axis). It may use numbers from outside.

    `loss.phase_yield` gives one number for each reduction, and one for each array written. A
    reduction over the only axis is a result of the phase; one over one of several axes goes into an
    array over the others. `reductions` are the kinds of the results, then of `into`. An array may be
    read and written: its element is read first.
  }];
  let arguments = (ins Loss_AxesAttr:$over, Variadic<Loss_Array>:$reads,
                       Loss_AxesArrayAttr:$read_axes, Variadic<Loss_Array>:$writes,
                       Variadic<Loss_Array>:$into, Loss_ReduceKindArrayAttr:$reductions);
  let results = (outs Variadic<Loss_Float>:$results);
  let regions = (region SizedRegion<1>:$body);
  let assemblyFormat = [{
    `over` $over `reads` `(` ($reads^ `:` type($reads))? `)` `along` $read_axes
    `writes` `(` ($writes^ `:` type($writes))? `)` (`into` `(` $into^ `:` type($into) `)`)?
    `reduces` $reductions (`->` type($results)^)? attr-dict-with-keyword $body
  }];
  let hasVerifier = 1;
}

def Loss_PhaseYieldOp : Loss_Op<"phase_yield", [
    Pure, Terminator, AttrSizedOperandSegments, HasParent<"PhaseOp">]> {
  let summary = "what an element contributes to the reductions and arrays of its phase";
  let arguments = (ins Variadic<Loss_Float>:$reduced, Variadic<Loss_Float>:$written);
  let assemblyFormat = [{
    `reduce` `(` ($reduced^ `:` type($reduced))? `)`
    `write` `(` ($written^ `:` type($written))? `)` attr-dict
  }];
}

#endif
