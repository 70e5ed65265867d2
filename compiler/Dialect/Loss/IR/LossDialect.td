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
    A `loss.kernel` is what one row of it costs: a sequence of `loss.phase` passes over the class
    axis with numbers between them.
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

def Loss_RowType : Loss_Type<"Row", "row"> {
  let summary = "one row of the class axis in memory";
  let parameters = (ins "::mlir::Type":$elementType);
  let assemblyFormat = "`<` $elementType `>`";
}

def Loss_ReduceKind : I32EnumAttr<"ReduceKind", "reduction of an axis to one number", [
    I32EnumAttrCase<"sum", 0>, I32EnumAttrCase<"max", 1>, I32EnumAttrCase<"min", 2>,
    I32EnumAttrCase<"maxnum", 3>]> {
  let cppNamespace = "::loss::ir";
  let genSpecializedAttr = 0;
}
def Loss_ReduceKindAttr : EnumAttr<Loss_Dialect, Loss_ReduceKind, "reduction"> {
  let assemblyFormat = "$value";
}
def Loss_ReduceKindArrayAttr : TypedArrayAttrBase<Loss_ReduceKindAttr, "reductions">;

#endif
