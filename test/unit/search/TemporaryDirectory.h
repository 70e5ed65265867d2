// A directory that is gone after the test.
#ifndef LOSSLANG_TEST_UNIT_SEARCH_TEMPORARYDIRECTORY_H
#define LOSSLANG_TEST_UNIT_SEARCH_TEMPORARYDIRECTORY_H

#include <filesystem>
#include <string>

#include <stdlib.h>

class TemporaryDirectory {
public:
  TemporaryDirectory() {
    std::string pattern = (std::filesystem::temp_directory_path() / "losssearch-XXXXXX").string();
    directory = mkdtemp(pattern.data());
  }
  ~TemporaryDirectory() {
    std::error_code ignored;
    std::filesystem::remove_all(directory, ignored);
  }
  TemporaryDirectory(const TemporaryDirectory &) = delete;
  TemporaryDirectory &operator=(const TemporaryDirectory &) = delete;

  std::string path(const std::string &name) const { return directory + "/" + name; }

private:
  std::string directory;
};

#endif
