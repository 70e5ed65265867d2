//===- OpenLoss.h - the losses that the adapter is tested with --*- C++ -*-===//
#ifndef LOSSLANG_TEST_UNIT_RUNTIME_OPENLOSS_H
#define LOSSLANG_TEST_UNIT_RUNTIME_OPENLOSS_H

#include "runtime/torch/LossFunction.h"
#include "test/Paths.h"

#ifdef LOSSLANG_TEST_COMPILED
#include "runtime/load/LoadLoss.h"
#endif

#include <map>
#include <string>

/// The hand-written module of that name, or with LOSSLANG_TEST_COMPILED the same formula from the
/// compiler.
inline loss::runtime::CompiledLoss openLoss(const std::string &name) {
  using loss::runtime::CompiledLoss;
#ifdef LOSSLANG_TEST_COMPILED
  static const std::map<std::string, std::string> texts = {
      {"c_cross_entropy", "loss c_cross_entropy(logits: [batch, class], y: target [batch, class]) {"
                          "  return -sum(y * log_softmax(logits over class) over class) }"},
      {"pairs", "loss pairs(x: [batch, dim], z: fixed [batch, dim], param scale = 1) {"
                "  axis other = batch"
                "  return scale * sum(x * z[batch -> other] over dim, other) }"},
      {"segments",
       "loss segments(x: [batch, class, position], y: target over class [batch, class, position]) {"
       "  return sum(y * x^2 over class) }"},
      {"shared", "loss shared(x: [row, dim], w: [dim], z: fixed [row, dim], param k = 0.7) {"
                 "  return sum(tanh(k * x * w) * z^2 over dim) }"},
      {"of_rows", "loss of_rows(x: [row], y: fixed [row], param k = 1) { return exp(k * x) * y }"},
      {"square_error", "loss square_error(x: [element], y: fixed [element]) { return (x - y)^2 }"}};
  static std::map<std::string, CompiledLoss> compiled;
  auto found = compiled.find(name);
  if (found == compiled.end()) {
    loss::KernelSelection all;
    all.modes |= 1u << LOSS_TANGENT | 1u << LOSS_TANGENT_ALL;
    found = compiled.emplace(name, CompiledLoss(losslang::compile(texts.at(name), all))).first;
  }
  return found->second;
#else
  return CompiledLoss(
      loss::runtime::LossHandle::open(std::string(LOSSLANG_TEST_MODULES) + "/" + name + ".so"));
#endif
}

#endif // LOSSLANG_TEST_UNIT_RUNTIME_OPENLOSS_H
