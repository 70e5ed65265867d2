#include "runtime/torch/LossFunction.h"
#include "runtime/torch/CallArguments.h"
#include "runtime/torch/GradientMemory.h"
#include "runtime/torch/LossBackward.h"
#include "runtime/torch/RowBlocks.h"

#include <torch/csrc/autograd/functions/utils.h>

#include <atomic>
#include <limits>

namespace loss::runtime {

using torch::Tensor;

namespace {

/// Below this many numbers a second thread costs more than it brings.
constexpr int64_t grainElements = 32768;

/// Sum in f64 over eight lanes that are added up at the end: the same order on every machine.
template <typename T> double sumValues(const T *values, int64_t count) {
  constexpr int64_t lanes = 8;
  double sums[lanes] = {};
  int64_t i = 0;
  for (; i + lanes <= count; i += lanes)
    for (int64_t l = 0; l < lanes; ++l)
      sums[l] += static_cast<double>(values[i + l]);
  for (int64_t l = 0; i < count; ++i, ++l)
    sums[l] += static_cast<double>(values[i]);
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

bool wantsGradient(const Tensor &t) { return t.requires_grad(); }

/// One call of a compiled loss.
class Call {
public:
  Call(const LossHandle &loss, const Tensor &logits, const Tensor &target,
       const LossCallOptions &options)
      : loss(loss), options(options), arguments(loss, logits, target, options),
        params(loss.bindParams(options.params)) {}

  Tensor run() {
    differentiable = at::GradMode::is_enabled() && checkGradients();
    chooseKernel();
    if (withGradients)
      allocateGradients();
    Tensor rowValues;
    void *values = valueMemory(rowValues);
    runKernel(values);
    Tensor result = reduce(values, rowValues);
    gradients.resize(differentiable ? gradients.size() : 0);
    return result;
  }

  bool differentiable = false;
  /// One an input; without rows where there is none.
  std::vector<SavedGradient> gradients;
  CallArguments &args() { return arguments; }

private:
  /// Whether an input requires a gradient; an error if the loss has none for it.
  bool checkGradients() const {
    bool any = false;
    for (size_t i = 0; i < arguments.inputs.size(); ++i) {
      if (!wantsGradient(*arguments.inputs[i].given))
        continue;
      const LossInput &input = loss.module().inputs[i];
      TORCH_CHECK(input.has_gradient, "loss '", loss.name(), "': the input '", input.name,
                  "' requires a gradient, but the loss was compiled without one for it");
      any = true;
    }
    return any;
  }

  void chooseKernel() {
    withGradients = differentiable;
    kernel = loss.kernel(arguments.element, arguments.target,
                         withGradients ? LOSS_VALUE_AND_GRAD : LOSS_VALUE);
    if (!kernel && !withGradients) {
      withGradients = true;
      kernel = loss.kernel(arguments.element, arguments.target, LOSS_VALUE_AND_GRAD);
    }
    static const char *const targets[] = {"no target", "class indices", "probabilities"};
    TORCH_CHECK(kernel, "loss '", loss.name(), "' was compiled without a kernel for ",
                arguments.element == LOSS_F64 ? "f64" : "f32", " with ", targets[arguments.target],
                differentiable ? " and gradients" : "");
  }

  void allocateGradients() {
    const LossModule &module = loss.module();
    gradients.resize(module.input_count);
    gradientPointers.resize(module.input_count + module.param_count);
    gradientStrides.resize(module.input_count + module.param_count);
    for (uint32_t i = 0; i < module.input_count; ++i) {
      if (!module.inputs[i].has_gradient)
        continue;
      const bool hasRows = loss.hasRows(i), hasClasses = loss.hasClasses(i);
      const Tensor &given = *arguments.inputs[i].given;
      const int64_t width = hasClasses ? arguments.classes : 1;
      SavedGradient &gradient = gradients[i];
      gradient.rows = emptyGradient({arguments.rowCount, width}, arguments.kernelType());
      gradient.type = given.scalar_type();
      gradient.sumRows = !hasRows;
      gradient.classAxisSecond = hasRows && hasClasses && given.dim() > 2;
      if (hasRows)
        gradient.shape = arguments.rowShape;
      if (hasClasses)
        gradient.shape.push_back(arguments.classes);
      gradientPointers[i] = gradient.rows.mutable_data_ptr();
      gradientStrides[i] = width;
    }
  }

  size_t elementSize() const { return arguments.element == LOSS_F64 ? 8 : 4; }

  /// Memory for the value of each row: the result itself if it is not reduced.
  void *valueMemory(Tensor &rowValues) {
    if (options.reduction != Reduction::None)
      return ThreadScratch::get(ThreadScratch::Values, arguments.rowCount * elementSize());
    rowValues = at::empty({arguments.rowCount}, arguments.kernelType());
    return rowValues.mutable_data_ptr();
  }

  void runKernel(void *values) {
    LossArgs args = {};
    TORCH_CHECK_NOT_IMPLEMENTED(loss.module().row_axis == 0 && loss.module().axis_count == 2,
                                "loss '", loss.name(), "': expected the axes of rows and classes");
    const int64_t sizes[] = {arguments.rowCount, arguments.classes};
    const double one64 = 1;
    const float one32 = 1;
    args.sizes = sizes;
    args.weights = arguments.element == LOSS_F64 ? static_cast<const void *>(&one64) : &one32;
    args.inputs = arguments.pointers.data();
    args.input_strides = arguments.strides.data();
    args.params = params.data();
    args.value = values;
    args.grads = gradientPointers.data();
    args.grad_strides = gradientStrides.data();
    args.grad_scale = options.reduction == Reduction::Mean && arguments.rowCount > 0
                          ? 1.0 / static_cast<double>(arguments.rowCount)
                          : 1.0;

    constexpr int64_t none = std::numeric_limits<int64_t>::max();
    std::atomic<int64_t> badRow = none;
    std::atomic<bool> outOfMemory = false;
    const size_t scratchBytes = kernel.scratch ? kernel.scratch(sizes) * elementSize() : 0;
    auto block = [&](int64_t begin, int64_t end) {
      try {
        void *scratch =
            scratchBytes ? ThreadScratch::get(ThreadScratch::Kernel, scratchBytes) : nullptr;
        const int64_t bad = kernel.entry(&args, begin, end, scratch);
        for (int64_t seen = badRow; bad >= 0 && bad < seen;)
          if (badRow.compare_exchange_weak(seen, bad))
            break;
      } catch (const std::bad_alloc &) {
        outOfMemory = true;
      }
    };
    forRowBlocks(arguments.rowCount, std::max<int64_t>(1, grainElements / arguments.classes),
                 block);
    if (outOfMemory)
      throw std::bad_alloc();
    if (badRow != none)
      reportBadIndex(badRow);
  }

  [[noreturn]] void reportBadIndex(int64_t row) const {
    const Tensor &target = arguments.inputs[loss.targetInput()].rows;
    TORCH_CHECK_INDEX(false, "loss '", loss.name(), "': the target of row ", row, " is ",
                      target[row].item<int64_t>(), ", but expected 0 to ", arguments.classes - 1,
                      " (", arguments.classes, " classes)");
    std::abort();
  }

  Tensor reduce(const void *values, const Tensor &rowValues) const {
    const auto type = arguments.inputs[loss.mainInput()].given->scalar_type();
    if (options.reduction == Reduction::None)
      return rowValues.to(type).view(arguments.rowShape);
    double sum = arguments.element == LOSS_F64
                     ? sumValues(static_cast<const double *>(values), arguments.rowCount)
                     : sumValues(static_cast<const float *>(values), arguments.rowCount);
    if (options.reduction == Reduction::Mean)
      sum /= static_cast<double>(arguments.rowCount);
    Tensor result = at::empty({}, type);
    if (type == torch::kFloat)
      *result.mutable_data_ptr<float>() = static_cast<float>(sum);
    else if (type == torch::kDouble)
      *result.mutable_data_ptr<double>() = sum;
    else
      result.fill_(sum);
    return result;
  }

  const LossHandle &loss;
  const LossCallOptions &options;
  CallArguments arguments;
  std::vector<double> params;
  bool withGradients = false;
  KernelRef kernel;
  std::vector<void *> gradientPointers;
  std::vector<int64_t> gradientStrides;
};

} // namespace

Tensor CompiledLoss::operator()(const Tensor &logits, const Tensor &target,
                                const LossCallOptions &options) const {
  TORCH_CHECK_NOT_IMPLEMENTED(options.paramTensors.empty() && !options.sampleWeight.defined() &&
                                  !options.classWeight.defined() && options.ignoreIndex == -100 &&
                                  options.labelSmoothing == 0,
                              "loss '", handle.name(),
                              "': weights, smoothing and parameters as "
                              "tensors need interface version 2");
  Tensor result;
  c10::intrusive_ptr<LossBackward> node;
  {
    at::AutoDispatchBelowADInplaceOrView guard;
    Call call(handle, logits, target, options);
    result = call.run();
    if (!call.differentiable)
      return result;
    // One edge an input.
    torch::autograd::edge_list edges(call.gradients.size());
    const LossModule &module = handle.module();
    for (uint32_t i = 0; i < module.input_count; ++i) {
      if (!module.inputs[i].has_gradient)
        continue;
      const Tensor &given = *call.args().inputs[i].given;
      if (given.requires_grad())
        edges[i] = torch::autograd::impl::gradient_edge(given);
      else
        call.gradients[i].rows.reset();
    }
    node = c10::make_intrusive<LossBackward>(handle.name(), options.reduction != Reduction::None,
                                             std::move(call.gradients));
    node->set_next_edges(std::move(edges));
  }
  torch::autograd::set_history(result, node);
  return result;
}

} // namespace loss::runtime
