//===- CoverageTest.cpp - every builtin in every layer --------------------===//
//
// The coverage matrix. A row is a builtin of lang/Builtins.def, a column (a cell of the row) a
// layer of the compiler, and each cell is a check that runs: a builtin that a layer lacks fails the
// cell of that name. A second matrix does the same for the operations of the loss dialect.
//
//===----------------------------------------------------------------------===//

#include "Call.h"
#include "Oracle.h"

#include "compiler/Autodiff/Rules.h"
#include "compiler/Export/Latex.h"
#include "compiler/MLIRGen/MLIRGen.h"
#include "compiler/Pipeline/Pipeline.h"
#include "lang/AstPrinter.h"
#include "lang/Builtins.h"
#include "lang/Parser.h"
#include "test/Paths.h"

#include "mlir/IR/Diagnostics.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Parser/Parser.h"
#include "llvm/ADT/StringSet.h"

#include <cmath>
#include <fstream>
#include <iterator>
#include <set>

using namespace loss;
using namespace loss::test;
using lang::Builtin;
using lang::BuiltinKind;

namespace {

constexpr int64_t kRowCount = 2, kClassCount = 5;

/// A builtin as the only function of a loss of x and w, and where to look at it.
struct Subject {
  const Builtin *builtin;

  std::string name() const { return std::string(builtin->name); }

  /// The call, of elements of x and of w, which is positive.
  std::string call() const {
    switch (builtin->kind) {
    case BuiltinKind::Unary:
      return name() + "(x)";
    case BuiltinKind::Binary:
      return name() + "(x, w)";
    case BuiltinKind::Ternary:
      return name() + "(x, w - 1.5, w - 0.25)";
    case BuiltinKind::Reduction:
      return name() + "(x * w over class)";
    case BuiltinKind::Axiswise:
      return name() + "(x * w over class)";
    case BuiltinKind::Query:
      return name() + "(class)";
    }
    return "";
  }

  std::string text() const {
    std::string body = call();
    if (builtin->kind != BuiltinKind::Reduction)
      body = "sum(" + std::string(builtin->kind == BuiltinKind::Query ? "x * " : "") + "w * " +
             body + " over class)";
    return "loss f(x: [batch, class], w: [batch, class]) {\n  return " + body + "\n}\n";
  }

  /// Elements of x in the domain of Builtins.def, away from jumps and kinks, exact in f32.
  Matrix x() const {
    std::string_view domain = builtin->domain;
    if (domain.starts_with("-1 <"))
      return {-0.625, 0.375, -0.875, 0.25, 0.75, -0.1875, 0.125, 0.5625, -0.4375, 0.6875};
    if (domain.starts_with("x >= 1"))
      return {1.25, 2.75, 1.875, 3.375, 1.625, 1.125, 9.25, 1.0625, 2.125, 5.1875};
    if (domain.starts_with("x <"))
      return {-0.3125, -1.6875, -0.875, -2.375, -0.625, -1.1875, -0.1875, -4.25, -7.125, -0.75};
    if (domain.starts_with("x >"))
      return {0.3125, 1.6875, 0.875, 2.375, 0.625, 1.1875, 0.1875, 4.25, 7.125, 0.75};
    return {-0.625, 1.375, -2.1875, 0.3125, 0.8125, -1.1875, 2.375, -0.3125, 0.1875, -1.8125};
  }

  Matrix w() const {
    return {1.125, 0.4375, 2.3125, 0.6875, 1.3125, 0.25, 0.9375, 1.75, 0.5625, 1.4375};
  }

  /// The derivative is 0 by rule: a whole number of steps, or by decree.
  bool isConstant() const {
    static const std::set<std::string_view> names = {"sign",          "floor", "ceil",   "round",
                                                     "stop_gradient", "rank",  "argmax", "argmin"};
    return names.contains(builtin->name);
  }
};

std::ostream &operator<<(std::ostream &out, const Subject &subject) {
  return out << subject.name() << (worksOverAxis(subject.builtin->kind) ? " over an axis" : "");
}

std::vector<Subject> allSubjects() {
  std::vector<Subject> subjects;
  for (const Builtin &builtin : lang::builtins())
    subjects.push_back({&builtin});
  return subjects;
}

Compilation compileTo(PipelineContext &context, const std::string &text, Phase phase,
                      uint32_t furtherModes = 0) {
  PipelineOptions options;
  options.selection.modes |= furtherModes;
  options.stopAfter = phase;
  options.selection.elements = 1u << LOSS_F64;
  return context.compile(text, "test.loss", options, false);
}

std::string failureOf(const Compilation &compilation, const std::string &text) {
  return lang::render(compilation.diagnostics.diagnostics(), text) + compilation.failure;
}

std::string printed(mlir::Operation *op) {
  std::string text;
  llvm::raw_string_ostream stream(text);
  op->print(stream);
  return text;
}

/// Whether the verifier notices a result of integers in place of numbers.
bool rejectsIntegers(mlir::Operation *op) {
  mlir::Value result = op->getResult(0);
  mlir::Type type = result.getType();
  mlir::Type integer = mlir::IntegerType::get(op->getContext(), 17);
  result.setType(ir::typeWithAxes(integer, ir::axesOf(type)));
  mlir::ScopedDiagnosticHandler quiet(op->getContext(),
                                      [](mlir::Diagnostic &) { return mlir::success(); });
  bool rejected = failed(mlir::verify(op));
  result.setType(type);
  return rejected;
}

class Coverage : public ::testing::TestWithParam<Subject> {
protected:
  const Subject &subject() const { return GetParam(); }

  /// The message of a cell that is missing.
  std::string missing(const std::string &layer) const {
    return "'" + subject().name() + "' (" + subject().call() + ") is missing in " + layer;
  }

  std::vector<Matrix> inputs() const { return {subject().x(), subject().w()}; }
};

TEST_P(Coverage, GrammarAndSema) {
  lang::DiagnosticEngine diagnostics("test.loss");
  auto program = lang::parseProgram(subject().text(), diagnostics);
  ASSERT_TRUE(program) << missing("the grammar or the semantic analysis") << "\n"
                       << lang::render(diagnostics.diagnostics(), subject().text());
  unsigned found = 0;
  for (const lang::Node &node : program->nodes)
    found += node.op == subject().builtin->op;
  EXPECT_EQ(found, 1u) << missing("the typed program") << "\n" << lang::dump(*program);
  EXPECT_NE(lang::dump(*program).find(lang::opName(subject().builtin->op)), std::string::npos)
      << missing("the dump of typed programs");
}

TEST_P(Coverage, Printer) {
  auto parse = [](const std::string &text) {
    lang::DiagnosticEngine diagnostics("test.loss");
    return lang::parse(text, diagnostics);
  };
  std::string text = lang::print(parse(subject().text()));
  EXPECT_NE(text.find(subject().call()), std::string::npos) << missing("the printer") << "\n"
                                                            << text;
  EXPECT_EQ(lang::print(parse(text)), text) << missing("the printer: not read as printed");
}

TEST_P(Coverage, LaTeX) {
  bool overAxis = worksOverAxis(subject().builtin->kind);
  if (subject().builtin->kind != BuiltinKind::Query)
    EXPECT_TRUE(hasLatex(subject().builtin->name, overAxis))
        << missing("compiler/Export/LatexTable.def");
  auto formula = [](const std::string &text) {
    lang::DiagnosticEngine diagnostics("test.loss");
    return latexFormula(lang::parse(text, diagnostics));
  };
  std::string text = subject().text(), plain = text;
  plain.replace(plain.find(subject().call()), subject().call().size(), "x");
  EXPECT_NE(formula(text), formula(plain)) << missing("LaTeX");
}

/// A row of a table, or a numbered rule, of the section on functions.
TEST_P(Coverage, Specification) {
  std::ifstream file(LOSSLANG_SOURCE_ROOT "/docs/language.md");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  size_t begin = text.find("\n## 6. Builtin functions"), end = text.find("\n## 7. ");
  ASSERT_NE(begin, std::string::npos);
  std::string section = text.substr(begin, end - begin);
  // A row: "| `name(x)`, ... | meaning | domain |".
  bool found = false;
  for (size_t at = section.find("\n|"); at != std::string::npos; at = section.find("\n|", at + 1)) {
    std::string row = section.substr(at + 1, section.find('\n', at + 1) - at - 1);
    std::string head = row.substr(0, row.find(" | "));
    bool overAxis = worksOverAxis(subject().builtin->kind);
    size_t name = head.find("`" + subject().name() + "(");
    if (name == std::string::npos)
      continue;
    std::string form = head.substr(name, head.find('`', name + 1) - name);
    found |= (form.find(" over ") != std::string::npos) == overAxis;
  }
  EXPECT_TRUE(found) << missing("the tables of docs/language.md, section 6");
}

TEST_P(Coverage, MLIRGen) {
  PipelineContext context;
  Compilation compilation = compileTo(context, subject().text(), Phase::Loss);
  ASSERT_TRUE(compilation.succeeded()) << missing("MLIRGen") << "\n"
                                       << failureOf(compilation, subject().text());
  Compilation without = compileTo(
      context, "loss f(x: [batch, class], w: [batch, class]) { return sum(w over class) }",
      Phase::Loss);
  auto count = [](const Compilation &c) {
    size_t operations = 0;
    c.module.get()->walk([&](mlir::Operation *) { ++operations; });
    return operations;
  };
  EXPECT_GT(count(compilation), count(without)) << missing("MLIRGen: no operation");
  EXPECT_TRUE(succeeded(mlir::verify(*compilation.module)));
}

/// Each operation that the builtin becomes is checked: a result of integers is noticed.
TEST_P(Coverage, Verifier) {
  PipelineContext context;
  Compilation compilation = compileTo(context, subject().text(), Phase::Loss);
  ASSERT_TRUE(compilation.succeeded());
  compilation.module.get()->walk([&](mlir::Operation *op) {
    if (op->getNumResults() == 1)
      EXPECT_TRUE(rejectsIntegers(op)) << missing("the verifier of " + printed(op));
  });
}

/// The text of the differentiated program gives the same program again.
TEST_P(Coverage, DialectSyntax) {
  PipelineContext context;
  Compilation compilation = compileTo(context, subject().text(), Phase::Differentiate);
  ASSERT_TRUE(compilation.succeeded()) << failureOf(compilation, subject().text());
  std::string text = printed(*compilation.module);
  auto again =
      mlir::parseSourceString<mlir::ModuleOp>(text, compilation.module.get()->getContext());
  ASSERT_TRUE(again) << missing("the syntax of the dialect") << "\n" << text;
  EXPECT_EQ(printed(*again), text);
}

TEST_P(Coverage, Interpreter) {
  Oracle oracle(subject().text());
  std::vector<double> value = oracle.asWritten(kRowCount, kClassCount, inputs());
  ASSERT_EQ(value.size(), size_t(kRowCount));
  for (double v : value)
    EXPECT_TRUE(std::isfinite(v)) << missing("the interpreter: no number in its domain");
}

/// [LANG-7.1]; positions of a NaN are as good as any.
TEST_P(Coverage, NaNIsNotHidden) {
  static const std::set<std::string_view> positions = {"argmax", "argmin", "rank", "size", "index"};
  if (positions.contains(subject().builtin->name))
    return;
  Oracle oracle(subject().text());
  std::vector<Matrix> poisoned = inputs();
  poisoned[0][1] = std::nan("");
  std::vector<double> value = oracle.asWritten(kRowCount, kClassCount, poisoned);
  EXPECT_TRUE(std::isnan(value[0])) << subject().call();
  EXPECT_TRUE(std::isfinite(value[1])) << subject().call();
}

/// Central differences of the interpreter's value; 0 where the derivative is 0 by rule.
TEST_P(Coverage, DerivativeTable) {
  PipelineContext context;
  Compilation compilation = compileTo(context, subject().text(), Phase::Differentiate);
  ASSERT_TRUE(compilation.succeeded()) << missing("the table of derivatives") << "\n"
                                       << failureOf(compilation, subject().text());
  Oracle oracle(subject().text());
  Expected expected = oracle.evaluate(kRowCount, kClassCount, inputs());
  ASSERT_GE(expected.grads.size(), 1u);
  for (int64_t k = 0; k < kRowCount * kClassCount; ++k) {
    constexpr double h = 0x1p-12;
    double difference = 0;
    for (auto [step, weight] : {std::pair(h, 8.0), {-h, -8.0}, {2 * h, -1.0}, {-2 * h, 1.0}}) {
      std::vector<Matrix> shifted = inputs();
      shifted[0][k] += step;
      difference +=
          weight / (12 * h) * oracle.asWritten(kRowCount, kClassCount, shifted)[k / kClassCount];
    }
    // h^4 times the fifth derivative, and rounding over h.
    if (subject().isConstant())
      EXPECT_EQ(expected.grads[0][k], 0) << missing("the table of derivatives");
    else
      EXPECT_NEAR(expected.grads[0][k], difference, 1e-6 * (1 + std::abs(difference)))
          << missing("the table of derivatives") << ", element " << k;
  }
}

template <typename T>
void expectSameAsInterpreter(const Subject &subject, const LossModule &module, int level) {
  Oracle oracle(subject.text());
  std::vector<Matrix> inputs = {subject.x(), subject.w()};
  Expected expected = oracle.evaluate(kRowCount, kClassCount, inputs);
  Call<T> call(module, kRowCount, kClassCount);
  for (size_t i = 0; i < inputs.size(); ++i)
    for (int64_t k = 0; k < kRowCount * kClassCount; ++k)
      call.inputs[i](k / kClassCount, k % kClassCount) = T(inputs[i][k]);
  call.run(LOSS_TARGET_NONE, LOSS_VALUE_AND_GRAD);
  std::string where = subject.call() + (sizeof(T) == 4 ? " in f32" : " in f64") + " on x86-64-v" +
                      std::to_string(level + 2);
  // Terms of moderate size, each within ten units in the last place, and derivatives of up to ten
  // operations.
  double bound = 200 * std::numeric_limits<T>::epsilon();
  for (int64_t row = 0; row < kRowCount; ++row)
    EXPECT_NEAR(call.value[row], expected.value[row], bound * (1 + std::abs(expected.value[row])))
        << where;
  ASSERT_EQ(call.grads.size(), expected.grads.size());
  for (size_t g = 0; g < expected.grads.size(); ++g)
    for (int64_t k = 0; k < kRowCount * kClassCount; ++k)
      EXPECT_NEAR(call.grads[g](k / kClassCount, k % kClassCount), expected.grads[g][k],
                  bound * (1 + std::abs(expected.grads[g][k])))
          << where << ", gradient " << g;
}

TEST_P(Coverage, VectorCode) {
  for (int level : hostLevels()) {
    Compiler compiler;
    std::unique_ptr<JitModule> module;
    try {
      module = compiler.compile(subject().text(), "test.loss", atLevel(level));
    } catch (const CompileError &error) {
      FAIL() << missing("the vector code") << "\n" << error.what();
    }
    expectSameAsInterpreter<double>(subject(), module->module(), level);
    expectSameAsInterpreter<float>(subject(), module->module(), level);
  }
}

/// The second-order kernel along a direction, against differences of the interpreter's gradient.
TEST_P(Coverage, SecondOrder) {
  Compiler compiler;
  KernelSelection selection = atLevel(loss_cpu_level());
  selection.modes = 1u << LOSS_TANGENT;
  auto module = compiler.compile(subject().text(), "test.loss", selection);
  Call<double> call(module->module(), kRowCount, kClassCount);
  std::vector<Matrix> direction(2, Matrix(kRowCount * kClassCount));
  for (size_t i = 0; i < 2; ++i)
    for (int64_t k = 0; k < kRowCount * kClassCount; ++k) {
      direction[i][k] = 0.5 - 0.125 * double((3 * k + int64_t(i)) % 7);
      call.inputs[i](k / kClassCount, k % kClassCount) = inputs()[i][k];
      call.tangents[i](k / kClassCount, k % kClassCount) = direction[i][k];
    }
  call.run(LOSS_TARGET_NONE, LOSS_TANGENT);

  Oracle oracle(subject().text());
  auto along = [&](double step) {
    std::vector<Matrix> shifted = inputs();
    // By decree what stop_gradient gives does not move.
    for (size_t i = subject().name() == "stop_gradient"; i < 2; ++i)
      for (size_t k = 0; k < shifted[i].size(); ++k)
        shifted[i][k] += step * direction[i][k];
    return oracle.evaluate(kRowCount, kClassCount, shifted);
  };
  constexpr double h = 0x1p-12;
  Expected at = along(0), up = along(h), down = along(-h), up2 = along(2 * h),
           down2 = along(-2 * h);
  for (int64_t row = 0; row < kRowCount; ++row) {
    double derivative = 0;
    for (size_t i = 0; i < 2; ++i)
      for (int64_t k = row * kClassCount; k < (row + 1) * kClassCount; ++k)
        derivative += at.grads[i][k] * direction[i][k];
    EXPECT_NEAR(call.value[row], derivative, 1e-11 * (1 + std::abs(derivative)))
        << missing("the second order: derivative along a direction");
  }
  for (size_t i = 0; i < 2; ++i)
    for (int64_t k = 0; k < kRowCount * kClassCount; ++k) {
      double difference =
          (8 * (up.grads[i][k] - down.grads[i][k]) - (up2.grads[i][k] - down2.grads[i][k])) /
          (12 * h);
      EXPECT_NEAR(call.grads[i](k / kClassCount, k % kClassCount), difference,
                  1e-6 * (1 + std::abs(difference)))
          << missing("the second order") << ", gradient " << i << ", element " << k;
    }
}

INSTANTIATE_TEST_SUITE_P(Builtins, Coverage, ::testing::ValuesIn(allSubjects()), [](auto &info) {
  return std::string(lang::opName(info.param.builtin->op)) +
         (info.param.builtin->kind == BuiltinKind::Query ? "_query" : "");
});

//===----------------------------------------------------------------------===//
// Operations of the dialect
//===----------------------------------------------------------------------===//

/// What the language has besides builtins.
const char *const kConstructs[] = {
    "loss f(x: [batch, class], y: target [batch, class], param k = 2) {\n"
    "  let a = -x + k * x / (1 + x^2) - 0.5\n"
    "  let b = if x > 0 and not (x == 1) or x <= -1 then a else x\n"
    "  return -sum(y * log_softmax(b over class) over class) - sum(b * y over class)\n}\n",
    "loss f(x: [batch, class], z: [batch, class]) {\n"
    "  axis other = batch\n"
    "  let s = sum(x * z[batch -> other] over class)\n"
    "  return logsumexp(s over other) - sum(x * z over class)\n}\n",
    "fn clipped(x) = min(x, 1)\n  derivative x = 1\n"
    "loss f(x: [batch, class]) { return sum(clipped(x) * size(class) over class) }\n",
    "loss f(x: [batch, class], y: [batch, class]) {\n"
    "  return sum(x * cumsum(x over class by y) over class)\n}\n",
};

/// Operations of the loss dialect inside programs.
void addOperations(mlir::Operation *root, llvm::StringSet<> &names) {
  root->walk([&](ir::ProgramOp program) {
    program.walk([&](mlir::Operation *op) { names.insert(op->getName().getStringRef()); });
  });
}

/// Operations of a kernel, which no program contains.
bool isBelowPrograms(llvm::StringRef name) {
  static const llvm::StringSet<> names = {"loss.kernel",   "loss.kernel_return", "loss.scratch",
                                          "loss.load",     "loss.phase",         "loss.phase_yield",
                                          "loss.is_class", "loss.scan"};
  return names.contains(name);
}

/// Each operation of the dialect is made from some text of the language, on the way to a kernel; so
/// what the rows of the first matrix say holds for every operation.
TEST(OperationCoverage, EveryOperationComesFromTheLanguage) {
  llvm::StringSet<> seen;
  std::vector<std::string> texts(std::begin(kConstructs), std::end(kConstructs));
  for (const Subject &subject : allSubjects())
    texts.push_back(subject.text());
  PipelineContext context;
  for (const std::string &text : texts)
    for (Phase phase : {Phase::Loss, Phase::Differentiate, Phase::Specialise}) {
      Compilation compilation = compileTo(context, text, phase, 1u << LOSS_TANGENT);
      ASSERT_TRUE(compilation.succeeded()) << failureOf(compilation, text);
      addOperations(*compilation.module, seen);
    }
  mlir::MLIRContext dialects(mlir::MLIRContext::Threading::DISABLED);
  dialects.loadDialect<ir::LossDialect>();
  unsigned count = 0;
  for (mlir::RegisteredOperationName name : dialects.getRegisteredOperations()) {
    if (name.getDialectNamespace() != "loss" || isBelowPrograms(name.getStringRef()))
      continue;
    ++count;
    EXPECT_TRUE(seen.contains(name.getStringRef()))
        << "no text of the language becomes '" << name.getStringRef().str() << "'";
  }
  EXPECT_GT(count, 25u);
}

/// Every operation of numbers that a program can hold has a row in the table of derivatives, or is
/// known to have none.
TEST(OperationCoverage, EveryOperationHasADerivative) {
  // No real operand, or a derivative of a special function that the language cannot name.
  static const llvm::StringSet<> without = {"loss.program",   "loss.yield",   "loss.axis_size",
                                            "loss.position",  "loss.one_hot", "loss.pentagamma",
                                            "arith.constant", "arith.cmpf",   "arith.andi",
                                            "arith.ori",      "arith.xori"};
  PipelineContext context;
  std::vector<std::string> texts(std::begin(kConstructs), std::end(kConstructs));
  for (const Subject &subject : allSubjects())
    texts.push_back(subject.text());
  for (const std::string &text : texts) {
    Compilation compilation = compileTo(context, text, Phase::Differentiate, 1u << LOSS_TANGENT);
    ASSERT_TRUE(compilation.succeeded()) << failureOf(compilation, text);
    compilation.module.get()->walk([&](ir::ProgramOp program) {
      program.walk([&](mlir::Operation *op) {
        bool hasRule = !ir::autodiff::derivativeRule(op).empty();
        EXPECT_NE(hasRule, without.contains(op->getName().getStringRef())) << printed(op);
      });
    });
  }
}

} // namespace
