//===- ClassifierFit.h - can a classifier be trained with a loss? -*- C++ -*-===//
#ifndef LOSSLANG_RUNTIME_MODULE_CLASSIFIERFIT_H
#define LOSSLANG_RUNTIME_MODULE_CLASSIFIERFIT_H

#include "runtime/module/LossHandle.h"

#include <string>

namespace loss::runtime {

/// What a loss wants that the training of a classifier does not give, in one line; empty where they
/// fit. A classifier gives scores [batch, class] and one class index a sample, in f32, and wants
/// the gradient of the scores. Compiles nothing and reads no data.
std::string explainUnfitForClassifier(const LossHandle &loss);

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_MODULE_CLASSIFIERFIT_H
