#include "OpenLoss.h"

#include <gmock/gmock.h>

using namespace loss::runtime;
using testing::HasSubstr;
using torch::Tensor;

namespace {

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
  CompiledLoss loss = openLoss("c_cross_entropy");
  Tensor logits = torch::zeros({4, 3});
  Tensor target = torch::zeros({4}, torch::kLong);
};

TEST_F(CompiledLossErrors, ClassIndexOutOfBounds) {
  for (int64_t bad : {int64_t(3), int64_t(-1), int64_t(-99), int64_t(1) << 40}) {
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
  EXPECT_THAT(
      errorOf([&] { loss(logits, torch::zeros({4, 2})); }),
      HasSubstr("expected numbers of the shape [4, 3] beside logits of shape [4, 3], but found "
                "the shape [4, 2]"));
  EXPECT_THAT(errorOf<c10::TypeError>([&] { loss(logits, target.to(torch::kFloat)); }),
              HasSubstr("expected class indices of an integer type, but found Float"));
  EXPECT_THAT(errorOf<c10::TypeError>([&] { loss(logits, target.to(torch::kComplexFloat)); }),
              HasSubstr("expected real numbers, but found ComplexFloat"));
  EXPECT_THAT(errorOf<c10::TypeError>([&] { loss(target, target); }),
              HasSubstr("input 'logits': expected floating-point numbers, but found Long"));
  EXPECT_THAT(errorOf([&] { loss(torch::zeros({}), target); }), HasSubstr("found a scalar"));
  EXPECT_THAT(errorOf([&] { loss(torch::zeros({4, 0}), target); }), HasSubstr("1 class or more"));
  EXPECT_THAT(errorOf([&] { loss(Tensor(), target); }), HasSubstr("undefined"));
  EXPECT_THAT(errorOf([&] { loss(logits); }), HasSubstr("expected a target"));
  EXPECT_THAT(errorOf([&] { loss(logits.to_sparse(), target); }), HasSubstr("dense CPU tensor"));
}

TEST_F(CompiledLossErrors, InputsByName) {
  CompiledLoss square = openLoss("weighted_square");
  Tensor scores = torch::zeros({4, 3}, torch::kDouble);
  LossCallOptions options;
  EXPECT_THAT(errorOf([&] { square(scores, {}, options); }),
              HasSubstr("expected the input 'sample', but it was not given"));
  options.inputs = {{"sampel", scores}};
  EXPECT_THAT(errorOf([&] { square(scores, {}, options); }), HasSubstr("has no input 'sampel'"));
  options.inputs = {{"sample", torch::zeros({3}, torch::kDouble)},
                    {"class", torch::zeros({3}, torch::kDouble)},
                    {"offset", torch::zeros({}, torch::kDouble)}};
  EXPECT_THAT(errorOf<c10::ValueError>([&] { square(scores, {}, options); }),
              HasSubstr("input 'sample': expected the shape [4] beside scores of shape [4, 3], but "
                        "found the shape [3]"));
  options.inputs[0].second = torch::zeros({4}, torch::kDouble);
  EXPECT_EQ(square(scores.to(torch::kFloat), {}, options).scalar_type(), torch::kDouble);
  for (auto &[name, tensor] : options.inputs)
    tensor = tensor.to(torch::kFloat);
  EXPECT_THAT(errorOf([&] { square(scores.to(torch::kFloat), {}, options); }),
              HasSubstr("was compiled without a kernel for f32 with no target"));
  options.inputs.emplace_back("class", scores);
  EXPECT_THAT(errorOf([&] { square(scores, {}, options); }), HasSubstr("'class' was given twice"));
}

TEST_F(CompiledLossErrors, Parameters) {
  LossCallOptions options;
  options.params = {{"gama", 1}};
  EXPECT_THROW(loss(logits, target, options), ParamError);
  options.params = {{"unused", 1.5}};
  try {
    loss(logits, target, options);
    FAIL();
  } catch (const ParamError &error) {
    EXPECT_STREQ(error.what(), "the loss 'c_cross_entropy': the parameter 'unused' is 1.5, but "
                               "expected a number from 0 to 1");
  }
  options.params.clear();
  options.paramTensors = {{"unused", torch::tensor(-1.0)}};
  EXPECT_THROW(loss(logits, target, options), ParamError);
  options.paramTensors = {{"other", torch::ones({2})}};
  EXPECT_THAT(errorOf<c10::ValueError>([&] { loss(logits, target, options); }),
              HasSubstr("the parameter 'other': expected a tensor of one number, but found the "
                        "shape [2]"));
  options.paramTensors = {{"other", torch::tensor(1.0).requires_grad_()}};
  EXPECT_THAT(errorOf([&] { loss(logits, target, options); }),
              HasSubstr("without a kernel for f32 with class indices and gradients for targets, "
                        "fixed inputs and parameters"));
}

TEST_F(CompiledLossErrors, Weights) {
  auto valueError = [&](LossCallOptions options) {
    return errorOf<c10::ValueError>([&] { loss(logits, target, options); });
  };
  LossCallOptions options;
  options.classWeight = torch::ones({4});
  EXPECT_THAT(valueError(options), HasSubstr("class_weight: expected the shape [3], one number a "
                                             "class, but found the shape [4]"));
  options = {};
  options.sampleWeight = torch::ones({3});
  EXPECT_THAT(valueError(options),
              HasSubstr("sample_weight: expected the shape of the result, [4], "
                        "or of its leading dimensions"));
  options = {};
  options.labelSmoothing = 1.5;
  EXPECT_THAT(valueError(options), HasSubstr("label_smoothing: expected a number from 0 to 1"));
  options = {};
  options.sampleWeight = torch::ones({4}).requires_grad_();
  EXPECT_THAT(errorOf([&] { loss(logits, target, options); }),
              HasSubstr("sample_weight requires a gradient, but there is none for it"));
  options = {};
  options.classWeight = torch::ones({3}, torch::kLong);
  EXPECT_THAT(errorOf<c10::TypeError>([&] { loss(logits, target, options); }),
              HasSubstr("class_weight: expected floating-point numbers, but found Long"));
  options = {};
  options.labelSmoothing = 0.1;
  CompiledLoss plain = openLoss("first_order");
  EXPECT_THAT(errorOf([&] { plain(logits, target, options); }),
              HasSubstr("without a kernel for f32 with class indices, label smoothing and class "
                        "weights"));
  CompiledLoss error = openLoss("square_error");
  EXPECT_THAT(errorOf<c10::ValueError>([&] { error(logits, logits, options); }),
              HasSubstr("class weights and label smoothing need a target over classes"));
  // The row of a weighted index is named as well.
  options = {};
  options.classWeight = torch::ones({3});
  target[1] = 5;
  EXPECT_THAT(errorOf<c10::IndexError>([&] { loss(logits, target, options); }),
              HasSubstr("the target of row 1 is 5"));
}

TEST_F(CompiledLossErrors, IntegersThatDoNotFit) {
  CompiledLoss error = openLoss("square_error");
  Tensor labels = torch::tensor({int64_t(1), int64_t(1 << 24), int64_t((1 << 24) + 1)});
  EXPECT_THAT(errorOf<c10::ValueError>([&] { error(torch::zeros({3}), labels); }),
              HasSubstr("input 'y': 16777217 is not exactly representable in f32"));
  EXPECT_NO_THROW(error(torch::zeros({3}, torch::kDouble), labels));
  EXPECT_NO_THROW(error(torch::zeros({2}), labels.slice(0, 0, 2)));
}

TEST_F(CompiledLossErrors, BadIndexInARowOfSeveral) {
  CompiledLoss segments = openLoss("segments");
  Tensor x = torch::zeros({3, 4, 5});
  Tensor y = torch::zeros({3, 5}, torch::kLong);
  y[1][3] = 4;
  EXPECT_THAT(errorOf<c10::IndexError>([&] { segments(x, y); }),
              HasSubstr("the target at [1, 3] is 4, but expected 0 to 3 (4 classes)"));
}

TEST_F(CompiledLossErrors, BackwardTwice) {
  logits.requires_grad_();
  Tensor value = loss(logits, target);
  value.backward();
  EXPECT_THAT(errorOf([&] { value.backward(); }), HasSubstr("second time"));
}

TEST_F(CompiledLossErrors, SecondDerivative) {
  loss = openLoss("first_order");
  logits.requires_grad_();
  Tensor value = loss(logits * 2, target);
  Tensor first = torch::autograd::grad({value}, {logits}, {}, true, true)[0];
  Tensor plain = logits.detach().clone().requires_grad_();
  loss(plain * 2, target).backward();
  EXPECT_TRUE(torch::equal(first.detach(), plain.grad())) << "the first derivative is right";
  // Also where autograd is told that an input may have no part in it.
  for (bool unusedAllowed : {true, false})
    EXPECT_THAT(
        errorOf([&] {
          torch::autograd::grad({first.pow(2).sum()}, {logits}, {}, true, false, unusedAllowed);
        }),
        HasSubstr("'first_order' has no second derivative (compile it with lossc --order=2)"));
}

TEST_F(CompiledLossErrors, ThirdDerivative) {
  logits.requires_grad_();
  Tensor first = torch::autograd::grad({loss(logits, target)}, {logits}, {}, true, true)[0];
  Tensor second = torch::autograd::grad({first.pow(2).sum()}, {logits}, {}, true, true)[0];
  EXPECT_THAT(errorOf([&] { second.sum().backward(); }),
              HasSubstr("'c_cross_entropy' has no third derivative"));
}

TEST_F(CompiledLossErrors, SecondDerivativeByATarget) {
  logits.requires_grad_();
  Tensor dense = torch::full({4, 3}, 0.25f).requires_grad_();
  auto firsts = torch::autograd::grad({loss(logits, dense)}, {logits, dense}, {}, true, true);
  EXPECT_THAT(errorOf([&] { torch::autograd::grad({firsts[1].sum()}, {logits}, {}, true); }),
              HasSubstr("has no second derivative by the input 'y'"));
  EXPECT_THAT(errorOf([&] { torch::autograd::grad({firsts[0].sum()}, {dense}, {}, true); }),
              HasSubstr("has no second derivative by the input 'y'"));
  EXPECT_NO_THROW(torch::autograd::grad({firsts[0].sum()}, {logits}));
}

TEST_F(CompiledLossErrors, InputChangedBetweenForwardAndBackward) {
  CompiledLoss pairs = openLoss("pairs");
  Tensor x = torch::ones({3, 2}, torch::kDouble).requires_grad_();
  Tensor z = torch::ones({3, 2}, torch::kDouble);
  LossCallOptions options;
  options.reduction = Reduction::None;
  Tensor value = pairs(x, z, options);
  z.mul_(2);
  EXPECT_THAT(errorOf([&] { value.sum().backward(); }), HasSubstr("modified by an inplace"));
}

} // namespace
