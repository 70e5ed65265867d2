#include "runtime/torch/CallArguments.h"

#include <algorithm>
#include <climits>

namespace loss::runtime {

using torch::Tensor;

namespace {

int64_t classAxis(const Tensor &t) { return t.dim() == 1 ? 0 : 1; }

/// A tensor of the shape of the logits as (rows, classes) of `type`, the classes next to each
/// other: a view where the strides allow it.
Tensor asRows(const Tensor &given, torch::ScalarType type, int64_t rowCount, int64_t classes) {
  Tensor t = given.scalar_type() == type ? given : given.to(type);
  if (t.dim() > 2)
    t = t.movedim(1, -1);
  if (t.dim() != 2)
    t = t.reshape({rowCount, classes});
  if (classes > 1 && t.stride(1) != 1)
    t = t.contiguous();
  return t;
}

/// "'ngl': the logits" and so on, in front of an error.
std::string subject(const LossHandle &loss, const std::string &what) {
  return "loss '" + loss.name() + "': " + what;
}

void checkPlain(const LossHandle &loss, const Tensor &t, const std::string &what) {
  TORCH_CHECK(t.is_cpu() && t.layout() == torch::kStrided, subject(loss, what),
              ": expected a dense CPU tensor, but found one on ", t.device(), " (", t.layout(),
              ")");
}

void checkFloating(const LossHandle &loss, const Tensor &t, const std::string &what) {
  const auto type = t.scalar_type();
  TORCH_CHECK_TYPE(type == torch::kFloat || type == torch::kDouble || type == torch::kBFloat16 ||
                       type == torch::kHalf,
                   subject(loss, what), ": expected floating-point numbers, but found ", type);
}

} // namespace

CallArguments::CallArguments(const LossHandle &loss, const Tensor &logits,
                             const Tensor &givenTarget, const LossCallOptions &options) {
  const LossModule &module = loss.module();
  inputs.resize(module.input_count);
  pointers.resize(module.input_count);
  strides.resize(module.input_count);

  addMain(loss, logits);
  TORCH_CHECK(givenTarget.defined() == (loss.targetInput() >= 0), "loss '", loss.name(), "': ",
              givenTarget.defined() ? "takes no target, but one was given"
                                    : "expected a target, but none was given");
  if (givenTarget.defined())
    addTarget(loss, loss.targetInput(), givenTarget, logits);

  for (const auto &[name, tensor] : options.inputs) {
    const int index = loss.findInput(name);
    TORCH_CHECK(index >= 0, "loss '", loss.name(), "' has no input '", name, "'");
    TORCH_CHECK(!inputs[index].given, "loss '", loss.name(), "': the input '", name,
                "' was given twice");
    addExtra(loss, index, tensor, logits);
  }
  for (uint32_t i = 0; i < module.input_count; ++i) {
    TORCH_CHECK(inputs[i].given, "loss '", loss.name(), "': expected the input '",
                module.inputs[i].name, "', but it was not given");
    pointers[i] = inputs[i].rows.const_data_ptr();
  }
}

void CallArguments::addMain(const LossHandle &loss, const Tensor &logits) {
  const int index = loss.mainInput();
  const std::string what = std::string("input '") + loss.module().inputs[index].name + "'";
  TORCH_CHECK(logits.defined(), subject(loss, what), ": expected a tensor, but it is undefined");
  checkPlain(loss, logits, what);
  checkFloating(loss, logits, what);
  TORCH_CHECK(logits.dim() >= 1, subject(loss, what),
              ": expected shape (C), (N, C) or (N, C, d1, ...), but found a scalar");
  const int64_t axis = classAxis(logits);
  classes = logits.size(axis);
  TORCH_CHECK(classes >= 1 && classes < INT_MAX, subject(loss, what),
              ": expected 1 class or more, but found the shape ", logits.sizes());
  for (int64_t d = 0; d < logits.dim(); ++d)
    if (d != axis)
      rowShape.push_back(logits.size(d));
  rowCount = logits.numel() / classes;
  element = logits.scalar_type() == torch::kDouble ? LOSS_F64 : LOSS_F32;
  inputs[index] = {&logits, asRows(logits, kernelType(), rowCount, classes)};
  strides[index] = inputs[index].rows.stride(0);
}

void CallArguments::addTarget(const LossHandle &loss, int index, const Tensor &given,
                              const Tensor &logits) {
  const std::string what = "the target";
  checkPlain(loss, given, what);
  if (given.scalar_type() == torch::kLong) {
    TORCH_CHECK(given.sizes() == torch::IntArrayRef(rowShape), subject(loss, what),
                ": expected class indices of shape ", torch::IntArrayRef(rowShape),
                " beside logits of shape ", logits.sizes(), ", but found the shape ",
                given.sizes());
    target = LOSS_TARGET_INDEX;
    inputs[index] = {&given, given.dim() == 1 ? given : given.reshape({rowCount})};
  } else {
    TORCH_CHECK_TYPE(given.is_floating_point(), subject(loss, what),
                     ": expected int64 class indices or floating-point probabilities, but found ",
                     given.scalar_type());
    TORCH_CHECK(given.sizes() == logits.sizes(), subject(loss, what),
                ": expected probabilities of the shape of the logits, ", logits.sizes(),
                ", but found the shape ", given.sizes());
    target = LOSS_TARGET_DENSE;
    inputs[index] = {&given, asRows(given, kernelType(), rowCount, classes)};
  }
  strides[index] = inputs[index].rows.stride(0);
}

void CallArguments::addExtra(const LossHandle &loss, int index, const Tensor &given,
                             const Tensor &logits) {
  const LossInput &input = loss.module().inputs[index];
  const std::string what = std::string("input '") + input.name + "'";
  TORCH_CHECK(given.defined(), subject(loss, what), ": expected a tensor, but it is undefined");
  checkPlain(loss, given, what);
  checkFloating(loss, given, what);
  std::vector<int64_t> expected;
  if (loss.hasRows(index) && loss.hasClasses(index))
    expected = logits.sizes().vec();
  else if (loss.hasRows(index))
    expected = rowShape;
  else if (loss.hasClasses(index))
    expected = {classes};
  TORCH_CHECK(given.sizes() == torch::IntArrayRef(expected), subject(loss, what),
              ": expected the shape ", torch::IntArrayRef(expected), " beside logits of shape ",
              logits.sizes(), ", but found the shape ", given.sizes());
  if (loss.hasRows(index) && loss.hasClasses(index)) {
    inputs[index] = {&given, asRows(given, kernelType(), rowCount, classes)};
    strides[index] = inputs[index].rows.stride(0);
    return;
  }
  inputs[index] = {&given, given.to(kernelType()).contiguous()};
  strides[index] = loss.hasRows(index) ? 1 : 0;
}

} // namespace loss::runtime
