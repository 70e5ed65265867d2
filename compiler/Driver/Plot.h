//===- Plot.h - a loss over the certainty of its answer ---------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_DRIVER_PLOT_H
#define LOSSLANG_COMPILER_DRIVER_PLOT_H

#include "compiler/Driver/Files.h"
#include "compiler/Export/Describe.h"

#include <string>

namespace loss {

struct LossPlot {
  std::string svg;
  /// What is shown, in one sentence.
  std::string caption;
};

/// The loss and its gradient. With a target: over the probability of the true class, for 2 and 10
/// classes. Of elements only: over the error. A `Plot:` line of its documentation may ask for
/// something else. Nothing for other losses, and where the loss has no finite values to show.
std::optional<LossPlot> plotLoss(const SourceFile &source, const LossDescription &description,
                                 PipelineContext &context);

} // namespace loss

#endif // LOSSLANG_COMPILER_DRIVER_PLOT_H
