#include "runtime/data/Readers.h"

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <zlib.h>

namespace loss::runtime {
namespace {

/// A gzip file, or one that is not compressed.
class GzipReader {
public:
  explicit GzipReader(const std::string &path) : path(path) {
    errno = 0;
    file.reset(gzopen(path.c_str(), "rb"));
    if (!file)
      throw DataError(path + ": cannot be opened: " + std::strerror(errno ? errno : ENOMEM));
    gzbuffer(file.get(), 1 << 18);
  }

  /// Reads exactly `size` bytes.
  void read(void *to, size_t size) {
    auto *bytes = static_cast<unsigned char *>(to);
    for (size_t done = 0; done < size;) {
      const auto part = static_cast<unsigned>(std::min<size_t>(size - done, 1u << 30));
      const int got = gzread(file.get(), bytes + done, part);
      if (got > 0) {
        done += got;
        continue;
      }
      int code = Z_OK;
      const char *message = gzerror(file.get(), &code);
      if (got == 0 || code == Z_BUF_ERROR)
        throw DataError(path + ": the file is truncated (" + std::to_string(size - done) +
                        " bytes of data are missing)");
      throw DataError(path +
                      ": cannot be read: " + (code == Z_ERRNO ? std::strerror(errno) : message));
    }
  }

  uint32_t readBigEndian() {
    std::array<unsigned char, 4> b;
    read(b.data(), b.size());
    return uint32_t(b[0]) << 24 | uint32_t(b[1]) << 16 | uint32_t(b[2]) << 8 | b[3];
  }

  void expectMagic(uint32_t wanted, const char *what) {
    const uint32_t found = readBigEndian();
    if (found == wanted)
      return;
    char text[96];
    std::snprintf(text, sizeof text, "expected IDX %s (magic 0x%08x), but found 0x%08x", what,
                  wanted, found);
    throw DataError(path + ": " + text);
  }

  void expectEnd() {
    char extra;
    if (gzread(file.get(), &extra, 1) > 0)
      throw DataError(path + ": expected the end of the file, but found more data");
  }

private:
  struct Close {
    void operator()(gzFile f) const { gzclose(f); }
  };
  std::string path;
  std::unique_ptr<gzFile_s, Close> file;
};

} // namespace

ImageSet readIdx(const std::string &imageFile, const std::string &labelFile, int64_t classes) {
  ImageSet set;
  GzipReader images(imageFile);
  images.expectMagic(0x803, "images");
  set.count = images.readBigEndian();
  set.height = images.readBigEndian();
  set.width = images.readBigEndian();
  set.channels = 1;
  if (set.count < 1 || set.height < 1 || set.width < 1 || set.height > 4096 || set.width > 4096 ||
      set.count > (int64_t(1) << 36) / set.imageSize())
    throw DataError(imageFile + ": expected images of sensible size, but the header says " +
                    std::to_string(set.count) + " of " + std::to_string(set.height) + " x " +
                    std::to_string(set.width));
  set.pixels.resize(set.count * set.imageSize());
  images.read(set.pixels.data(), set.pixels.size());
  images.expectEnd();

  GzipReader labels(labelFile);
  labels.expectMagic(0x801, "labels");
  const int64_t labelCount = labels.readBigEndian();
  if (labelCount != set.count)
    throw DataError(labelFile + ": expected " + std::to_string(set.count) +
                    " labels, one for each image, but found " + std::to_string(labelCount));
  set.labels.resize(set.count);
  labels.read(set.labels.data(), set.labels.size());
  labels.expectEnd();
  for (int64_t i = 0; i < set.count; ++i)
    if (set.labels[i] >= classes)
      throw DataError(labelFile + ": label " + std::to_string(i) + " is " +
                      std::to_string(set.labels[i]) + ", but expected 0 to " +
                      std::to_string(classes - 1));
  return set;
}

} // namespace loss::runtime
