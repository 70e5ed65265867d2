#include <runtime/torch/LossFunction.h>

#include <cstdio>

int main(int argc, char **argv) {
  loss::runtime::CompiledLoss criterion(loss::runtime::LossHandle::open(argv[argc - 1]));
  const auto logits = torch::zeros({2, 4}, torch::requires_grad());
  criterion(logits, torch::tensor({0, 3})).backward();
  std::printf("gradient %.3f %.3f\n", logits.grad()[0][0].item<double>(),
              logits.grad()[0][1].item<double>());
}
