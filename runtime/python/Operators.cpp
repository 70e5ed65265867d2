//===- Operators.cpp - torch.ops.losslang ---------------------------------===//
//
// Loaded by torch.ops.load_library. `loss` is the operation that users meet; the others are what it is
// made of when PyTorch traces or transforms it (torch.compile, torch.func), where a C++ autograd node
// would be invisible.
//
//===----------------------------------------------------------------------===//

#include "compiler/Pipeline/Compiler.h"
#include "runtime/python/Call.h"
#include "runtime/python/Registry.h"
#include "runtime/python/TracedLoss.h"

#include <torch/csrc/autograd/autograd_not_implemented_fallback.h>
#include <torch/library.h>

namespace loss::python {
namespace {

using torch::Tensor;

/// (key, diagnostics): one of them is empty when the text was wrong, the key.
std::tuple<std::string, std::string> compileOp(std::string text, std::string fileName,
                                               c10::List<std::string> defines) {
  try {
    LossSource source{std::move(text), std::move(fileName), {}};
    for (size_t i = 0; i < defines.size(); ++i)
      source.defines.push_back(defines.get(i));
    return {registerSource(source), {}};
  } catch (const CompileError &error) {
    return {{}, error.what()};
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

// The kernels. Those of the key Autograd see the tensors as the user gave them, those of the key CPU
// below autograd.

Tensor lossAutograd(LOSSLANG_CALL_PARAMETERS) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return arePlain(tensors) ? evaluate(*call, tensors) : tracedLoss(call, tensors);
}

Tensor lossCpu(LOSSLANG_CALL_PARAMETERS) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  at::NoGradGuard guard;
  return evaluate(*call, tensors);
}

std::tuple<Tensor, Tensors> lossAndGradientsCpu(LOSSLANG_CALL_PARAMETERS, at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return lossAndGradients(*call, tensors, wanted);
}

Tensors gradientsAutograd(const Tensor &upstream, LOSSLANG_CALL_PARAMETERS,
                          at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return tracedGradients(upstream, call, tensors, wanted);
}

Tensors gradientsCpu(const Tensor &upstream, LOSSLANG_CALL_PARAMETERS, at::IntArrayRef wanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return gradients(upstream, *call, tensors, wanted);
}

std::tuple<Tensor, Tensors> secondGradientsCpu(const Tensor &upstream, at::TensorList tangents,
                                               LOSSLANG_CALL_PARAMETERS, at::IntArrayRef wanted,
                                               at::IntArrayRef secondWanted) {
  auto [call, tensors] = gather(LOSSLANG_CALL_ARGUMENTS);
  return secondGradients(upstream, tangents, *call, tensors, wanted, secondWanted);
}

} // namespace
} // namespace loss::python

#define LOSSLANG_CALL_SCHEMA                                                                       \
  "str key, Tensor[] inputs, Tensor[] params, Tensor? weight, Tensor? sample_weight, "             \
  "float[] values, int[] param_at, int ignore_index, float label_smoothing, str reduction"

TORCH_LIBRARY(losslang, m) {
  using namespace loss::python;
  m.def("compile(str text, str file_name, str[] defines) -> (str, str)", compileOp);
  m.def("load(Tensor contents, str origin) -> (str, str)", loadOp);
  m.def("describe(str key) -> str", describeLoss);
  m.def("loss(" LOSSLANG_CALL_SCHEMA ") -> Tensor", {at::Tag::pt2_compliant_tag});
  m.def("loss_and_gradients(" LOSSLANG_CALL_SCHEMA ", int[] wanted) -> (Tensor, Tensor[])",
        {at::Tag::pt2_compliant_tag});
  m.def("gradients(Tensor upstream, " LOSSLANG_CALL_SCHEMA ", int[] wanted) -> Tensor[]",
        {at::Tag::pt2_compliant_tag});
  m.def("second_gradients(Tensor upstream, Tensor[] tangents, " LOSSLANG_CALL_SCHEMA
        ", int[] wanted, int[] second_wanted) -> (Tensor, Tensor[])",
        {at::Tag::pt2_compliant_tag});
}

TORCH_LIBRARY_IMPL(losslang, Autograd, m) {
  using namespace loss::python;
  m.impl("loss", lossAutograd);
  m.impl("gradients", gradientsAutograd);
  // A derivative of these is an error, not silently zero.
  m.impl("loss_and_gradients", torch::autograd::autogradNotImplementedFallback());
  m.impl("second_gradients", torch::autograd::autogradNotImplementedFallback());
}

TORCH_LIBRARY_IMPL(losslang, CPU, m) {
  using namespace loss::python;
  m.impl("loss", lossCpu);
  m.impl("loss_and_gradients", lossAndGradientsCpu);
  m.impl("gradients", gradientsCpu);
  m.impl("second_gradients", secondGradientsCpu);
}
