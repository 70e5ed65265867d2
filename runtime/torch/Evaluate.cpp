#include "runtime/torch/Evaluate.h"
#include "runtime/abi/LossNames.h"
#include "runtime/torch/CallWeights.h"
#include "runtime/torch/GradientMemory.h"
#include "runtime/torch/Infer.h"
#include "runtime/torch/KernelRun.h"

#include <algorithm>

namespace loss::runtime {

using torch::ScalarType;
using torch::Tensor;

namespace {

struct ChosenKernel {
  KernelRef kernel;
  uint32_t mode = LOSS_VALUE;
  bool options = false;
};

/// The least mode that gives the wanted gradients; with tangents, along them.
uint32_t modeFor(const LossHandle &loss, const std::vector<bool> &wanted,
                 const std::vector<Tensor> *tangents = nullptr) {
  if (tangents) {
    for (size_t i = 0; i < wanted.size(); ++i)
      if (!hasOwnGradient(loss, i) && (wanted[i] || (*tangents)[i].defined()))
        return LOSS_TANGENT_ALL;
    return LOSS_TANGENT;
  }
  uint32_t mode = LOSS_VALUE;
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i])
      continue;
    if (!hasOwnGradient(loss, i))
      return LOSS_VALUE_AND_ALL_GRADS;
    mode = LOSS_VALUE_AND_GRAD;
  }
  return mode;
}

/// The kernel of `mode`, or one that computes more. Empty when there is none.
ChosenKernel findKernel(const CallPlan &plan, uint32_t mode, bool needsOptions) {
  const uint32_t last = mode >= LOSS_TANGENT ? LOSS_TANGENT_ALL : LOSS_VALUE_AND_ALL_GRADS;
  for (uint32_t options = needsOptions; options <= LOSS_WITH_OPTIONS; ++options)
    for (uint32_t tried = mode; tried <= last; ++tried)
      if (KernelRef kernel = plan.loss.kernel(plan.element, plan.target, tried, options))
        return {kernel, tried, options == LOSS_WITH_OPTIONS};
  return {};
}

ChosenKernel chooseKernel(const CallPlan &plan, uint32_t mode, bool needsOptions) {
  ChosenKernel chosen = findKernel(plan, mode, needsOptions);
  static constexpr const char *targets[] = {"no target", "class indices", "a dense target"};
  static constexpr const char *modes[] = {"", " and gradients",
                                          " and gradients for targets, fixed inputs and parameters",
                                          " and second derivatives (lossc --order=2)",
                                          (" and second derivatives by targets, fixed inputs and "
                                           "parameters (lossc --order=2)")};
  TORCH_CHECK(chosen.kernel, "loss '", plan.loss.name(), "' was compiled without a kernel for ",
              abi::elementName(plan.element), " with ",
              abi::nameIn<LOSS_TARGET_COUNT>(targets, plan.target),
              abi::nameIn<LOSS_MODE_COUNT>(modes, mode),
              needsOptions ? ", label smoothing and class weights" : "");
  return chosen;
}

Tensor emptyLike(const Tensor &given) {
  return emptyGradient(given.sizes(), denseStrides(given), at::TensorOptions(given.scalar_type()));
}

/// One run of one kernel, and what becomes of its outputs.
class Evaluation {
public:
  Evaluation(const LossHandle &loss, const LossCall &call, const EvaluateRequest &request)
      : call(call), request(request), plan(loss, call), weights(plan, call),
        wanted(request.wanted) {
    wanted.resize(call.argumentCount(), false);
  }

  Evaluated run() {
    checkWanted();
    const uint32_t mode = modeFor(plan.loss, wanted, request.tangents);
    const ChosenKernel chosen = chooseKernel(plan, mode, weights.needsOptions);
    Evaluated out;
    out.meanScale = meanScale(0);
    out.gradients.resize(call.argumentCount());
    setUp(chosen, out);
    Tensor elements = multiplyUpstream(materialised(request.upstream));
    if (elements.defined())
      kernelRun.weights = elements.const_data_ptr();
    const bool keepValues =
        call.reduction == Reduction::None || plan.groups > 1 || request.tangents;
    Tensor values;
    if (keepValues && !(request.upstream.defined() && !request.tangents)) {
      values = at::empty({plan.rows, plan.resultSlab}, plan.kernelType());
      kernelRun.values = values.mutable_data_ptr();
    }
    execute();
    collectGradients(out);
    if (request.tangents)
      out.result = finishTangent(values, elements);
    else if (!request.upstream.defined())
      out.result = call.reduction == Reduction::None ? finishElements(values)
                   : plan.groups > 1                 ? finishGroups(values)
                                                     : finishSum(kernelRun.valueSum);
    return out;
  }

private:
  double meanScale(int64_t group) const {
    return call.reduction == Reduction::Mean ? weights.meanScale(group) : 1.0;
  }

  void checkWanted() const {
    TORCH_INTERNAL_ASSERT(plan.groups == 1 || call.reduction == Reduction::None ||
                              request.upstream.defined() ||
                              std::find(wanted.begin(), wanted.end(), true) == wanted.end(),
                          "gradients of groups need the gradient from above");
    for (size_t i = 0; i < wanted.size(); ++i) {
      if (!wanted[i] || i >= call.inputs.size())
        continue;
      TORCH_CHECK_TYPE(call.inputs[i].is_floating_point(), subject(plan.loss), plan.nameOf(i),
                       ": a gradient is wanted, but it holds ", call.inputs[i].scalar_type());
    }
  }

  /// Whether a kernel of the mode differentiates by the argument.
  bool isComputed(size_t argument, uint32_t mode) const {
    if (mode == LOSS_VALUE)
      return false;
    if (hasOwnGradient(plan.loss, argument))
      return true;
    return (mode == LOSS_VALUE_AND_ALL_GRADS || mode == LOSS_TANGENT_ALL) &&
           !(static_cast<int>(argument) == plan.loss.targetInput() &&
             plan.target == LOSS_TARGET_INDEX);
  }

  Tensor emptyGradientOf(size_t argument) const {
    const Tensor &given = call.argument(argument);
    return given.defined() ? emptyLike(given) : at::empty({}, torch::kDouble);
  }

  void setUp(const ChosenKernel &chosen, Evaluated &out) {
    const LossModule &module = plan.loss.module();
    kernelRun.kernel = chosen.kernel;
    kernelRun.kernelType = plan.kernelType();
    kernelRun.sizes = plan.axes.sizes();
    kernelRun.byRows = plan.byRows;
    kernelRun.rows = plan.rows;
    kernelRun.resultSlab = plan.resultSlab;
    kernelRun.params = call.params.data();
    if (chosen.options) {
      if (!weights.classes.defined())
        weights.classes = torch::ones({plan.classes()}, plan.kernelType());
      kernelRun.classWeights = weights.classes.const_data_ptr();
      kernelRun.labelSmoothing = call.labelSmoothing;
    }
    // Groups are scaled by their weights.
    if (plan.groups == 1 && !request.unscaled)
      kernelRun.gradScale = out.meanScale;
    if (plan.groups == 1 && request.upstream.defined() && call.reduction != Reduction::None)
      kernelRun.gradScale *= request.upstream.item<double>();

    kernelRun.inputs.resize(module.input_count);
    kernelRun.tangents.resize(call.argumentCount());
    for (uint32_t i = 0; i < module.input_count; ++i) {
      const bool isTarget = static_cast<int>(i) == plan.loss.targetInput();
      const Tensor &array = isTarget ? weights.target : call.inputs[i];
      const AxisList axes = plan.axesOf(i);
      KernelRun::Source &source = kernelRun.inputs[i];
      source.used = true;
      source.hasRowAxis = plan.hasRowAxis(i);
      source.indices = isTarget && plan.target == LOSS_TARGET_INDEX;
      // The indices of a row were made contiguous; their dimensions are the array's own.
      source.view = plan.view(array, axes);
    }
    if (request.tangents)
      setUpTangents(chosen.mode);

    const RowSelection *selection = weights.selection ? &*weights.selection : nullptr;
    kernelRun.selection = selection;
    if (selection)
      for (uint32_t i = 0; i < module.input_count; ++i)
        kernelRun.inputs[i].inner = kernelRun.tangents[i].inner = selectedInner(i);

    kernelRun.gradients.resize(call.argumentCount());
    for (size_t i = 0; i < call.argumentCount(); ++i) {
      KernelRun::Sink &sink = kernelRun.gradients[i];
      sink.computed = isComputed(i, chosen.mode);
      if (!sink.computed)
        continue;
      sink.wanted = wanted[i];
      const bool isInput = i < call.inputs.size();
      sink.summed = !isInput || (plan.byRows && !plan.hasRowAxis(i));
      if (sink.wanted)
        out.gradients[i] = emptyGradientOf(i);
      // Of an unwanted one only the size of its slab counts.
      if (selection && isInput)
        sink.inner = selectedInner(i);
      if (isInput)
        sink.view = plan.view(sink.wanted ? out.gradients[i] : call.inputs[i], plan.axesOf(i));
      else
        sink.view = SlabView(nullptr, plan.kernelType(), {}, {});
    }
  }

  /// Elements of a slab behind the axis of the selection; 0 where the argument lacks it.
  int64_t selectedInner(size_t argument) const {
    const AxisList list = plan.axesOf(argument);
    const auto place = std::find(list.begin(), list.end(), weights.selection->axis);
    return place == list.end() ? 0 : plan.axes.elements(AxisList(place + 1, list.end()));
  }

  void setUpTangents(uint32_t mode) {
    for (size_t i = 0; i < call.argumentCount(); ++i) {
      if (!isComputed(i, mode))
        continue;
      const bool isInput = i < call.inputs.size();
      const torch::IntArrayRef shape = isInput ? call.inputs[i].sizes() : torch::IntArrayRef();
      Tensor &tangent = keptTangents.emplace_back(materialised((*request.tangents)[i]));
      if (!tangent.defined())
        tangent = torch::zeros({}, plan.kernelType()).expand(shape);
      // A parameter may be given as a tensor of one number of any shape.
      if (!isInput && tangent.numel() == 1)
        tangent = tangent.reshape({});
      TORCH_CHECK_VALUE(tangent.sizes() == shape, subject(plan.loss), plan.nameOf(i),
                        ": expected a tangent of its shape, ", shape, ", but found the shape ",
                        tangent.sizes());
      kernelRun.tangents[i] = {isInput
                                   ? plan.view(tangent, plan.axesOf(i))
                                   : SlabView(tangent.data_ptr(), tangent.scalar_type(), {}, {}),
                               plan.hasRowAxis(i), true, false};
    }
  }

  /// The weights times the gradient from above of a result that is not reduced.
  Tensor multiplyUpstream(const Tensor &upstream) {
    if (!upstream.defined() || (call.reduction != Reduction::None && plan.groups == 1))
      return weights.elements;
    if (call.reduction != Reduction::None)
      return weights.elements.defined() ? spreadGroups(upstream) * weights.elements
                                        : spreadGroups(upstream);
    TORCH_CHECK_VALUE(upstream.sizes() == torch::IntArrayRef(plan.resultShape), subject(plan.loss),
                      "expected a gradient from above of the shape ",
                      torch::IntArrayRef(plan.resultShape), ", but found the shape ",
                      upstream.sizes());
    Tensor arranged = arrangeLikeResult(plan, upstream);
    return weights.elements.defined() ? arranged * weights.elements : arranged;
  }

  /// The gradient from above of each group, scaled for a mean, for its rows.
  Tensor spreadGroups(const Tensor &upstream) const {
    TORCH_CHECK_VALUE(upstream.sizes() == torch::IntArrayRef({plan.groups}), subject(plan.loss),
                      "expected a gradient from above of the shape [", plan.groups,
                      "], but found the shape ", upstream.sizes());
    Tensor factors = upstream.to(torch::kDouble).contiguous().clone();
    double *factor = factors.mutable_data_ptr<double>();
    for (int64_t group = 0; group < plan.groups; ++group)
      factor[group] *= meanScale(group);
    return factors.to(plan.kernelType())
        .unsqueeze(1)
        .expand({plan.groups, plan.resultElements() / plan.groups})
        .contiguous()
        .view({plan.rows, plan.resultSlab});
  }

  void execute() {
    if (plan.resultElements() == 0)
      return finishEmpty();
    const int64_t bad = kernelRun.run();
    if (kernelRun.inexactInput >= 0)
      throwInexact(kernelRun.inexactInput);
    if (bad >= 0)
      throwBadRow(bad);
  }

  /// No row, no result: gradients are empty or 0.
  void finishEmpty() {
    for (KernelRun::Sink &sink : kernelRun.gradients)
      if (sink.wanted && sink.summed)
        sink.sums.assign(sink.view.slabSize(), 0.0);
    emptyCall = true;
  }

  void collectGradients(Evaluated &out) {
    for (size_t i = 0; i < out.gradients.size(); ++i) {
      const KernelRun::Sink &sink = kernelRun.gradients[i];
      if (!sink.wanted)
        continue;
      Tensor &gradient = out.gradients[i];
      if (emptyCall)
        gradient.zero_();
      if (!sink.summed)
        continue;
      // Summed over rows in f64, in the order of the axes.
      Tensor sums = torch::from_blob(const_cast<double *>(sink.sums.data()),
                                     {static_cast<int64_t>(sink.sums.size())}, torch::kDouble);
      gradient.copy_(sums.reshape(gradient.sizes()));
    }
  }

  [[noreturn]] void throwBadRow(int64_t row) const {
    const Tensor &indices = weights.target;
    const int64_t each = indices.numel() / plan.rows;
    const int64_t *values = indices.const_data_ptr<int64_t>();
    int64_t place = row * each;
    while (place + 1 < (row + 1) * each && values[place] >= 0 && values[place] < plan.classes())
      ++place;
    throwBadIndex(plan, indices, place);
  }

  [[noreturn]] void throwInexact(int input) const {
    const Tensor &given = input == plan.loss.targetInput() ? weights.target : call.inputs[input];
    const Tensor back = given.to(plan.kernelType()).to(torch::kDouble).to(given.scalar_type());
    const Tensor wrong = given.masked_select(given.ne(back));
    TORCH_CHECK_VALUE(false, subject(plan.loss), plan.nameOf(input), ": ",
                      wrong.numel() ? wrong[0].item<int64_t>() : 0,
                      " is not exactly representable in ",
                      plan.element == LOSS_F64 ? "f64" : "f32");
    std::abort();
  }

  /// One sum or mean a group.
  Tensor finishGroups(const Tensor &values) const {
    Tensor sums = at::empty({plan.groups}, torch::kDouble);
    double *sum = sums.mutable_data_ptr<double>();
    const int64_t each = plan.resultElements() / plan.groups;
    const char *from = static_cast<const char *>(values.const_data_ptr());
    for (int64_t group = 0; group < plan.groups; ++group) {
      sum[group] = sumInOrder(from + group * each * plan.elementSize(), each, plan.kernelType());
      if (call.reduction == Reduction::Mean)
        sum[group] /= weights.divisors[group];
    }
    return sums.to(plan.resultType);
  }

  Tensor finishSum(double sum) const {
    if (call.reduction == Reduction::Mean)
      sum /= weights.divisors[0];
    Tensor result = at::empty({}, plan.resultType);
    if (plan.resultType == torch::kFloat)
      *result.mutable_data_ptr<float>() = static_cast<float>(sum);
    else if (plan.resultType == torch::kDouble)
      *result.mutable_data_ptr<double>() = sum;
    else
      result.fill_(sum);
    return result;
  }

  /// Rows by result slab to the shape that the caller sees.
  Tensor finishElements(const Tensor &values) const {
    const std::vector<int64_t> order = plan.orderOf(plan.resultAxes);
    Shape sorted;
    for (int64_t dimension : order)
      sorted.push_back(plan.resultShape[dimension]);
    std::vector<int64_t> back(order.size());
    for (size_t i = 0; i < order.size(); ++i)
      back[order[i]] = static_cast<int64_t>(i);
    return values.view(sorted).permute(back).to(plan.resultType);
  }

  /// The kernel's derivative of the result is without the weights.
  Tensor finishTangent(Tensor values, const Tensor &used) {
    // An element that the gradient from above multiplies by 0 was not evaluated.
    if (used.defined() && !used.is_same(weights.elements) && used.eq(0).any().item<bool>()) {
      kernelRun.weights = weights.elements.defined() ? weights.elements.const_data_ptr() : nullptr;
      values = at::empty_like(values);
      kernelRun.values = values.mutable_data_ptr();
      for (KernelRun::Sink &sink : kernelRun.gradients)
        sink.wanted = false;
      execute();
    }
    if (weights.elements.defined())
      values = values * weights.elements;
    if (call.reduction == Reduction::None)
      return finishElements(values);
    if (plan.groups > 1)
      return finishGroups(values);
    return finishSum(sumInOrder(values.const_data_ptr(), values.numel(), plan.kernelType()));
  }

  const LossCall &call;
  const EvaluateRequest &request;
  CallPlan plan;
  CallWeights weights;
  std::vector<bool> wanted;
  KernelRun kernelRun;
  std::vector<Tensor> keptTangents;
  bool emptyCall = false;
};

} // namespace

bool hasOwnGradient(const LossHandle &loss, size_t argument) {
  const LossModule &module = loss.module();
  return argument < module.input_count && module.inputs[argument].has_gradient;
}

Evaluated evaluateCall(const LossHandle &loss, const LossCall &call,
                       const EvaluateRequest &request) {
  return call.inputs.front().is_meta() ? inferCall(loss, call, request)
                                       : Evaluation(loss, call, request).run();
}

GradientPlan planGradients(const LossHandle &loss, const LossCall &call,
                           const std::vector<bool> &wanted) {
  const CallPlan plan(loss, call);
  const bool needsOptions = needsOptionsKernel(plan, call);
  GradientPlan gradients;
  chooseKernel(plan, modeFor(loss, wanted), needsOptions);
  for (uint32_t options = needsOptions; options <= LOSS_WITH_OPTIONS; ++options) {
    gradients.secondOrder |= loss.offersKernel(plan.element, plan.target, LOSS_TANGENT, options);
    gradients.secondOrderOfAll |=
        loss.offersKernel(plan.element, plan.target, LOSS_TANGENT_ALL, options);
  }
  gradients.deferred =
      call.reduction == Reduction::None ? !plan.byRows || plan.resultSlab != 1 : plan.groups > 1;
  gradients.rowShapes.resize(wanted.size());
  for (size_t i = 0; i < wanted.size(); ++i) {
    if (!wanted[i])
      continue;
    if (call.reduction == Reduction::Mean && call.argument(i).scalar_type() == torch::kHalf)
      gradients.unscaled = true;
    if (call.reduction != Reduction::None)
      continue;
    if (!plan.hasRowAxis(i)) {
      gradients.deferred = true;
      continue;
    }
    const std::vector<int64_t> order = plan.orderOf(plan.axesOf(i));
    gradients.rowShapes[i].assign(order.size(), 1);
    for (size_t d = 0; d < plan.axes.dimensions(0).size(); ++d)
      gradients.rowShapes[i][order[d]] = call.argument(i).size(order[d]);
  }
  return gradients;
}

} // namespace loss::runtime
