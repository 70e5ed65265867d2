//===- Kernels.cpp - compiled code against exact values -------------------===//

#include "test/random/Kernels.h"

#include "compiler/Pipeline/Pipeline.h"
#include "compiler/Target/Jit.h"

#include <cstdlib>
#include <cstring>
#include <map>
#include <random>
#include <tuple>

namespace loss::stress {

namespace {

constexpr double untouched = -12345.5;

/// The arrays of one argument, or of a result: `rows` slabs with some numbers in between.
template <typename T> struct Slabs {
  int64_t rows = 1, size = 1, stride = 1;
  std::vector<T> data;

  Slabs(int64_t rows, int64_t size, int64_t gap, T fill)
      : rows(rows), size(size), stride(size + gap), data(size_t(rows * (size + gap)), fill) {}
  T &at(int64_t row, int64_t k) { return data[size_t(row * stride + k)]; }
};

/// One call of a kernel.
template <typename T> class Call {
public:
  Call(const LossModule &module, const LossKernel &kernel, const lang::Program &program,
       const Data &data, const CallOptions &options, uint64_t seed)
      : module(module), kernel(kernel), program(program), data(data), options(options),
        random(seed), isTangent(kernel.mode == LOSS_TANGENT || kernel.mode == LOSS_TANGENT_ALL),
        rows(module.row_axis < 0 ? 1 : data.sizes[0]),
        weights(options.weights.begin(), options.weights.end()),
        classWeights(options.classWeights.begin(), options.classWeights.end()) {}

  std::string run(std::vector<BoundedArray> expected, Arithmetic arithmetic, Tally &tally) {
    // Where the rows are the only axis, they are contiguous.
    gap = module.axis_count == 1 || random() % 3 ? 0 : 3;
    // Powers of two: they round nothing, so the bounds need not know of them.
    weight = random() % 2 ? 1 : 0.25;
    scale = random() % 2 ? 1 : 0.5;
    if (options.weights.empty())
      weights = {T(weight)};
    else
      weight = 1; // `expected` has the weights.
    for (int64_t r = 0; r < rows; ++r)
      if (isIgnored(r))
        ignore(r, expected);
    for (uint32_t i = 0; i < module.input_count; ++i)
      addInput(i);
    for (uint32_t i = 0; i < module.param_count; ++i)
      params.push_back(data.arguments.find(module.params[i].name)->second.data[0]);
    addGradients(expected);
    for (uint32_t i = 0; i < module.input_count + module.param_count; ++i)
      addTangent(i);
    if (std::string failure = call(int64_t(expected[0].data.size())); !failure.empty())
      return failure;
    return check(expected, arithmetic, tally);
  }

private:
  bool hasRows(const lang::AxisSet axes) const { return module.row_axis == 0 && (axes & 1); }

  /// Whether the row has weight 0 and one number as its result: then it is not evaluated.
  bool isIgnored(int64_t row) const {
    return !isTangent && !options.weights.empty() && module.row_axis == 0 &&
           module.result_axis_count == 1 && module.result_axes[0] == 0 &&
           options.weights[size_t(row)] == 0;
  }
  /// Its numbers are 0 whatever the formula gives.
  void ignore(int64_t row, std::vector<BoundedArray> &expected) const {
    for (size_t i = 0; i < expected.size(); ++i) {
      std::vector<Bounded> &all = expected[i].data;
      bool byRow = i == 0 || (i <= program.inputs.size() && hasRows(program.inputs[i - 1].axes));
      size_t size = all.size() / size_t(rows);
      if (byRow)
        std::fill_n(all.begin() + row * int64_t(size), size, Bounded(0));
    }
  }

  void addInput(uint32_t i) {
    const lang::ProgramInput &input = program.inputs[i];
    const auto &array = data.arguments.find(input.name)->second;
    if (module.inputs[i].kind == LOSS_INPUT_TARGET && kernel.target == LOSS_TARGET_INDEX) {
      bool byRow = hasRows(input.axes);
      int64_t slab = int64_t(data.classes.size()) / (byRow ? rows : 1);
      indices = data.classes;
      inputs.push_back(indices.data());
      inputStrides.push_back(byRow ? slab : 0);
      return;
    }
    inputs.push_back(slabsOf(array, hasRows(input.axes), inputStrides));
  }

  /// The elements in memory, and the stride of the rows.
  const void *slabsOf(const ir::reference::Array &array, bool byRow,
                      std::vector<int64_t> &strides) {
    int64_t count = byRow ? rows : 1, size = int64_t(array.data.size()) / count;
    auto &slabs = arrays.emplace_back(std::make_unique<Slabs<T>>(count, size, gap, T(NAN)));
    for (int64_t r = 0; r < count; ++r)
      for (int64_t k = 0; k < size; ++k)
        slabs->at(r, k) = byRow && isIgnored(r) ? T(NAN) : T(array.data[size_t(r * size + k)]);
    strides.push_back(byRow ? slabs->stride : 0);
    return slabs->data.data();
  }

  void addTangent(uint32_t i) {
    bool isInput = i < module.input_count;
    const char *name = isInput ? module.inputs[i].name : module.params[i - module.input_count].name;
    auto found = options.tangents.find(name);
    if (!isTangent || !gives(i) || found == options.tangents.end()) {
      tangents.push_back(nullptr);
      tangentStrides.push_back(0);
    } else {
      tangents.push_back(
          slabsOf(found->second, isInput && hasRows(program.inputs[i].axes), tangentStrides));
    }
  }

  /// True where the mode gives a gradient for argument `i` (inputs, then parameters).
  bool gives(uint32_t i) const {
    bool isInput = i < module.input_count;
    if (isInput && module.inputs[i].kind == LOSS_INPUT_TARGET && kernel.target == LOSS_TARGET_INDEX)
      return false;
    return kernel.mode == LOSS_VALUE_AND_ALL_GRADS || kernel.mode == LOSS_TANGENT_ALL ||
           (kernel.mode != LOSS_VALUE && isInput && module.inputs[i].has_gradient);
  }

  void addGradients(const std::vector<BoundedArray> &expected) {
    for (uint32_t i = 0; i < module.input_count + module.param_count; ++i) {
      lang::AxisSet axes = i < module.input_count ? program.inputs[i].axes : 0;
      int64_t size = int64_t(expected[i + 1].data.size()) / (hasRows(axes) ? rows : 1);
      auto &slabs =
          gradients.emplace_back(std::make_unique<Slabs<T>>(rows, size, gap, T(untouched)));
      gradBases.push_back(gives(i) ? slabs->data.data() : nullptr);
      gradStrides.push_back(slabs->stride);
    }
  }

  std::string call(int64_t resultSize) {
    value.assign(size_t(resultSize) + 4, T(untouched));
    std::vector<int64_t> sizes;
    for (uint32_t i = 0; i < module.axis_count; ++i)
      sizes.push_back(data.sizes[i]);
    size_t bytes = kernel.scratch ? size_t(kernel.scratch(sizes.data())) * sizeof(T) : 0;
    size_t rounded = (bytes + 63) / 64 * 64 + 64;
    std::unique_ptr<unsigned char, decltype(&std::free)> scratch(
        static_cast<unsigned char *>(std::aligned_alloc(64, rounded)), &std::free);
    std::memset(scratch.get(), 0x5a, rounded);
    LossArgs args{};
    args.sizes = sizes.data();
    args.inputs = inputs.data();
    args.input_strides = inputStrides.data();
    args.params = params.data();
    args.class_weights = classWeights.data();
    args.label_smoothing = options.smoothing;
    args.weights = weights.data();
    args.weight_stride = options.weights.empty() ? 0 : 1;
    args.value = value.data();
    args.grads = gradBases.data();
    args.grad_strides = gradStrides.data();
    args.grad_scale = scale;
    args.tangents = tangents.data();
    args.tangent_strides = tangentStrides.data();
    LossKernelFn entry = loss_kernel_entry(&kernel, loss_cpu_level());
    // The rows are divided anyhow.
    int64_t middle = rows > 1 ? int64_t(random() % uint64_t(rows + 1)) : rows;
    for (auto [begin, end] : {std::pair(int64_t(0), middle), std::pair(middle, rows)})
      if (begin != end)
        if (int64_t status = entry(&args, begin, end, bytes ? scratch.get() : nullptr);
            status != -1)
          return "the kernel complained of a class index in row " + std::to_string(status);
    for (size_t i = bytes; i < rounded; ++i)
      if (scratch.get()[i] != 0x5a)
        return "the kernel wrote behind its scratch memory";
    for (size_t i = size_t(resultSize); i < value.size(); ++i)
      if (value[i] != T(untouched))
        return "the kernel wrote behind its result";
    return {};
  }

  std::string check(const std::vector<BoundedArray> &expected, Arithmetic arithmetic,
                    Tally &tally) {
    value.resize(expected[0].data.size());
    if (std::string failure =
            compareAll(isTangent ? "tangent" : "value", value,
                       scaled(expected[0].data, isTangent ? 1 : weight), arithmetic, tally);
        !failure.empty())
      return failure;
    for (uint32_t i = 0; i < gradients.size(); ++i) {
      Slabs<T> &slabs = *gradients[i];
      std::string name = i < module.input_count ? module.inputs[i].name
                                                : module.params[i - module.input_count].name;
      for (int64_t r = 0; r < slabs.rows; ++r)
        for (int64_t k = gives(i) ? slabs.size : 0; k < slabs.stride; ++k)
          if (slabs.at(r, k) != T(untouched))
            return "the kernel wrote between the slabs of the gradient by " + name;
      if (!gives(i))
        continue;
      // The caller adds up the rows of an argument without the row axis.
      lang::AxisSet axes = i < module.input_count ? program.inputs[i].axes : 0;
      std::vector<double> numbers;
      std::vector<Bounded> bounds = scaled(expected[i + 1].data, weight * scale);
      if (hasRows(axes)) {
        for (int64_t r = 0; r < slabs.rows; ++r)
          for (int64_t k = 0; k < slabs.size; ++k)
            numbers.push_back(double(slabs.at(r, k)));
      } else {
        numbers.assign(size_t(slabs.size), 0);
        for (int64_t r = 0; r < slabs.rows; ++r)
          for (int64_t k = 0; k < slabs.size; ++k) {
            numbers[size_t(k)] += double(slabs.at(r, k));
            // The number of each row is rounded by itself, whatever the formula makes of their sum.
            bounds[size_t(k)].error[arithmetic] +=
                std::numeric_limits<T>::epsilon() * std::abs(double(slabs.at(r, k)));
          }
      }
      if (std::string failure =
              compareAll("gradient by " + name, numbers, bounds, arithmetic, tally);
          !failure.empty())
        return failure;
    }
    return {};
  }

  static std::vector<Bounded> scaled(std::vector<Bounded> numbers, double factor) {
    for (Bounded &x : numbers) {
      x.value = x.value * Real(factor);
      // The product may underflow, but for that with an exact 0.
      const Errors least = {0x1p-149, 0x1p-1074, 0};
      for (unsigned a = 0; a < arithmetics; ++a) {
        bool isExact = factor == 1 || (x.value.isZero() && x.error[a] == 0);
        x.error[a] = factor * x.error[a] + (isExact ? 0 : least[a]);
      }
    }
    return numbers;
  }

  const LossModule &module;
  const LossKernel &kernel;
  const lang::Program &program;
  const Data &data;
  const CallOptions &options;
  std::mt19937_64 random;
  bool isTangent;
  int64_t rows, gap = 0;
  double weight = 1, scale = 1;
  std::vector<std::unique_ptr<Slabs<T>>> arrays, gradients;
  std::vector<int64_t> indices, inputStrides, gradStrides, tangentStrides;
  std::vector<const void *> inputs, tangents;
  std::vector<void *> gradBases;
  std::vector<double> params;
  std::vector<T> weights, classWeights, value;
};

} // namespace

struct KernelRunner::Impl {
  std::string text;
  std::shared_ptr<Jit> jit;
  std::unique_ptr<PipelineContext> context;
  unsigned used = 0;
  using Key = std::tuple<unsigned, unsigned, unsigned, unsigned, bool>;
  std::map<Key, std::unique_ptr<JitModule>> modules;

  PipelineContext &pipeline() {
    // Types and attributes live as long as an MLIR context.
    if (!context || ++used % 256 == 0)
      context = std::make_unique<PipelineContext>();
    return *context;
  }
};

KernelRunner::KernelRunner() : impl(std::make_unique<Impl>()) {
  auto jit = Jit::create();
  if (!jit)
    llvm::report_fatal_error(jit.takeError());
  impl->jit = std::move(*jit);
}
KernelRunner::~KernelRunner() = default;

void KernelRunner::setText(const std::string &text) {
  impl->text = text;
  impl->modules.clear();
}

unsigned targetOf(const lang::Program &program, const Data &data) {
  for (const lang::ProgramInput &input : program.inputs)
    if (input.kind == lang::InputKind::Target)
      return data.classes.empty() ? LOSS_TARGET_DENSE : LOSS_TARGET_INDEX;
  return LOSS_TARGET_NONE;
}

static std::string nameOf(const KernelChoice &choice, unsigned target) {
  static const char *const modes[] = {"value", "value and gradients", "value and all gradients",
                                      "tangent", "tangent of all"};
  return std::string(choice.optimised ? "kernel" : "unoptimised kernel") +
         (choice.options == LOSS_WITH_OPTIONS ? " with options (" : " (") +
         (choice.element == LOSS_F32 ? "f32, " : "f64, ") +
         (target == LOSS_TARGET_INDEX ? "classes, " : "") + modes[choice.mode] + ")";
}

const LossModule *KernelRunner::load(const KernelChoice &choice, const lang::Program &program,
                                     const Data &data, std::string &failure) {
  unsigned target = targetOf(program, data);
  auto &loaded =
      impl->modules[{choice.element, target, choice.mode, choice.options, choice.optimised}];
  if (loaded)
    return &loaded->module();
  PipelineOptions options;
  options.selection = {1u << choice.element, 1u << target, 1u << choice.mode, 1u << choice.options,
                       0};
  // Where all arguments are inputs with a gradient, there is no mode for more.
  if (choice.mode == LOSS_VALUE_AND_ALL_GRADS)
    options.selection.modes |= 1u << LOSS_VALUE_AND_GRAD;
  options.simplify = choice.optimised;
  Compilation compiled = impl->pipeline().compile(impl->text, "random.loss", options, true);
  if (!compiled.succeeded()) {
    failure = nameOf(choice, target) + " does not compile: " + lang::render(compiled.diagnostics) +
              compiled.failure;
    return nullptr;
  }
  auto &object = compiled.levels.at(0).object;
  auto module = impl->jit->load({object.data(), object.size()});
  if (!module) {
    failure = nameOf(choice, target) + " cannot be loaded: " + llvm::toString(module.takeError());
    return nullptr;
  }
  loaded = std::move(*module);
  return &loaded->module();
}

std::string KernelRunner::compare(const KernelChoice &choice, const lang::Program &program,
                                  const Data &data, const CallOptions &options,
                                  const std::vector<BoundedArray> &expected, uint64_t seed,
                                  Tally &tally) {
  unsigned target = targetOf(program, data);
  std::string failure;
  const LossModule *module = load(choice, program, data, failure);
  if (!module)
    return failure;
  const LossKernel *kernel = nullptr;
  for (unsigned mode = choice.mode; !kernel && int(mode) >= 0; --mode)
    kernel = loss_find_kernel(module, choice.element, target, mode, choice.options);
  if (!kernel && !options.tangents.empty())
    return nameOf(choice, target) + " is missing";
  if (!kernel)
    return {}; // A loss without an input that is a value has no gradient.
  failure =
      choice.element == LOSS_F32
          ? Call<float>(*module, *kernel, program, data, options, seed).run(expected, F32, tally)
          : Call<double>(*module, *kernel, program, data, options, seed).run(expected, F64, tally);
  return failure.empty() ? failure : nameOf(choice, target) + ": " + failure;
}

} // namespace loss::stress
