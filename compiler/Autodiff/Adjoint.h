//===- Adjoint.h - what flows backwards, and where --------------*- C++ -*-===//
//
// Of a conditional only the branch that is chosen gets a gradient. Were the adjoint set to 0 in the
// other one there and then, it would meet that branch's derivatives, and 0 times infinity is NaN.
// So an adjoint keeps the conditions that it hangs on beside it until the sweep leaves the branch:
// what is computed from it may be anything where they do not hold.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_AUTODIFF_ADJOINT_H
#define LOSSLANG_AUTODIFF_ADJOINT_H

#include "compiler/Autodiff/Expr.h"

namespace loss::ir::autodiff {

/// A condition that holds or, `negated`, does not.
struct Literal {
  mlir::Value condition;
  bool negated = false;
  bool operator==(const Literal &other) const = default;
};

/// `value` where all of `conditions` hold, else 0.
struct Adjoint {
  Expr value;
  llvm::SmallVector<Literal, 2> conditions = {};
  /// Where conditions have been applied: 0 where none of them let anything through. The value may
  /// be 0 elsewhere too, because of the incoming gradient, and yet have a derivative by that.
  /// Nothing if none has been applied.
  Expr chosen = {};

  /// Lets what follows be built at another place.
  void moveTo(const Site *site) {
    value = Expr(site, value.value());
    if (!chosen.isNothing())
      chosen = Expr(site, chosen.value());
  }
  /// Sets the value to 0 where one of the conditions for which `isWanted` does not hold, and
  /// forgets these.
  void apply(llvm::function_ref<bool(const Literal &)> isWanted);
  void applyAll() {
    apply([](const Literal &) { return true; });
  }
  /// Applies the conditions that vary along an axis.
  void applyAlong(mlir::StringAttr axis);
};

/// All that an operand's uses give to it.
class Contributions {
public:
  void add(Adjoint part);
  /// Their sum, as one adjoint.
  Adjoint &sum();
  bool empty() const { return parts.empty(); }

private:
  bool joinBranches();
  void addUp();

  /// No two of them under the same conditions.
  llvm::SmallVector<Adjoint, 1> parts;
};

} // namespace loss::ir::autodiff

#endif // LOSSLANG_AUTODIFF_ADJOINT_H
