//===- PhaseLoops.h - the loop nest of one phase ----------------*- C++ -*-===//
#ifndef LOSSLANG_CONVERSION_PHASELOOPS_H
#define LOSSLANG_CONVERSION_PHASELOOPS_H

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/Dialect/LLVMIR/LLVMDialect.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"
#include "llvm/ADT/STLFunctionalExtras.h"

namespace loss::ir {

/// What the code of a kernel's rows shares.
struct KernelCode {
  KernelCode(KernelOp kernel, unsigned bits)
      : kernel(kernel), bits(bits), b(kernel.getLoc(), kernel.getContext()),
        element(kernel.getElement()),
        pointer(mlir::LLVM::LLVMPointerType::get(kernel.getContext())), i64(b.getI64Type()),
        lanes(bits / element.getIntOrFloatBitWidth()),
        vector(mlir::VectorType::get(lanes, element)) {}

  mlir::Value integer(int64_t v) {
    return mlir::arith::ConstantOp::create(b, b.getI64IntegerAttr(v));
  }
  /// Address of element `index` of an array of `type`.
  mlir::Value at(mlir::Value base, mlir::Value index, mlir::Type type) {
    return mlir::LLVM::GEPOp::create(b, pointer, type, base, mlir::ValueRange{index});
  }
  mlir::Value product(mlir::Value x, mlir::Value y) { return mlir::arith::MulIOp::create(b, x, y); }
  unsigned alignment(mlir::Type type) { return type.getIntOrFloatBitWidth() / 8; }
  /// A number in all lanes.
  mlir::Value splat(double value);
  /// Size of an axis, copies included.
  mlir::Value sizeOf(mlir::StringAttr axis) { return sizes.lookup(kernel.getOriginal(axis)); }
  /// Elements of an array from one position of dimension `i` to the next.
  mlir::Value strideOf(ArrayType array, unsigned i);
  mlir::Value elementCount(ArrayType array);

  KernelOp kernel;
  unsigned bits;
  mlir::ImplicitLocOpBuilder b;
  mlir::Type element, pointer, i64;
  int64_t lanes;
  mlir::VectorType vector;
  /// Values of the kernel: numbers, or addresses of arrays.
  llvm::DenseMap<mlir::Value, mlir::Value> map;
  /// For an array that sums are formed in: the array of what rounding has lost so far.
  llvm::DenseMap<mlir::Value, mlir::Value> lost;
  /// Sizes of the axes that loops run over.
  llvm::DenseMap<mlir::StringAttr, mlir::Value> sizes;
  /// The row at hand; the first of the range, where the kernel works on a range.
  mlir::Value row;
  /// The weights of a result that is an array: elements between two of them, 0 or 1.
  mlir::Value weightStride;
  /// Arrays of the next row, which the phase of most work fetches into the cache.
  struct NextRow {
    mlir::Value address;
    mlir::Type array;
    bool isWritten;
  };
  llvm::SmallVector<NextRow> nextRows;
};

/// Operations of an element of the phase, in instructions of a vector.
unsigned workOf(PhaseOp phase);

/// Whether all that the phase does is to reduce the axis of its last loop but one, and none of the
/// arrays that it reads is over all axes: products. Such a phase keeps a tile of its results in
/// registers while it walks that axis.
bool isTiled(PhaseOp phase);

/// The array that reduction `i` of the phase is formed in, step by step in memory; null where it
/// is kept in registers, because it reduces the last axis or the phase is tiled.
mlir::Value arrayReducedInMemory(PhaseOp phase, unsigned i);

/// Emits the loops of `phase` at the builder's position; its results enter code.map. `fetchesNext`:
/// it is the phase of most work.
void emitPhaseLoops(KernelCode &code, PhaseOp phase, bool fetchesNext);

/// Contraction to fused multiply-add is allowed in generated code, not in the math library.
void allowContraction(mlir::Operation *op);

/// Writes `value`, a number, to `count` elements from `base`.
void emitFill(KernelCode &code, mlir::Value base, mlir::Value count, mlir::Value value);

} // namespace loss::ir

#endif // LOSSLANG_CONVERSION_PHASELOOPS_H
