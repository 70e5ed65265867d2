//===- losstrain - trains a network with a loss ---------------------------===//

#include "compiler/Pipeline/Compiler.h"
#include "runtime/tools/losstrain/Options.h"
#include "runtime/train/PassiveWaiting.h"
#include "runtime/train/ProgressBar.h"
#include "runtime/train/RunDirectory.h"
#include "runtime/train/Schedule.h"

#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <cstdio>
#include <iostream>
#include <unistd.h>
#include <utility>

using namespace loss::runtime;

namespace {

/// Documented in docs/training.md.
enum ExitCode { Done = 0, RunFailed = 1, UserError = 2, IoError = 3, InternalError = 70 };

extern "C" void onInterrupt(int) { requestStop(); }

int printTable(const TrainOptions &options) {
  std::cout << formatRunTable(readRuns(options.tableRuns)) << std::flush;
  return Done;
}

int runTraining(TrainOptions &options, char **argv) {
  if (!options.out.empty())
    options.config.checkpointPath = RunDirectory::checkpointIn(options.out);
  options.config.threads = threadsOf(options.config);
  if (options.config.threads > 1)
    waitPassively(argv);
  const TrainLoss loss = TrainLoss::resolve(options.loss, options.params);
  const auto data = loadDataset(options.data, options.dataDir);
  ProgressBar bar(loss.name(), stderr, isatty(STDERR_FILENO));
  bool isFirst = true;
  const ProgressFn progress = [&](const StepRecord &record, int64_t totalSteps) {
    if (std::string warning = warnOfLongWarmup(options.config, totalSteps);
        std::exchange(isFirst, false) && !options.quiet && !warning.empty())
      spdlog::warn("{}", warning);
    if (!options.quiet)
      bar.show(record, totalSteps);
    return ProgressAction::Continue;
  };
  TrainResult result;
  if (options.out.empty()) {
    result = train(options.config, loss, *data, progress);
  } else {
    const RunDirectory directory(options.out, options.config.resume, options.overwrite);
    result = trainInDirectory(options.config, loss, *data, directory, progress);
  }
  bar.finish();
  if (result.status == RunStatus::Diverged) {
    spdlog::error("{}", describeResult(result, loss.name()));
    return RunFailed;
  }
  std::printf("%s\n", describeResult(result, loss.name()).c_str());
  return result.status == RunStatus::Interrupted ? 128 + SIGINT : Done;
}

int guardedMain(TrainOptions &options, char **argv) {
  try {
    return options.tableRuns.empty() ? runTraining(options, argv) : printTable(options);
  } catch (const StorageError &error) {
    spdlog::error("{}", error.what());
    return IoError;
  } catch (const DataError &error) {
    spdlog::error("{}", error.what());
    return IoError;
  } catch (const loss::CompileError &error) {
    // Rendered already, with file, line and caret.
    std::cerr << error.what() << std::flush;
  } catch (const LoadError &error) {
    spdlog::error("{}", error.what());
  } catch (const ParamError &error) {
    spdlog::error("{}", error.what());
  } catch (const ConfigError &error) {
    spdlog::error("{}", error.what());
  } catch (const std::exception &error) {
    spdlog::critical("internal error: {}", error.what());
    return InternalError;
  }
  return UserError;
}

} // namespace

int main(int argc, char **argv) {
  auto logger = spdlog::stderr_logger_st("losstrain");
  logger->set_pattern("%n: %l: %v");
  spdlog::set_default_logger(logger);
  TrainOptions options;
  if (const int code = parseOptions(argc, argv, options); code >= 0)
    return code;
  // The first interrupt ends the run after its step; a second one ends the program.
  struct sigaction action = {};
  action.sa_handler = onInterrupt;
  action.sa_flags = static_cast<int>(SA_RESETHAND);
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
  // A file that grows too large is an error of the write, as a full disk is.
  std::signal(SIGXFSZ, SIG_IGN);
  return guardedMain(options, argv);
}
