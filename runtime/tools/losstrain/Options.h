//===- Options.h - the command line of losstrain ----------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_TOOLS_LOSSTRAIN_OPTIONS_H
#define LOSSLANG_RUNTIME_TOOLS_LOSSTRAIN_OPTIONS_H

#include "runtime/train/Trainer.h"

#include <string>
#include <vector>

namespace loss::runtime {

struct TrainOptions {
  std::string loss, data = "fashion-mnist", dataDir, out;
  ParamValues params;
  TrainConfig config;
  bool overwrite = false, quiet = false;
  /// `losstrain table RUN...`
  std::vector<std::string> tableRuns;
};

/// Reads the command line. Returns an exit code when the program is to end at once (help: 0, usage:
/// 2; the text is printed), or -1.
int parseOptions(int argc, char **argv, TrainOptions &options);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TOOLS_LOSSTRAIN_OPTIONS_H
