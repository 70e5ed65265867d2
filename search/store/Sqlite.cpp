//===- Sqlite.cpp - SQLite in the small -----------------------------------===//

#include "search/store/Sqlite.h"

using namespace loss::search;

namespace {
constexpr int busyMilliseconds = 20000;
} // namespace

SqliteDatabase::SqliteDatabase(const std::string &path, const SqliteOptions &options) : path(path) {
  int flags = options.readOnly ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE;
  if (options.create)
    flags |= SQLITE_OPEN_CREATE;
  int code = sqlite3_open_v2(path.c_str(), &handle, flags, nullptr);
  if (code != SQLITE_OK) {
    std::string message = handle ? sqlite3_errmsg(handle) : "out of memory";
    sqlite3_close(handle);
    throw StoreError(path + ": " + message);
  }
  sqlite3_busy_timeout(handle, busyMilliseconds);
}

SqliteDatabase::~SqliteDatabase() { sqlite3_close(handle); }

void SqliteDatabase::fail(const std::string &message) const {
  throw StoreError(path + ": " + message);
}

void SqliteDatabase::check(int code) const {
  if (code == SQLITE_OK || code == SQLITE_ROW || code == SQLITE_DONE)
    return;
  switch (code & 0xff) {
  case SQLITE_FULL:
    fail("no space left on the disk; nothing is lost, make room and run again");
  case SQLITE_READONLY:
  case SQLITE_CANTOPEN:
  case SQLITE_PERM:
    fail("cannot be written: the file or its directory is read-only");
  case SQLITE_NOTADB:
  case SQLITE_CORRUPT:
    fail("is not a search database, or is damaged");
  case SQLITE_BUSY:
    fail("is in use by another program");
  case SQLITE_IOERR:
    fail(std::string("cannot be read or written (") + sqlite3_errstr(code) +
         "): is the disk full?");
  default:
    fail(sqlite3_errmsg(handle));
  }
}

void SqliteDatabase::execute(const char *sql) {
  check(sqlite3_exec(handle, sql, nullptr, nullptr, nullptr));
}

SqliteStatement::SqliteStatement(SqliteDatabase &database, std::string_view sql)
    : database(database) {
  database.check(sqlite3_prepare_v2(database.get(), sql.data(), static_cast<int>(sql.size()),
                                    &handle, nullptr));
}

SqliteStatement &SqliteStatement::bind(int64_t value) {
  database.check(sqlite3_bind_int64(handle, ++parameter, value));
  return *this;
}
SqliteStatement &SqliteStatement::bind(double value) {
  database.check(sqlite3_bind_double(handle, ++parameter, value));
  return *this;
}
SqliteStatement &SqliteStatement::bind(const std::string &value) {
  database.check(sqlite3_bind_text(handle, ++parameter, value.data(),
                                   static_cast<int>(value.size()), SQLITE_TRANSIENT));
  return *this;
}
SqliteStatement &SqliteStatement::bindNull() {
  database.check(sqlite3_bind_null(handle, ++parameter));
  return *this;
}

bool SqliteStatement::step() {
  column = 0;
  int code = sqlite3_step(handle);
  database.check(code);
  return code == SQLITE_ROW;
}

int SqliteStatement::run() {
  while (step())
    ;
  return sqlite3_changes(database.get());
}

std::string SqliteStatement::text() {
  int at = column++;
  const unsigned char *data = sqlite3_column_text(handle, at);
  return data ? std::string(reinterpret_cast<const char *>(data),
                            static_cast<size_t>(sqlite3_column_bytes(handle, at)))
              : std::string();
}

std::optional<int64_t> SqliteStatement::optionalInteger() {
  if (sqlite3_column_type(handle, column) == SQLITE_NULL)
    return ++column, std::nullopt;
  return integer();
}

std::optional<double> SqliteStatement::optionalReal() {
  if (sqlite3_column_type(handle, column) == SQLITE_NULL)
    return ++column, std::nullopt;
  return real();
}
