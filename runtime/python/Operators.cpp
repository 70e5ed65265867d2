//===- Operators.cpp - torch.ops.losslang ---------------------------------===//
//
// Loaded by torch.ops.load_library. `loss` is the operation that users meet; the others are what it
// is made of when PyTorch traces or transforms it (torch.compile, torch.func), where a C++ autograd
// node would be invisible.
//
//===----------------------------------------------------------------------===//

#include "compiler/Driver/Lossc.h"
#include "compiler/Pipeline/Compiler.h"
#include "runtime/python/Call.h"
#include "runtime/python/ForwardMode.h"
#include "runtime/python/Registry.h"
#include "runtime/python/TracedLoss.h"
#include "runtime/torch/BatchedTensors.h"
#include "runtime/torch/CallOptions.h"

#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

namespace loss::python {
namespace {

using torch::Tensor;

/// (key, errors, warnings), and of the first error the file, the text of the line, and line and
/// column of its beginning and its end: when the program was wrong the key is empty, otherwise the
/// errors are.
std::tuple<std::string, std::string, std::vector<std::string>, std::string, std::string,
           std::vector<int64_t>>
compileOp(std::string text, std::string fileName, c10::List<std::string> defines) {
  try {
    LossSource source{std::move(text), std::move(fileName), {}};
    for (size_t i = 0; i < defines.size(); ++i)
      source.defines.push_back(defines.get(i));
    RegisteredLoss loss = registerSource(source);
    return {std::move(loss.key), {}, std::move(loss.warnings), {}, {}, {}};
  } catch (const CompileError &error) {
    const ErrorPlace &place = error.first;
    return {{},         error.what(), {},
            place.file, place.text,   {place.line, place.column, place.endLine, place.endColumn}};
  }
}

/// (key, message): one of them is empty.
std::tuple<std::string, std::string> loadOp(Tensor contents, std::string origin) {
  try {
    const Tensor bytes = contents.contiguous();
    return {registerLibrary({static_cast<const char *>(bytes.const_data_ptr()), bytes.nbytes()},
                            origin),
            {}};
  } catch (const runtime::LoadError &error) {
    return {{}, error.what()};
  }
}

/// Whether a parameter can have this value: an error if not, the one that a call would give.
void checkParamOp(std::string key, std::string name, double value) {
  const runtime::LossHandle loss = findLoss(key);
  try {
    loss.checkParam(loss.findParam(name), value);
  } catch (const runtime::ParamError &error) {
    TORCH_CHECK_VALUE(false, error.what());
  }
}

/// Whether the loss has a use for these settings of a module: an error if not.
void checkOptionsOp(std::string key, const std::optional<Tensor> &weight,
                    std::optional<int64_t> ignoreIndex, double labelSmoothing) {
  runtime::checkOptions(findLoss(key), weight.value_or(Tensor()), ignoreIndex, labelSmoothing);
}

/// The command line tool; its exit code.
int64_t losscOp(c10::List<std::string> arguments) {
  std::vector<std::string> words = {"lossc"};
  for (size_t i = 0; i < arguments.size(); ++i)
    words.push_back(arguments.get(i));
  std::vector<char *> argv;
  for (std::string &word : words)
    argv.push_back(word.data());
  argv.push_back(nullptr);
  return runLossc(static_cast<int>(words.size()), argv.data());
}

// The kernels. Those of the key Autograd see the tensors as the user gave them, the others below
// autograd.

/// Without this the tangents would silently be lost.
void checkNoTangents(at::TensorList tensors, const char *what) {
  TORCH_CHECK_NOT_IMPLEMENTED(!hasTangents(tensors),
                              "compiled losses have no forward-mode "
                              "derivative of ",
                              what);
}

Tensor lossAutograd(LOSSLANG_CALL_PARAMETERS) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return arePlain(tensors) && !hasTangents(tensors) ? evaluate(*call, tensors)
                                                    : tracedLoss(call, tensors);
}

Tensor lossKernel(LOSSLANG_CALL_PARAMETERS) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return std::get<0>(lossAndGradients(*call, tensors, /*wanted=*/{}));
}

std::tuple<Tensor, Tensors> lossAndGradientsKernel(LOSSLANG_CALL_PARAMETERS,
                                                   at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return lossAndGradients(*call, tensors, wanted);
}

Tensors gradientsAutograd(const Tensor &upstream, LOSSLANG_CALL_PARAMETERS,
                          at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return tracedGradients(upstream, call, tensors, wanted);
}

Tensor directionalDerivativeAutograd(at::TensorList tangents, LOSSLANG_CALL_PARAMETERS,
                                     at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  for (at::TensorList all : {tangents, at::TensorList(tensors)})
    checkNoTangents(all, "a forward-mode derivative: take jacfwd(jacrev(f)) or jacrev(jacfwd(f)), "
                         "not jacfwd(jacfwd(f))");
  return tracedDirectionalDerivative(tangents, call, tensors, wanted);
}

std::tuple<Tensor, Tensors> secondGradientsAutograd(const Tensor &upstream, at::TensorList tangents,
                                                    LOSSLANG_CALL_PARAMETERS,
                                                    at::IntArrayRef wanted,
                                                    at::IntArrayRef secondWanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  for (at::TensorList all : {at::TensorList(upstream), tangents, at::TensorList(tensors)})
    checkNoTangents(all, "second derivatives");
  return tracedSecondGradients(upstream, tangents, call, tensors, wanted, secondWanted);
}

Tensors gradientsKernel(const Tensor &upstream, LOSSLANG_CALL_PARAMETERS, at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return gradients(upstream, *call, tensors, wanted);
}

std::tuple<Tensor, Tensors> secondGradientsKernel(const Tensor &upstream, at::TensorList tangents,
                                                  LOSSLANG_CALL_PARAMETERS, at::IntArrayRef wanted,
                                                  at::IntArrayRef secondWanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return secondGradients(upstream, tangents, *call, tensors, wanted, secondWanted);
}

Tensor directionalDerivativeKernel(at::TensorList tangents, LOSSLANG_CALL_PARAMETERS,
                                   at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return directionalDerivative(tangents, *call, tensors, wanted);
}

std::tuple<Tensor, int64_t> inferKernel(LOSSLANG_CALL_PARAMETERS, at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return infer(*call, tensors, wanted);
}

/// Throws unless all are true: an error of the Python class `category`. In the message {place} and
/// {value} stand for the first number that is wrong.
void requireKernel(const Tensor &holds, const Tensor &values, std::string message,
                   std::string category) {
  if (holds.all().item<bool>())
    return;
  const Tensor place = holds.logical_not().nonzero()[0];
  const Tensor value =
      values.expand(holds.sizes()).masked_select(holds.logical_not())[0].to(torch::kCPU);
  auto fill = [&](const std::string &name, const std::string &text) {
    if (const size_t at = message.find(name); at != std::string::npos)
      message.replace(at, name.size(), text);
  };
  fill("{place}", c10::str(at::IntArrayRef(place.const_data_ptr<int64_t>(), place.numel())));
  fill("{value}", value.is_floating_point() ? c10::str(value.item<double>())
                                            : c10::str(value.item<int64_t>()));
  TORCH_CHECK_VALUE(category != "ValueError", message);
  TORCH_CHECK(false, message);
}

/// Any operator for the batched tensors of torch.autograd, which know no vmap rules of Python.
void batchedOperator(const c10::OperatorHandle &op, c10::DispatchKeySet, torch::jit::Stack *stack) {
  const std::vector<c10::IValue> arguments =
      torch::jit::pop(*stack, op.schema().arguments().size());
  Tensors tensors;
  for (const c10::IValue &argument : arguments) {
    if (argument.isTensor())
      tensors.push_back(argument.toTensor());
    else if (argument.isTensorList())
      for (const Tensor &tensor : argument.toTensorVector())
        tensors.push_back(tensor);
  }
  std::vector<size_t> lengths; // Of the results that are lists.
  Tensors results = runtime::forEachSample(tensors, [&](Tensors sample) {
    torch::jit::Stack call;
    auto next = sample.begin();
    for (const c10::IValue &argument : arguments) {
      if (argument.isTensor()) {
        call.emplace_back(*next++);
      } else if (argument.isTensorList()) {
        const size_t length = argument.toTensorVector().size();
        call.emplace_back(Tensors(next, next + length));
        next += length;
      } else {
        call.push_back(argument);
      }
    }
    op.callBoxed(&call);
    Tensors found;
    lengths.clear();
    for (const c10::IValue &result : call) {
      if (result.isTensor()) {
        found.push_back(result.toTensor());
        continue;
      }
      const Tensors list = result.toTensorVector();
      found.insert(found.end(), list.begin(), list.end());
      lengths.push_back(list.size());
    }
    return found;
  });
  auto next = results.begin();
  auto length = lengths.begin();
  for (const c10::Argument &result : op.schema().returns()) {
    if (result.type()->kind() == c10::TypeKind::TensorType) {
      stack->emplace_back(*next++);
      continue;
    }
    stack->emplace_back(Tensors(next, next + *length));
    next += *length++;
  }
}

} // namespace
} // namespace loss::python

#define LOSSLANG_CALL_SCHEMA                                                                       \
  "str key, Tensor[] inputs, Tensor[] params, Tensor? weight, Tensor? sample_weight, "             \
  "float[] values, int[] param_at, int? ignore_index, float label_smoothing, str reduction, "      \
  "SymInt groups, str program"

TORCH_LIBRARY(losslang, m) {
  using namespace loss::python;
  m.def("compile(str text, str file_name, str[] defines) -> (str, str, str[], str, str, int[])",
        compileOp);
  m.def("load(Tensor contents, str origin) -> (str, str)", loadOp);
  m.def("describe(str key) -> str", describeLoss);
  m.def("check_param(str key, str name, float value) -> ()", checkParamOp);
  m.def("check_options(str key, Tensor? weight, int? ignore_index, float label_smoothing) -> ()",
        checkOptionsOp);
  m.def("lossc(str[] arguments) -> int", losscOp);
  const std::vector<at::Tag> tags = {at::Tag::pt2_compliant_tag};
  m.def("loss(" LOSSLANG_CALL_SCHEMA ") -> Tensor", tags);
  m.def("loss_and_gradients(" LOSSLANG_CALL_SCHEMA ", int[] wanted) -> (Tensor, Tensor[])", tags);
  m.def("gradients(Tensor upstream, " LOSSLANG_CALL_SCHEMA ", int[] wanted) -> Tensor[]", tags);
  m.def("second_gradients(Tensor upstream, Tensor[] tangents, " LOSSLANG_CALL_SCHEMA
        ", int[] wanted, int[] second_wanted) -> (Tensor, Tensor[])",
        tags);
  m.def("directional_derivative(Tensor[] tangents, " LOSSLANG_CALL_SCHEMA
        ", int[] wanted) -> Tensor",
        tags);
  m.def("require(Tensor holds, Tensor values, str message, str category) -> ()", tags);
  // What the fake kernels of Python make their results of.
  m.def("infer(" LOSSLANG_CALL_SCHEMA ", int[] wanted) -> (Tensor, int)");
}

TORCH_LIBRARY_IMPL(losslang, Autograd, m) {
  using namespace loss::python;
  m.impl("loss", lossAutograd);
  m.impl("gradients", gradientsAutograd);
  m.impl("directional_derivative", directionalDerivativeAutograd);
  // A derivative of these is an error, not silently zero.
  m.impl("second_gradients", secondGradientsAutograd);
  m.impl("loss_and_gradients", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(losslang, Batched, m) {
  for (const char *name : {"loss", "loss_and_gradients", "gradients", "second_gradients",
                           "directional_derivative", "require"})
    m.impl(name, torch::CppFunction::makeFromBoxedFunction<&loss::python::batchedOperator>());
}

TORCH_LIBRARY_IMPL(losslang, CPU, m) {
  using namespace loss::python;
  m.impl("loss", lossKernel);
  m.impl("loss_and_gradients", lossAndGradientsKernel);
  m.impl("gradients", gradientsKernel);
  m.impl("second_gradients", secondGradientsKernel);
  m.impl("directional_derivative", directionalDerivativeKernel);
  m.impl("require", requireKernel);
}

TORCH_LIBRARY_IMPL(losslang, Meta, m) { m.impl("infer", loss::python::inferKernel); }
