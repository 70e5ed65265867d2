#include "runtime/data/Readers.h"

#include <cerrno>
#include <cstring>
#include <fstream>

namespace loss::runtime {

ImageSet readCifar(const std::vector<std::string> &files, int64_t labelBytes, int64_t classes) {
  ImageSet set;
  set.channels = 3;
  set.height = set.width = 32;
  const int64_t pixelBytes = set.imageSize(), recordBytes = labelBytes + pixelBytes;
  for (const std::string &path : files) {
    errno = 0;
    std::ifstream file(path, std::ios::binary | std::ios::ate);
    if (!file)
      throw DataError(path + ": cannot be opened: " + std::strerror(errno ? errno : EIO));
    const int64_t size = file.tellg();
    if (size <= 0 || size % recordBytes != 0)
      throw DataError(path + ": expected records of " + std::to_string(recordBytes) +
                      " bytes, but found " + std::to_string(size) +
                      " bytes: truncated or of another format");
    file.seekg(0);
    std::vector<uint8_t> records(size);
    file.read(reinterpret_cast<char *>(records.data()), size);
    if (file.gcount() != size)
      throw DataError(path + ": cannot be read: " + std::strerror(errno ? errno : EIO));
    for (int64_t at = 0; at < size; at += recordBytes) {
      const uint8_t label = records[at + labelBytes - 1];
      if (label >= classes)
        throw DataError(path + ": the label of record " + std::to_string(at / recordBytes) +
                        " is " + std::to_string(label) + ", but expected 0 to " +
                        std::to_string(classes - 1));
      const auto pixels = records.begin() + at + labelBytes;
      set.labels.push_back(label);
      set.pixels.insert(set.pixels.end(), pixels, pixels + pixelBytes);
      ++set.count;
    }
  }
  return set;
}

} // namespace loss::runtime
