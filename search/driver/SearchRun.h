//===- SearchRun.h - runs a search ------------------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_DRIVER_SEARCHRUN_H
#define LOSSLANG_SEARCH_DRIVER_SEARCHRUN_H

#include "search/driver/SearchConfig.h"
#include "search/evaluate/WorkerPool.h"
#include "search/store/Store.h"

#include <atomic>
#include <functional>

namespace loss::search {

/// How a search is run; changes nothing about what it finds.
struct RunOptions {
  int jobs = 1;
  std::chrono::seconds timeout{1800};
  /// MiB of resident memory of each worker.
  int64_t memoryLimit = 8192;
  /// Program and arguments of a worker.
  std::vector<std::string> worker;
  /// Where the data set's files are; empty: where the system keeps them.
  std::string dataDirectory;
};

/// How far a running search is.
struct RunProgress {
  /// Draws so far, by what became of them.
  ScreenCounts drawn = {};
  int64_t candidates = 0;
  int64_t trained = 0;
  int64_t failed = 0;
  int64_t running = 0;
  int64_t total = 0;
  std::optional<double> best;
  std::string bestFormula;
  std::optional<double> baseline;
  /// Evaluations that ended in this process, and its age.
  int64_t endedNow = 0;
  double seconds = 0;
};

/// A loss outside the search.
struct BaselineProgram {
  std::string name;
  std::string program;
};

/// A directory with a search: the database, the workers' log, and a lock that makes a second
/// process in the same directory an error.
class SearchDirectory {
public:
  /// Creates what is missing. Throws StoreError.
  explicit SearchDirectory(const std::string &path);
  ~SearchDirectory();
  SearchDirectory(const SearchDirectory &) = delete;
  SearchDirectory &operator=(const SearchDirectory &) = delete;

  std::string database() const { return databaseIn(path); }
  std::string workerLog() const { return path + "/workers.log"; }
  static std::string databaseIn(const std::string &path) { return path + "/search.db"; }

private:
  std::string path;
  int lock = -1;
};

/// Runs a search until all candidates are evaluated or `stop` is set. Continues what the store
/// holds.
///
/// Returns whether it is complete. Throws SearchError, StoreError, WorkerError; what is in the
/// store by then stays.
bool runSearch(const SearchConfig &config, const RunOptions &options, Store &store,
               const std::string &workerLog, const std::optional<BaselineProgram> &baseline,
               const std::atomic<bool> &stop,
               const std::function<void(const RunProgress &)> &onProgress);

} // namespace loss::search

#endif // LOSSLANG_SEARCH_DRIVER_SEARCHRUN_H
