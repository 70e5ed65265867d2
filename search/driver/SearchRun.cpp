//===- SearchRun.cpp - runs a search --------------------------------------===//

#include "search/driver/SearchRun.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <deque>
#include <thread>

#include <unistd.h>

using namespace loss::search;

namespace {
/// The baseline's number among the evaluations; candidates count from 0.
constexpr int64_t baselineId = -1;

class Run {
public:
  Run(const SearchConfig &config, const RunOptions &options, Store &store,
      const std::string &workerLog, const std::function<void(const RunProgress &)> &onProgress)
      : config(config), space(config.makeSpace()), evolution(*space, config.evolution()),
        options(options), store(store), pool(workerOptions(config, options, workerLog)),
        onProgress(onProgress), owner("losssearch " + std::to_string(getpid())),
        protocol(config.protocol.toJson().dump()) {
    progress.total = config.evaluations;
  }

  /// Enters a new search into the store as soon as a worker is ready. False if `stop` was set
  /// first.
  bool create(const std::atomic<bool> &stop) {
    while (!pool.prepare(std::chrono::milliseconds(1000)))
      if (stop)
        return false;
    store.createRun(config.toText());
    return true;
  }

  /// Brings evolution to where the store is, and queues what has no result yet.
  void restore() {
    // The directory's lock is ours, so whoever held these is gone.
    store.releaseAllLeases();
    for (const CandidateRow &row : store.candidates()) {
      Candidate candidate;
      candidate.index = row.index;
      candidate.genome = space->parse(row.genome);
      candidate.sign = row.negated ? Sign::Negate : Sign::Keep;
      candidate.parent = row.parent;
      if (!evolution.ready())
        throw SearchError("candidate " + std::to_string(row.index) +
                          " of the log was made before the results it depends on");
      evolution.restore(candidate);
      nlohmann::json drawn = nlohmann::json::parse(row.drawn);
      for (int v = 0; v < verdictCount; ++v)
        progress.drawn[v] += drawn.value(verdictName(static_cast<Verdict>(v)), int64_t(0));
      ++progress.candidates;
      begin({row.index, bareProgram(candidate), row.address, row.formula});
    }
  }

  void addBaseline(const BaselineProgram &baseline) {
    Job job{baselineId, baseline.program, evaluationAddress(baseline.program, config.protocol),
            baseline.name};
    store.setBaseline({baseline.name, job.program, job.address});
    begin(job);
  }

  /// One round: new candidates, free workers, ended evaluations. False when there is nothing to do.
  bool step() {
    while (evolution.next() < config.evaluations && evolution.ready() &&
           static_cast<int64_t>(queue.size()) < options.jobs)
      propose();
    while (!queue.empty() && pool.hasFree()) {
      Job job = queue.front();
      queue.pop_front();
      if (isRunning(job.address)) {
        waiting.push_back(job);
        continue;
      }
      if (!store.lease(job.address, owner, leaseTime())) {
        // Another search has done this evaluation, or is at it.
        if (auto known = store.evaluation(job.address))
          conclude(job, *known);
        else
          waiting.push_back(job);
        continue;
      }
      pool.submit(job.id, job.program);
      running.emplace(job.id, std::move(job));
    }
    if (running.empty() && !waiting.empty()) {
      std::this_thread::sleep_for(std::chrono::seconds(1));
      std::swap(queue, waiting);
      return true;
    }
    if (running.empty())
      return !queue.empty() || evolution.next() < config.evaluations;
    for (const Outcome &outcome : pool.wait(std::chrono::milliseconds(1000)))
      finish(outcome);
    report();
    return true;
  }

  void report() {
    progress.running = static_cast<int64_t>(running.size());
    progress.seconds =
        std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
    onProgress(progress);
  }

  void giveBack() { store.releaseLeases(owner); }

private:
  struct Job {
    int64_t id;
    std::string program;
    std::string address;
    std::string formula;
  };

  bool isRunning(const std::string &address) const {
    return std::any_of(running.begin(), running.end(),
                       [&](const auto &entry) { return entry.second.address == address; });
  }

  static WorkerOptions workerOptions(const SearchConfig &config, const RunOptions &options,
                                     const std::string &workerLog) {
    nlohmann::json greeting = {{"protocol", config.protocol.toJson()},
                               {"data-dir", options.dataDirectory}};
    return {options.worker,  greeting.dump(),     options.jobs,
            options.timeout, options.memoryLimit, workerLog};
  }

  std::chrono::milliseconds leaseTime() const {
    return options.timeout.count() ? options.timeout + std::chrono::minutes(5)
                                   : std::chrono::hours(24 * 365);
  }

  std::string bareProgram(const Candidate &candidate) const {
    return space->emit(candidate.genome, {"candidate", candidate.sign, ""});
  }

  void propose() {
    Candidate candidate = evolution.propose();
    nlohmann::json drawn = nlohmann::json::object();
    for (int v = 0; v < verdictCount; ++v) {
      progress.drawn[v] += candidate.drawn[v];
      if (candidate.drawn[v])
        drawn[verdictName(static_cast<Verdict>(v))] = candidate.drawn[v];
    }
    std::string number = std::to_string(candidate.index);
    std::string provenance =
        "losssearch, space " + config.space + ", seed " + std::to_string(config.seed) +
        ", candidate " + number +
        (candidate.parent ? ", a mutation of candidate " + std::to_string(*candidate.parent)
                          : ", drawn at random");
    CandidateRow row;
    row.index = candidate.index;
    row.genome = space->serialise(candidate.genome);
    row.negated = candidate.sign == Sign::Negate;
    row.parent = candidate.parent;
    row.drawn = drawn.dump();
    row.formula = space->formula(candidate.genome, candidate.sign);
    row.program = space->emit(candidate.genome, {"evolved_" + number, candidate.sign, provenance});
    std::string program = bareProgram(candidate);
    row.address = evaluationAddress(program, config.protocol);
    store.addCandidate(row);
    ++progress.candidates;
    begin({row.index, program, row.address, row.formula});
  }

  /// Takes the result from the store, or queues the evaluation.
  void begin(Job job) {
    if (auto known = store.evaluation(job.address))
      conclude(job, *known);
    else
      queue.push_back(std::move(job));
  }

  void finish(const Outcome &outcome) {
    auto node = running.extract(outcome.id);
    const Job &job = node.mapped();
    EvaluationRow row;
    row.address = job.address;
    row.program = job.program;
    row.protocol = protocol;
    row.fitness = outcome.fitness;
    row.reason = outcome.reason;
    row.metrics = outcome.metrics;
    row.seconds = outcome.seconds;
    store.finish(row);
    ++progress.endedNow;
    conclude(job, row);
    // Others that wait for the same evaluation.
    std::deque<Job> still;
    for (Job &other : waiting)
      if (other.address == job.address)
        conclude(other, row);
      else
        still.push_back(std::move(other));
    waiting = std::move(still);
  }

  void conclude(const Job &job, const EvaluationRow &row) {
    if (job.id == baselineId) {
      progress.baseline = row.fitness;
      return;
    }
    evolution.report(job.id, row.fitness);
    ++(row.fitness ? progress.trained : progress.failed);
    if (row.fitness && (!progress.best || *row.fitness > *progress.best)) {
      progress.best = row.fitness;
      progress.bestFormula = job.formula;
    }
  }

  const SearchConfig &config;
  std::unique_ptr<Space> space;
  Evolution evolution;
  const RunOptions &options;
  Store &store;
  WorkerPool pool;
  const std::function<void(const RunProgress &)> &onProgress;
  std::string owner;
  std::string protocol;
  std::deque<Job> queue;
  std::deque<Job> waiting;
  std::map<int64_t, Job> running;
  RunProgress progress;
  std::chrono::steady_clock::time_point begun = std::chrono::steady_clock::now();
};
} // namespace

bool loss::search::runSearch(const SearchConfig &config, const RunOptions &options, Store &store,
                             const std::string &workerLog,
                             const std::optional<BaselineProgram> &baseline,
                             const std::atomic<bool> &stop,
                             const std::function<void(const RunProgress &)> &onProgress) {
  if (options.jobs < 1)
    throw SearchError("jobs must be 1 or more, but is " + std::to_string(options.jobs));
  if (options.jobs > config.lookahead)
    throw SearchError("jobs is " + std::to_string(options.jobs) + ", but this search looks only " +
                      std::to_string(config.lookahead) +
                      " candidates ahead: use fewer jobs, or begin a search with --lookahead=" +
                      std::to_string(options.jobs));
  Run run(config, options, store, workerLog, onProgress);
  if (!store.runConfig() && !run.create(stop))
    return false;
  if (baseline)
    run.addBaseline(*baseline);
  run.restore();
  bool more = true;
  try {
    while (more && !stop)
      more = run.step();
  } catch (...) {
    run.giveBack();
    throw;
  }
  run.giveBack();
  run.report();
  return !more;
}
