//===- Check.cpp - all that must agree about a loss -----------------------===//

#include "test/random/Check.h"

#include "compiler/Reference/Interpreter.h"
#include "lang/Parser.h"
#include "lang/Sema.h"
#include "test/random/Difference.h"
#include "test/random/Kernels.h"
#include "test/random/Programs.h"
#include "test/random/SecondOrder.h"

#include "llvm/ADT/SmallPtrSet.h"

#include <random>

using namespace loss::ir::reference;

namespace loss::stress {

const char *subjectName(Subject subject) {
  static const char *const names[subjects] = {"interpreter in double",
                                              "rewritten value",
                                              "rewritten gradient",
                                              "central differences",
                                              "LibTorch",
                                              "kernels",
                                              "unoptimised kernels",
                                              "kernels with options",
                                              "rewritten second derivatives",
                                              "central differences of the gradient",
                                              "LibTorch's second derivatives",
                                              "second-order kernels"};
  return names[unsigned(subject)];
}

namespace {

/// Whether the program computes something of constants alone. The compiler does so in f64.
bool computesOfConstants(ir::ProgramOp program) {
  llvm::SmallPtrSet<mlir::Value, 8> constants;
  bool any = false;
  for (mlir::Operation &op : program.getBody().front().without_terminator()) {
    bool isConstant = llvm::isa<mlir::arith::ConstantOp>(op);
    bool isFolded =
        !isConstant && op.getNumOperands() > 0 &&
        llvm::all_of(op.getOperands(), [&](mlir::Value v) { return constants.count(v); });
    if (isConstant || isFolded)
      constants.insert(op.getResult(0));
    any |= isFolded && !llvm::isa<ir::BroadcastOp, mlir::arith::NegFOp>(op);
  }
  return any;
}

} // namespace

struct Checker::Impl {
  explicit Impl(CheckOptions options) : options(std::move(options)) {}

  Verdict check(const std::string &text, uint64_t seed);
  Verdict checkData(const lang::Program &program, const std::string &text, const Data &data);
  std::string compareDifference(ir::ProgramOp written, const Data &data, const BoundedArray &value,
                                const std::vector<BoundedArray> &exact, bool &isSmooth);
  std::string compareKernels(const lang::Program &program, const Data &data,
                             const std::vector<BoundedArray> &exact,
                             const std::vector<BoundedArray> &rewritten);
  std::string compareOptions(const lang::Program &program, const std::string &text,
                             Flavour flavour);
  std::string compareTorch(const lang::Program &program, const Data &data,
                           const std::vector<BoundedArray> &exact);
  Tally &tally(Subject subject) { return tallies[unsigned(subject)]; }

  CheckOptions options;
  Laboratory writtenLab, optimisedLab;
  KernelRunner kernels;
  Programs written, optimised;
  std::optional<SecondOrder> second;
  SecondOrder::Tools secondOrderTools = {writtenLab, optimisedLab, kernels, options, tallies};
  Tallies tallies = {};
  uint64_t seed = 0;
};

Checker::Checker(CheckOptions options) : impl(std::make_unique<Impl>(std::move(options))) {}
Checker::~Checker() = default;
Verdict Checker::check(const std::string &text, uint64_t seed) { return impl->check(text, seed); }
const Tallies &Checker::tallies() const { return impl->tallies; }
void Checker::prepare() {
  // Autograd's threads would not be there in a forked process.
  TorchEvaluator torch = std::exchange(impl->options.torch, nullptr);
  impl->check("loss f(x: [batch, class], y: target [batch, class]) {\n"
              "  return -sum(y * log_softmax(x over class) over class)\n}\n",
              1);
  impl->options.torch = std::move(torch);
  impl->tallies = {};
}

Verdict Checker::Impl::check(const std::string &text, uint64_t chosen) {
  seed = chosen;
  lang::DiagnosticEngine diagnostics("random.loss");
  std::optional<lang::Program> program = lang::parseProgram(text, diagnostics);
  if (!program)
    return {lang::render(diagnostics.diagnostics(), text), true};
  written = {}, optimised = {};
  written = writtenLab.asWritten(*program);
  if (!written.gradient)
    return {"the program as written has no gradient: " + writtenLab.messages()};
  optimised = optimisedLab.optimised(*program);
  if (!optimised.gradient)
    return {"the passes failed: " + optimisedLab.messages()};
  kernels.setText(text);
  second.reset();
  if (seed % secondOrderShare == 1)
    second.emplace(secondOrderTools, *program, seed, computesOfConstants(written.value));
  for (Flavour flavour : {Flavour::Ordinary, Flavour::Extreme})
    if (Verdict verdict = checkData(*program, text, randomData(*program, seed, flavour));
        !verdict.failure.empty())
      return verdict;
  if (options.kernels && seed % 5 == 0)
    for (Flavour flavour : {Flavour::Ordinary, Flavour::Extreme})
      if (std::string failure = compareOptions(*program, text, flavour); !failure.empty())
        return {failure};
  return {};
}

Verdict Checker::Impl::checkData(const lang::Program &program, const std::string &text,
                                 const Data &data) {
  auto failed = [&](const std::string &failure) { return Verdict{failure + "\n" + data.text()}; };
  auto exactArguments = converted<Bounded>(data.arguments);
  // The gradient programs yield the value first, too.
  auto value = evaluateBounded(written.value, nearby(data.arguments), /*areRounded=*/false);
  auto exact = evaluateBounded(written.gradient, exactArguments, /*areRounded=*/true);
  auto rewritten = evaluateBounded(optimised.gradient, exactArguments, /*areRounded=*/true);
  auto plain = evaluate(written.gradient, data.arguments);
  if (mlir::failed(exact) || mlir::failed(value) || mlir::failed(rewritten) || mlir::failed(plain))
    return failed("the interpreter failed");

  const bool isFolded = computesOfConstants(written.value);
  for (size_t i = 0; i < exact->size(); ++i) {
    std::string what = i == 0 ? "value" : "gradient " + std::to_string(i);
    if (std::string failure = compareAll(what + " of the interpreter in double", (*plain)[i].data,
                                         (*exact)[i].data, F64, tally(Subject::Interpreter));
        !failure.empty())
      return failed(failure);
    if (std::string failure =
            compareExact(what + " after rewriting", (*rewritten)[i], (*exact)[i], isFolded,
                         tally(i == 0 ? Subject::Rewritten : Subject::RewrittenGrad));
        !failure.empty())
      return failed(failure + "\n" + optimised.text());
  }
  if (std::string failure = compareExact("value beside the gradient", exact->front(),
                                         value->front(), false, tally(Subject::Rewritten));
      !failure.empty())
    return failed(failure);

  bool isSmooth = false;
  if (std::string failure =
          compareDifference(written.value, data, value->front(), *exact, isSmooth);
      !failure.empty())
    return failed(failure);

  if (options.kernels)
    if (std::string failure = compareKernels(program, data, *exact, *rewritten); !failure.empty())
      return failed(failure);

  if (second)
    if (std::string failure = second->check(data, *exact); !failure.empty())
      return failed(failure);

  // LibTorch has other derivatives where there is none.
  if (options.torch && isSmooth)
    if (std::string failure = compareTorch(program, data, *exact); !failure.empty())
      return failed(failure);
  return {};
}

/// All arguments move, in one random direction.
std::string Checker::Impl::compareDifference(ir::ProgramOp program, const Data &data,
                                             const BoundedArray &value,
                                             const std::vector<BoundedArray> &exact,
                                             bool &isSmooth) {
  std::mt19937_64 random(seed);
  Line line;
  line.program = program, line.derivative = written.gradient;
  line.at = line.direction = data.arguments;
  for (unsigned i = 0; i < program.getNumArguments(); ++i) {
    Array &v = line.direction.find(program.getArgName(i).str())->second;
    for (size_t k = 0; k < v.data.size(); ++k) {
      v.data[k] = double(random() >> 11) * 0x1p-52 - 1;
      const Bounded &gradient = exact[i + 1].data[k];
      line.slope = line.slope + Real(v.data[k]) * gradient.value;
      line.slopeBound = line.slopeBound + Real(std::abs(v.data[k])) * Real(gradient.error[Exact]);
    }
  }
  line.number = [](const std::vector<RealArray> &results) {
    return total(llvm::ArrayRef<Real>(results.front().data));
  };
  for (const Bounded &element : value.data) {
    line.error = line.error + Real(element.error[Exact]);
    line.magnitude = line.magnitude + abs(element.value);
  }
  Difference difference =
      loss::stress::compareDifference("the gradient's slope", line, tally(Subject::Difference));
  isSmooth = difference.isSmooth;
  return difference.failure;
}

static unsigned modeOf(uint64_t dice) {
  return dice % 100 < 60   ? LOSS_VALUE_AND_ALL_GRADS
         : dice % 100 < 85 ? LOSS_VALUE_AND_GRAD
                           : LOSS_VALUE;
}

/// In f32 or f64 or both, and in one without optimisation.
std::string Checker::Impl::compareKernels(const lang::Program &program, const Data &data,
                                          const std::vector<BoundedArray> &exact,
                                          const std::vector<BoundedArray> &rewritten) {
  std::vector<BoundedArray> expected = boundsOfKernel(exact, rewritten);
  unsigned mode = modeOf(std::mt19937_64(seed)());
  // Compilation takes most of the time: not every program in every way.
  for (unsigned element : {LOSS_F32, LOSS_F64}) {
    if (seed % 4 != 0 && seed % 2 != element)
      continue;
    if (std::string failure = kernels.compare({element, mode, true}, program, data, {}, expected,
                                              seed, tally(Subject::Kernel));
        !failure.empty())
      return failure;
    if (seed % 8 < 2)
      if (std::string failure = kernels.compare({element, mode, false}, program, data, {}, exact,
                                                seed, tally(Subject::KernelAsWritten));
          !failure.empty())
        return failure;
  }
  return {};
}

/// A kernel with class weights and label smoothing (where the loss has a target) and weights of the
/// elements, against a program in which all these are written out. Rows of weight 0 hold NaN.
std::string Checker::Impl::compareOptions(const lang::Program &program, const std::string &text,
                                          Flavour flavour) {
  Data data = randomData(program, seed, flavour);
  bool hasTarget = llvm::any_of(program.inputs, [](const lang::ProgramInput &input) {
    return input.kind == lang::InputKind::Target;
  });
  std::mt19937_64 random(seed);
  unsigned mode = modeOf(random());
  KernelChoice choice = {random() % 2 ? LOSS_F32 : LOSS_F64, mode, random() % 4 != 0,
                         hasTarget ? LOSS_WITH_OPTIONS : LOSS_PLAIN};
  std::string failure;
  const LossModule *module = kernels.load(choice, program, data, failure);
  if (!module)
    return failure;

  CallOptions call = randomOptions(program, data, random());
  std::string spelled = withOptionsWritten(text, program, module->class_weighting);
  lang::DiagnosticEngine diagnostics("options.loss");
  std::optional<lang::Program> explicitly = lang::parseProgram(spelled, diagnostics);
  if (!explicitly)
    return "the options cannot be written out: " + lang::render(diagnostics) + spelled;
  Data all = withOptionsWritten(data, program, call);
  auto evaluated = [&](const Programs &programs) {
    auto results = evaluateBounded(programs.gradient, converted<Bounded>(all.arguments),
                                   /*areRounded=*/true);
    if (mlir::failed(results))
      return std::vector<BoundedArray>();
    // Nobody asks for the gradients by the options.
    auto first = results->begin() + 1 + program.inputs.size();
    results->erase(first, first + writtenOptions);
    return std::move(*results);
  };
  Programs asWritten = writtenLab.asWritten(*explicitly);
  Programs rewritten = optimisedLab.optimised(*explicitly);
  if (!asWritten.gradient || !rewritten.gradient)
    return "no gradient with the options written out: " + optimisedLab.messages() + spelled;
  std::vector<BoundedArray> expected = evaluated(asWritten);
  if (choice.optimised)
    expected = boundsOfKernel(std::move(expected), evaluated(rewritten));
  failure =
      kernels.compare(choice, program, data, call, expected, seed, tally(Subject::KernelOptions));
  if (failure.empty() && second) {
    // Where there is nothing further, the kernels of all arguments are those of the inputs.
    bool hasFurther = module->param_count > 0;
    for (uint32_t i = 0; i < module->input_count; ++i)
      hasFurther |= !module->inputs[i].has_gradient &&
                    (module->inputs[i].kind != LOSS_INPUT_TARGET || data.classes.empty());
    choice.mode = hasFurther ? LOSS_TANGENT_ALL : LOSS_TANGENT;
    choice.optimised = true;
    SecondOrder order(secondOrderTools, *explicitly, seed, computesOfConstants(asWritten.value),
                      writtenOptions);
    call.weights.clear();
    all = withOptionsWritten(data, program, call);
    failure = order.checkOptions(all, {program, data, call, choice});
  }
  return failure.empty() ? failure : failure + "\n" + all.text() + spelled;
}

/// It is not defined where our own interpreter is not.
std::string Checker::Impl::compareTorch(const lang::Program &program, const Data &data,
                                        const std::vector<BoundedArray> &exact) {
  auto theirs = options.torch(program, data, nullptr);
  if (!theirs)
    return {};
  if (theirs->size() != exact.size())
    return "LibTorch: another number of results";
  for (size_t i = 0; i < exact.size(); ++i) {
    std::string what = i == 0 ? "LibTorch's value" : "LibTorch's gradient " + std::to_string(i);
    if (std::string failure =
            compareTorchs(what, (*theirs)[i], exact[i].data, i > 0, tally(Subject::Torch));
        !failure.empty())
      return failure;
  }
  return {};
}

} // namespace loss::stress
