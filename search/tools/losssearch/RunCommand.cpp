//===- RunCommand.cpp - losssearch run ------------------------------------===//

#include "search/tools/losssearch/Commands.h"

#include "compiler/Pipeline/Compiler.h"
#include "runtime/module/ClassifierFit.h"
#include "search/report/HallOfFame.h"

#include <atomic>
#include <csignal>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <thread>

#include <unistd.h>

using namespace loss;
using namespace loss::search;

namespace {
std::atomic<bool> stopRequested = false;
std::atomic<int> stopSignal = 0;

void onSignal(int signal) {
  stopRequested = true;
  stopSignal = signal;
}

void catchSignals() {
  struct sigaction action = {};
  action.sa_handler = onSignal;
  // The second one ends the process at once.
  action.sa_flags = SA_RESETHAND;
  sigaction(SIGINT, &action, nullptr);
  sigaction(SIGTERM, &action, nullptr);
}

/// The worker program beside this one.
std::vector<std::string> defaultWorker() {
  std::error_code error;
  std::filesystem::path self = std::filesystem::read_symlink("/proc/self/exe", error);
  return {(self.parent_path() / "losssearch-worker").string()};
}

std::optional<BaselineProgram> readBaseline(const std::string &name) {
  if (name == "none")
    return std::nullopt;
  bool isFile = name.size() > 5 && name.ends_with(".loss");
  std::string path = isFile ? name : findLibraryLoss(name);
  if (path.empty())
    throw SearchError("unknown baseline '" + name +
                      "': expected a library loss, a .loss file, or none");
  std::ifstream file(path);
  if (!file)
    throw StoreError(path + ": cannot be read");
  std::shared_ptr<JitModule> code = Compiler().compileFile(path, KernelSelection::training());
  // With the imported functions in it: a worker has no other files.
  std::string program = code->module().source;
  auto module = std::shared_ptr<const LossModule>(code, &code->module());
  if (std::string why =
          runtime::explainUnfitForClassifier(runtime::LossHandle::adopt(std::move(module), path));
      !why.empty())
    throw SearchError("baseline '" + name + "': " + why);
  return BaselineProgram{name, std::move(program)};
}

/// One line that renews itself on a terminal, or a line now and then.
class ProgressLine {
public:
  ~ProgressLine() { std::fputs(endLine(), stderr); }

  /// What ends the line that renews itself, if there is one.
  const char *endLine() { return std::exchange(open, false) ? "\n" : ""; }

  void show(const RunProgress &progress, bool last) {
    auto now = std::chrono::steady_clock::now();
    bool due = terminal || now - shown >= std::chrono::seconds(30) || last;
    if (!due && printed)
      return;
    shown = now;
    printed = true;
    open = terminal;
    std::fprintf(stderr, terminal ? "\r\033[K%s" : "%s\n", describeProgress(progress).c_str());
    std::fflush(stderr);
  }

private:
  bool terminal = isatty(2);
  bool printed = false, open = false;
  std::chrono::steady_clock::time_point shown;
};

struct RunArguments {
  std::string directory;
  SearchConfig given;
  /// The options of SearchConfig, to see which were given.
  std::map<std::string, CLI::Option *> options;
  RunOptions run;
  int64_t timeout = 1800;
  bool quiet = false;
};

int runCommand(RunArguments &arguments) {
  std::set<std::string> names;
  for (auto &[name, option] : arguments.options)
    if (option->count())
      names.insert(name);
  if (arguments.timeout < 0)
    throw SearchError("timeout must be 0 or more, but is " + std::to_string(arguments.timeout));
  arguments.run.timeout = std::chrono::seconds(arguments.timeout);

  if (arguments.given.protocol.stopBelow == 0)
    for (const char *unused : {"stop-from", "stop-window"})
      if (names.count(unused))
        throw SearchError(std::string(unused) +
                          " says when to give up, but with stop-below 0 nothing does");

  // What a new search cannot be is found out before a directory is made for it.
  bool isNew = !std::filesystem::exists(SearchDirectory::databaseIn(arguments.directory));
  std::optional<BaselineProgram> baseline;
  if (isNew)
    baseline = readBaseline(arguments.given.resolved().baseline);
  SearchDirectory directory(arguments.directory);
  auto store = openSqliteStore(directory.database(), {.create = true});
  SearchConfig config;
  if (auto text = store->runConfig()) {
    SearchConfig stored = SearchConfig::fromText(*text);
    config = continueSearch(stored, arguments.given, names, arguments.directory);
    if (config.toText() != *text)
      store->updateRun(config.toText());
  } else {
    config = arguments.given.resolved();
  }
  if (!isNew)
    baseline = readBaseline(config.baseline);
  if (arguments.run.jobs == 0)
    arguments.run.jobs = static_cast<int>(
        std::clamp<int64_t>(std::thread::hardware_concurrency(), 1, config.lookahead));

  catchSignals();
  ProgressLine line;
  RunProgress last;
  bool complete = runSearch(config, arguments.run, *store, directory.workerLog(), baseline,
                            stopRequested, [&](const RunProgress &progress) {
                              last = progress;
                              if (!arguments.quiet)
                                line.show(progress, false);
                            });
  if (!arguments.quiet)
    line.show(last, true);
  if (!complete) {
    std::fprintf(stderr, "%slosssearch: stopped; 'losssearch run %s' continues\n", line.endLine(),
                 arguments.directory.c_str());
    return 128 + stopSignal;
  }
  if (!arguments.quiet)
    std::fprintf(stderr, "%slosssearch: complete; 'losssearch show %s' prints the best losses\n",
                 line.endLine(), arguments.directory.c_str());
  return 0;
}
} // namespace

void loss::search::addRunCommand(CLI::App &app, std::function<int()> &chosen) {
  auto arguments = std::make_shared<RunArguments>();
  CLI::App *run = app.add_subcommand("run", "Begins a search in DIR, or continues the one there.");
  run->add_option("DIR", arguments->directory, "directory of the search")->required();
  SearchConfig::forEachField(
      arguments->given, [&](const char *name, auto &field, const char *help) {
        arguments->options[name] = run->add_option(std::string("--") + name, field, help)
                                       ->capture_default_str()
                                       ->group("The search (stored in DIR)");
      });
  const char *group = "This run";
  run->add_option("--jobs,-j", arguments->run.jobs,
                  "evaluations at a time (0: one a processor core); changes no result")
      ->capture_default_str()
      ->group(group);
  run->add_option("--timeout", arguments->timeout, "seconds for one evaluation (0: no limit)")
      ->capture_default_str()
      ->group(group);
  run->add_option("--memory", arguments->run.memoryLimit, "MiB for one evaluation (0: no limit)")
      ->capture_default_str()
      ->group(group);
  run->add_option("--data-dir", arguments->run.dataDirectory, "where the data set's files are")
      ->group(group);
  run->add_option("--worker", arguments->run.worker,
                  "program that evaluates, with arguments (default: losssearch-worker)")
      ->group(group);
  run->add_flag("--quiet,-q", arguments->quiet, "no progress")->group(group);
  run->footer("Example: losssearch run runs/first --steps=500 --evaluations=100 --jobs=2 --seed=1");
  arguments->run.jobs = 0;
  arguments->run.worker = defaultWorker();
  run->callback([arguments, &chosen] { chosen = [arguments] { return runCommand(*arguments); }; });
}
