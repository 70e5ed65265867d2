//===- Sqlite.h - SQLite in the small ---------------------------*- C++ -*-===//
#ifndef LOSSLANG_SEARCH_STORE_SQLITE_H
#define LOSSLANG_SEARCH_STORE_SQLITE_H

#include "search/store/Store.h"

#include <sqlite3.h>

#include <string_view>

namespace loss::search {

/// A connection. Errors become StoreErrors that name the file.
class SqliteDatabase {
public:
  SqliteDatabase(const std::string &path, const SqliteOptions &options);
  ~SqliteDatabase();
  SqliteDatabase(const SqliteDatabase &) = delete;
  SqliteDatabase &operator=(const SqliteDatabase &) = delete;

  void execute(const char *sql);
  /// Throws if `code` is an error.
  void check(int code) const;
  [[noreturn]] void fail(const std::string &message) const;
  sqlite3 *get() const { return handle; }

private:
  std::string path;
  sqlite3 *handle = nullptr;
};

/// A statement: bind in order, step, read columns in order.
class SqliteStatement {
public:
  SqliteStatement(SqliteDatabase &database, std::string_view sql);
  ~SqliteStatement() { sqlite3_finalize(handle); }
  SqliteStatement(const SqliteStatement &) = delete;
  SqliteStatement &operator=(const SqliteStatement &) = delete;

  SqliteStatement &bind(int64_t value);
  SqliteStatement &bind(double value);
  SqliteStatement &bind(const std::string &value);
  template <typename T> SqliteStatement &bind(const std::optional<T> &value) {
    return value ? bind(*value) : bindNull();
  }

  /// True while there is a row.
  bool step();
  /// Executes a statement without rows; the number of changed rows.
  int run();

  int64_t integer() { return sqlite3_column_int64(handle, column++); }
  double real() { return sqlite3_column_double(handle, column++); }
  std::string text();
  std::optional<int64_t> optionalInteger();
  std::optional<double> optionalReal();

private:
  SqliteStatement &bindNull();

  SqliteDatabase &database;
  sqlite3_stmt *handle = nullptr;
  int parameter = 0, column = 0;
};

/// A write transaction, rolled back unless committed.
class SqliteTransaction {
public:
  explicit SqliteTransaction(SqliteDatabase &database) : database(database) {
    database.execute("BEGIN IMMEDIATE");
  }
  ~SqliteTransaction() {
    if (open)
      sqlite3_exec(database.get(), "ROLLBACK", nullptr, nullptr, nullptr);
  }
  void commit() {
    database.execute("COMMIT");
    open = false;
  }

private:
  SqliteDatabase &database;
  bool open = true;
};

} // namespace loss::search

#endif // LOSSLANG_SEARCH_STORE_SQLITE_H
