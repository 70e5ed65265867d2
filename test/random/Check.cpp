//===- Check.cpp - all that must agree about a loss -----------------------===//

#include "test/random/Check.h"

#include "compiler/Reference/BasicInterpreter.h"
#include "lang/Parser.h"
#include "lang/Sema.h"
#include "test/random/Compare.h"
#include "test/random/Kernels.h"
#include "test/random/Programs.h"

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
                                              "kernels with options"};
  return names[unsigned(subject)];
}

namespace {

template <typename S> BasicArguments<S> converted(const Arguments &arguments) {
  BasicArguments<S> result;
  for (const auto &[name, array] : arguments)
    result.emplace(name, BasicArray<S>(array.axes, array.sizes,
                                       std::vector<S>(array.data.begin(), array.data.end())));
  return result;
}

/// The same where numbers are not so round: what rounding does there, and what jumps.
BasicArguments<Bounded> nearby(const Arguments &arguments) {
  auto result = converted<Bounded>(arguments);
  for (auto &[name, array] : result)
    for (Bounded &x : array.data)
      x.error[Exact] = std::ldexp(std::abs(toDouble(x)) + 0x1p-56, -140);
  return result;
}

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

/// Two programs of the same value: exact values and their bounds; with what f64 rounds where
/// `isFolded`.
std::string compareExact(const std::string &what, const BoundedArray &actual,
                         const BoundedArray &expected, bool isFolded, Tally &tally) {
  if (actual.data.size() != expected.data.size())
    return what + ": another number of elements";
  for (size_t i = 0; i < actual.data.size(); ++i) {
    const Bounded &ours = actual.data[i], &theirs = expected.data[i];
    double bound =
        slack * (ours.error[Exact] + theirs.error[Exact] + (isFolded ? theirs.error[F64] : 0));
    // A formula that is not defined, or jumps right here, may become one that is.
    if (!theirs.value.isFinite() || (ours.value.isFinite() && !std::isfinite(bound)) ||
        !std::isfinite(theirs.error[Exact])) {
      ++tally.skipped;
      continue;
    }
    ++tally.compared;
    tally.loose += bound > std::abs(toDouble(theirs)) / 16;
    double distance = std::abs(toDouble(ours.value - theirs.value));
    if (distance <= bound)
      continue;
    char text[200];
    std::snprintf(text, sizeof text, ": element %zu is %.17g, but expected %.17g within %.3g", i,
                  toDouble(ours), toDouble(theirs), bound);
    return what + text;
  }
  return {};
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
  auto withRoundedConstants = [&](ir::ProgramOp gradient) {
    RoundedConstants scope;
    return evaluateIn<Bounded>(gradient, exactArguments);
  };
  auto value = evaluateIn<Bounded>(written.value, nearby(data.arguments));
  auto exact = withRoundedConstants(written.gradient);
  auto rewritten = withRoundedConstants(optimised.gradient);
  auto plain = evaluateIn<double>(written.gradient, data.arguments);
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

  // LibTorch has other derivatives where there is none.
  if (options.torch && isSmooth)
    if (std::string failure = compareTorch(program, data, *exact); !failure.empty())
      return failed(failure);
  return {};
}

/// F(x + h v) for all real arguments x and one random direction v: (F(h) - F(-h)) / 2h is the
/// gradient along v up to h^2, which is far below anything that a wrong derivative could be.
std::string Checker::Impl::compareDifference(ir::ProgramOp program, const Data &data,
                                             const BoundedArray &value,
                                             const std::vector<BoundedArray> &exact,
                                             bool &isSmooth) {
  Tally &counts = tally(Subject::Difference);
  std::mt19937_64 random(seed);
  auto base = converted<Real>(data.arguments);
  BasicArguments<Real> direction = base;
  Real slope = 0, slopeBound = 0;
  for (unsigned i = 0; i < program.getNumArguments(); ++i) {
    BasicArray<Real> &v = direction.find(program.getArgName(i).str())->second;
    for (size_t k = 0; k < v.data.size(); ++k) {
      v.data[k] = double(random() >> 11) * 0x1p-52 - 1;
      slope = slope + v.data[k] * exact[i + 1].data[k].value;
      slopeBound = slopeBound + abs(v.data[k]) * Real(exact[i + 1].data[k].error[Exact]);
    }
  }

  BasicInterpreter<Real> centre(program);
  if (mlir::failed(centre.bind(base)) || mlir::failed(centre.run()))
    return "the interpreter failed";
  auto stopped = centre.stoppedValues();
  auto sumAt = [&](const Real &h) {
    BasicArguments<Real> at = base;
    for (auto &[name, array] : at)
      for (size_t k = 0; k < array.data.size(); ++k)
        array.data[k] = array.data[k] + h * direction.find(name)->second.data[k];
    BasicInterpreter<Real> interpreter(program);
    interpreter.freezeStopped(stopped);
    if (mlir::failed(interpreter.bind(at)) || mlir::failed(interpreter.run()))
      return Real(std::numeric_limits<double>::quiet_NaN());
    return total(llvm::ArrayRef<Real>(interpreter.results().front().data));
  };
  const Real h = powerOfTwo(-56);
  Real at0 = total(llvm::ArrayRef<Real>(centre.results().front().data));
  Real right = sumAt(h), left = sumAt(-h), right2 = sumAt(h + h), left2 = sumAt(-(h + h));
  Real central = (right - left) / (h + h), wide = (right2 - left2) / (h + h + h + h);
  Real forward = (right - at0) / h, backward = (at0 - left) / h;
  if (!slope.isFinite() || !slopeBound.isFinite() || !wide.isFinite() || !central.isFinite()) {
    ++counts.skipped;
    return {};
  }
  // At a kink or jump the derivative is what the language says it is, and no limit.
  Real size = maximum(abs(forward), abs(backward));
  Real tolerance = size * powerOfTwo(-24) + powerOfTwo(-40);
  if (abs(forward - backward) > tolerance || abs(central - wide) > tolerance) {
    ++counts.skipped;
    return {};
  }
  // The error of `central` is a third of its distance from `wide`, and what rounding makes of it:
  // Real's own is 2^-52 of the bound that is known, here divided by h.
  Real rounding = 0, magnitude = size;
  for (const Bounded &element : value.data) {
    rounding = rounding + Real(element.error[Exact]) * powerOfTwo(-52) / h;
    magnitude = magnitude + abs(element.value);
  }
  auto isLoose = [&](const Real &bound) { return bound > size / Real(16) + powerOfTwo(-40); };
  // A value that may jump is at no smooth point, as far as one can tell. That it did not jump here
  // shows in the differences to both sides, which also show what rounding did, down to that of some
  // thousand operations.
  isSmooth = !isLoose(abs(central - wide) + Real(slack) * (slopeBound + rounding));
  Real noise = minimum(rounding, abs(forward - backward) + magnitude * powerOfTwo(-180) / h);
  Real bound = abs(central - wide) + Real(slack) * (slopeBound + noise);
  if (isLoose(bound)) {
    ++counts.skipped;
    return {};
  }
  ++counts.compared;
  if (!(abs(central - slope) > bound))
    return {};
  // Right at an equality, the derivative is that of one branch, by decree.
  RoundedConstants scope;
  auto close = evaluateIn<Bounded>(written.gradient, nearby(data.arguments));
  for (size_t i = 1; mlir::succeeded(close) && i < close->size(); ++i)
    for (const Bounded &element : (*close)[i].data)
      if (!(element.error[Exact] <= std::abs(toDouble(element)) * 0x1p-40 + 0x1p-100)) {
        --counts.compared, ++counts.skipped;
        isSmooth = false;
        return {};
      }
  char text[200];
  std::snprintf(text, sizeof text,
                "the gradient's slope in a direction is %.17g, but central differences give %.17g "
                "within %.3g",
                toDouble(slope), toDouble(central), toDouble(bound));
  return text;
}

/// The bounds of a kernel are those of the program that it was made from, around the value of the
/// program as it was written; around its own where that one is not known to 192 bits (log(1 -
/// sigmoid(10000))).
static std::vector<BoundedArray> boundsOfKernel(std::vector<BoundedArray> exact,
                                                const std::vector<BoundedArray> &rewritten) {
  for (size_t i = 0; i < exact.size(); ++i)
    for (size_t k = 0; k < exact[i].data.size(); ++k) {
      // Beside what the rewritten program rounds: constants that were folded in f64, as the program
      // as written computes them there.
      Errors &errors = exact[i].data[k].error;
      double folded = errors[F64];
      if (!std::isfinite(errors[Exact]))
        exact[i].data[k].value = rewritten[i].data[k].value;
      errors = rewritten[i].data[k].error;
      if (std::isfinite(folded))
        for (double &error : errors)
          error += folded;
    }
  return exact;
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
    RoundedConstants scope;
    auto results = evaluateIn<Bounded>(programs.gradient, converted<Bounded>(all.arguments));
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
  return failure.empty() ? failure : failure + "\n" + all.text() + spelled;
}

/// LibTorch computes in double but promises nothing about the accuracy of its functions (trigamma
/// has 11 digits), so its bound is that of f32. It is not defined where our own interpreter is not.
std::string Checker::Impl::compareTorch(const lang::Program &program, const Data &data,
                                        const std::vector<BoundedArray> &exact) {
  Tally &counts = tally(Subject::Torch);
  auto theirs = options.torch(program, data);
  if (!theirs)
    return {};
  if (theirs->size() != exact.size())
    return "LibTorch: another number of results";
  for (size_t i = 0; i < exact.size(); ++i) {
    // A branch that is not chosen makes autograd's gradient NaN, ours 0 [LANG-8.8].
    std::vector<double> numbers = (*theirs)[i];
    std::vector<Bounded> expected = exact[i].data;
    for (size_t k = 0; k < numbers.size() && i > 0; ++k)
      if (std::isnan(numbers[k]))
        expected[k].error[F32] = std::numeric_limits<double>::infinity();
    std::string what = i == 0 ? "LibTorch's value" : "LibTorch's gradient " + std::to_string(i);
    if (std::string failure = compareAll(what, numbers, expected, F32, counts); !failure.empty())
      return failure;
  }
  return {};
}

} // namespace loss::stress
