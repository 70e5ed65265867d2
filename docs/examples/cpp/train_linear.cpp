// Trains a linear classifier with a compiled loss: train_linear ngl.so

#include "runtime/torch/LossFunction.h"

#include <torch/torch.h>

#include <iostream>

int main(int argc, char **argv) try {
  if (argc != 2) {
    std::cerr << "usage: train_linear LOSS.so\n";
    return 2;
  }
  const loss::runtime::CompiledLoss loss(loss::runtime::LossHandle::open(argv[1]));

  // Four clouds of points; the class is the corner that a cloud lies in.
  torch::manual_seed(1);
  torch::Tensor labels = torch::randint(4, {512}, torch::kLong);
  torch::Tensor corners = torch::tensor({{1.f, 1.f}, {1.f, -1.f}, {-1.f, 1.f}, {-1.f, -1.f}});
  torch::Tensor points = corners.index_select(0, labels) + 0.4 * torch::randn({512, 2});

  torch::nn::Linear model(2, 4);
  torch::optim::SGD optimizer(model->parameters(), 0.5);
  for (int step = 0; step <= 200; ++step) {
    torch::Tensor logits = model(points);
    torch::Tensor value = loss(logits, labels); // the mean over the batch
    optimizer.zero_grad();
    value.backward();
    optimizer.step();
    if (step % 100 == 0) {
      const double right = logits.argmax(1).eq(labels).to(torch::kFloat).mean().item<double>();
      std::cout << "step " << step << ": " << loss.loss().name() << " = " << value.item<float>()
                << ", accuracy " << 100 * right << " %\n";
    }
  }
  return 0;
} catch (const std::exception &error) {
  std::cerr << "error: " << error.what() << '\n';
  return 1;
}
