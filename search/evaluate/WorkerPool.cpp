//===- WorkerPool.cpp - evaluations in processes of their own -------------===//

#include "search/evaluate/WorkerPool.h"

#include <nlohmann/json.hpp>

#include <algorithm>
#include <cassert>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>

#include <fcntl.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

using namespace loss::search;

namespace {
constexpr int workerSocket = 3;
/// How often memory and time are looked at.
constexpr std::chrono::milliseconds limitInterval{250};
constexpr size_t longestLine = 16 << 20;

int64_t residentMebibytes(int pid) {
  std::string path = "/proc/" + std::to_string(pid) + "/statm";
  FILE *file = std::fopen(path.c_str(), "r");
  if (!file)
    return 0;
  long total = 0, resident = 0;
  int read = std::fscanf(file, "%ld %ld", &total, &resident);
  std::fclose(file);
  return read == 2 ? resident * sysconf(_SC_PAGESIZE) >> 20 : 0;
}

/// In the child between fork and exec: system calls only.
[[noreturn]] void becomeWorker(char *const *argv, int socket, int log, int parent) {
  // The worker must not outlive the search, however that ends.
  prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (getppid() != parent)
    _exit(127);
  // A Ctrl-C at the terminal is the search's business.
  setpgid(0, 0);
  signal(SIGPIPE, SIG_DFL);
  int null = open("/dev/null", O_RDONLY);
  dup2(null, 0);
  if (log >= 0) {
    dup2(log, 1);
    dup2(log, 2);
  }
  if (socket == workerSocket)
    fcntl(socket, F_SETFD, 0);
  else
    dup2(socket, workerSocket);
  execv(argv[0], argv);
  int error = errno;
  dprintf(workerSocket, "{\"fatal\": \"cannot run %s: %s\"}\n", argv[0], strerror(error));
  _exit(127);
}
} // namespace

WorkerPool::WorkerPool(WorkerOptions givenOptions) : options(std::move(givenOptions)) {
  workers.resize(static_cast<size_t>(options.count));
}

WorkerPool::~WorkerPool() {
  for (Worker &worker : workers)
    if (worker.pid > 0)
      stop(worker, /*kill=*/true);
}

bool WorkerPool::hasFree() const {
  return std::any_of(workers.begin(), workers.end(), [](const Worker &w) { return !w.job; });
}

int WorkerPool::running() const {
  return static_cast<int>(std::count_if(workers.begin(), workers.end(),
                                        [](const Worker &w) { return w.job.has_value(); }));
}

void WorkerPool::start(Worker &worker) {
  int sockets[2];
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
    throw WorkerError(std::string("cannot make a socket: ") + strerror(errno));
  int log = -1;
  if (!options.logFile.empty()) {
    log = open(options.logFile.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0666);
    if (log < 0) {
      int error = errno;
      close(sockets[0]);
      close(sockets[1]);
      throw WorkerError(options.logFile + ": cannot be written: " + strerror(error));
    }
  }
  std::vector<char *> argv;
  for (std::string &argument : options.command)
    argv.push_back(argument.data());
  argv.push_back(nullptr);
  int parent = getpid();
  int pid = fork();
  if (pid == 0)
    becomeWorker(argv.data(), sockets[1], log, parent);
  int error = errno;
  close(sockets[1]);
  if (log >= 0)
    close(log);
  if (pid < 0) {
    close(sockets[0]);
    throw WorkerError(std::string("cannot start a worker: ") + strerror(error));
  }
  worker.pid = pid;
  worker.socket = sockets[0];
  worker.ready = false;
  worker.input.clear();
  worker.started = Clock::now();
  send(worker, options.greeting + "\n");
}

std::string WorkerPool::stop(Worker &worker, bool kill) {
  if (kill)
    ::kill(worker.pid, SIGKILL);
  close(worker.socket);
  int status = 0;
  while (waitpid(worker.pid, &status, 0) < 0 && errno == EINTR)
    ;
  worker.pid = worker.socket = -1;
  if (WIFSIGNALED(status))
    return "ended by signal " + std::to_string(WTERMSIG(status)) + " (" +
           strsignal(WTERMSIG(status)) + ")";
  return "ended with exit code " + std::to_string(WEXITSTATUS(status));
}

void WorkerPool::send(Worker &worker, const std::string &line) {
  size_t sent = 0;
  while (sent < line.size()) {
    ssize_t n = ::send(worker.socket, line.data() + sent, line.size() - sent, MSG_NOSIGNAL);
    if (n < 0 && errno == EINTR)
      continue;
    // A worker that is gone shows as the end of its output.
    if (n < 0)
      return;
    sent += static_cast<size_t>(n);
  }
}

void WorkerPool::submit(int64_t id, const std::string &program) {
  auto worker =
      std::find_if(workers.begin(), workers.end(), [](const Worker &w) { return !w.job; });
  assert(worker != workers.end());
  nlohmann::json message = {{"id", id}, {"program", program}};
  worker->job = id;
  worker->waiting = message.dump() + "\n";
  if (worker->pid < 0)
    start(*worker);
  if (worker->ready) {
    worker->started = Clock::now();
    send(*worker, std::exchange(worker->waiting, {}));
  }
}

bool WorkerPool::prepare(std::chrono::milliseconds atMost) {
  if (workers[0].pid < 0)
    start(workers[0]);
  if (!workers[0].ready)
    wait(atMost);
  return workers[0].ready;
}

std::vector<Outcome> WorkerPool::wait(std::chrono::milliseconds atMost) {
  std::vector<Outcome> outcomes;
  Clock::time_point end = Clock::now() + atMost;
  do {
    std::vector<pollfd> polled;
    std::vector<Worker *> owners;
    for (Worker &worker : workers)
      if (worker.pid > 0) {
        polled.push_back({worker.socket, POLLIN, 0});
        owners.push_back(&worker);
      }
    auto left = std::chrono::duration_cast<std::chrono::milliseconds>(end - Clock::now());
    auto pause = std::clamp(left, std::chrono::milliseconds(0), limitInterval);
    int count = poll(polled.data(), polled.size(), static_cast<int>(pause.count()));
    if (count < 0)
      break; // a signal: the caller decides
    for (size_t i = 0; i < polled.size(); ++i)
      if (polled[i].revents)
        receive(*owners[i], outcomes);
    enforceLimits(outcomes);
    // Someone waits for a first worker, not for an outcome.
    if (running() == 0 &&
        std::any_of(workers.begin(), workers.end(), [](const Worker &w) { return w.ready; }))
      break;
  } while (outcomes.empty() && Clock::now() < end);
  return outcomes;
}

void WorkerPool::receive(Worker &worker, std::vector<Outcome> &outcomes) {
  char buffer[65536];
  ssize_t n = recv(worker.socket, buffer, sizeof buffer, MSG_DONTWAIT);
  if (n < 0 && (errno == EINTR || errno == EAGAIN))
    return;
  if (n <= 0)
    return handleEnd(worker, outcomes);
  worker.input.append(buffer, static_cast<size_t>(n));
  for (size_t end; worker.pid > 0 && (end = worker.input.find('\n')) != std::string::npos;) {
    std::string line = worker.input.substr(0, end);
    worker.input.erase(0, end + 1);
    handleLine(worker, line, outcomes);
  }
  if (worker.pid > 0 && worker.input.size() > longestLine) {
    stop(worker, /*kill=*/true);
    fail(worker, "the worker's answer is no JSON line", outcomes);
  }
}

void WorkerPool::handleLine(Worker &worker, const std::string &line,
                            std::vector<Outcome> &outcomes) {
  nlohmann::json message = nlohmann::json::parse(line, nullptr, /*allow_exceptions=*/false);
  if (message.is_object() && message.contains("fatal")) {
    stop(worker, /*kill=*/true);
    throw WorkerError(message["fatal"].is_string() ? message["fatal"].get<std::string>() : line,
                      message.value("exit", 0) == 2);
  }
  if (!worker.ready) {
    if (!message.is_object() || message.value("ready", false) != true)
      throw WorkerError(options.command[0] + " is no worker: it said '" + line.substr(0, 80) + "'");
    worker.ready = true;
    if (worker.job) {
      worker.started = Clock::now();
      send(worker, std::exchange(worker.waiting, {}));
    }
    return;
  }
  try {
    Outcome outcome;
    outcome.id = message.at("id").get<int64_t>();
    if (!worker.job || outcome.id != *worker.job)
      throw std::runtime_error("not its evaluation");
    if (message.contains("failed"))
      outcome.reason = message["failed"].get<std::string>();
    else
      outcome.fitness = message.at("fitness").get<double>();
    outcome.seconds = message.value("seconds", 0.0);
    outcome.metrics = message.value("metrics", nlohmann::json::object()).dump();
    worker.job.reset();
    outcomes.push_back(std::move(outcome));
  } catch (const std::exception &) {
    stop(worker, /*kill=*/true);
    fail(worker, "the worker answered '" + line.substr(0, 80) + "'", outcomes);
  }
}

void WorkerPool::handleEnd(Worker &worker, std::vector<Outcome> &outcomes) {
  bool wasReady = worker.ready;
  std::string ending = stop(worker, /*kill=*/false);
  if (!wasReady)
    throw WorkerError("the worker " + options.command[0] + " " + ending + " before it was ready" +
                      (options.logFile.empty() ? "" : ", see " + options.logFile));
  fail(worker, "the worker " + ending, outcomes);
}

void WorkerPool::fail(Worker &worker, const std::string &reason, std::vector<Outcome> &outcomes) {
  if (!worker.job)
    return;
  Outcome outcome;
  outcome.id = *worker.job;
  outcome.reason = reason;
  outcome.seconds = std::chrono::duration<double>(Clock::now() - worker.started).count();
  worker.job.reset();
  worker.waiting.clear();
  outcomes.push_back(std::move(outcome));
}

void WorkerPool::enforceLimits(std::vector<Outcome> &outcomes) {
  for (Worker &worker : workers) {
    if (worker.pid < 0 || !worker.ready || !worker.job)
      continue;
    if (options.timeout.count() > 0 && Clock::now() - worker.started > options.timeout) {
      stop(worker, /*kill=*/true);
      fail(worker, "took longer than " + std::to_string(options.timeout.count()) + " s", outcomes);
    } else if (options.memoryLimit > 0 && residentMebibytes(worker.pid) > options.memoryLimit) {
      stop(worker, /*kill=*/true);
      fail(worker, "took more than " + std::to_string(options.memoryLimit) + " MiB of memory",
           outcomes);
    }
  }
}
