#include "runtime/torch/CallWeights.h"

#include "runtime/torch/CallOptions.h"

#include <algorithm>

namespace loss::runtime {

using torch::Tensor;

namespace {

/// An array over `axes` that broadcasts against one over the axes of the result.
Tensor alignWithResult(const CallPlan &plan, const Tensor &array, const AxisList &axes) {
  Shape shape;
  for (uint32_t axis : plan.resultAxes)
    shape.push_back(std::find(axes.begin(), axes.end(), axis) == axes.end() ? 1
                                                                            : plan.axes.size(axis));
  return array.reshape(shape);
}

/// Sums of the weights of each group of rows.
std::vector<double> sumsOf(const CallPlan &plan, const Tensor &weights) {
  const Tensor sums = weights.reshape({plan.groups, plan.resultElements() / plan.groups})
                          .sum(1, /*keepdim=*/false, torch::kDouble);
  const double *begin = sums.const_data_ptr<double>();
  return {begin, begin + plan.groups};
}

bool containsValue(const int64_t *values, int64_t count, int64_t value) {
  constexpr int64_t block = 4096;
  for (int64_t start = 0; start < count; start += block) {
    bool found = false;
    for (int64_t i = start; i < std::min(count, start + block); ++i)
      found |= values[i] == value;
    if (found)
      return true;
  }
  return false;
}

void checkIndices(const CallPlan &plan, const Tensor &indices) {
  const int64_t *values = indices.const_data_ptr<int64_t>();
  const auto classes = static_cast<uint64_t>(plan.classes());
  for (int64_t i = 0; i < indices.numel(); ++i)
    if (static_cast<uint64_t>(values[i]) >= classes)
      throwBadIndex(plan, indices, i);
}

} // namespace

void throwBadIndex(const CallPlan &plan, const Tensor &indices, int64_t place) {
  const AxisList list = plan.indexAxes();
  std::string where;
  if (list.size() == 1) {
    where = c10::str("of row ", place);
  } else {
    std::vector<int64_t> position(list.size());
    int64_t rest = place;
    for (size_t i = list.size(); i-- > 0;) {
      position[i] = rest % plan.axes.size(list[i]);
      rest /= plan.axes.size(list[i]);
    }
    where = c10::str("at ", torch::IntArrayRef(position));
  }
  TORCH_CHECK_INDEX(false, subject(plan.loss), "the target ", where, " is ",
                    indices.const_data_ptr<int64_t>()[place], ", but expected 0 to ",
                    plan.classes() - 1, " (", plan.classes(), " classes)");
  std::abort();
}

Tensor arrangeLikeResult(const CallPlan &plan, const Tensor &given) {
  const std::optional<Shape> broadcast = plan.broadcastToResult(given.sizes().vec());
  if (!broadcast)
    return {};
  const Tensor t = given.reshape(*broadcast).expand(plan.resultShape);
  return t.permute(plan.orderOf(plan.resultAxes))
      .to(plan.kernelType())
      .contiguous()
      .reshape({plan.rows, plan.resultSlab});
}

void CallWeights::selectTargets(const CallPlan &plan, int64_t ignored) {
  const IgnoreRule rule = ignoreRule(plan.loss.module());
  TORCH_CHECK_VALUE(rule.ignoring == Ignoring::Positions, subject(plan.loss),
                    "the target has the ignored index ", ignored,
                    ", but it cannot be left out: the result has no element for each target, and "
                    "the targets ",
                    plan.axes.describe(plan.indexAxes()), " of a row that are left are no array");
  selection.emplace(rule.axis, plan.axes.size(rule.axis));
  target = target.clone();
  int64_t *values = target.mutable_data_ptr<int64_t>();
  Tensor left = torch::empty({plan.rows, 1}, torch::kBool);
  bool anyEmpty = false;
  for (int64_t row = 0; row < plan.rows; ++row) {
    selection->addRow(values + row * selection->size, ignored);
    const bool isEmpty = selection->count(row) == 0;
    left.mutable_data_ptr<bool>()[row] = !isEmpty;
    anyEmpty |= isEmpty;
  }
  if (!anyEmpty)
    return;
  // A row of which nothing is left is itself left out.
  elements = elements.defined() ? elements * left
                                : left.expand({plan.rows, plan.resultSlab})
                                      .to(plan.kernelType(), /*non_blocking=*/false, /*copy=*/true,
                                          at::MemoryFormat::Contiguous);
  divisors = sumsOf(plan, elements);
}

CallWeights::CallWeights(const CallPlan &plan, const LossCall &call) {
  const bool hasTarget = plan.target != LOSS_TARGET_NONE;
  const bool byIndex = plan.target == LOSS_TARGET_INDEX;

  Tensor samples;
  if (call.sampleWeight.defined())
    samples = arrangeLikeResult(plan, call.sampleWeight.detach());

  // Where the result has an element for each class index, an index gives that element its weight.
  const AxisList indexAxes = hasTarget ? plan.indexAxes() : AxisList{};
  const bool elementwise = plan.isElementwise();
  needsOptions = needsOptionsKernel(plan, call);
  allZero.assign(plan.groups, false);
  divisors.assign(plan.groups, static_cast<double>(plan.resultElements() / plan.groups));

  if (needsOptions)
    classes = call.classWeight.defined()
                  ? call.classWeight.detach().to(plan.kernelType()).contiguous()
                  : torch::ones({plan.classes()}, plan.kernelType());
  if (hasTarget)
    target = call.inputs[plan.loss.targetInput()];
  elements = samples;
  if (!hasTarget && call.ignoreIndex) {
    const Tensor labels = call.inputs[ignoreRule(plan.loss.module()).input].detach();
    const Tensor kept = arrangeLikeResult(
        plan, labels.to(torch::kDouble).ne(static_cast<double>(*call.ignoreIndex)));
    elements = samples.defined() ? samples * kept : kept;
  }
  if (elements.defined())
    divisors = sumsOf(plan, elements);

  if (byIndex) {
    target = target.to(torch::kLong).contiguous();
    const int64_t count = target.numel();
    Tensor kept;
    const int64_t ignored = call.ignoreIndex.value_or(defaultIgnoreIndex);
    if (containsValue(target.const_data_ptr<int64_t>(), count, ignored)) {
      kept = target.ne(ignored);
      if (elementwise) {
        target = target * kept;
        kept = alignWithResult(plan, kept, indexAxes).to(plan.kernelType());
      } else {
        checkIndices(plan, target * kept);
        kept = Tensor();
        selectTargets(plan, ignored);
      }
    }
    Tensor counted = kept; // what the mean counts
    if (call.classWeight.defined()) {
      checkIndices(plan, target);
      Tensor own =
          call.classWeight.detach().to(plan.kernelType()).index_select(0, target.reshape({count}));
      own = elementwise ? alignWithResult(plan, own, indexAxes) : own;
      counted = kept.defined() ? kept * own : own;
    }
    if (counted.defined()) {
      Shape resultSizes;
      for (uint32_t axis : plan.resultAxes)
        resultSizes.push_back(plan.axes.size(axis));
      auto weigh = [&](const Tensor &factor) {
        Tensor t = factor;
        if (samples.defined())
          t = t * samples.reshape(resultSizes);
        return t.expand(resultSizes).contiguous().reshape({plan.rows, plan.resultSlab});
      };
      Tensor all = elementwise ? weigh(counted) : Tensor();
      if (elementwise)
        divisors = sumsOf(plan, all);
      // A kernel with options multiplies by the class weights itself.
      if (!needsOptions)
        elements = all;
      else if (kept.defined())
        elements = weigh(kept);
    }
  }
  if (!elements.defined())
    return;
  const Tensor any =
      elements.reshape({plan.groups, plan.resultElements() / plan.groups}).any(1).contiguous();
  for (int64_t group = 0; group < plan.groups; ++group)
    allZero[group] = !any.const_data_ptr<bool>()[group];
}

} // namespace loss::runtime
