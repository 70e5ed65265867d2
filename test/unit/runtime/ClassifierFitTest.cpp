// Which losses of the library a classifier can be trained with: all others are told so before.

#include "runtime/module/ClassifierFit.h"
#include "compiler/Pipeline/Compiler.h"
#include "runtime/train/TrainLossImpl.h"

#include <gmock/gmock.h>

using namespace loss::runtime;
using testing::HasSubstr;
using torch::Tensor;

namespace {

LossHandle compile(const std::string &name) {
  static loss::Compiler compiler;
  std::shared_ptr<loss::JitModule> jit =
      compiler.compileFile(loss::findLibraryLoss(name), loss::KernelSelection::training());
  const LossModule *module = &jit->module();
  return LossHandle::adopt(std::shared_ptr<const LossModule>(std::move(jit), module), name);
}

/// A step of training with a loss that fits; an error with one that does not.
TEST(ClassifierFit, EveryLibraryLossTrainsOrSaysWhyNot) {
  size_t fitting = 0, others = 0;
  for (const std::string &name : loss::listLibraryLosses()) {
    const LossHandle handle = compile(name);
    const std::string why = explainUnfitForClassifier(handle);
    if (!why.empty()) {
      ++others;
      EXPECT_THAT(why, HasSubstr(name + ": the loss '" + handle.name() + "' takes "));
      EXPECT_THAT(why, HasSubstr("but a classifier gives it scores [batch, class]"));
      EXPECT_THROW(TrainLoss::compiled(handle), LoadError) << name;
      continue;
    }
    ++fitting;
    // Between -1 and 1, as the losses of cosines want it.
    torch::manual_seed(3);
    Tensor scores = torch::rand({8, 10}).mul(1.8).sub(0.9).requires_grad_();
    Tensor labels = torch::randint(10, {8}, torch::kLong);
    try {
      const Tensor value = TrainLoss::compiled(handle).get().call(scores, labels);
      value.backward();
      EXPECT_TRUE(std::isfinite(value.item<double>())) << name;
      EXPECT_TRUE(scores.grad().isfinite().all().item<bool>()) << name;
    } catch (const std::exception &error) {
      ADD_FAILURE() << name << " fits, but fails: " << error.what();
    }
  }
  EXPECT_GT(fitting, 40u);
  EXPECT_GT(others, 100u);
}

TEST(ClassifierFit, NamesWhatALossWants) {
  auto why = [](const char *name) { return explainUnfitForClassifier(compile(name)); };
  EXPECT_EQ(why("cross_entropy"), "");
  EXPECT_EQ(why("dice"),
            "dice: the loss 'dice' takes logits [batch, class, position] and y [batch, class, "
            "position], but a classifier gives it scores [batch, class] and a target, one class "
            "index a sample");
  EXPECT_THAT(why("mse"), HasSubstr("takes prediction [element] and y [element], none of them a "
                                    "target, but"));
  EXPECT_THAT(why("distillation"),
              HasSubstr("student [batch, class], y [batch, class] and teacher"));
}

} // namespace
