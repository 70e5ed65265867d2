//===- Registry.h - the losses that this process knows ----------*- C++ -*-===//
//
// An operator refers to a loss by a key, text made from the loss's name and the hash of all that it
// was compiled from: its program with the functions that it imports and the values of its options.
// The same program gives the same key in every process, so graphs and caches that hold a key never
// meet another loss under it.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_PYTHON_REGISTRY_H
#define LOSSLANG_RUNTIME_PYTHON_REGISTRY_H

#include "runtime/module/LossHandle.h"

#include <cstdint>
#include <string>
#include <vector>

namespace loss::python {

/// What a loss is compiled from.
struct LossSource {
  std::string text;
  /// Appears in diagnostics; imports are relative to it.
  std::string fileName;
  /// "name=value": parameters and options that replace their defaults.
  std::vector<std::string> defines;
};

/// A loss under its key.
struct RegisteredLoss {
  std::string key;
  /// What the compiler warned of, each as lossc prints it.
  std::vector<std::string> warnings;
};

/// Compiles a loss and registers it, unless it is known. Throws CompileError. Kernels that are
/// rarely used are compiled when a call needs them, from the same program: imported files are read
/// here alone.
RegisteredLoss registerSource(const LossSource &source);

/// Registers a library that lossc wrote, given as the contents of its file. Returns its key. Throws
/// LoadError.
std::string registerLibrary(const std::string &contents, const std::string &origin);

/// The loss of a key. One that is unknown here is compiled from `program`, its whole text (what
/// LossModule.source tells). Throws LoadError where there is none.
runtime::LossHandle findLoss(const std::string &key, const std::string &program = {});

/// What a loss is, as JSON: name, doc, source, axes, inputs, params, result.
std::string describeLoss(const std::string &key);

} // namespace loss::python

#endif // LOSSLANG_RUNTIME_PYTHON_REGISTRY_H
