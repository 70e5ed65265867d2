//===- Describe.h - what a compiled loss is, as JSON ------------*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_PYTHON_DESCRIBE_H
#define LOSSLANG_RUNTIME_PYTHON_DESCRIBE_H

#include "runtime/abi/LossAbi.h"

#include <string>

namespace loss::python {

/// Name, documentation, source, axes, inputs, parameters, options and result of a loss, and whether
/// it can leave out an ignored index, as a JSON object.
std::string describe(const LossModule &module);

} // namespace loss::python

#endif // LOSSLANG_RUNTIME_PYTHON_DESCRIBE_H
