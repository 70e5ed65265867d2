//===- Passes.td - differentiation of loss programs ------------------------===//

#ifndef LOSSLANG_AUTODIFF_PASSES_TD
#define LOSSLANG_AUTODIFF_PASSES_TD

include "mlir/Pass/PassBase.td"

def Differentiate : Pass<"loss-differentiate", "::mlir::ModuleOp"> {
  let summary = "add to each program one that also yields its gradients";
  let description = [{
    Reverse mode. Each program `@f` gains a sibling `@f_grad`, which yields the results of `@f` and,
    for each name in `wrt`, the gradient of the value summed over the rows, marked
    `loss.result = "grad"` and `loss.of = name`. By default these are the arguments of kind "input"
    that have the row axis; if there is none, every input.

    The result is a program like any other, so it can be differentiated again: with `of=x`, those
    programs that have a gradient for `x` are differentiated, and it is the sum over all elements of
    that gradient which is; the new gradients carry `loss.from = "x"` as well.

    The rules are the table in Rules.cpp. An operation that the value depends on and that has no rule
    is an error there.
  }];
  let options = [
    ListOption<"wrt", "wrt", "std::string", "names of the arguments to differentiate by">,
    Option<"of", "of", "std::string", /*default=*/"",
           "differentiate the gradient for this argument instead of the value">,
  ];
  let dependentDialects = ["::loss::ir::LossDialect"];
}

#endif
