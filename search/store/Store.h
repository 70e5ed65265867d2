//===- Store.h - what a search remembers ------------------------*- C++ -*-===//
//
// Everything that a search has found out, safe against being killed at any moment. Each function is
// one transaction.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_SEARCH_STORE_STORE_H
#define LOSSLANG_SEARCH_STORE_STORE_H

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <vector>

namespace loss::search {

/// The store cannot be read or written. what() is one line that names the file.
class StoreError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// A candidate as logged when it is made.
struct CandidateRow {
  int64_t index = 0;
  std::string genome;
  bool negated = false;
  std::optional<int64_t> parent;
  /// JSON object: verdict -> number of draws.
  std::string drawn;
  /// One line.
  std::string formula;
  /// The documented program, ready to export.
  std::string program;
  /// Of its evaluation.
  std::string address;
};

/// The result of training with a loss. Its address is a hash of all that it depends on: program,
/// network, data, seed and protocol; so equal evaluations are done once.
struct EvaluationRow {
  std::string address;
  /// The bare program that was trained.
  std::string program;
  /// Canonical JSON of the protocol.
  std::string protocol;
  /// None: the evaluation failed.
  std::optional<double> fitness;
  /// Why it failed, or empty.
  std::string reason;
  /// JSON object: further measurements.
  std::string metrics = "{}";
  double seconds = 0;
};

/// A loss outside the search, evaluated in the same way.
struct BaselineRow {
  std::string name;
  std::string program;
  std::string address;
};

/// A place in the hall of fame.
struct RankedRow {
  CandidateRow candidate;
  EvaluationRow evaluation;
};

struct EventRow {
  int64_t id = 0;
  /// Milliseconds since 1970.
  int64_t at = 0;
  std::string kind;
  std::optional<int64_t> candidate;
  std::string detail;
};

/// How far a search is.
struct StoreCounts {
  int64_t candidates = 0, evaluated = 0, failed = 0;
};

class Store {
public:
  virtual ~Store() = default;

  /// The run's configuration (JSON), or none before createRun.
  virtual std::optional<std::string> runConfig() = 0;
  virtual void createRun(const std::string &config) = 0;
  virtual void updateRun(const std::string &config) = 0;

  /// Logs a candidate. Its index must be the number of those before.
  virtual void addCandidate(const CandidateRow &row) = 0;
  /// All candidates in order.
  virtual std::vector<CandidateRow> candidates() = 0;

  virtual void setBaseline(const BaselineRow &row) = 0;
  virtual std::vector<BaselineRow> baselines() = 0;

  virtual std::optional<EvaluationRow> evaluation(const std::string &address) = 0;

  /// Reserves an evaluation for `owner`. False if it is done, or reserved by another owner whose
  /// time is not up.
  virtual bool lease(const std::string &address, const std::string &owner,
                     std::chrono::milliseconds duration) = 0;
  /// Gives back all that `owner` has reserved.
  virtual void releaseLeases(const std::string &owner) = 0;
  /// Gives back everybody's. For an owner of the whole run after a crash.
  virtual void releaseAllLeases() = 0;

  /// Stores a result and ends its lease. A result that is there already stays.
  virtual void finish(const EvaluationRow &row) = 0;

  virtual void logEvent(const std::string &kind, std::optional<int64_t> candidate,
                        const std::string &detail) = 0;
  virtual std::vector<EventRow> events() = 0;

  /// The best candidates with a fitness, best first, ties by index.
  virtual std::vector<RankedRow> best(int64_t count) = 0;
  virtual StoreCounts counts() = 0;
};

struct SqliteOptions {
  bool create = false;
  bool readOnly = false;
};

/// The version of the schema that this program writes.
inline constexpr int64_t storeSchemaVersion = 1;

/// Opens a SQLite database in WAL mode. Throws StoreError: no such file, not a database, written by
/// a newer version, directory not writable, disk full.
std::unique_ptr<Store> openSqliteStore(const std::string &path, const SqliteOptions &options = {});

} // namespace loss::search

#endif // LOSSLANG_SEARCH_STORE_STORE_H
