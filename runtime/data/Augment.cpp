#include "runtime/data/Augment.h"

#include <algorithm>

namespace loss::runtime {

CropFlip CropFlip::random(RandomStream stream) {
  CropFlip crop;
  crop.top = static_cast<int64_t>(stream.below(2 * pad + 1));
  crop.left = static_cast<int64_t>(stream.below(2 * pad + 1));
  crop.flip = stream.below(2) != 0;
  return crop;
}

PixelScale::PixelScale(const Dataset &data) : tables(data.train.channels * 256) {
  for (int64_t c = 0; c < data.train.channels; ++c)
    for (int64_t v = 0; v < 256; ++v)
      tables[c * 256 + v] =
          (static_cast<float>(v) / 255.0f - data.mean[c]) / std::max(data.deviation[c], 1e-6f);
}

void writeImage(const ImageSet &images, int64_t index, const PixelScale &scale,
                const CropFlip &crop, bool channelsLast, float *out) {
  const int64_t channels = images.channels, height = images.height, width = images.width;
  const int64_t dy = crop.top - CropFlip::pad, dx = crop.left - CropFlip::pad;
  for (int64_t c = 0; c < channels; ++c) {
    const uint8_t *plane = images.pixels.data() + (index * channels + c) * height * width;
    const float *table = scale.table(c);
    float *to = channelsLast ? out + c : out + c * height * width;
    const int64_t step = channelsLast ? channels : 1;
    for (int64_t y = 0; y < height; ++y) {
      const int64_t fromY = y + dy;
      const bool rowInside = fromY >= 0 && fromY < height;
      for (int64_t x = 0; x < width; ++x, to += step) {
        const int64_t fromX = (crop.flip ? width - 1 - x : x) + dx;
        const bool inside = rowInside && fromX >= 0 && fromX < width;
        *to = table[inside ? plane[fromY * width + fromX] : 0];
      }
    }
  }
}

} // namespace loss::runtime
