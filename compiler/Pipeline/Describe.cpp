//===- Describe.cpp - what a module says of a program ---------------------===//

#include "compiler/Pipeline/Describe.h"

#include "llvm/ADT/STLExtras.h"

using namespace loss;

static uint32_t kindOf(lang::InputKind kind) {
  switch (kind) {
  case lang::InputKind::Value:
    return LOSS_INPUT_VALUE;
  case lang::InputKind::Target:
    return LOSS_INPUT_TARGET;
  case lang::InputKind::Fixed:
    return LOSS_INPUT_FIXED;
  }
  llvm_unreachable("unknown kind of input");
}

static uint32_t constraintOf(lang::Constraint constraint) {
  switch (constraint) {
  case lang::Constraint::Any:
    return LOSS_ANY;
  case lang::Constraint::Positive:
    return LOSS_POSITIVE;
  case lang::Constraint::Nonnegative:
    return LOSS_NONNEGATIVE;
  case lang::Constraint::Unit:
    return LOSS_UNIT;
  case lang::Constraint::Integer:
    return LOSS_INTEGER;
  }
  llvm_unreachable("unknown constraint");
}

ModuleInfo loss::describe(const lang::Program &program, const std::string &source) {
  ModuleInfo info;
  info.name = program.name;
  info.doc = program.doc;
  info.source = source;
  auto indices = [](lang::AxisSet axes) {
    std::vector<uint32_t> list;
    for (uint32_t i = 0; axes >> i; ++i)
      if (axes >> i & 1)
        list.push_back(i);
    return list;
  };
  // Copies come last, and callers do not see them.
  for (size_t i = 0; i < program.axes.size(); ++i)
    if (program.copyOf[i] < 0)
      info.axes.push_back(program.axes[i]);
  for (const lang::ProgramInput &input : program.inputs) {
    info.inputs.push_back({input.name, input.doc, kindOf(input.kind), indices(input.axes), false});
    if (input.kind == lang::InputKind::Target)
      info.classAxis = input.classAxis;
  }
  for (const lang::ProgramParam &param : program.params)
    info.params.push_back(
        {param.name, param.doc, param.defaultValue, constraintOf(param.constraint)});
  info.resultAxes = indices(program.nodes[program.result].type.axes);
  return info;
}

void loss::describeRows(ModuleInfo &info, ir::ProgramOp program) {
  bool hasRows = static_cast<bool>(program.getRowAxis());
  info.rowAxis = hasRows ? 0 : -1;
  auto isRowInput = [&](const InputInfo &input) {
    return input.kind == LOSS_INPUT_VALUE && llvm::is_contained(input.axes, 0u);
  };
  bool any = hasRows && llvm::any_of(info.inputs, isRowInput);
  for (InputInfo &input : info.inputs)
    input.hasGradient = input.kind == LOSS_INPUT_VALUE && (!any || isRowInput(input));
}
