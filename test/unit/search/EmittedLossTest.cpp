// What a candidate's program computes, compiled, is what the screen judged: values and gradients.

#include "compiler/Pipeline/Compiler.h"
#include "search/screen/Phenotype.h"
#include "search/spaces/GraphOps.h"
#include "search/spaces/GraphSpace.h"

#include <gtest/gtest.h>

#include <cmath>

using namespace loss;
using namespace loss::search;

namespace {
/// A few rows of logits with targets, and the answers p that belong to them.
struct Batch {
  static constexpr int64_t rows = 6;
  /// So many of them have a class; the others have soft targets.
  static constexpr int64_t hardRows = 4;
  int64_t classes;
  std::vector<double> logits, target, p;

  explicit Batch(int64_t classes) : classes(classes) {
    Rng rng(static_cast<uint64_t>(classes));
    for (int64_t row = 0; row < rows; ++row) {
      double total = 0;
      for (int64_t k = 0; k < classes; ++k) {
        logits.push_back(6 * rng.uniform() - 3);
        total += std::exp(logits.back());
        target.push_back(row >= hardRows ? 0.3 + 0.4 * rng.uniform() : k == row % classes);
      }
      for (int64_t k = 0; k < classes; ++k)
        p.push_back(std::exp(logits[static_cast<size_t>(row * classes + k)]) / total);
    }
  }
};

struct Result {
  std::vector<double> value, gradient;
};

/// The compiled loss on all rows, or with class indices on those that have a class.
Result runCompiled(const LossModule &module, const Batch &batch, uint32_t targetKind) {
  const LossKernel *kernel =
      loss_find_kernel(&module, LOSS_F64, targetKind, LOSS_VALUE_AND_GRAD, LOSS_PLAIN);
  EXPECT_NE(kernel, nullptr);
  LossKernelFn entry = loss_kernel_entry(kernel, loss_cpu_level());
  bool byIndex = targetKind == LOSS_TARGET_INDEX;
  int64_t rows = byIndex ? Batch::hardRows : Batch::rows;
  std::vector<int64_t> indices;
  for (int64_t row = 0; row < Batch::hardRows; ++row)
    indices.push_back(row % batch.classes);
  Result result;
  result.value.resize(static_cast<size_t>(rows));
  result.gradient.resize(static_cast<size_t>(rows * batch.classes));
  const void *targets = byIndex ? static_cast<const void *>(indices.data()) : batch.target.data();
  const void *inputs[] = {batch.logits.data(), targets};
  const int64_t strides[] = {batch.classes, byIndex ? 1 : batch.classes};
  const int64_t gradStrides[] = {batch.classes};
  void *grads[] = {result.gradient.data()};
  LossArgs args = {};
  const int64_t sizes[] = {rows, batch.classes};
  const double one = 1;
  args.sizes = sizes;
  args.weights = &one;
  args.inputs = inputs;
  args.input_strides = strides;
  args.value = result.value.data();
  args.grads = grads;
  args.grad_strides = gradStrides;
  args.grad_scale = 1;
  std::vector<double> scratch(static_cast<size_t>(kernel->scratch ? kernel->scratch(sizes) : 0) +
                              8);
  void *aligned =
      reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~63ull);
  EXPECT_EQ(entry(&args, 0, rows, aligned), -1);
  return result;
}

Result runSpace(const Space &space, const Genome &genome, Sign sign, const Batch &batch) {
  size_t count = batch.logits.size();
  std::vector<double> value(count), slope(count);
  space.evaluate(genome, batch.target.data(), batch.p.data(), count, value.data(), slope.data());
  Result result;
  double factor = sign == Sign::Negate ? -1 : 1;
  for (int64_t row = 0; row < batch.rows; ++row) {
    size_t begin = static_cast<size_t>(row * batch.classes);
    double sum = 0, mean = 0;
    for (int64_t k = 0; k < batch.classes; ++k) {
      sum += value[begin + k];
      mean += batch.p[begin + k] * slope[begin + k];
    }
    result.value.push_back(factor * sum);
    for (int64_t k = 0; k < batch.classes; ++k)
      result.gradient.push_back(factor * batch.p[begin + k] * (slope[begin + k] - mean));
  }
  return result;
}

/// Whether two results agree relative to the greatest number in them.
::testing::AssertionResult agree(const std::vector<double> &got,
                                 const std::vector<double> &expected, double tolerance) {
  double scale = 0;
  for (double v : expected)
    if (std::isfinite(v))
      scale = std::fmax(scale, std::fabs(v));
  for (size_t i = 0; i < got.size(); ++i)
    if (std::isfinite(expected[i]) ? !(std::fabs(got[i] - expected[i]) <= tolerance * scale)
                                   : std::isfinite(got[i]))
      return ::testing::AssertionFailure()
             << "at " << i << ": " << got[i] << ", not " << expected[i];
  return ::testing::AssertionSuccess();
}

/// Compiles the program and compares it with the space, for both kinds of targets.
void expectAgreement(Compiler &compiler, const GraphSpace &space, const Genome &genome, Sign sign,
                     const Batch &batch, double tolerance,
                     std::vector<uint32_t> targetKinds = {LOSS_TARGET_DENSE, LOSS_TARGET_INDEX}) {
  std::string program = space.emit(genome, {"candidate", sign, "a test"});
  Result expected = runSpace(space, genome, sign, batch);
  for (uint32_t targetKind : targetKinds) {
    std::unique_ptr<JitModule> code;
    try {
      code = compiler.compile(program, "candidate.loss",
                              KernelSelection::training(LOSS_F64, targetKind));
    } catch (const CompileError &error) {
      FAIL() << error.what() << program;
    }
    Result got = runCompiled(code->module(), batch, targetKind);
    expected.value.resize(got.value.size());
    expected.gradient.resize(got.gradient.size());
    EXPECT_TRUE(agree(got.value, expected.value, tolerance)) << targetKind << " value\n" << program;
    EXPECT_TRUE(agree(got.gradient, expected.gradient, 100 * tolerance))
        << targetKind << " gradient\n"
        << program;
  }
}
} // namespace

TEST(EmittedLoss, computesWhatTheScreenJudged) {
  GraphSpace space;
  Compiler compiler;
  Rng rng(21);
  const Batch batches[] = {Batch(2), Batch(5), Batch(17)};
  for (int compared = 0; compared < 150;) {
    Genome genome = space.sample(rng);
    Screened screened = screen(space, genome);
    if (screened.verdict == Verdict::Accepted)
      expectAgreement(compiler, space, genome, screened.sign, batches[compared++ % 3], 1e-9);
  }
}

TEST(EmittedLoss, eachOperation) {
  // f(yhat) (y + 1), and f(y, yhat) yhat^2.
  GraphSpace space;
  Compiler compiler;
  const Batch batch(7);
  for (int arity : {1, 2})
    for (int op = 0; op < graphOpCount(arity); ++op) {
      std::string id = std::to_string(op);
      std::string text = arity == 1
                             ? "n0=1:" + id + "(p) n1=2:0(y,1) n2=1:0(y) n3=1:0(y) r=2:2(n0,n1)"
                             : "n0=2:" + id + "(y,p) n1=1:22(p) n2=1:0(y) n3=1:0(y) r=2:2(n0,n1)";
      for (Sign sign : {Sign::Keep, Sign::Negate})
        expectAgreement(compiler, space, space.parse(text), sign, batch, 1e-11);
    }
}

TEST(EmittedLoss, kinks) {
  // Where y is 0, max(y yhat, -y yhat), min(y yhat, 0) and |y yhat| stand on their kinks.
  GraphSpace space;
  Compiler compiler;
  const Batch batch(5);
  for (const char *text : {"n0=2:2(y,p) n1=1:0(n0) n2=1:0(y) n3=1:0(y) r=2:3(n0,n1)",
                           "n0=2:2(y,p) n1=1:21(n0) n2=2:0(n1,p) n3=1:0(y) r=2:2(n2,n0)",
                           "n0=2:2(y,p) n1=1:4(n0) n2=1:17(n1) n3=1:0(y) r=2:2(n2,n0)"})
    expectAgreement(compiler, space, space.parse(text), Sign::Keep, batch, 1e-11);
  // With class indices the compiler knows that y is 0, so sqrt(y yhat) has no slope there; with a
  // dense target its slope is 0 times infinity.
  expectAgreement(compiler, space,
                  space.parse("n0=2:2(y,p) n1=1:23(n0) n2=1:0(y) n3=1:0(y) r=1:0(n1)"), Sign::Keep,
                  batch, 1e-11, {LOSS_TARGET_INDEX});
}
