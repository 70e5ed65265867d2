//===- SearchDirectory.cpp - a directory with a search --------------------===//

#include "search/driver/SearchRun.h"

#include <cerrno>
#include <cstring>
#include <filesystem>

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

using namespace loss::search;

SearchDirectory::SearchDirectory(const std::string &path) : path(path) {
  std::error_code error;
  std::filesystem::create_directories(path, error);
  if (error)
    throw StoreError(path + ": cannot be created: " + error.message());
  std::string file = path + "/lock";
  lock = open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0666);
  if (lock < 0)
    throw StoreError(file + ": cannot be written: " + strerror(errno));
  // Released by the system however this process ends.
  if (flock(lock, LOCK_EX | LOCK_NB)) {
    int code = errno;
    close(lock);
    throw StoreError(path + (code == EWOULDBLOCK
                                 ? ": another losssearch is at work there"
                                 : std::string(": cannot be locked: ") + strerror(code)));
  }
}

SearchDirectory::~SearchDirectory() { close(lock); }
