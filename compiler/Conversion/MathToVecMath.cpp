//===- MathToVecMath.cpp - calls of the vector math library ---------------===//

#include "compiler/Conversion/Passes.h"
#include "compiler/Dialect/Loss/IR/Loss.h"

#include "mlir/IR/ImplicitLocOpBuilder.h"

namespace loss::ir {
#define GEN_PASS_DEF_CONVERTMATHTOVECMATH
#include "compiler/Conversion/Passes.h.inc"
} // namespace loss::ir

using namespace mlir;
using namespace loss::ir;

namespace {

/// Operation -> function of compiler/Target/CPU/VecMath.
StringRef functionFor(StringRef operation) {
  static const llvm::StringMap<StringRef> table = {
      {"math.exp", "exp"},
      {"math.exp2", "exp2"},
      {"math.expm1", "expm1"},
      {"math.log", "log"},
      {"math.log1p", "log1p"},
      {"math.log2", "log2"},
      {"math.log10", "log10"},
      {"math.sin", "sin"},
      {"math.cos", "cos"},
      {"math.tan", "tan"},
      {"math.sinh", "sinh"},
      {"math.cosh", "cosh"},
      {"math.tanh", "tanh"},
      {"math.asinh", "asinh"},
      {"math.acosh", "acosh"},
      {"math.atanh", "atanh"},
      {"math.asin", "asin"},
      {"math.acos", "acos"},
      {"math.atan", "atan"},
      {"math.atan2", "atan2"},
      {"math.erf", "erf"},
      {"math.erfc", "erfc"},
      {"math.powf", "pow"},
      {"loss.hypot", "hypot"},
      {"loss.xlogy", "xlogy"},
      {"loss.lbeta", "lbeta"},
      {"loss.log_rising_factorial", "log_rising_factorial"},
      {"loss.digamma_difference", "digamma_difference"},
      {"loss.trigamma_difference", "trigamma_difference"},
      {"loss.erfinv", "erfinv"},
      {"loss.lgamma", "lgamma"},
      {"loss.digamma", "digamma"},
      {"loss.trigamma", "trigamma"},
      {"loss.tetragamma", "tetragamma"},
      {"loss.pentagamma", "pentagamma"},
      {"loss.sigmoid", "sigmoid"},
      {"loss.log_sigmoid", "log_sigmoid"},
      {"loss.softplus", "softplus"},
      {"loss.log1mexp", "log1mexp"},
      {"loss.sigmoid_slope", "sigmoid_slope"},
      {"loss.bessel_i0", "bessel_i0"},
      {"loss.bessel_i0e", "bessel_i0e"},
      {"loss.bessel_i1", "bessel_i1"},
      {"loss.bessel_i1e", "bessel_i1e"},
  };
  return table.lookup(operation);
}

struct ConvertMathToVecMathPass
    : loss::ir::impl::ConvertMathToVecMathBase<ConvertMathToVecMathPass> {
  using ConvertMathToVecMathBase::ConvertMathToVecMathBase;

  void runOnOperation() override {
    SmallVector<Operation *> work;
    bool failed = false;
    getOperation().walk([&](Operation *op) {
      StringRef name = op->getName().getStringRef();
      if (isa<SignOp>(op) || !functionFor(name).empty()) {
        work.push_back(op);
      } else if (isa<math::MathDialect, LossDialect>(op->getDialect()) &&
                 !isa<math::AbsFOp, math::SqrtOp, math::FloorOp, math::CeilOp, math::RoundEvenOp,
                      math::CopySignOp>(op)) {
        op->emitError("no vector function for '") << name << "'";
        failed = true;
      }
    });
    if (failed)
      return signalPassFailure();
    for (Operation *op : work)
      isa<SignOp>(op) ? expandSign(cast<SignOp>(op)) : replaceByCall(op);
  }

private:
  /// sign(x) = x > 0 ? 1 : x < 0 ? -1 : x, so that zeros and NaN stay what they are.
  void expandSign(SignOp op) {
    ImplicitLocOpBuilder b(op.getLoc(), op);
    Value x = op.getInput();
    auto constant = [&](double v) -> Value {
      Attribute number = b.getFloatAttr(getElementTypeOrSelf(x), v);
      if (auto type = dyn_cast<VectorType>(x.getType()))
        number = DenseElementsAttr::get(type, number);
      return arith::ConstantOp::create(b, cast<TypedAttr>(number));
    };
    Value zero = constant(0.0);
    Value below = arith::CmpFOp::create(b, arith::CmpFPredicate::OLT, x, zero);
    Value above = arith::CmpFOp::create(b, arith::CmpFPredicate::OGT, x, zero);
    Value result = arith::SelectOp::create(b, below, constant(-1.0), x);
    result = arith::SelectOp::create(b, above, constant(1.0), result);
    op.getResult().replaceAllUsesWith(result);
    op.erase();
  }

  void replaceByCall(Operation *op) {
    ImplicitLocOpBuilder b(op->getLoc(), op);
    Type element = getElementTypeOrSelf(op->getResult(0));
    int64_t lanes = bits / element.getIntOrFloatBitWidth();
    auto type = VectorType::get(lanes, element);
    bool isNumber = !isa<VectorType>(op->getResult(0).getType());
    SmallVector<Value> operands(op->getOperands());
    if (isNumber)
      for (Value &operand : operands)
        operand = vector::BroadcastOp::create(b, type, operand);
    StringRef function = functionFor(op->getName().getStringRef());
    // loss-mark-unit-angles has proved it.
    StringRef variant = op->hasAttr("loss.unit_angle") ? "_unit" : "";
    std::string name = ("loss_vm_" + function + variant + "_f" +
                        Twine(element.getIntOrFloatBitWidth()) + "x" + Twine(lanes))
                           .str();
    declare(name, FunctionType::get(op->getContext(), SmallVector<Type>(operands.size(), type),
                                    {Type(type)}));
    Value result = func::CallOp::create(b, name, TypeRange(Type(type)), operands).getResult(0);
    if (isNumber)
      result = vector::ExtractOp::create(b, result, ArrayRef<int64_t>{0});
    op->getResult(0).replaceAllUsesWith(result);
    op->erase();
  }

  void declare(StringRef name, FunctionType type) {
    if (getOperation().lookupSymbol(name))
      return;
    auto b = OpBuilder::atBlockBegin(getOperation().getBody());
    auto function = func::FuncOp::create(b, getOperation().getLoc(), name, type);
    function.setPrivate();
  }
};

} // namespace
