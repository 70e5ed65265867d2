//===- FusionPlan.h - which pass over memory computes what ------*- C++ -*-===//
//
// A value is *wide* when it varies along an inner axis (any but the row axis), else *narrow*: a
// number of the row. Its *domain* is the set of its inner axes. The *stage* of a value is the
// number of reductions, scans and renamings, one after another, that it waits for. A phase is one
// pass over a domain at a stage: it reduces wide values of that domain and stage, and writes those
// of them that are wanted in memory. Products of arrays over fewer axes (of matrices, say) get a
// phase for each axis that they are reduced along: each has its own best order of loops, and what
// they read again is small.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_DIALECT_LOSS_TRANSFORMS_FUSIONPLAN_H
#define LOSSLANG_DIALECT_LOSS_TRANSFORMS_FUSIONPLAN_H

#include "compiler/Dialect/Loss/IR/Loss.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"

#include <map>
#include <tuple>

namespace loss::ir {

/// Inner axes of a program as a set; bit i stands for axis i of the program.
using Domain = uint32_t;

/// Phases in the order of their execution: by stage; of one stage, small domains first, so that a
/// larger one can read what they keep; of one domain, the reductions of products come last.
struct PhaseKey {
  unsigned stage = 0;
  Domain domain = 0;
  /// The axis along which the phase reduces products; 0 in other phases.
  Domain product = 0;

  bool operator<(const PhaseKey &other) const {
    auto rank = [](const PhaseKey &key) {
      return std::tuple(key.stage, llvm::popcount(key.domain), key.domain, key.product);
    };
    return rank(*this) < rank(other);
  }
  bool operator==(const PhaseKey &other) const = default;
};

/// A wide value that the kernel must write to memory of the caller.
struct Output {
  mlir::Value value;
  /// The array of the kernel.
  mlir::Value array;
  /// A number or array of the kernel that it is multiplied by; null: by 1.
  mlir::Value factor;
  PhaseKey phase;
};

/// A wide value that is stored because later passes need it and computing it again is dear, or
/// because an operation needs it in memory.
struct Kept {
  PhaseKey written, lastRead;
  mlir::Value array;
};

struct PhasePlan {
  llvm::SmallVector<ReduceOp> reductions;
  llvm::SmallVector<unsigned> outputs;
  llvm::SmallVector<mlir::Value> keeps;
  /// Values that the phase computes or reads.
  llvm::SetVector<mlir::Value> visited;
};

class FusionPlan {
public:
  explicit FusionPlan(ProgramOp program);

  /// Adds a result to be written; before plan().
  void addOutput(mlir::Value value, mlir::Value array, mlir::Value factor);
  /// Decides what each phase computes, reads back and keeps.
  void plan();

  Domain domainOf(mlir::Value value) { return domainOf(value.getType()); }
  Domain domainOf(mlir::Type type);
  llvm::SmallVector<mlir::StringAttr> axesIn(Domain domain);
  bool isWide(mlir::Value value) { return domainOf(value) != 0; }
  unsigned stageOf(mlir::Value value) const { return stages.lookup(value); }
  /// The number of stages, narrow values of the last one included.
  unsigned stageCount() const { return lastStage + 1; }
  /// Whether the value lies in an array of its own: the result of a scan, or of a reduction to an
  /// array.
  static bool isStored(mlir::Value value) {
    mlir::Operation *op = value.getDefiningOp();
    return op && (llvm::isa<ReduceOp>(op) || matchCumulative(op));
  }

  /// What a gather reads an element of, seen through a broadcast.
  static mlir::Value sourceOf(GatherOp gather);

  std::map<PhaseKey, PhasePlan> phases;
  llvm::SmallVector<Output> outputs;
  llvm::MapVector<mlir::Value, Kept> kept;

private:
  void computeStages();
  PhaseKey phaseOf(ReduceOp reduce);
  /// Whether `wide` is computed from arrays over fewer axes, in at most `budget` additions an
  /// element. Lowers the budget.
  bool isProduct(mlir::Value wide, Domain domain, int &budget);
  void visit(mlir::Value wide, PhaseKey phase);
  void visitOperands(mlir::Value wide, PhaseKey phase);
  /// Puts the value into memory, in the pass over its domain at `stage`.
  void keep(mlir::Value wide, unsigned stage, PhaseKey reader);
  int recomputeCost(mlir::Value wide);

  ProgramOp program;
  mlir::StringAttr rowAxis;
  llvm::DenseMap<mlir::Value, unsigned> stages;
  unsigned lastStage = 0;
  /// First phase over a value's own domain that computes it.
  llvm::DenseMap<mlir::Value, PhaseKey> computed;
};

} // namespace loss::ir

#endif // LOSSLANG_DIALECT_LOSS_TRANSFORMS_FUSIONPLAN_H
