#include "test/random/Generator.h"

#include "lang/Builtins.h"
#include "lang/Sema.h"

#include "gtest/gtest.h"

#include <set>

using namespace loss::lang;
using loss::stress::randomProgram;

namespace {

TEST(Generator, IsDeterministic) {
  EXPECT_EQ(randomProgram(7), randomProgram(7));
  EXPECT_NE(randomProgram(7), randomProgram(8));
}

/// Every text is a loss, and together they use the whole language.
TEST(Generator, WritesLossesThatUseEverything) {
  std::set<Op> used;
  std::set<size_t> axes;
  bool copies = false, targets = false, fixed = false, params = false, calls = false;
  for (uint64_t seed = 1; seed <= 1500; ++seed) {
    std::string text = randomProgram(seed);
    DiagnosticEngine diagnostics("random.loss");
    std::optional<Program> program = parseProgram(text, diagnostics);
    ASSERT_TRUE(program) << "seed " << seed << "\n" << render(diagnostics) << text;
    for (const Node &node : program->nodes)
      used.insert(node.op);
    axes.insert(program->axes.size());
    for (int original : program->copyOf)
      copies |= original >= 0;
    for (const ProgramInput &input : program->inputs) {
      targets |= input.kind == InputKind::Target;
      fixed |= input.kind == InputKind::Fixed;
    }
    params |= !program->params.empty();
    calls |= !program->calls.empty();
  }
  for (const Builtin &builtin : builtins())
    EXPECT_TRUE(used.count(builtin.op)) << builtin.name;
  for (Op op : {Op::Neg, Op::Not, Op::Add, Op::Sub, Op::Mul, Op::Div, Op::Less, Op::LessEqual,
                Op::Greater, Op::GreaterEqual, Op::Equal, Op::NotEqual, Op::And, Op::Or, Op::Select,
                Op::Rename, Op::Broadcast, Op::CustomGradient})
    EXPECT_TRUE(used.count(op)) << opName(op);
  EXPECT_TRUE(copies && targets && fixed && params && calls);
  EXPECT_GE(axes.size(), 4u);
}

} // namespace
