//===- TrainLoss.h - a loss to train with -----------------------*- C++ -*-===//
//
// Shows no LibTorch type, so that tools and the search include it cheaply. A loss written as a
// function over tensors is made with TrainLossImpl.h.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_RUNTIME_TRAIN_TRAINLOSS_H
#define LOSSLANG_RUNTIME_TRAIN_TRAINLOSS_H

#include "runtime/module/LossHandle.h"

#include <memory>
#include <string>

namespace loss::runtime {

/// A loss over (logits, class indices), averaged over the batch.
class TrainLoss {
public:
  struct Impl;

  /// A compiled loss with some of its parameters set. Throws ParamError.
  static TrainLoss compiled(const LossHandle &handle, const ParamValues &params = {});

  /// LibTorch's own: "cross_entropy". Throws LoadError for another name.
  static TrainLoss builtin(const std::string &name);

  /// From what a user types: `x.so`, `x.loss` (compiled in process), the name of a library loss, or
  /// `torch:NAME`. Throws LoadError, ParamError or CompileError.
  static TrainLoss resolve(const std::string &spec, const ParamValues &params = {});

  explicit TrainLoss(std::shared_ptr<const Impl> impl) : impl(std::move(impl)) {}
  const Impl &get() const { return *impl; }
  /// The name for tables: "ngl", "torch:cross_entropy".
  const std::string &name() const;
  /// The name with parameter values and a hash of the source: tells one loss from another.
  const std::string &identity() const;

private:
  std::shared_ptr<const Impl> impl;
};

} // namespace loss::runtime

#endif // LOSSLANG_RUNTIME_TRAIN_TRAINLOSS_H
