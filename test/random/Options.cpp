//===- Options.cpp - what callers ask of a loss beside its arguments ------===//

#include "test/random/Options.h"

#include "lang/AstPrinter.h"
#include "lang/Parser.h"
#include "runtime/abi/LossAbi.h"
#include "test/random/Chance.h"

#include <algorithm>

using namespace loss::lang;
using loss::ir::reference::Array;

namespace loss::stress {

namespace {

const ProgramInput *targetOf(const Program &program) {
  auto found = std::find_if(program.inputs.begin(), program.inputs.end(),
                            [](auto &input) { return input.kind == InputKind::Target; });
  return found == program.inputs.end() ? nullptr : &*found;
}

AxisSet resultAxes(const Program &program) { return program.nodes[program.result].type.axes; }

Array shaped(AxisSet set, const Program &program, const Data &data, double fill) {
  std::vector<std::string> axes;
  std::vector<int64_t> sizes;
  for (size_t i = 0; i < program.axes.size(); ++i)
    if (set >> i & 1) {
      axes.push_back(program.axes[i]);
      sizes.push_back(data.sizes[i]);
    }
  return Array(axes, sizes, fill);
}

class Options : Chance {
public:
  explicit Options(uint64_t seed) : Chance(seed) {}

  CallOptions choose(const Program &program, const Data &data) {
    static const double weights[] = {0, 0, 1, 1, 0.5, 2, 0.75}, classWeights[] = {0, 1, 1.25, 2},
                        smoothings[] = {0, 0.125, 0.25};
    CallOptions options;
    if (const ProgramInput *target = targetOf(program)) {
      options.smoothing = oneOf(smoothings);
      for (int64_t i = 0; i < data.sizes[target->classAxis]; ++i)
        options.classWeights.push_back(oneOf(classWeights));
    }
    for (size_t i = 0, count = elementWeights(program, data, {}).data.size(); i < count; ++i)
      options.weights.push_back(oneOf(weights));
    return options;
  }
};

} // namespace

CallOptions randomOptions(const Program &program, const Data &data, uint64_t seed) {
  return Options(seed).choose(program, data);
}

Array elementWeights(const Program &program, const Data &data, const CallOptions &options) {
  Array result = shaped(resultAxes(program), program, data, 1);
  if (!options.weights.empty())
    result.data = options.weights;
  return result;
}

std::string withOptionsWritten(const std::string &text, const Program &program,
                               unsigned classWeighting) {
  DiagnosticEngine diagnostics("random.loss");
  File file = parse(text, diagnostics);
  auto found = std::find_if(file.items.begin(), file.items.end(),
                            [](const Item &item) { return std::holds_alternative<LossDef>(item); });
  auto &loss = std::get<LossDef>(*found);
  auto addInput = [&](const std::string &name, AxisSet axes) {
    LossArg arg;
    arg.kind = LossArg::Kind::Fixed;
    arg.name.name = name;
    for (size_t i = 0; i < program.axes.size(); ++i)
      if (axes >> i & 1)
        arg.axes.push_back({program.axes[i], {}});
    loss.args.push_back(std::move(arg));
  };
  auto times = [](ExprPtr x, const char *factor) {
    return makeBinary(BinaryOp::Mul, std::move(x), makeName(factor));
  };
  const ProgramInput *target = targetOf(program);
  if (target) {
    std::string name = target->name, plain = name + "_plain",
                axis = program.axes[target->classAxis];
    for (LossArg &arg : loss.args)
      if (arg.name.name == name)
        arg.name.name = plain;
    // y = (1 - s) y + s / classes, times the class weights where the loss is linear in it.
    std::vector<ExprPtr> ofSize;
    ofSize.push_back(makeName(axis));
    ExprPtr kept = makeBinary(BinaryOp::Sub, makeNumber(1), makeName("label_smoothing"));
    ExprPtr share =
        makeBinary(BinaryOp::Div, makeName("label_smoothing"), makeCall("size", std::move(ofSize)));
    ExprPtr value =
        makeBinary(BinaryOp::Add, times(std::move(kept), plain.c_str()), std::move(share));
    if (classWeighting == LOSS_WEIGHTS_TARGET)
      value = times(std::move(value), "class_weights");
    loss.body.lets.insert(loss.body.lets.begin(), Let{{name, {}}, std::move(value), {}});
    if (classWeighting == LOSS_WEIGHTS_RESULT) {
      std::vector<ExprPtr> ofSum;
      ofSum.push_back(times(makeName(name), "class_weights"));
      loss.body.result = makeBinary(BinaryOp::Mul, std::move(loss.body.result),
                                    makeCall("sum", std::move(ofSum), {axis}));
    }
  }
  addInput("class_weights", target ? AxisSet(1) << target->classAxis : 0);
  addInput("label_smoothing", 0);
  addInput("element_weights", resultAxes(program));
  loss.body.result = times(std::move(loss.body.result), "element_weights");
  return print(file);
}

Data withOptionsWritten(const Data &data, const Program &program, const CallOptions &options) {
  Data result = data;
  const ProgramInput *target = targetOf(program);
  if (target)
    result.arguments[target->name + "_plain"] = data.arguments.at(target->name);
  Array &classWeights = result.arguments["class_weights"];
  classWeights = shaped(target ? AxisSet(1) << target->classAxis : 0, program, data, 1);
  if (target)
    classWeights.data = options.classWeights;
  result.arguments["label_smoothing"] = Array(options.smoothing);
  result.arguments["element_weights"] = elementWeights(program, data, options);
  return result;
}

} // namespace loss::stress
