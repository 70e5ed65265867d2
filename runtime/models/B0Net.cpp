#include "runtime/models/B0Net.h"

namespace loss::runtime {
namespace {

using torch::Tensor;
namespace nn = torch::nn;

nn::Conv2d conv(int64_t from, int64_t to, int64_t size, int64_t stride = 1) {
  return nn::Conv2d(nn::Conv2dOptions(from, to, size).stride(stride).padding(size / 2));
}

/// Three 3x3 convolutions, the first with stride 2, each behind a normalisation and swish; the
/// shortcut is a 1x1 convolution with stride 2 of the raw input.
class Block : public nn::Module {
public:
  Block(int64_t from, int64_t to)
      : norm1(register_module("norm1", nn::BatchNorm2d(from))),
        norm2(register_module("norm2", nn::BatchNorm2d(to))),
        norm3(register_module("norm3", nn::BatchNorm2d(to))),
        conv1(register_module("conv1", conv(from, to, 3, 2))),
        conv2(register_module("conv2", conv(to, to, 3))),
        conv3(register_module("conv3", conv(to, to, 3))),
        shortcut(register_module("shortcut", conv(from, to, 1, 2))) {}

  Tensor forward(const Tensor &x) {
    Tensor h = conv1(torch::silu(norm1(x)));
    h = conv2(torch::silu(norm2(h)));
    h = conv3(torch::silu(norm3(h)));
    return h + shortcut(x);
  }

private:
  nn::BatchNorm2d norm1, norm2, norm3;
  nn::Conv2d conv1, conv2, conv3, shortcut;
};

class B0Net : public Network {
public:
  explicit B0Net(const NetworkShape &shape, int64_t width)
      : stem(register_module("stem", conv(shape.channels, width, 3))),
        block1(register_module("block1", std::make_shared<Block>(width, 2 * width))),
        block2(register_module("block2", std::make_shared<Block>(2 * width, 4 * width))),
        dropout(register_module("dropout", nn::Dropout(0.5))),
        head(register_module("head", nn::Linear(4 * width, shape.classes))) {}

  Tensor forward(Tensor x) override {
    x = block2->forward(block1->forward(stem(x)));
    return head(dropout(x.mean({2, 3})));
  }

private:
  nn::Conv2d stem;
  std::shared_ptr<Block> block1, block2;
  nn::Dropout dropout;
  nn::Linear head;
};

} // namespace

std::shared_ptr<Network> makeB0Net(const NetworkShape &shape) {
  return std::make_shared<B0Net>(shape, shape.width ? shape.width : 8);
}

} // namespace loss::runtime
