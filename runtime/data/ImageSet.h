//===- ImageSet.h - labelled images in memory -------------------*- C++ -*-===//
//
// Images as bytes, read from the data sets' original files. Knows no LibTorch.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_DATA_IMAGESET_H
#define LOSSLANG_RUNTIME_DATA_IMAGESET_H

#include <cstdint>
#include <memory>
#include <stdexcept>
#include <string>
#include <vector>

namespace loss::runtime {

/// A data file is missing, truncated or of another format. what() is one line that names the file.
class DataError : public std::runtime_error {
  using std::runtime_error::runtime_error;
};

/// Images of one size, channel by channel (NCHW), and their classes.
struct ImageSet {
  int64_t count = 0, channels = 0, height = 0, width = 0;
  std::vector<uint8_t> pixels;
  std::vector<uint8_t> labels;

  int64_t imageSize() const { return channels * height * width; }
};

/// A data set as it is distributed: training and test images, with the mean and the standard
/// deviation of each channel over the training images (of pixels scaled to 0..1).
struct Dataset {
  std::string name;
  int64_t classes = 0;
  ImageSet train, test;
  std::vector<float> mean, deviation;
};

/// Names that loadDataset knows.
const std::vector<std::string> &datasetNames();

/// Reads a data set once, to be shared by any number of trainings. An empty directory means where
/// the system keeps it (Fashion-MNIST: Debian's package). Throws DataError.
std::shared_ptr<const Dataset> loadDataset(const std::string &name, const std::string &directory);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_DATA_IMAGESET_H
