#include "runtime/load/LoadLoss.h"
#include "runtime/train/TrainLoss.h"

namespace loss::runtime {

TrainLoss TrainLoss::resolve(const std::string &spec, const ParamValues &params) {
  if (spec.rfind("torch:", 0) != 0)
    return compiled(losslang::load(spec, KernelSelection::training(), "torch:cross_entropy"),
                    params);
  if (!params.empty())
    throw ParamError("the loss '" + spec + "' has no parameter '" + params.front().first + "'");
  return builtin(spec.substr(6));
}

} // namespace loss::runtime
