//===- SecondOrder.cpp - all that must agree about second derivatives -----===//

#include "test/random/SecondOrder.h"

#include "compiler/Reference/Interpreter.h"
#include "compiler/Reference/Scalar.h"
#include "test/random/Difference.h"

#include <random>

using namespace loss::ir::reference;

namespace loss::stress {

/// The names of the arguments that a program, if any, takes tangents for.
static std::vector<std::string> tangentsOf(ir::ProgramOp program) {
  std::vector<std::string> names;
  for (unsigned i = 0; program && i < program.getNumArguments(); ++i)
    if (program.getArgKind(i) == "tangent")
      names.push_back(program.getArgName(i).str());
  return names;
}

SecondOrder::SecondOrder(Tools tools, const lang::Program &program, uint64_t seed, bool isFolded,
                         size_t options)
    : tools(tools), program(program), seed(seed), isFolded(isFolded), options(options) {
  for (const lang::ProgramInput &input : program.inputs)
    names.push_back(input.name);
  for (const lang::ProgramParam &param : program.params)
    names.push_back(param.name);
}

std::string SecondOrder::build(bool all) {
  unsigned target = targetOf(program, *data);
  auto build = [&](bool all) {
    written = tools.written.secondOrder(program, /*optimise=*/false, all, target);
    optimised = tools.optimised.secondOrder(program, /*optimise=*/true, all, target);
  };
  auto differ = [&] { return tangentsOf(written->tangent) != tangentsOf(optimised->tangent); };
  build(all);
  // Simplified, a loss may have rows where it had none: then other inputs have gradients of their
  // own. Together with the further ones they are the same.
  if (written && optimised && (!written->tangent || differ()))
    build(/*all=*/true);
  if (written && optimised) {
    tally(Subject::KernelSecond).missing += !written->tangent;
    return differ() ? "as written and as optimised, a kernel has other tangents" : "";
  }
  // The compiler says so: no kernel is made, and none is wrong.
  ++tally(Subject::KernelSecond).missing;
  std::string said = written ? tools.optimised.messages() : tools.written.messages();
  bool isSaid = said.find("expected a derivative rule for") != std::string::npos;
  return isSaid ? "" : "no second derivative: " + said;
}

/// Weighs the elements of the result, and adds up what each row gives to arguments of all rows, as
/// callers do.
template <typename S>
SecondOrder::Results<S> SecondOrder::gathered(ir::ProgramOp program, Results<S> results) const {
  using ir::reference::total;
  const bool hasRows = static_cast<bool>(program.getRowAxis());
  bool hasSeed = false;
  for (unsigned i = 0; i < program.getNumArguments(); ++i)
    hasSeed |= program.getArgKind(i) == "seed";
  Results<S> all = {results.front()};
  for (const std::string &name : names) {
    const Array &argument = arguments.find(name)->second;
    all.emplace_back(argument.axes, argument.sizes);
  }
  for (unsigned i = 1; i < results.size(); ++i) {
    llvm::StringRef of = program.getResultAttrOfType<mlir::StringAttr>(i, "loss.of").getValue();
    BasicArray<S> &array = results[i], &sum = all[1 + (llvm::find(names, of) - names.begin())];
    size_t rows = hasRows ? size_t(array.sizes.front()) : 1, size = array.data.size() / rows;
    if (!hasSeed && !call.weights.empty())
      for (size_t k = 0; k < array.data.size(); ++k)
        array.data[k] = S(call.weights[k / size]) * array.data[k];
    if (sum.data.size() == array.data.size() && sum.axes == array.axes) {
      sum.data = std::move(array.data);
      continue;
    }
    for (size_t k = 0; k < size; ++k) {
      std::vector<S> terms;
      for (size_t r = 0; r < rows; ++r)
        terms.push_back(array.data[r * size + k]);
      sum.data[k] = total(llvm::ArrayRef<S>(terms));
    }
  }
  return all;
}

std::string SecondOrder::evaluate(const Data &ofSeed, bool all) {
  const bool isFirst = !std::exchange(data, &ofSeed);
  if (isFirst)
    if (std::string failure = build(all); !failure.empty())
      return failure;
  exact.clear(), rewritten.clear();
  if (!written || !optimised || !written->tangent)
    return {};

  // Directions and weights are f32 numbers, as the arguments.
  std::mt19937_64 random(seed ^ 0x5ec0);
  call = {};
  for (const std::string &name : tangentsOf(written->tangent)) {
    Array &v = call.tangents[name] = data->arguments.find(name)->second;
    bool isHeld = isOption(size_t(llvm::find(names, name) - names.begin()));
    for (double &x : v.data)
      x = isHeld ? 0 : double(int64_t(random() >> 41)) * 0x1p-22 - 1;
  }
  if (random() % 2)
    call.weights = randomOptions(program, *data, random()).weights;
  arguments = data->arguments;
  arguments["seed"] = elementWeights(program, *data, call);

  auto bounded = [&](ir::ProgramOp tangent) {
    auto results = evaluateBounded(tangent, converted<Bounded>(arguments), /*areRounded=*/true,
                                   converted<Bounded>(call.tangents));
    return mlir::failed(results) ? std::vector<BoundedArray>()
                                 : gathered(tangent, std::move(*results));
  };
  exact = bounded(written->tangent);
  rewritten = bounded(optimised->tangent);
  auto plain = ir::reference::evaluate(written->tangent, arguments, call.tangents);
  if (exact.empty() || rewritten.empty() || mlir::failed(plain))
    return "the interpreter failed";
  *plain = gathered(written->tangent, std::move(*plain));

  for (size_t i = 0; i < exact.size(); ++i) {
    if (i > 0 && !isChosen(names[i - 1]))
      continue;
    std::string what = i == 0 ? "tangent" : "second derivative by " + names[i - 1];
    if (std::string failure = compareAll(what + " of the interpreter in double", (*plain)[i].data,
                                         exact[i].data, F64, tally(Subject::Interpreter));
        !failure.empty())
      return failure;
    if (std::string failure = compareExact(what + " after rewriting", rewritten[i], exact[i],
                                           isFolded, tally(Subject::RewrittenSecond));
        !failure.empty())
      return failure + "\n" + optimised->text();
  }
  return {};
}

std::string SecondOrder::check(const Data &ofSeed, const std::vector<BoundedArray> &gradient) {
  std::string failure = evaluate(ofSeed, /*all=*/std::mt19937_64(seed)() % 3 != 0);
  if (!failure.empty() || exact.empty())
    return failure;
  bool isSmooth = false;
  failure = compareTangent(gradient);
  if (failure.empty())
    failure = compareSlope(isSmooth);
  if (failure.empty() && tools.options.kernels)
    failure = compareKernels();
  if (failure.empty() && tools.options.torch && isSmooth)
    failure = compareTorch();
  return failure;
}

std::string SecondOrder::checkOptions(const Data &ofSeed, const Original &original) {
  std::string failure = evaluate(ofSeed, /*all=*/true);
  if (!failure.empty() || exact.empty())
    return failure;
  // Nobody asks for derivatives by the options.
  std::vector<BoundedArray> all = boundsOfKernel(exact, rewritten), expected = {all.front()};
  CallOptions ofKernel = original.options;
  ofKernel.weights = call.weights;
  for (size_t i = 0; i < names.size(); ++i) {
    if (isOption(i))
      continue;
    expected.push_back(all[i + 1]);
    // A target has another name in the program that makes it smooth.
    if (isChosen(names[i]))
      ofKernel.tangents[i < program.inputs.size() ? original.program.inputs[i].name : names[i]] =
          call.tangents[names[i]];
  }
  return tools.kernels.compare(original.kernel, original.program, original.data, ofKernel, expected,
                               seed, tally(Subject::KernelSecond));
}

/// All tangents together are the gradient's slope.
std::string SecondOrder::compareTangent(const std::vector<BoundedArray> &gradient) {
  std::vector<Bounded> terms;
  for (size_t i = 0; i < names.size(); ++i)
    if (isChosen(names[i]))
      for (size_t k = 0; k < gradient[i + 1].data.size(); ++k)
        terms.push_back(Bounded(call.tangents.find(names[i])->second.data[k]) *
                        gradient[i + 1].data[k]);
  return compareExact("sum of the tangent", total(llvm::ArrayRef<Bounded>(exact[0].data)),
                      total(llvm::ArrayRef<Bounded>(terms)), false,
                      tally(Subject::RewrittenSecond));
}

/// The gradient, weighted at random, along the tangents.
std::string SecondOrder::compareSlope(bool &isSmooth) {
  auto around = evaluateBounded(written->gradient, nearby(arguments), /*areRounded=*/false);
  if (mlir::failed(around))
    return "the interpreter failed";
  Results<Bounded> close = gathered(written->gradient, std::move(*around));

  std::mt19937_64 random(seed);
  std::vector<std::vector<Real>> factors(names.size());
  Line line;
  line.program = written->gradient, line.derivative = written->tangent;
  line.at = arguments, line.direction = line.tangents = call.tangents;
  for (size_t i = 0; i < names.size(); ++i)
    for (size_t k = 0; isChosen(names[i]) && k < exact[i + 1].data.size(); ++k) {
      Real factor = factors[i].emplace_back(double(random() >> 11) * 0x1p-52 - 1);
      const Bounded &second = exact[i + 1].data[k], &first = close[i + 1].data[k];
      line.slope = line.slope + factor * second.value;
      line.slopeBound = line.slopeBound + abs(factor) * Real(second.error[Exact]);
      line.error = line.error + abs(factor) * Real(first.error[Exact]);
      line.magnitude = line.magnitude + abs(factor * first.value);
    }
  line.number = [&](const std::vector<RealArray> &results) {
    Results<Real> gradients = gathered(written->gradient, results);
    Real sum = 0;
    for (size_t i = 0; i < factors.size(); ++i)
      for (size_t k = 0; k < factors[i].size(); ++k)
        sum = sum + factors[i][k] * gradients[i + 1].data[k];
    return sum;
  };
  Difference difference = compareDifference("the Hessian's product with two directions", line,
                                            tally(Subject::DifferenceSecond));
  isSmooth = difference.isSmooth;
  return difference.failure;
}

/// In one element type.
std::string SecondOrder::compareKernels() {
  unsigned element = seed / secondOrderShare % 2 ? LOSS_F32 : LOSS_F64;
  std::string failure =
      tools.kernels.compare({element, optimised->mode, true}, program, *data, call,
                            boundsOfKernel(exact, rewritten), seed, tally(Subject::KernelSecond));
  if (failure.empty() && seed / secondOrderShare % 8 < 2)
    failure = tools.kernels.compare({element, written->mode, false}, program, *data, call, exact,
                                    seed, tally(Subject::KernelAsWritten));
  return failure;
}

std::string SecondOrder::compareTorch() {
  auto theirs = tools.options.torch(program, *data, &call);
  if (!theirs)
    return {};
  for (size_t i = 0; i < exact.size(); ++i) {
    if (i > 0 && !isChosen(names[i - 1]))
      continue;
    std::string what =
        i == 0 ? "LibTorch's tangent" : "LibTorch's second derivative by " + names[i - 1];
    if (std::string failure =
            compareTorchs(what, (*theirs)[i], exact[i].data, true, tally(Subject::TorchSecond));
        !failure.empty())
      return failure;
  }
  return {};
}

} // namespace loss::stress
