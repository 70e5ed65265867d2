#include "test/random/Reduce.h"

#include "lang/Sema.h"

#include "gtest/gtest.h"

using namespace loss::lang;

namespace {

bool hasOp(const std::string &text, Op op) {
  DiagnosticEngine diagnostics("reduced.loss");
  std::optional<Program> program = parseProgram(text, diagnostics);
  if (!program)
    return false;
  for (const Node &node : program->nodes)
    if (node.op == op)
      return true;
  return false;
}

TEST(Reduce, KeepsOnlyWhatMatters) {
  std::string text = R"(
fn helper(a, b) = a * tanh(b)
loss f(
  x: [batch, class, position],
  z: [batch],
  y: target over class [batch, class, position],
  param alpha = 2
) {
  axis other = batch
  let v0 = helper(x, z) + alpha
  let v1 = sum(x[batch -> other] over other)
  let v2 = erf(v0) - v1
  let v3 = if v2 > 0 then v2 else y
  return sum(v3 over class, position) + z
}
)";
  ASSERT_TRUE(hasOp(text, Op::erf));
  std::string smaller = loss::stress::reduce(
      text, [](const std::string &candidate) { return hasOp(candidate, Op::erf); });
  EXPECT_TRUE(hasOp(smaller, Op::erf));
  EXPECT_LT(smaller.size(), 80u) << smaller;
}

TEST(Reduce, LeavesWhatCannotBeSmaller) {
  std::string text = "loss f(x: [batch]) {\n  return x\n}\n";
  EXPECT_EQ(
      loss::stress::reduce(text, [&](const std::string &candidate) { return candidate == text; }),
      text);
}

} // namespace
