//===- GradientTextTest.cpp - lossc grad writes the gradient that it derives =//
//
// The printed program is compiled again and interpreted: its value is the gradient that automatic
// differentiation gives.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Evaluator.h"
#include "test/Paths.h"

#include "gtest/gtest.h"

#include <cmath>
#include <filesystem>

using namespace loss;
using Array = Evaluator::Array;
using Arguments = Evaluator::Arguments;

namespace {

SourceFile sourceOf(const std::string &text) { return {"test.loss", "", text}; }

/// The gradient as text, or nothing and why.
std::string gradientOf(PipelineContext &context, const SourceFile &source, const std::string &wrt,
                       std::string &why) {
  PipelineOptions options;
  options.stopAfter = Phase::Simplify;
  Compilation compilation = context.compile(source.text, source.name, options, false);
  std::optional<std::string> text = gradientText(compilation, wrt);
  why = lang::render(compilation.diagnostics);
  return text.value_or("");
}

/// Compares the gradients of a loss for all inputs and parameters; returns how many there were.
int compareAll(const SourceFile &source) {
  PipelineContext context;
  std::unique_ptr<Evaluator> loss = Evaluator::create(source, {}, context);
  if (!loss)
    return 0;
  std::optional<Arguments> point = loss->findPoint();
  std::optional<Arguments> gradients = point ? loss->gradients(*point) : std::nullopt;
  if (!gradients)
    return 0;
  int compared = 0;
  for (const auto &[name, expected] : *gradients) {
    std::string why, text = gradientOf(context, source, name, why);
    if (text.empty()) {
      // Derivatives may need a function that the language lacks; that is said.
      EXPECT_NE(why.find("has no name in the language"), std::string::npos)
          << source.name << ", " << name << ": " << why;
      continue;
    }
    SourceFile written = {source.name, "", text};
    std::unique_ptr<Evaluator> program = Evaluator::create(written, {}, context);
    EXPECT_TRUE(program) << text;
    if (!program)
      continue;
    std::optional<Array> found = program->result(*point);
    EXPECT_TRUE(found) << text;
    if (!found)
      continue;
    EXPECT_EQ(found->axes, expected.axes) << text;
    EXPECT_EQ(found->data.size(), expected.data.size()) << text;
    // The same formula, perhaps summed in another order: some ulps of the greatest element.
    double greatest = 1;
    for (double x : expected.data)
      if (std::isfinite(x))
        greatest = std::max(greatest, std::abs(x));
    for (size_t i = 0; i < expected.data.size() && i < found->data.size(); ++i)
      if (std::isfinite(expected.data[i]))
        EXPECT_NEAR(found->data[i], expected.data[i], 1e-10 * greatest)
            << source.name << ", " << name << " element " << i << "\n"
            << text;
    ++compared;
  }
  return compared;
}

TEST(GradientText, EqualsTheGradientForEveryLibraryLoss) {
  int compared = 0, losses = 0;
  for (const auto &entry : std::filesystem::directory_iterator(LOSSLANG_SOURCE_ROOT "/stdlib")) {
    if (entry.path().extension() != ".loss")
      continue;
    int exitCode = 0;
    std::optional<SourceFile> source = readSource(entry.path().string(), exitCode);
    ASSERT_TRUE(source);
    int count = compareAll(*source);
    losses += count > 0;
    compared += count;
  }
  EXPECT_GE(losses, 10);
  EXPECT_GE(compared, 2 * losses);
}

TEST(GradientText, PutsAxesBack) {
  // Each gradient lacks an axis that the input has.
  EXPECT_GT(compareAll(sourceOf("loss f(x: [batch, class], w: [class]) {"
                                "  return sum(x + w over class) }")),
            1);
  EXPECT_GT(compareAll(sourceOf("loss f(x: [batch, class], y: target [batch, class]) {"
                                "  return sum(x * y over class) + sum(y over class) }")),
            1);
}

TEST(GradientText, WritesRenamedAxesAndCumulativeSums) {
  EXPECT_GT(compareAll(sourceOf("loss f(a: [batch, dim], b: [batch, dim]) {"
                                "  axis other = batch"
                                "  let s = sum(a * b[batch -> other] over dim)"
                                "  return logsumexp(s over other) - sum(a * b over dim) }")),
            1);
  EXPECT_GT(compareAll(sourceOf("loss f(x: [batch, class], k: fixed [batch, class]) {"
                                "  return sum(cumsum(x^2 over class by k) * x over class) }")),
            1);
  EXPECT_GT(compareAll(sourceOf(
                "loss f(x: [batch, class], k: fixed [batch, class]) {"
                "  let in_order = logcumsumexp(2 * x over class)"
                "  return sum(logcumsumexp(x over class by k) * x - in_order over class) }")),
            1);
}

TEST(GradientText, WritesMaximaConditionsAndNorms) {
  EXPECT_GT(compareAll(sourceOf("loss f(x: [batch, class], t: fixed [batch, class], param k = 2) {"
                                "  let m = max(x over class)"
                                "  let h = if x > t and not (x == 0) then x^k else abs(x)"
                                "  return norm(h over class) * m / size(class)"
                                "         + sum(h * index(class) over class) }")),
            1);
}

} // namespace
