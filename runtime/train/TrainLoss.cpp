#include "runtime/module/ClassifierFit.h"
#include "runtime/torch/LossFunction.h"
#include "runtime/train/TrainLossImpl.h"

#include <sstream>

namespace loss::runtime {

const std::string &TrainLoss::name() const { return impl->name; }
const std::string &TrainLoss::identity() const { return impl->identity; }

TrainLoss TrainLoss::compiled(const LossHandle &handle, const ParamValues &params) {
  const LossModule &module = handle.module();
  const std::vector<double> bound = handle.bindParams(params);
  if (std::string why = explainUnfitForClassifier(handle); !why.empty())
    throw LoadError(why);
  std::ostringstream identity;
  identity.precision(17);
  identity << handle.name() << '(';
  for (uint32_t i = 0; i < module.param_count; ++i)
    identity << (i ? ", " : "") << module.params[i].name << '=' << bound[i];
  identity << ')' << (module.source_hash ? module.source_hash : "");

  auto impl = std::make_shared<Impl>();
  impl->name = handle.name();
  impl->identity = identity.str();
  LossCallOptions options;
  options.params = params;
  impl->call = [loss = CompiledLoss(handle), options](const torch::Tensor &logits,
                                                      const torch::Tensor &target) {
    return loss(logits, target, options);
  };
  return TrainLoss(std::move(impl));
}

TrainLoss TrainLoss::builtin(const std::string &name) {
  if (name != "cross_entropy")
    throw LoadError("unknown loss 'torch:" + name + "' (known: torch:cross_entropy)");
  auto impl = std::make_shared<Impl>();
  impl->name = impl->identity = "torch:" + name;
  impl->call = [](const torch::Tensor &logits, const torch::Tensor &target) {
    return torch::nn::functional::cross_entropy(logits, target);
  };
  return TrainLoss(std::move(impl));
}

} // namespace loss::runtime
