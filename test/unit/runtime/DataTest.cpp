#include "runtime/data/Augment.h"
#include "runtime/data/ImageSet.h"
#include "runtime/data/Random.h"
#include "runtime/data/Readers.h"

#include <gmock/gmock.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>
#include <unistd.h>
#include <zlib.h>

using namespace loss::runtime;
using testing::HasSubstr;
namespace fs = std::filesystem;

namespace {

class DataFiles : public testing::Test {
protected:
  DataFiles() : dir(fs::path(testing::TempDir()) / ("losslang-data-" + std::to_string(getpid()))) {
    fs::create_directories(dir);
  }
  ~DataFiles() override { fs::remove_all(dir); }

  std::string write(const std::string &name, const std::string &bytes, bool gzip = false) const {
    const std::string path = dir / name;
    if (!gzip) {
      std::ofstream(path, std::ios::binary) << bytes;
      return path;
    }
    gzFile file = gzopen(path.c_str(), "wb");
    gzwrite(file, bytes.data(), static_cast<unsigned>(bytes.size()));
    gzclose(file);
    return path;
  }

  static std::string bigEndian(uint32_t v) {
    return {char(v >> 24), char(v >> 16), char(v >> 8), char(v)};
  }
  static std::string idxImages(uint32_t count, uint32_t height, uint32_t width,
                               uint32_t magic = 0x803) {
    std::string bytes = bigEndian(magic) + bigEndian(count) + bigEndian(height) + bigEndian(width);
    for (uint32_t i = 0; i < count * height * width; ++i)
      bytes += char(i % 251);
    return bytes;
  }
  static std::string idxLabels(uint32_t count, uint32_t classes, uint32_t magic = 0x801) {
    std::string bytes = bigEndian(magic) + bigEndian(count);
    for (uint32_t i = 0; i < count; ++i)
      bytes += char(i % classes);
    return bytes;
  }
  /// Records whose pixels are all the record's number.
  static std::string cifar(int count, int labelBytes, int classes) {
    std::string bytes;
    for (int i = 0; i < count; ++i) {
      if (labelBytes == 2)
        bytes += char(19);
      bytes += char(i % classes);
      bytes += std::string(3072, char(i));
    }
    return bytes;
  }
  template <typename Action> static std::string errorOf(Action action) {
    try {
      action();
    } catch (const DataError &error) {
      EXPECT_EQ(std::string(error.what()).find('\n'), std::string::npos);
      return error.what();
    }
    return "(no error)";
  }
  fs::path dir;
};

TEST_F(DataFiles, ReadsIdxGzippedAndPlain) {
  for (bool gzip : {false, true}) {
    ImageSet set =
        readIdx(write("i", idxImages(5, 3, 4), gzip), write("l", idxLabels(5, 10), gzip), 10);
    EXPECT_EQ(set.count, 5);
    EXPECT_EQ(set.channels, 1);
    EXPECT_EQ(set.height, 3);
    EXPECT_EQ(set.width, 4);
    EXPECT_EQ(set.pixels[4 * 12 + 5], (4 * 12 + 5) % 251);
    EXPECT_EQ(set.labels, (std::vector<uint8_t>{0, 1, 2, 3, 4}));
  }
}

TEST_F(DataFiles, RefusesBadIdx) {
  const std::string images = write("i", idxImages(5, 3, 4)), labels = write("l", idxLabels(5, 10));
  EXPECT_THAT(errorOf([&] { readIdx("/nonexistent/i", labels, 10); }), HasSubstr("No such file"));
  EXPECT_THAT(errorOf([&] { readIdx(labels, labels, 10); }),
              HasSubstr("expected IDX images (magic 0x00000803), but found 0x00000801"));
  EXPECT_THAT(errorOf([&] { readIdx(images, images, 10); }), HasSubstr("expected IDX labels"));
  const std::string whole = idxImages(5, 3, 4);
  for (bool gzip : {false, true}) {
    for (size_t size : {size_t(0), size_t(3), size_t(10), whole.size() - 1})
      EXPECT_THAT(errorOf([&] { readIdx(write("t", whole.substr(0, size), gzip), labels, 10); }),
                  HasSubstr("truncated"))
          << size;
    EXPECT_THAT(errorOf([&] { readIdx(write("t", whole + "x", gzip), labels, 10); }),
                HasSubstr("found more data"));
  }
  EXPECT_THAT(errorOf([&] { readIdx(images, write("t", idxLabels(4, 10)), 10); }),
              HasSubstr("expected 5 labels, one for each image, but found 4"));
  EXPECT_THAT(errorOf([&] { readIdx(images, labels, 3); }),
              HasSubstr("label 3 is 3, but expected 0 to 2"));
  EXPECT_THAT(errorOf([&] {
                readIdx(write("t", bigEndian(0x803) + bigEndian(0xffffffff) +
                                       bigEndian(0xffffffff) + bigEndian(28)),
                        labels, 10);
              }),
              HasSubstr("sensible size"));
}

TEST_F(DataFiles, RefusesDamagedGzip) {
  const std::string labels = write("l", idxLabels(600, 10));
  write("i", idxImages(600, 3, 4), true);
  std::string bytes;
  {
    std::ifstream file(dir / "i", std::ios::binary);
    bytes.assign(std::istreambuf_iterator<char>(file), {});
  }
  EXPECT_THAT(
      errorOf([&] { readIdx(write("half", bytes.substr(0, bytes.size() / 2)), labels, 10); }),
      HasSubstr("truncated"));
  bytes[bytes.size() / 2] = char(bytes[bytes.size() / 2] ^ 0x5a);
  EXPECT_NE(errorOf([&] { readIdx(write("flipped", bytes), labels, 10); }), "(no error)");
}

TEST_F(DataFiles, ReadsCifar) {
  for (int i = 1; i <= 5; ++i)
    write("data_batch_" + std::to_string(i) + ".bin", cifar(4, 1, 10));
  write("test_batch.bin", cifar(3, 1, 10));
  auto data = loadDataset("cifar10", dir);
  EXPECT_EQ(data->train.count, 20);
  EXPECT_EQ(data->test.count, 3);
  EXPECT_EQ(data->classes, 10);
  EXPECT_EQ(data->train.labels[6], 2);
  EXPECT_EQ(data->train.pixels[6 * 3072], 2);
  EXPECT_NEAR(data->mean[0], 1.5 / 255, 1e-7);
  EXPECT_NEAR(data->deviation[2], std::sqrt(1.25) / 255, 1e-7);

  write("train.bin", cifar(7, 2, 100));
  write("test.bin", cifar(2, 2, 100));
  auto fine = loadDataset("cifar100", dir);
  EXPECT_EQ(fine->classes, 100);
  EXPECT_EQ(fine->train.count, 7);
  EXPECT_EQ(fine->train.labels[5], 5) << "the fine label";
}

TEST_F(DataFiles, RefusesBadCifar) {
  EXPECT_THAT(errorOf([&] { loadDataset("cifar10", ""); }), HasSubstr("expected --data-dir"));
  EXPECT_THAT(errorOf([&] { loadDataset("cifar10", dir); }),
              HasSubstr("data_batch_1.bin: no such file"));
  EXPECT_THAT(errorOf([&] { readCifar({write("t", cifar(2, 1, 10).substr(0, 5000))}, 1, 10); }),
              HasSubstr("expected records of 3073 bytes, but found 5000"));
  EXPECT_THAT(errorOf([&] { readCifar({write("t", "")}, 1, 10); }), HasSubstr("found 0 bytes"));
  EXPECT_THAT(errorOf([&] { readCifar({write("t", cifar(12, 1, 12))}, 1, 10); }),
              HasSubstr("the label of record 10 is 10, but expected 0 to 9"));
}

TEST_F(DataFiles, NamesUnknownAndMissingData) {
  EXPECT_THAT(errorOf([] { loadDataset("mnist", ""); }),
              HasSubstr("unknown data set 'mnist' (known: fashion-mnist, cifar10, cifar100)"));
  EXPECT_THAT(errorOf([&] { loadDataset("fashion-mnist", dir); }),
              HasSubstr("dataset-fashion-mnist"));
}

TEST(Random, StreamsAreReproducibleAndDiffer) {
  RandomStream a(StreamKind::Augment, 1, 2, 3), b(StreamKind::Augment, 1, 2, 3);
  EXPECT_EQ(a.next(), b.next());
  EXPECT_EQ(a.next(), b.next());
  std::set<uint64_t> first;
  for (uint64_t seed = 0; seed < 10; ++seed)
    for (uint64_t x = 0; x < 10; ++x)
      for (uint64_t y = 0; y < 10; ++y)
        first.insert(RandomStream(StreamKind::Augment, seed, x, y).next());
  EXPECT_EQ(first.size(), 1000u);
}

TEST(Random, BelowIsUniform) {
  RandomStream stream(StreamKind::Shuffle, 7);
  int counts[6] = {};
  for (int i = 0; i < 60000; ++i)
    ++counts[stream.below(6)];
  // Standard deviation of a count: sqrt(60000 * 1/6 * 5/6) = 91.
  for (int count : counts)
    EXPECT_NEAR(count, 10000, 5 * 91);
}

TEST(Random, PermutationHoldsEveryNumber) {
  auto order = permutation(RandomStream(StreamKind::Shuffle, 1), 1000);
  EXPECT_EQ(std::set<int64_t>(order.begin(), order.end()).size(), 1000u);
  EXPECT_NE(order, permutation(RandomStream(StreamKind::Shuffle, 2), 1000));
  EXPECT_EQ(order, permutation(RandomStream(StreamKind::Shuffle, 1), 1000));
}

/// One image of 2 channels whose pixel values tell where they come from.
Dataset smallData() {
  Dataset data;
  data.train = {1, 2, 3, 3, {}, {0}};
  for (int i = 0; i < 18; ++i)
    data.train.pixels.push_back(uint8_t(10 + i));
  data.mean = {0, 0};
  data.deviation = {1 / 255.0f, 1 / 255.0f};
  return data;
}

TEST(Augment, CentreCropIsTheImage) {
  Dataset data = smallData();
  PixelScale scale(data);
  std::vector<float> out(18), last(18);
  writeImage(data.train, 0, scale, CropFlip(), false, out.data());
  writeImage(data.train, 0, scale, CropFlip(), true, last.data());
  for (int c = 0; c < 2; ++c)
    for (int p = 0; p < 9; ++p) {
      EXPECT_FLOAT_EQ(out[c * 9 + p], 10 + c * 9 + p);
      EXPECT_FLOAT_EQ(last[p * 2 + c], 10 + c * 9 + p);
    }
}

TEST(Augment, ShiftsPadsAndFlips) {
  Dataset data = smallData();
  PixelScale scale(data);
  std::vector<float> out(18);
  CropFlip crop;
  crop.top = CropFlip::pad + 1; // one row further down in the image
  crop.left = CropFlip::pad - 1;
  writeImage(data.train, 0, scale, crop, false, out.data());
  EXPECT_FLOAT_EQ(out[0], 0) << "padding";
  EXPECT_FLOAT_EQ(out[1], 13) << "row 1, column 0";
  EXPECT_FLOAT_EQ(out[8], 0) << "below the image";
  crop = {};
  crop.flip = true;
  writeImage(data.train, 0, scale, crop, false, out.data());
  EXPECT_FLOAT_EQ(out[0], 12);
  EXPECT_FLOAT_EQ(out[2], 10);
}

TEST(Augment, RandomCropsStayInTheMargins) {
  std::set<int64_t> tops, lefts;
  int flips = 0;
  for (uint64_t i = 0; i < 2000; ++i) {
    CropFlip crop = CropFlip::random(RandomStream(StreamKind::Augment, 1, 0, i));
    tops.insert(crop.top);
    lefts.insert(crop.left);
    flips += crop.flip;
  }
  EXPECT_EQ(tops.size(), 9u);
  EXPECT_EQ(*lefts.rbegin(), 8);
  EXPECT_NEAR(flips, 1000, 5 * 23);
}

} // namespace
