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
#include "runtime/python/Registry.h"
#include "runtime/python/TracedLoss.h"

#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/csrc/autograd/functions/utils.h>
#include <torch/library.h>

namespace loss::python {
namespace {

using torch::Tensor;

/// (key, errors, warnings): when the text was wrong the key is empty, otherwise the errors are.
std::tuple<std::string, std::string, std::vector<std::string>>
compileOp(std::string text, std::string fileName, c10::List<std::string> defines) {
  try {
    LossSource source{std::move(text), std::move(fileName), {}};
    for (size_t i = 0; i < defines.size(); ++i)
      source.defines.push_back(defines.get(i));
    RegisteredLoss loss = registerSource(source);
    return {std::move(loss.key), {}, std::move(loss.warnings)};
  } catch (const CompileError &error) {
    return {{}, error.what(), {}};
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

/// Without this the tangent would silently be lost.
void checkNoForwardMode(at::TensorList tensors) {
  TORCH_CHECK_NOT_IMPLEMENTED(!torch::autograd::isFwGradDefinedTensorList(tensors),
                              "compiled losses have no forward-mode derivative (jvp, jacfwd): use "
                              "reverse mode (vjp, jacrev)");
}

Tensor lossAutograd(LOSSLANG_CALL_PARAMETERS) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  checkNoForwardMode(tensors);
  return arePlain(tensors) ? evaluate(*call, tensors) : tracedLoss(call, tensors);
}

Tensor lossKernel(LOSSLANG_CALL_PARAMETERS) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  at::NoGradGuard guard;
  return evaluate(*call, tensors);
}

std::tuple<Tensor, Tensors> lossAndGradientsKernel(LOSSLANG_CALL_PARAMETERS,
                                                   at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return lossAndGradients(*call, tensors, wanted);
}

Tensors gradientsAutograd(const Tensor &upstream, LOSSLANG_CALL_PARAMETERS,
                          at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  checkNoForwardMode(tensors);
  return tracedGradients(upstream, call, tensors, wanted);
}

std::tuple<Tensor, Tensors> secondGradientsAutograd(const Tensor &upstream, at::TensorList tangents,
                                                    LOSSLANG_CALL_PARAMETERS,
                                                    at::IntArrayRef wanted,
                                                    at::IntArrayRef secondWanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  checkNoForwardMode(tensors);
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

} // namespace
} // namespace loss::python

#define LOSSLANG_CALL_SCHEMA                                                                       \
  "str key, Tensor[] inputs, Tensor[] params, Tensor? weight, Tensor? sample_weight, "             \
  "float[] values, int[] param_at, int ignore_index, float label_smoothing, str reduction, "       \
  "int groups"

// Each operator, and under the name infer_... what it does to meta tensors: the fake kernels are
// Python's (dynamic shapes) and call it.
TORCH_LIBRARY(losslang, m) {
  using namespace loss::python;
  m.def("compile(str text, str file_name, str[] defines) -> (str, str, str[])", compileOp);
  m.def("load(Tensor contents, str origin) -> (str, str)", loadOp);
  m.def("describe(str key) -> str", describeLoss);
  m.def("lossc(str[] arguments) -> int", losscOp);
  const std::vector<at::Tag> tags = {at::Tag::pt2_compliant_tag};
  for (const std::string prefix : {"", "infer_"}) {
    m.def((prefix + "loss(" LOSSLANG_CALL_SCHEMA ") -> Tensor").c_str(), tags);
    m.def((prefix + "loss_and_gradients(" LOSSLANG_CALL_SCHEMA
                    ", int[] wanted) -> (Tensor, Tensor[])")
              .c_str(),
          tags);
    m.def(
        (prefix + "gradients(Tensor upstream, " LOSSLANG_CALL_SCHEMA ", int[] wanted) -> Tensor[]")
            .c_str(),
        tags);
    m.def((prefix + "second_gradients(Tensor upstream, Tensor[] tangents, " LOSSLANG_CALL_SCHEMA
                    ", int[] wanted, int[] second_wanted) -> (Tensor, Tensor[])")
              .c_str(),
          tags);
  }
}

TORCH_LIBRARY_IMPL(losslang, Autograd, m) {
  using namespace loss::python;
  m.impl("loss", lossAutograd);
  m.impl("gradients", gradientsAutograd);
  // A derivative of these is an error, not silently zero.
  m.impl("second_gradients", secondGradientsAutograd);
  m.impl("loss_and_gradients", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(losslang, CPU, m) {
  using namespace loss::python;
  m.impl("loss", lossKernel);
  m.impl("loss_and_gradients", lossAndGradientsKernel);
  m.impl("gradients", gradientsKernel);
  m.impl("second_gradients", secondGradientsKernel);
}

TORCH_LIBRARY_IMPL(losslang, Meta, m) {
  using namespace loss::python;
  m.impl("infer_loss", lossKernel);
  m.impl("infer_loss_and_gradients", lossAndGradientsKernel);
  m.impl("infer_gradients", gradientsKernel);
  m.impl("infer_second_gradients", secondGradientsKernel);
}
