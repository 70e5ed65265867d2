//===- Passes.td - from kernels to LLVM -------------------------------------===//

#ifndef LOSSLANG_CONVERSION_PASSES_TD
#define LOSSLANG_CONVERSION_PASSES_TD

include "mlir/Pass/PassBase.td"

def ConvertLossToVector : Pass<"convert-loss-to-vector", "::mlir::ModuleOp"> {
  let summary = "turn kernels into functions over explicit vectors";
  let description = [{
    A `loss.kernel` becomes a function `(args: !llvm.ptr, begin: i64, end: i64, scratch: !llvm.ptr)
    -> i64` of the plain-C interface LossAbi.h. Class indices are checked for the whole range first;
    rows follow in a loop, and each phase is a loop over vectors of `bits` bits with a masked tail.
    A phase of little work is unrolled with independent accumulators.
  }];
  let options = [Option<"bits", "bits", "unsigned", /*default=*/"512", "width of a vector register">];
  let dependentDialects = ["::mlir::arith::ArithDialect", "::mlir::func::FuncDialect",
                           "::mlir::LLVM::LLVMDialect", "::mlir::scf::SCFDialect",
                           "::mlir::vector::VectorDialect"];
}

def ConvertMathToVecMath : Pass<"convert-math-to-vecmath", "::mlir::ModuleOp"> {
  let summary = "call the vector math library for what processors lack";
  let description = [{
    math and loss operations on vectors become calls of `loss_vm_<function>_<type>x<lanes>`; on a
    number they work on one lane of such a vector, so no scalar math function is ever called.
    `loss.sign` becomes comparisons. What LLVM does in an instruction (abs, sqrt, floor) stays.
  }];
  let options = [Option<"bits", "bits", "unsigned", /*default=*/"512", "width of a vector register">];
  let dependentDialects = ["::mlir::func::FuncDialect", "::mlir::vector::VectorDialect"];
}

def ConvertKernelToLLVM : Pass<"convert-kernel-to-llvm", "::mlir::ModuleOp"> {
  let summary = "lower vector, scf, arith, math and func to the LLVM dialect in one conversion";
  let dependentDialects = ["::mlir::cf::ControlFlowDialect", "::mlir::LLVM::LLVMDialect"];
}

#endif
