//===- Phases.cpp - names of the phases -----------------------------------===//

#include "compiler/Pipeline/Pipeline.h"

llvm::StringRef loss::phaseName(Phase phase) {
  static const char *const names[] = {
#define LOSS_PHASE(ENUM, NAME, DOC) NAME,
#include "compiler/Pipeline/Phases.def"
  };
  return names[static_cast<size_t>(phase)];
}

llvm::ArrayRef<loss::Phase> loss::allPhases() {
  static const Phase phases[] = {
#define LOSS_PHASE(ENUM, NAME, DOC) Phase::ENUM,
#include "compiler/Pipeline/Phases.def"
  };
  return phases;
}

std::optional<loss::Phase> loss::phaseByName(llvm::StringRef name) {
  for (Phase phase : allPhases())
    if (phaseName(phase) == name)
      return phase;
  return std::nullopt;
}
