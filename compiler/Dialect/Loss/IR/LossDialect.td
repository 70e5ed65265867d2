//===- LossDialect.td - the loss dialect, its types and attributes -------===//

#ifndef LOSSLANG_DIALECT_LOSS_IR_LOSSDIALECT_TD
#define LOSSLANG_DIALECT_LOSS_IR_LOSSDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/TensorEncoding.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Loss_Dialect : Dialect {
  let name = "loss";
  let cppNamespace = "::loss::ir";
  let summary = "Loss functions over named axes";
  let description = [{
    A value is a number (`f64`), or a tensor whose encoding names its axes:
    `tensor<?x?xf64, #loss.axes<batch, class>>`. Elementwise work is done by the arith and math
    dialects on operands of one type; `loss.broadcast` brings an operand to the axes it lacks.
    The dialect has two levels. A `loss.program` is the formula: one SSA graph over whole tensors.
    A `loss.kernel` is what one row of it costs (all of it, where no axis can be divided into rows):
    a sequence of `loss.phase` passes over the inner axes with numbers between them.
  }];
  let useDefaultAttributePrinterParser = 1;
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::math::MathDialect"];
}

class Loss_Attr<string name, string attrMnemonic, list<Trait> traits = []>
    : AttrDef<Loss_Dialect, name, traits> {
  let mnemonic = attrMnemonic;
}

class Loss_Type<string name, string typeMnemonic, list<Trait> traits = []>
    : TypeDef<Loss_Dialect, name, traits> {
  let mnemonic = typeMnemonic;
}

def Loss_AxesAttr
    : Loss_Attr<"Axes", "axes", [DeclareAttrInterfaceMethods<VerifiableTensorEncoding>]> {
  let summary = "the named axes of a tensor, outermost first";
  let parameters = (ins ArrayRefParameter<"::mlir::StringAttr">:$names);
  let hasCustomAssemblyFormat = 1;
  let genVerifyDecl = 1;
  let extraClassDeclaration = [{
    bool contains(::mlir::StringAttr name) const {
      return ::llvm::is_contained(getNames(), name);
    }
  }];
}

def Loss_ArrayType : Loss_Type<"Array", "array"> {
  let summary = "an array in memory over the inner axes of a row, contiguous, in this order";
  let parameters = (ins "::mlir::Type":$elementType, "AxesAttr":$axes);
  let assemblyFormat = "`<` $elementType `,` $axes `>`";
}

def Loss_RoleKind : I32EnumAttr<"RoleKind", "part of a call's arguments", [
    I32EnumAttrCase<"input", 0>, I32EnumAttrCase<"param", 1>, I32EnumAttrCase<"tangent", 2>,
    I32EnumAttrCase<"grad", 3>, I32EnumAttrCase<"value", 4>, I32EnumAttrCase<"weights", 5>,
    I32EnumAttrCase<"scale", 6>, I32EnumAttrCase<"class_weights", 7>,
    I32EnumAttrCase<"label_smoothing", 8>]> {
  let cppNamespace = "::loss::ir";
  let genSpecializedAttr = 0;
}
def Loss_RoleKindParameter : EnumParameter<Loss_RoleKind>;
def Loss_RoleAttr : Loss_Attr<"Role", "role"> {
  let summary = "what an argument of a kernel is: a part of LossArgs in runtime/abi/LossAbi.h";
  let parameters = (ins Loss_RoleKindParameter:$kind, "unsigned":$index);
  let assemblyFormat = "`<` $kind $index `>`";
}
def Loss_RoleArrayAttr : TypedArrayAttrBase<Loss_RoleAttr, "roles">;
def Loss_AxesArrayAttr : TypedArrayAttrBase<Loss_AxesAttr, "axes">;

def Loss_ReduceKind : I32EnumAttr<"ReduceKind", "reduction of an axis to one number", [
    I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"max", 1>, I32EnumAttrCase<"min", 2>,
    I32EnumAttrCase<"maxnum", 3>]> {
  let cppNamespace = "::loss::ir";
  let genSpecializedAttr = 0;
}
def Loss_ReduceKindAttr : EnumAttr<Loss_Dialect, Loss_ReduceKind, "reduction"> {
  let assemblyFormat = "$value";
}
def Loss_ScanKind : I32EnumAttr<"ScanKind", "cumulative operation along an axis", [
    I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"logsumexp", 1>, I32EnumAttrCase<"decayed_sum", 2>]> {
  let cppNamespace = "::loss::ir";
  let genSpecializedAttr = 0;
}
def Loss_ScanKindAttr : EnumAttr<Loss_Dialect, Loss_ScanKind, "scan"> {
  let assemblyFormat = "$value";
}
def Loss_ReduceKindArrayAttr : TypedArrayAttrBase<Loss_ReduceKindAttr, "reductions">;

#endif
