//===- WorkerPool.h - evaluations in processes of their own -----*- C++ -*-===//
//
// Each worker is a child process that speaks JSON lines over a socket on file descriptor 3:
//
//   search -> worker   {"protocol": {...}, "data-dir": ""}      once, at the start
//   worker -> search   {"ready": true}                          or {"fatal": "no such data",
//   "exit": 2} search -> worker   {"id": 7, "program": "loss ..."} worker -> search   {"id": 7,
//   "fitness": 0.81, "seconds": 9.2, "metrics": {...}}
//                      {"id": 7, "failed": "diverged at step 12", "seconds": 0.3, "metrics": {...}}
//
// A worker that crashes, hangs or grows too large is replaced; only its evaluation fails.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_EVALUATE_WORKERPOOL_H
#define LOSSLANG_SEARCH_EVALUATE_WORKERPOOL_H

#include <chrono>
#include <cstdint>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace loss::search {

/// No worker can be had: the program is missing, or it cannot load its data. what() is one line.
class WorkerError : public std::runtime_error {
public:
  explicit WorkerError(const std::string &message, bool isUserError = false)
      : std::runtime_error(message), isUserError(isUserError) {}
  /// The worker was asked for what does not exist, such as an unknown network.
  bool isUserError;
};

struct WorkerOptions {
  /// Program and arguments of a worker.
  std::vector<std::string> command;
  /// The first line to each worker (JSON).
  std::string greeting;
  int count = 1;
  /// For one evaluation; 0: no limit.
  std::chrono::seconds timeout{0};
  /// Resident memory of one worker in MiB; 0: no limit.
  int64_t memoryLimit = 0;
  /// Receives the workers' standard output and error; empty: those of this process.
  std::string logFile;
};

/// The end of one evaluation.
struct Outcome {
  int64_t id = 0;
  /// None: it failed.
  std::optional<double> fitness;
  std::string reason;
  /// JSON object.
  std::string metrics = "{}";
  double seconds = 0;
};

class WorkerPool {
public:
  explicit WorkerPool(WorkerOptions options);
  /// Kills the workers.
  ~WorkerPool();
  WorkerPool(const WorkerPool &) = delete;
  WorkerPool &operator=(const WorkerPool &) = delete;

  /// Starts a worker and waits, at most that long or until a signal arrives, until it is ready.
  /// Throws WorkerError when it cannot be: so a wrong network or data set shows before anything is
  /// stored.
  bool prepare(std::chrono::milliseconds atMost);

  /// Whether a worker is free.
  bool hasFree() const;
  int running() const;

  /// Hands an evaluation to a free worker. Call only when hasFree().
  void submit(int64_t id, const std::string &program);

  /// Waits until an evaluation ends, at most that long or until a signal arrives. Throws
  /// WorkerError when a worker cannot start.
  std::vector<Outcome> wait(std::chrono::milliseconds atMost);

private:
  using Clock = std::chrono::steady_clock;
  struct Worker {
    int pid = -1;
    int socket = -1;
    bool ready = false;
    std::optional<int64_t> job;
    /// Not yet sent: the worker was starting.
    std::string waiting;
    Clock::time_point started;
    std::string input;
  };

  void start(Worker &worker);
  /// Ends the process; how it ended, in words.
  std::string stop(Worker &worker, bool kill);
  void send(Worker &worker, const std::string &line);
  void receive(Worker &worker, std::vector<Outcome> &outcomes);
  void handleLine(Worker &worker, const std::string &line, std::vector<Outcome> &outcomes);
  void handleEnd(Worker &worker, std::vector<Outcome> &outcomes);
  void fail(Worker &worker, const std::string &reason, std::vector<Outcome> &outcomes);
  void enforceLimits(std::vector<Outcome> &outcomes);

  WorkerOptions options;
  std::vector<Worker> workers;
};

} // namespace loss::search

#endif // LOSSLANG_SEARCH_EVALUATE_WORKERPOOL_H
