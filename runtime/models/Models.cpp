#include "runtime/models/Models.h"
#include "runtime/models/B0Net.h"
#include "runtime/models/ResNet9.h"
#include "runtime/train/Errors.h"

namespace loss::runtime {
namespace {

struct Entry {
  const char *name;
  std::shared_ptr<Network> (*make)(const NetworkShape &shape);
};
const Entry entries[] = {{"b0net", makeB0Net}, {"resnet9", makeResNet9}};

} // namespace

int64_t Network::parameterCount() const {
  int64_t count = 0;
  for (const torch::Tensor &p : parameters())
    count += p.numel();
  return count;
}

int64_t Network::parameterAndStatisticCount() const {
  int64_t count = parameterCount();
  for (const torch::Tensor &b : buffers())
    if (b.is_floating_point())
      count += b.numel();
  return count;
}

const std::vector<std::string> &modelNames() {
  static const std::vector<std::string> names = [] {
    std::vector<std::string> list;
    for (const Entry &entry : entries)
      list.push_back(entry.name);
    return list;
  }();
  return names;
}

std::shared_ptr<Network> makeNetwork(const std::string &name, const NetworkShape &shape) {
  if (shape.width < 0 || shape.width > 4096)
    throw ConfigError("expected a width from 1 to 4096, but found " + std::to_string(shape.width));
  for (const Entry &entry : entries)
    if (name == entry.name)
      return entry.make(shape);
  std::string known;
  for (const std::string &each : modelNames())
    known += (known.empty() ? "" : ", ") + each;
  throw ConfigError("unknown model '" + name + "' (known: " + known + ")");
}

} // namespace loss::runtime
