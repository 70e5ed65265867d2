#include "runtime/models/ResNet9.h"

namespace loss::runtime {
namespace {

using torch::Tensor;
namespace nn = torch::nn;

nn::Conv2d conv3x3(int64_t from, int64_t to) {
  return nn::Conv2d(nn::Conv2dOptions(from, to, 3).padding(1));
}

/// Normalisation, ReLU, 3x3 convolution.
class PreActivation : public nn::Module {
public:
  PreActivation(int64_t from, int64_t to)
      : norm(register_module("norm", nn::BatchNorm2d(from))),
        conv(register_module("conv", conv3x3(from, to))) {}

  Tensor forward(const Tensor &x) { return conv(torch::relu(norm(x))); }

private:
  nn::BatchNorm2d norm;
  nn::Conv2d conv;
};

class ResNet9 : public Network {
public:
  ResNet9(const NetworkShape &shape, int64_t w)
      : stem(register_module("stem", conv3x3(shape.channels, w))), widen1(add("widen1", w, 2 * w)),
        pair1a(add("pair1a", 2 * w, 2 * w)), pair1b(add("pair1b", 2 * w, 2 * w)),
        widen2(add("widen2", 2 * w, 4 * w)), widen3(add("widen3", 4 * w, 8 * w)),
        pair2a(add("pair2a", 8 * w, 8 * w)), pair2b(add("pair2b", 8 * w, 8 * w)),
        norm(register_module("norm", nn::BatchNorm2d(8 * w))),
        head(register_module("head", nn::Linear(8 * w, shape.classes))) {}

  Tensor forward(Tensor x) override {
    x = torch::max_pool2d(widen1->forward(stem(x)), 2);
    x = x + pair1b->forward(pair1a->forward(x));
    x = torch::max_pool2d(widen2->forward(x), 2);
    x = torch::max_pool2d(widen3->forward(x), 2);
    x = x + pair2b->forward(pair2a->forward(x));
    return head(torch::relu(norm(x)).mean({2, 3}));
  }

private:
  std::shared_ptr<PreActivation> add(const char *name, int64_t from, int64_t to) {
    return register_module(name, std::make_shared<PreActivation>(from, to));
  }

  nn::Conv2d stem;
  std::shared_ptr<PreActivation> widen1, pair1a, pair1b, widen2, widen3, pair2a, pair2b;
  nn::BatchNorm2d norm;
  nn::Linear head;
};

} // namespace

std::shared_ptr<Network> makeResNet9(const NetworkShape &shape) {
  return std::make_shared<ResNet9>(shape, shape.width ? shape.width : 64);
}

} // namespace loss::runtime
