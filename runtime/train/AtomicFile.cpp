#include "runtime/train/AtomicFile.h"
#include "runtime/train/Errors.h"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <sstream>
#include <unistd.h>

namespace loss::runtime {
namespace {

[[noreturn]] void fail(const std::string &path, const std::string &temporary, int error) {
  if (!temporary.empty())
    unlink(temporary.c_str());
  throw StorageError(path + ": cannot be written: " + std::strerror(error));
}

} // namespace

void writeFileAtomically(const std::string &path, std::string_view content) {
  const std::string temporary = path + ".tmp" + std::to_string(getpid());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (file < 0)
    fail(path, "", errno);
  for (size_t done = 0; done < content.size();) {
    const ssize_t part = write(file, content.data() + done, content.size() - done);
    if (part < 0 && errno == EINTR)
      continue;
    if (part < 0) {
      const int error = errno;
      close(file);
      fail(path, temporary, error);
    }
    done += static_cast<size_t>(part);
  }
  // A full disk may show only here.
  const int syncError = fsync(file) == 0 || errno == EINVAL ? 0 : errno;
  const int closeError = close(file) == 0 ? 0 : errno;
  if (syncError || closeError)
    fail(path, temporary, syncError ? syncError : closeError);
  if (rename(temporary.c_str(), path.c_str()) != 0)
    fail(path, temporary, errno);
}

std::string readWholeFile(const std::string &path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::ostringstream content;
  if (file)
    content << file.rdbuf();
  if (!file || file.bad())
    throw StorageError(path + ": cannot be read: " + std::strerror(errno ? errno : EIO));
  return content.str();
}

} // namespace loss::runtime
