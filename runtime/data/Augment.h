//===- Augment.h - from bytes to a batch of numbers -------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_DATA_AUGMENT_H
#define LOSSLANG_RUNTIME_DATA_AUGMENT_H

#include "runtime/data/ImageSet.h"
#include "runtime/data/Random.h"

namespace loss::runtime {

/// Where the random crop of an image begins, and whether it is flipped.
struct CropFlip {
  /// Pixels that the image is padded with (by black) on each side.
  static constexpr int64_t pad = 4;
  /// Offset of the crop in the padded image, 0 .. 2 * pad. `pad` is the image itself.
  int64_t top = pad, left = pad;
  bool flip = false;

  /// Draws one: pad, random crop to the same size, horizontal flip with probability 1/2.
  static CropFlip random(RandomStream stream);
};

/// Turns bytes into numbers of mean 0 and deviation 1: (pixel / 255 - mean) / deviation, by
/// channel.
class PixelScale {
public:
  explicit PixelScale(const Dataset &data);
  const float *table(int64_t channel) const { return tables.data() + channel * 256; }

private:
  std::vector<float> tables; // 256 a channel
};

/// Writes image `index` of `images` to `out`, NCHW, or NHWC if `channelsLast`.
void writeImage(const ImageSet &images, int64_t index, const PixelScale &scale,
                const CropFlip &crop, bool channelsLast, float *out);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_DATA_AUGMENT_H
