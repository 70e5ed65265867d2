//===- KernelContractTest.cpp - what LossAbi.h promises -------------------===//

#include "Call.h"

#include <cmath>
#include <cstring>
#include <random>

#include <sys/mman.h>

using namespace loss;
using namespace loss::test;

namespace {

class Contract : public ::testing::TestWithParam<std::string> {
protected:
  void SetUp() override {
    for (int level : hostLevels())
      modules.push_back(compiler().compileFile(findLibraryLoss(GetParam()), atLevel(level)));
  }

  static Compiler &compiler() {
    static Compiler shared;
    return shared;
  }

  /// Runs `check` with a call of each element type at each level.
  template <typename Fn> void forEach(int64_t rows, int64_t classes, Fn check) {
    for (auto &module : modules) {
      auto doubles = makeCall<double>(module->module(), rows, classes);
      check(doubles);
      auto floats = makeCall<float>(module->module(), rows, classes);
      check(floats);
    }
  }

  template <typename T>
  static Call<T> makeCall(const LossModule &module, int64_t rows, int64_t classes) {
    std::mt19937 random(5);
    std::normal_distribution<double> normal(0, 2);
    Call<T> call(module, rows, classes);
    for (int64_t row = 0; row < rows; ++row) {
      call.indices.push_back(int64_t(random() % classes));
      for (int64_t k = 0; k < classes; ++k) {
        call.inputs[0](row, k) = T(normal(random));
        call.inputs[1](row, k) = T(k == call.indices.back());
      }
    }
    return call;
  }

  std::vector<std::unique_ptr<JitModule>> modules;
};

constexpr uint32_t targets[] = {LOSS_TARGET_INDEX, LOSS_TARGET_DENSE};

template <typename T> bool sameBits(T a, T b) { return std::memcmp(&a, &b, sizeof a) == 0; }

template <typename T> void expectSame(const Call<T> &a, const Call<T> &b, int64_t rows) {
  for (int64_t row = 0; row < rows; ++row) {
    EXPECT_PRED2(sameBits<T>, a.value[row], b.value[row]) << "row " << row;
    for (size_t g = 0; g < a.grads.size(); ++g)
      for (int64_t k = 0; k < a.classes; ++k)
        ASSERT_PRED2(sameBits<T>, a.grads[g](row, k), b.grads[g](row, k))
            << "row " << row << ", class " << k;
  }
}

TEST_P(Contract, ResultsDoNotDependOnTheDivisionIntoRanges) {
  for (int64_t classes : {1, 10, 19, 130})
    forEach(7, classes, [&](auto whole) {
      for (uint32_t target : targets) {
        auto parts = whole;
        parts.reset();
        whole.reset();
        whole.run(target, LOSS_VALUE_AND_GRAD);
        EXPECT_EQ(whole.status, -1);
        parts.run(target, LOSS_VALUE_AND_GRAD, 3, 7);
        EXPECT_EQ(parts.status, -1);
        EXPECT_EQ(parts.value[2], parts.untouched);
        parts.run(target, LOSS_VALUE_AND_GRAD, 0, 3);
        expectSame(whole, parts, 7);
      }
    });
}

/// The two kernels may add in another order, no more.
TEST_P(Contract, ValueAloneIsTheValueBesideTheGradient) {
  for (int64_t classes : {1, 10, 19, 130})
    forEach(5, classes, [&](auto both) {
      for (uint32_t target : targets) {
        auto alone = both;
        both.run(target, LOSS_VALUE_AND_GRAD);
        alone.run(target, LOSS_VALUE);
        for (int64_t row = 0; row < both.rows; ++row)
          EXPECT_NEAR(both.value[row], alone.value[row],
                      8 * std::numeric_limits<std::decay_t<decltype(both.value[row])>>::epsilon() *
                          std::abs(both.value[row]))
              << "row " << row << " of " << classes << " classes";
      }
    });
}

TEST_P(Contract, GradientsAreScaled) {
  forEach(3, 21, [&](auto plain) {
    for (uint32_t target : targets) {
      auto scaled = plain;
      scaled.gradScale = -0.25;
      plain.run(target, LOSS_VALUE_AND_GRAD);
      scaled.run(target, LOSS_VALUE_AND_GRAD);
      for (int64_t row = 0; row < 3; ++row) {
        EXPECT_EQ(plain.value[row], scaled.value[row]);
        for (int64_t k = 0; k < 21; ++k)
          EXPECT_EQ(plain.grads[0](row, k) * -0.25, scaled.grads[0](row, k));
      }
    }
  });
}

TEST_P(Contract, StopsAtAnIndexOutOfRange) {
  for (int64_t bad : {int64_t(10), int64_t(-1), INT64_MIN, INT64_MAX, int64_t(1) << 32})
    forEach(6, 10, [&](auto call) {
      for (uint32_t mode : {LOSS_VALUE, LOSS_VALUE_AND_GRAD}) {
        auto good = call;
        good.run(LOSS_TARGET_INDEX, mode);
        auto stopped = call;
        stopped.indices[3] = stopped.indices[5] = bad;
        stopped.run(LOSS_TARGET_INDEX, mode);
        EXPECT_EQ(stopped.status, 3);
        expectSame(good, stopped, 3);
        for (int64_t row = 3; row < 6; ++row) {
          EXPECT_EQ(stopped.value[row], stopped.untouched);
          for (int64_t k = 0; k < 10; ++k)
            EXPECT_EQ(stopped.grads[0](row, k), stopped.untouched);
        }
        stopped.reset();
        stopped.run(LOSS_TARGET_INDEX, mode, 4, 5);
        EXPECT_EQ(stopped.status, -1);
      }
    });
}

TEST_P(Contract, AnEmptyRangeTouchesNothing) {
  forEach(2, 4, [&](auto call) {
    call.run(LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD, 1, 1);
    EXPECT_EQ(call.status, -1);
    EXPECT_EQ(call.value[1], call.untouched);
  });
}

TEST_P(Contract, StrideZeroRepeatsARow) {
  forEach(3, 11, [&](auto call) {
    auto repeated = call;
    for (int64_t row = 1; row < 3; ++row)
      for (int64_t k = 0; k < 11; ++k)
        call.inputs[0](row, k) = call.inputs[0](0, k);
    repeated.inputs[0].stride = 0;
    call.run(LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD);
    repeated.run(LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD);
    expectSame(call, repeated, 3);
  });
}

/// Memory that ends where a page without access begins.
template <typename T> struct Guarded {
  explicit Guarded(size_t count) {
    constexpr size_t page = 4096;
    size_t bytes = (count * sizeof(T) + page - 1) / page * page;
    size = bytes + page;
    base = static_cast<char *>(
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
    mprotect(base + bytes, page, PROT_NONE);
    data = reinterpret_cast<T *>(base + bytes) - count;
  }
  ~Guarded() { munmap(base, size); }
  char *base;
  size_t size;
  T *data;
};

template <typename T> void runGuarded(const LossModule &module, uint32_t target, int64_t classes) {
  const LossKernel *kernel =
      loss_find_kernel(&module, elementOf<T>, target, LOSS_VALUE_AND_GRAD, LOSS_PLAIN);
  Guarded<T> logits(classes), dense(classes), grad(classes), value(1);
  const int64_t sizes[] = {1, classes};
  Guarded<T> scratch(kernel->scratch ? kernel->scratch(sizes) : 0);
  const T one = 1;
  Guarded<int64_t> index(1);
  for (int64_t k = 0; k < classes; ++k) {
    logits.data[k] = T(k % 3);
    dense.data[k] = T(k == classes - 1);
  }
  index.data[0] = classes - 1;
  const void *inputs[] = {logits.data, target == LOSS_TARGET_INDEX
                                           ? static_cast<const void *>(index.data)
                                           : dense.data};
  const int64_t strides[] = {classes, target == LOSS_TARGET_INDEX ? 1 : classes};
  std::vector<double> params;
  for (uint32_t i = 0; i < module.param_count; ++i)
    params.push_back(module.params[i].default_value);
  void *grads[] = {grad.data};
  LossArgs args = {};
  args.sizes = sizes;
  args.inputs = inputs;
  args.input_strides = strides;
  args.params = params.data();
  args.weights = &one;
  args.value = value.data;
  args.grads = grads;
  args.grad_strides = &classes;
  args.grad_scale = 1;
  EXPECT_EQ(loss_kernel_entry(kernel, loss_cpu_level())(&args, 0, 1, scratch.data), -1);
  EXPECT_TRUE(std::isfinite(value.data[0]));
}

TEST_P(Contract, ReadsNothingBehindARow) {
  for (auto &module : modules)
    for (uint32_t target : targets)
      for (int64_t classes : {1, 2, 3, 5, 15, 16, 17, 31, 33, 63, 64, 65, 127, 1000}) {
        runGuarded<float>(module->module(), target, classes);
        runGuarded<double>(module->module(), target, classes);
      }
}

INSTANTIATE_TEST_SUITE_P(Library, Contract, ::testing::ValuesIn(rowLosses()),
                         [](auto &info) { return info.param; });

/// A row of weight 0 is 0 whatever the formula gives there, also where the rows are the only axis.
TEST(Weights, LeaveRowsOut) {
  Compiler compiler;
  for (const char *result : {"[b]) { return log(x) }", "[b, c]) { return sum(log(x) over c) }"}) {
    auto loss = compiler.compile("loss f(x: " + std::string(result), "f.loss",
                                 KernelSelection::training(LOSS_F64, LOSS_TARGET_NONE));
    const LossModule &module = loss->module();
    const LossKernel *kernel =
        loss_find_kernel(&module, LOSS_F64, LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD, LOSS_PLAIN);
    constexpr int64_t rows = 21;
    const int64_t sizes[] = {rows, 1}, stride = 1;
    std::vector<double> x(rows, 2), weights(rows, 0.5), value(rows, 7), gradient(rows, 7);
    for (int64_t row = 0; row < rows; row += 3) {
      x[row] = row % 2 ? NAN : 0; // Not a number, and an infinite derivative.
      weights[row] = 0;
    }
    std::vector<char> scratch(1 << 16);
    const void *inputs[] = {x.data()};
    void *grads[] = {gradient.data()};
    LossArgs args = {};
    args.sizes = sizes;
    args.inputs = inputs;
    args.input_strides = args.grad_strides = &stride;
    args.weights = weights.data();
    args.weight_stride = 1;
    args.value = value.data();
    args.grads = grads;
    args.grad_scale = 1;
    void *aligned = scratch.data() + (64 - reinterpret_cast<uintptr_t>(scratch.data()) % 64);
    EXPECT_EQ(loss_kernel_entry(kernel, loss_cpu_level())(&args, 0, rows, aligned), -1);
    for (int64_t row = 0; row < rows; ++row) {
      EXPECT_EQ(gradient[row], row % 3 ? 0.25 : 0) << row << result;
      EXPECT_NEAR(value[row], row % 3 ? 0.5 * std::log(2) : 0, 1e-15) << row << result;
    }
  }
}

/// One weight for all is read at no class index: what lies behind it is somebody else's.
TEST(Weights, OneForAllIsReadOnce) {
  Compiler compiler;
  auto loss = compiler.compile("loss f(x: [c], z: [], y: target [c]) { return z * y + x }",
                               "f.loss", KernelSelection::training(LOSS_F64, LOSS_TARGET_INDEX));
  const LossKernel *kernel = loss_find_kernel(&loss->module(), LOSS_F64, LOSS_TARGET_INDEX,
                                              LOSS_VALUE_AND_GRAD, LOSS_PLAIN);
  const int64_t sizes[] = {3}, strides[] = {3, 1, 1}, index = 2;
  const double x[] = {1, 2, 3}, z = 4, weights[] = {0.5, 100, 100};
  double value[3], byX[3], byZ = 0;
  const void *inputs[] = {x, &z, &index};
  void *grads[] = {byX, &byZ, nullptr};
  alignas(64) char scratch[4096];
  LossArgs args = {};
  args.sizes = sizes;
  args.inputs = inputs;
  args.input_strides = args.grad_strides = strides;
  args.weights = weights;
  args.value = value;
  args.grads = grads;
  args.grad_scale = 1;
  EXPECT_EQ(loss_kernel_entry(kernel, loss_cpu_level())(&args, 0, 1, scratch), -1);
  EXPECT_EQ(byZ, 0.5);
  EXPECT_EQ(value[2], 3.5);
}

/// The table of the paper: value of NGL at uniform, perfect and wholly wrong probabilities.
TEST(Ngl, HasThePublishedValues) {
  Compiler compiler;
  auto loss = compiler.compileFile(findLibraryLoss("ngl"));
  struct Row {
    int64_t classes;
    double uniform, perfect, wrong;
  };
  for (const Row &row :
       {Row{2, 4.788645, 5.652148, 6.945681}, Row{10, 9.426089, 9.598234, 9.856940},
        Row{100, 10.472921, 10.486103, 10.511974}}) {
    Call<double> call(loss->module(), 3, row.classes);
    call.indices = {0, 0, 1};
    for (int64_t k = 0; k < row.classes; ++k) {
      call.inputs[0](0, k) = 3;
      call.inputs[0](1, k) = call.inputs[0](2, k) = k ? -1000 : 0;
    }
    call.run(LOSS_TARGET_INDEX, LOSS_VALUE);
    // The table has seven digits.
    EXPECT_NEAR(call.value[0], row.uniform, 1e-6 * row.uniform);
    EXPECT_NEAR(call.value[1], row.perfect, 1e-6 * row.perfect);
    EXPECT_NEAR(call.value[2], row.wrong, 1e-6 * row.wrong);
  }
}

/// Parameters are values of the call: focal loss without focusing is cross entropy.
TEST(Focal, TakesItsParameterAtRunTime) {
  Compiler compiler;
  auto focal = compiler.compileFile(findLibraryLoss("focal"));
  auto entropy = compiler.compileFile(findLibraryLoss("cross_entropy"));
  Call<double> a(focal->module(), 1, 3), b(entropy->module(), 1, 3);
  for (int64_t k = 0; k < 3; ++k)
    a.inputs[0](0, k) = b.inputs[0](0, k) = double(k * k) - 2;
  a.indices = b.indices = {1};
  a.params = {0.0};
  a.run(LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD);
  b.run(LOSS_TARGET_INDEX, LOSS_VALUE_AND_GRAD);
  EXPECT_NEAR(a.value[0], b.value[0], 1e-14);
  for (int64_t k = 0; k < 3; ++k)
    EXPECT_NEAR(a.grads[0](0, k), b.grads[0](0, k), 1e-14);
}

} // namespace
