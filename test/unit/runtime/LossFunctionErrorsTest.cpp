#include "runtime/torch/LossFunction.h"

#include <gmock/gmock.h>

using namespace loss::runtime;
using testing::HasSubstr;
using torch::Tensor;

namespace {

CompiledLoss open(const std::string &name) {
  return CompiledLoss(LossHandle::open(std::string(LOSSLANG_TEST_MODULES) + "/" + name + ".so"));
}

/// The message of the error of type E that `action` ends with.
template <typename E = c10::Error, typename Action> std::string errorOf(Action action) {
  try {
    action();
  } catch (const E &error) {
    return error.what_without_backtrace();
  }
  return "(no error)";
}

class CompiledLossErrors : public testing::Test {
protected:
  CompiledLoss loss = open("c_cross_entropy");
  Tensor logits = torch::zeros({4, 3});
  Tensor target = torch::zeros({4}, torch::kLong);
};

TEST_F(CompiledLossErrors, ClassIndexOutOfBounds) {
  for (int64_t bad : {int64_t(3), int64_t(-1), int64_t(-100), int64_t(1) << 40}) {
    Tensor wrong = target.clone();
    wrong[2] = bad;
    EXPECT_EQ(errorOf<c10::IndexError>([&] { loss(logits, wrong); }),
              "loss 'c_cross_entropy': the target of row 2 is " + std::to_string(bad) +
                  ", but expected 0 to 2 (3 classes)");
  }
}

TEST_F(CompiledLossErrors, FirstBadRowIsNamedWithManyThreads) {
  const int before = at::get_num_threads();
  at::set_num_threads(4);
  Tensor many = torch::zeros({100000}, torch::kLong);
  many[99999] = 7;
  many[30001] = 8;
  EXPECT_THAT(errorOf<c10::IndexError>([&] { loss(torch::zeros({100000, 3}), many); }),
              HasSubstr("row 30001 is 8"));
  at::set_num_threads(before);
}

TEST_F(CompiledLossErrors, ShapesAndTypesThatDoNotFit) {
  EXPECT_THAT(errorOf([&] { loss(logits, torch::zeros({5}, torch::kLong)); }),
              HasSubstr("expected class indices of shape [4] beside logits of shape [4, 3], but "
                        "found the shape [5]"));
  EXPECT_THAT(errorOf([&] { loss(logits, torch::zeros({4, 2})); }),
              HasSubstr("expected probabilities of the shape of the logits, [4, 3], but found the "
                        "shape [4, 2]"));
  EXPECT_THAT(errorOf<c10::TypeError>([&] { loss(logits, target.to(torch::kInt)); }),
              HasSubstr("expected int64 class indices or floating-point probabilities"));
  EXPECT_THAT(errorOf<c10::TypeError>([&] { loss(target, target); }),
              HasSubstr("input 'logits': expected floating-point numbers, but found Long"));
  EXPECT_THAT(errorOf([&] { loss(torch::zeros({}), target); }), HasSubstr("found a scalar"));
  EXPECT_THAT(errorOf([&] { loss(torch::zeros({4, 0}), target); }), HasSubstr("1 class or more"));
  EXPECT_THAT(errorOf([&] { loss(Tensor(), target); }), HasSubstr("undefined"));
  EXPECT_THAT(errorOf([&] { loss(logits); }), HasSubstr("expected a target"));
  EXPECT_THAT(errorOf([&] { loss(logits.to_sparse(), target); }), HasSubstr("dense CPU tensor"));
}

TEST_F(CompiledLossErrors, InputsByName) {
  CompiledLoss square = open("weighted_square");
  Tensor scores = torch::zeros({4, 3}, torch::kDouble);
  LossCallOptions options;
  EXPECT_THAT(errorOf([&] { square(scores, {}, options); }),
              HasSubstr("expected the input 'sample', but it was not given"));
  options.inputs = {{"sampel", scores}};
  EXPECT_THAT(errorOf([&] { square(scores, {}, options); }), HasSubstr("has no input 'sampel'"));
  options.inputs = {{"sample", torch::zeros({3}, torch::kDouble)}};
  EXPECT_THAT(errorOf([&] { square(scores, {}, options); }),
              HasSubstr("input 'sample': expected the shape [4] beside logits of shape [4, 3], but "
                        "found the shape [3]"));
  EXPECT_THAT(errorOf([&] { square(scores, target); }), HasSubstr("takes no target"));

  options.inputs = {{"sample", torch::zeros({4}, torch::kDouble)},
                    {"class", torch::zeros({3}, torch::kDouble)},
                    {"offset", torch::zeros({}, torch::kDouble)}};
  EXPECT_THAT(errorOf([&] { square(scores.to(torch::kFloat), {}, options); }),
              HasSubstr("was compiled without a kernel for f32 with no target"));
  options.inputs[2].second.requires_grad_();
  EXPECT_THAT(errorOf([&] { square(scores, {}, options); }),
              HasSubstr("'offset' requires a gradient, but the loss was compiled without one"));
}

TEST_F(CompiledLossErrors, UnknownParameter) {
  LossCallOptions options;
  options.params = {{"gama", 1}};
  EXPECT_THROW(loss(logits, target, options), ParamError);
}

TEST_F(CompiledLossErrors, TargetThatRequiresAGradient) {
  Tensor dense = torch::full({4, 3}, 0.25f).requires_grad_();
  EXPECT_THAT(errorOf([&] { loss(logits, dense); }), HasSubstr("'y' requires a gradient"));
  torch::NoGradGuard guard;
  EXPECT_NO_THROW(loss(logits, dense));
}

TEST_F(CompiledLossErrors, BackwardTwice) {
  logits.requires_grad_();
  Tensor value = loss(logits, target);
  value.backward();
  EXPECT_THAT(errorOf([&] { value.backward(); }), HasSubstr("second time"));
}

TEST_F(CompiledLossErrors, SecondDerivative) {
  logits.requires_grad_();
  Tensor value = loss(logits * 2, target);
  Tensor first = torch::autograd::grad({value}, {logits}, {}, true, true)[0];
  Tensor plain = logits.detach().clone().requires_grad_();
  loss(plain * 2, target).backward();
  EXPECT_TRUE(torch::equal(first.detach(), plain.grad())) << "the first derivative is right";
  EXPECT_THAT(errorOf([&] { first.pow(2).sum().backward(); }),
              HasSubstr("'c_cross_entropy' has no second derivative"));
}

} // namespace
