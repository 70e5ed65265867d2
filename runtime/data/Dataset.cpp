#include "runtime/data/ImageSet.h"
#include "runtime/data/Readers.h"

#include <array>
#include <cmath>
#include <filesystem>

namespace loss::runtime {
namespace {

namespace fs = std::filesystem;

/// `directory`/`name`, or with `.gz` behind it.
std::string idxFile(const fs::path &directory, const std::string &name) {
  for (const char *ending : {".gz", ""})
    if (fs::exists(directory / (name + ending)))
      return directory / (name + ending);
  throw DataError((directory / (name + ".gz")).string() +
                  ": no such file; Fashion-MNIST is Debian's package dataset-fashion-mnist, "
                  "or give its folder with --data-dir");
}

Dataset loadFashionMnist(const std::string &directory) {
  const fs::path dir = directory.empty() ? "/usr/share/datasets/fashion-mnist" : directory;
  Dataset data;
  data.classes = 10;
  data.train = readIdx(idxFile(dir, "train-images-idx3-ubyte"),
                       idxFile(dir, "train-labels-idx1-ubyte"), data.classes);
  data.test = readIdx(idxFile(dir, "t10k-images-idx3-ubyte"),
                      idxFile(dir, "t10k-labels-idx1-ubyte"), data.classes);
  return data;
}

/// The files of a CIFAR folder, which may lie in the folder that the archive unpacks to.
std::vector<std::string> cifarFiles(const std::string &directory, const std::string &inner,
                                    const std::vector<std::string> &names) {
  if (directory.empty())
    throw DataError("expected --data-dir, the folder of the binary version of CIFAR (with " +
                    names.front() + ")");
  fs::path dir = directory;
  if (!fs::exists(dir / names.front()) && fs::exists(dir / inner / names.front()))
    dir /= inner;
  std::vector<std::string> files;
  for (const std::string &name : names) {
    if (!fs::exists(dir / name))
      throw DataError((dir / name).string() +
                      ": no such file; expected the binary version of CIFAR there");
    files.push_back(dir / name);
  }
  return files;
}

Dataset loadCifar10(const std::string &directory) {
  const std::string inner = "cifar-10-batches-bin";
  Dataset data;
  data.classes = 10;
  data.train = readCifar(cifarFiles(directory, inner,
                                    {"data_batch_1.bin", "data_batch_2.bin", "data_batch_3.bin",
                                     "data_batch_4.bin", "data_batch_5.bin"}),
                         1, data.classes);
  data.test = readCifar(cifarFiles(directory, inner, {"test_batch.bin"}), 1, data.classes);
  return data;
}

Dataset loadCifar100(const std::string &directory) {
  const std::string inner = "cifar-100-binary";
  Dataset data;
  data.classes = 100;
  // A coarse label, then the fine one.
  data.train = readCifar(cifarFiles(directory, inner, {"train.bin"}), 2, data.classes);
  data.test = readCifar(cifarFiles(directory, inner, {"test.bin"}), 2, data.classes);
  return data;
}

/// Mean and deviation of each channel, from exact counts of the 256 pixel values.
void measureChannels(Dataset &data) {
  const ImageSet &images = data.train;
  const int64_t plane = images.height * images.width;
  data.mean.resize(images.channels);
  data.deviation.resize(images.channels);
  for (int64_t c = 0; c < images.channels; ++c) {
    std::array<int64_t, 256> counts = {};
    for (int64_t i = 0; i < images.count; ++i) {
      const uint8_t *pixels = images.pixels.data() + (i * images.channels + c) * plane;
      for (int64_t p = 0; p < plane; ++p)
        ++counts[pixels[p]];
    }
    double sum = 0, squares = 0;
    for (int v = 0; v < 256; ++v) {
      sum += counts[v] * (v / 255.0);
      squares += counts[v] * (v / 255.0) * (v / 255.0);
    }
    const double n = static_cast<double>(images.count * plane), mean = sum / n;
    data.mean[c] = static_cast<float>(mean);
    data.deviation[c] = static_cast<float>(std::sqrt(std::max(0.0, squares / n - mean * mean)));
  }
}

struct Source {
  const char *name;
  Dataset (*load)(const std::string &directory);
};
const Source sources[] = {
    {"fashion-mnist", loadFashionMnist}, {"cifar10", loadCifar10}, {"cifar100", loadCifar100}};

} // namespace

const std::vector<std::string> &datasetNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Source &source : sources)
      list.push_back(source.name);
    return list;
  }();
  return names;
}

std::shared_ptr<const Dataset> loadDataset(const std::string &name, const std::string &directory) {
  for (const Source &source : sources) {
    if (name != source.name)
      continue;
    auto data = std::make_shared<Dataset>(source.load(directory));
    data->name = name;
    measureChannels(*data);
    return data;
  }
  std::string known;
  for (const Source &source : sources)
    known += std::string(known.empty() ? "" : ", ") + source.name;
  throw DataError("unknown data set '" + name + "' (known: " + known + ")");
}

} // namespace loss::runtime
