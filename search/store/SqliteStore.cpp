//===- SqliteStore.cpp - the store in one SQLite file ---------------------===//
//
// The statements are those that SQLite and PostgreSQL share, and rows carry the run they belong to,
// so that a server can hold many runs; a SQLite file holds run 1.
//
//===----------------------------------------------------------------------===//

#include "search/store/Sqlite.h"

using namespace loss::search;

namespace {
constexpr int64_t theRun = 1;

constexpr const char *schema = R"(
CREATE TABLE schema_version (version BIGINT NOT NULL);
CREATE TABLE runs (
  id BIGINT PRIMARY KEY,
  created BIGINT NOT NULL,
  config TEXT NOT NULL
);
CREATE TABLE candidates (
  run_id BIGINT NOT NULL REFERENCES runs (id),
  number BIGINT NOT NULL,
  genome TEXT NOT NULL,
  negated BIGINT NOT NULL,
  parent BIGINT,
  drawn TEXT NOT NULL,
  formula TEXT NOT NULL,
  program TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (run_id, number)
);
CREATE INDEX candidates_by_address ON candidates (address);
CREATE TABLE baselines (
  run_id BIGINT NOT NULL REFERENCES runs (id),
  name TEXT NOT NULL,
  program TEXT NOT NULL,
  address TEXT NOT NULL,
  PRIMARY KEY (run_id, name)
);
CREATE TABLE evaluations (
  address TEXT PRIMARY KEY,
  program TEXT NOT NULL,
  protocol TEXT NOT NULL,
  fitness DOUBLE PRECISION,
  reason TEXT NOT NULL,
  metrics TEXT NOT NULL,
  seconds DOUBLE PRECISION NOT NULL,
  finished BIGINT NOT NULL
);
CREATE TABLE leases (
  address TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  expires BIGINT NOT NULL
);
CREATE TABLE events (
  id INTEGER PRIMARY KEY,
  run_id BIGINT NOT NULL,
  at BIGINT NOT NULL,
  kind TEXT NOT NULL,
  candidate BIGINT,
  detail TEXT NOT NULL
);
)";

int64_t nowMilliseconds() {
  using namespace std::chrono;
  return duration_cast<milliseconds>(system_clock::now().time_since_epoch()).count();
}

class SqliteStore : public Store {
public:
  SqliteStore(const std::string &path, const SqliteOptions &options) : database(path, options) {
    if (!options.readOnly) {
      // Readers see a consistent state while the search writes, and what is committed stays even if
      // the power fails.
      database.execute("PRAGMA journal_mode = WAL");
      database.execute("PRAGMA synchronous = FULL");
    }
    int64_t version = readVersion();
    if (version == 0 && options.create) {
      SqliteTransaction transaction(database);
      // Another process may have made it in between.
      if (readVersion() == 0) {
        database.execute(schema);
        SqliteStatement(database, "INSERT INTO schema_version (version) VALUES (?)")
            .bind(storeSchemaVersion)
            .run();
      }
      transaction.commit();
      version = readVersion();
    }
    if (version == 0)
      database.fail("holds no search");
    if (version > storeSchemaVersion)
      database.fail("was written by a newer losssearch (schema version " + std::to_string(version) +
                    ", this one knows " + std::to_string(storeSchemaVersion) + "): use that one");
  }

  std::optional<std::string> runConfig() override {
    SqliteStatement query(database, "SELECT config FROM runs WHERE id = ?");
    query.bind(theRun);
    if (!query.step())
      return std::nullopt;
    return query.text();
  }

  void createRun(const std::string &config) override {
    SqliteTransaction transaction(database);
    SqliteStatement(database, "INSERT INTO runs (id, created, config) VALUES (?, ?, ?)")
        .bind(theRun)
        .bind(nowMilliseconds())
        .bind(config)
        .run();
    addEvent("run-created", std::nullopt, config);
    transaction.commit();
  }

  void updateRun(const std::string &config) override {
    SqliteTransaction transaction(database);
    SqliteStatement(database, "UPDATE runs SET config = ? WHERE id = ?")
        .bind(config)
        .bind(theRun)
        .run();
    addEvent("run-changed", std::nullopt, config);
    transaction.commit();
  }

  void addCandidate(const CandidateRow &row) override {
    SqliteTransaction transaction(database);
    SqliteStatement count(database, "SELECT COUNT(*) FROM candidates WHERE run_id = ?");
    count.bind(theRun).step();
    if (int64_t expected = count.integer(); expected != row.index)
      database.fail("candidate " + std::to_string(expected) + " was to come, not " +
                    std::to_string(row.index) + ": another search writes here too");
    SqliteStatement(database,
                    "INSERT INTO candidates (run_id, number, genome, negated, parent, drawn, "
                    "formula, program, address) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)")
        .bind(theRun)
        .bind(row.index)
        .bind(row.genome)
        .bind(static_cast<int64_t>(row.negated))
        .bind(row.parent)
        .bind(row.drawn)
        .bind(row.formula)
        .bind(row.program)
        .bind(row.address)
        .run();
    addEvent("candidate", row.index, row.address);
    transaction.commit();
  }

  std::vector<CandidateRow> candidates() override {
    SqliteStatement query(database,
                          "SELECT number, genome, negated, parent, drawn, formula, program, "
                          "address FROM candidates WHERE run_id = ? ORDER BY number");
    query.bind(theRun);
    std::vector<CandidateRow> rows;
    while (query.step())
      rows.push_back(readCandidate(query));
    return rows;
  }

  void setBaseline(const BaselineRow &row) override {
    SqliteTransaction transaction(database);
    SqliteStatement(database, "DELETE FROM baselines WHERE run_id = ? AND name = ?")
        .bind(theRun)
        .bind(row.name)
        .run();
    SqliteStatement(database,
                    "INSERT INTO baselines (run_id, name, program, address) VALUES (?, ?, ?, ?)")
        .bind(theRun)
        .bind(row.name)
        .bind(row.program)
        .bind(row.address)
        .run();
    transaction.commit();
  }

  std::vector<BaselineRow> baselines() override {
    SqliteStatement query(
        database, "SELECT name, program, address FROM baselines WHERE run_id = ? ORDER BY name");
    query.bind(theRun);
    std::vector<BaselineRow> rows;
    while (query.step())
      rows.push_back({query.text(), query.text(), query.text()});
    return rows;
  }

  std::optional<EvaluationRow> evaluation(const std::string &address) override {
    SqliteStatement query(database, "SELECT address, program, protocol, fitness, reason, metrics, "
                                    "seconds FROM evaluations WHERE address = ?");
    query.bind(address);
    if (!query.step())
      return std::nullopt;
    return readEvaluation(query);
  }

  bool lease(const std::string &address, const std::string &owner,
             std::chrono::milliseconds duration) override {
    SqliteTransaction transaction(database);
    SqliteStatement done(database, "SELECT 1 FROM evaluations WHERE address = ?");
    if (done.bind(address).step())
      return false;
    SqliteStatement(database,
                    "DELETE FROM leases WHERE address = ? AND (expires <= ? OR owner = ?)")
        .bind(address)
        .bind(nowMilliseconds())
        .bind(owner)
        .run();
    int taken = SqliteStatement(database, "INSERT INTO leases (address, owner, expires) VALUES "
                                          "(?, ?, ?) ON CONFLICT (address) DO NOTHING")
                    .bind(address)
                    .bind(owner)
                    .bind(nowMilliseconds() + static_cast<int64_t>(duration.count()))
                    .run();
    transaction.commit();
    return taken == 1;
  }

  void releaseLeases(const std::string &owner) override {
    SqliteStatement(database, "DELETE FROM leases WHERE owner = ?").bind(owner).run();
  }

  void releaseAllLeases() override { SqliteStatement(database, "DELETE FROM leases").run(); }

  void finish(const EvaluationRow &row) override {
    SqliteTransaction transaction(database);
    SqliteStatement(database,
                    "INSERT INTO evaluations (address, program, protocol, fitness, reason, "
                    "metrics, seconds, finished) VALUES (?, ?, ?, ?, ?, ?, ?, ?) "
                    "ON CONFLICT (address) DO NOTHING")
        .bind(row.address)
        .bind(row.program)
        .bind(row.protocol)
        .bind(row.fitness)
        .bind(row.reason)
        .bind(row.metrics)
        .bind(row.seconds)
        .bind(nowMilliseconds())
        .run();
    SqliteStatement(database, "DELETE FROM leases WHERE address = ?").bind(row.address).run();
    addEvent(row.fitness ? "evaluated" : "failed", std::nullopt,
             row.address + (row.reason.empty() ? "" : " " + row.reason));
    transaction.commit();
  }

  void logEvent(const std::string &kind, std::optional<int64_t> candidate,
                const std::string &detail) override {
    addEvent(kind, candidate, detail);
  }

  std::vector<EventRow> events() override {
    SqliteStatement query(
        database,
        "SELECT id, at, kind, candidate, detail FROM events WHERE run_id = ? ORDER BY id");
    query.bind(theRun);
    std::vector<EventRow> rows;
    while (query.step())
      rows.push_back(
          {query.integer(), query.integer(), query.text(), query.optionalInteger(), query.text()});
    return rows;
  }

  std::vector<RankedRow> best(int64_t count) override {
    SqliteStatement query(
        database,
        "SELECT c.number, c.genome, c.negated, c.parent, c.drawn, c.formula, c.program, c.address, "
        "e.address, e.program, e.protocol, e.fitness, e.reason, e.metrics, e.seconds "
        "FROM candidates c JOIN evaluations e ON e.address = c.address "
        "WHERE c.run_id = ? AND e.fitness IS NOT NULL AND NOT EXISTS (SELECT 1 FROM candidates d "
        "WHERE d.run_id = c.run_id AND d.address = c.address AND d.number < c.number) "
        "ORDER BY e.fitness DESC, c.number LIMIT ?");
    query.bind(theRun).bind(count);
    std::vector<RankedRow> rows;
    while (query.step()) {
      RankedRow row;
      row.candidate = readCandidate(query);
      row.evaluation = readEvaluation(query);
      rows.push_back(std::move(row));
    }
    return rows;
  }

  StoreCounts counts() override {
    SqliteStatement query(database,
                          "SELECT COUNT(*), COUNT(e.address), COUNT(e.address) - COUNT(e.fitness) "
                          "FROM candidates c LEFT JOIN evaluations e ON e.address = c.address "
                          "WHERE c.run_id = ?");
    query.bind(theRun).step();
    return {query.integer(), query.integer(), query.integer()};
  }

private:
  /// 0 for an empty database.
  int64_t readVersion() {
    SqliteStatement tables(database,
                           "SELECT COUNT(*), SUM(name = 'schema_version') FROM sqlite_master");
    tables.step();
    bool empty = tables.integer() == 0;
    if (empty)
      return 0;
    if (tables.integer() == 0)
      database.fail("is a database of another program");
    SqliteStatement query(database, "SELECT version FROM schema_version");
    return query.step() ? query.integer() : 0;
  }

  static CandidateRow readCandidate(SqliteStatement &query) {
    CandidateRow row;
    row.index = query.integer();
    row.genome = query.text();
    row.negated = query.integer() != 0;
    row.parent = query.optionalInteger();
    row.drawn = query.text();
    row.formula = query.text();
    row.program = query.text();
    row.address = query.text();
    return row;
  }

  static EvaluationRow readEvaluation(SqliteStatement &query) {
    EvaluationRow row;
    row.address = query.text();
    row.program = query.text();
    row.protocol = query.text();
    row.fitness = query.optionalReal();
    row.reason = query.text();
    row.metrics = query.text();
    row.seconds = query.real();
    return row;
  }

  void addEvent(const std::string &kind, std::optional<int64_t> candidate,
                const std::string &detail) {
    SqliteStatement(database, "INSERT INTO events (run_id, at, kind, candidate, detail) VALUES "
                              "(?, ?, ?, ?, ?)")
        .bind(theRun)
        .bind(nowMilliseconds())
        .bind(kind)
        .bind(candidate)
        .bind(detail)
        .run();
  }

  SqliteDatabase database;
};
} // namespace

std::unique_ptr<Store> loss::search::openSqliteStore(const std::string &path,
                                                     const SqliteOptions &options) {
  return std::make_unique<SqliteStore>(path, options);
}
