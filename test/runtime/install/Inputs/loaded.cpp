#include <runtime/module/LossHandle.h>

#include <cstdio>

int main(int argc, char **argv) {
  try {
    const auto loss = loss::runtime::LossHandle::open(argv[argc - 1]);
    std::printf("%s, %u inputs\n", loss.name().c_str(), loss.module().input_count);
  } catch (const loss::runtime::LoadError &error) {
    std::printf("%s\n", error.what());
    return 1;
  }
}
