//===- Programs.cpp - the programs that kernels are made of ---------------===//

#include "compiler/Pipeline/Programs.h"

#include "compiler/Autodiff/Passes.h"

using namespace mlir;
using namespace loss;

/// Whether the modes of all arguments give any gradient beside those of the others.
static bool hasFurtherGradients(const ModuleInfo &info, unsigned target) {
  return !info.params.empty() || llvm::any_of(info.inputs, [&](const InputInfo &input) {
    return !input.hasGradient && (input.kind != LOSS_INPUT_TARGET || target == LOSS_TARGET_DENSE);
  });
}

LogicalResult loss::addGradientPrograms(ir::ProgramOp base, unsigned option, const ModuleInfo &info,
                                        const KernelSelection &selection) {
  OpBuilder builder(base.getContext());
  auto mark = [&](ir::ProgramOp program, unsigned mode) {
    program->setAttr("loss.mode", builder.getStringAttr(abi::modeKey(mode)));
    program->setAttr("loss.options", builder.getBoolAttr(option));
  };
  mark(base, LOSS_VALUE);

  // The program of `first`, by these arguments, and from it that of `second`.
  auto add = [&](ArrayRef<unsigned> by, unsigned first, unsigned second,
                 StringRef suffix) -> FailureOr<SmallVector<ir::ProgramOp>> {
    SmallVector<ir::ProgramOp> added;
    if (by.empty() || !(wants(selection.modes, first) || wants(selection.modes, second)))
      return added;
    std::string name = ("_" + Twine(abi::modeKey(first)) + suffix).str();
    FailureOr<ir::ProgramOp> gradient = ir::gradientForKernel(base, by, name);
    if (failed(gradient))
      return failure();
    mark(*gradient, first);
    added.push_back(*gradient);
    if (!wants(selection.modes, second))
      return added;
    name = (base.getSymName() + "_" + abi::modeKey(second) + suffix).str();
    FailureOr<ir::ProgramOp> tangent = ir::tangentForKernel(*gradient, name);
    if (failed(tangent))
      return failure();
    mark(*tangent, second);
    added.push_back(*tangent);
    return added;
  };

  SmallVector<unsigned> own, byIndex, all;
  for (unsigned i = 0, input = 0, e = base.getNumArguments(); i < e; ++i) {
    StringRef kind = base.getArgKind(i);
    bool isInput = kind == "input" || kind == "fixed" || kind == "target";
    if (!isInput && kind != "param")
      continue;
    all.push_back(i);
    if (kind != "target")
      byIndex.push_back(i);
    if (isInput && info.inputs[input++].hasGradient)
      own.push_back(i);
  }
  if (failed(add(own, LOSS_VALUE_AND_GRAD, LOSS_TANGENT, "")))
    return failure();
  const bool hasTarget = info.classAxis >= 0;
  for (unsigned target : {LOSS_TARGET_NONE, LOSS_TARGET_INDEX, LOSS_TARGET_DENSE}) {
    if ((target != LOSS_TARGET_NONE) != hasTarget || !wants(selection.targets, target) ||
        !hasFurtherGradients(info, target))
      continue;
    bool isIndex = target == LOSS_TARGET_INDEX;
    auto added = add(isIndex ? byIndex : all, LOSS_VALUE_AND_ALL_GRADS, LOSS_TANGENT_ALL,
                     isIndex ? "_index" : "");
    if (failed(added))
      return failure();
    for (ir::ProgramOp program : *added)
      if (hasTarget)
        program->setAttr("loss.by_index", builder.getBoolAttr(isIndex));
  }
  return success();
}
