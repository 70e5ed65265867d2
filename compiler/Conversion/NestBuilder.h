//===- NestBuilder.h - builds the loop nest of a phase ----------*- C++ -*-===//
#ifndef LOSSLANG_CONVERSION_NESTBUILDER_H
#define LOSSLANG_CONVERSION_NESTBUILDER_H

#include "compiler/Conversion/PhaseLoops.h"

namespace loss::ir {

/// Writes down the loops of one phase; see PhaseLoops.cpp.
class NestBuilder {
public:
  NestBuilder(KernelCode &code, PhaseOp phase, bool fetchesNext)
      : code(code), phase(phase), b(code.b), fetchesNext(fetchesNext),
        loops(phase.getOver().getNames()), last(loops.size() - 1),
        reductions(phase.getReductions().size()) {}

  void emit();

private:
  struct Chunk {
    mlir::Value base; // first element of the vector
    mlir::Value mask; // null: all lanes
  };

  void findLevels();
  unsigned levelOf(llvm::ArrayRef<mlir::StringAttr> axes);
  void initialise();
  /// The loop of level `level` and all inside it.
  void emitLevel(unsigned level);
  void emitNumbers(unsigned level);
  void emitVectorLoop();
  void repeatNumbers();
  void emitTiles();
  void emitTile(mlir::Value base, mlir::Value mask, unsigned unroll);
  void emitChunk(Chunk chunk, llvm::MutableArrayRef<mlir::Value> accumulators);

  mlir::Value emitOperation(mlir::Operation &op, mlir::ValueRange operands, mlir::Type type);
  mlir::Value isClass(IsClassOp op, const Chunk *chunk);
  mlir::Value position(PositionOp op, const Chunk *chunk);
  /// The lanes of the chunk: base + 0, 1, ...
  mlir::Value laneNumbers(mlir::Value base, mlir::Type type);

  // Memory.
  /// Address of the element at the loops' positions; for a vector, of its first lane.
  mlir::Value address(mlir::Value array, llvm::ArrayRef<mlir::StringAttr> along,
                      const Chunk *chunk);
  /// The factors of the result's elements: contiguous, or one for all.
  bool isWeights(mlir::Value array);
  mlir::Value readVector(mlir::Value array, llvm::ArrayRef<mlir::StringAttr> along, Chunk chunk);
  void writeVector(mlir::Value array, mlir::Value x, Chunk chunk);
  std::optional<unsigned> dimensionOfLast(llvm::ArrayRef<mlir::StringAttr> along);
  mlir::Value vectorOfAddresses(mlir::Value array, unsigned dimension, mlir::Value first);

  // Reductions.
  ReduceKind kindOf(unsigned i) {
    return llvm::cast<ReduceKindAttr>(phase.getReductions()[i]).getValue();
  }
  double identity(ReduceKind kind);
  mlir::Value combine(ReduceKind kind, mlir::Value acc, mlir::Value x);
  mlir::Value horizontal(ReduceKind kind, mlir::Value v);
  bool isInLanes(unsigned i) { return !arrayReducedInMemory(phase, i); }
  void reduceInMemory(unsigned i, mlir::Value x, Chunk chunk);

  mlir::Value asVector(mlir::Value v);

  KernelCode &code;
  PhaseOp phase;
  mlir::ImplicitLocOpBuilder &b;
  bool fetchesNext;
  llvm::ArrayRef<mlir::StringAttr> loops;
  unsigned last, reductions;
  /// Results first, then arrays: the order of phase_yield and of `reductions`.
  llvm::DenseMap<mlir::Value, unsigned> levels;
  llvm::SmallVector<mlir::Value> positions; // of the scalar loops
  /// Values of the body: numbers, or vectors of the chunk at hand; numbers repeated as vectors.
  llvm::DenseMap<mlir::Value, mlir::Value> numbers, vectors, splats;
};

} // namespace loss::ir

#endif // LOSSLANG_CONVERSION_NESTBUILDER_H
