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
  int64_t rows = 6, classes;
  std::vector<double> logits, target, p;

  explicit Batch(int64_t classes) : classes(classes) {
    Rng rng(static_cast<uint64_t>(classes));
    for (int64_t row = 0; row < rows; ++row) {
      double total = 0;
      for (int64_t k = 0; k < classes; ++k) {
        logits.push_back(6 * rng.uniform() - 3);
        total += std::exp(logits.back());
        // The last two rows have soft targets.
        target.push_back(row >= 4 ? 0.3 + 0.4 * rng.uniform() : k == row % classes);
      }
      for (int64_t k = 0; k < classes; ++k)
        p.push_back(std::exp(logits[static_cast<size_t>(row * classes + k)]) / total);
    }
  }
};

struct Result {
  std::vector<double> value, gradient;
};

Result runCompiled(const LossModule &module, const Batch &batch) {
  const LossKernel *kernel =
      loss_find_kernel(&module, LOSS_F64, LOSS_TARGET_DENSE, LOSS_VALUE_AND_GRAD);
  EXPECT_NE(kernel, nullptr);
  LossKernelFn entry = loss_kernel_entry(kernel, loss_cpu_level());
  Result result;
  result.value.resize(static_cast<size_t>(batch.rows));
  result.gradient.resize(batch.logits.size());
  const void *inputs[] = {batch.logits.data(), batch.target.data()};
  const int64_t strides[] = {batch.classes, batch.classes};
  void *grads[] = {result.gradient.data()};
  LossArgs args = {};
  args.classes = batch.classes;
  args.inputs = inputs;
  args.input_strides = strides;
  args.value = result.value.data();
  args.grads = grads;
  args.grad_strides = strides;
  args.grad_scale = 1;
  std::vector<double> scratch(kernel->scratch_rows * static_cast<size_t>(batch.classes) + 8);
  void *aligned =
      reinterpret_cast<void *>((reinterpret_cast<uintptr_t>(scratch.data()) + 63) & ~63ull);
  EXPECT_EQ(entry(&args, 0, batch.rows, aligned), -1);
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

KernelSelection denseF64() { return KernelSelection::training(LOSS_F64, LOSS_TARGET_DENSE); }
} // namespace

TEST(EmittedLoss, computesWhatTheScreenJudged) {
  GraphSpace space;
  Compiler compiler;
  Rng rng(21);
  const Batch batches[] = {Batch(2), Batch(5), Batch(17)};
  int compared = 0;
  while (compared < 150) {
    Genome genome = space.sample(rng);
    Screened screened = screen(space, genome);
    if (screened.verdict != Verdict::Accepted)
      continue;
    ++compared;
    std::string program = space.emit(genome, {"candidate", screened.sign, "a test"});
    std::unique_ptr<JitModule> code;
    try {
      code = compiler.compile(program, "candidate.loss", denseF64());
    } catch (const CompileError &error) {
      FAIL() << error.what() << program;
    }
    for (const Batch &batch : batches) {
      Result got = runCompiled(code->module(), batch);
      Result expected = runSpace(space, genome, screened.sign, batch);
      EXPECT_TRUE(agree(got.value, expected.value, 1e-9)) << "value\n" << program;
      EXPECT_TRUE(agree(got.gradient, expected.gradient, 1e-7)) << "gradient\n" << program;
    }
  }
}

TEST(EmittedLoss, eachOperationAlone) {
  // The program of every operation, on yhat or on (y, yhat), signed both ways.
  GraphSpace space;
  Compiler compiler;
  const Batch batch(7);
  for (int arity : {1, 2})
    for (int op = 0; op < graphOpCount(arity); ++op)
      for (Sign sign : {Sign::Keep, Sign::Negate}) {
        std::string node = std::to_string(arity) + ":" + std::to_string(op);
        // f(yhat) y, or f(y, yhat) itself.
        std::string text =
            arity == 1
                ? "n0=1:" + std::to_string(op) + "(p) n1=2:2(n0,y) n2=1:0(y) n3=1:0(y) r=2:0(n1,n0)"
                : "n0=" + node + "(y,p) n1=1:22(p) n2=1:0(y) n3=1:0(y) r=2:0(n0,n1)";
        Genome genome = space.parse(text);
        std::string program = space.emit(genome, {"candidate", sign, ""});
        std::unique_ptr<JitModule> code;
        try {
          code = compiler.compile(program, "candidate.loss", denseF64());
        } catch (const CompileError &error) {
          FAIL() << error.what() << program;
        }
        Result got = runCompiled(code->module(), batch);
        Result expected = runSpace(space, genome, sign, batch);
        EXPECT_TRUE(agree(got.value, expected.value, 1e-11)) << "value\n" << program;
        EXPECT_TRUE(agree(got.gradient, expected.gradient, 1e-9)) << "gradient\n" << program;
      }
}
