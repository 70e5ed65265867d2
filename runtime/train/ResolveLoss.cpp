#include "compiler/Pipeline/Compiler.h"
#include "runtime/train/TrainLoss.h"

#include <algorithm>

namespace loss::runtime {
namespace {

bool endsWith(const std::string &text, std::string_view ending) {
  return text.size() >= ending.size() &&
         std::string_view(text).substr(text.size() - ending.size()) == ending;
}

/// Number of single-character edits between two words.
size_t editDistance(const std::string &a, const std::string &b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const size_t above = row[j];
      row[j] = std::min({above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1])});
      diagonal = above;
    }
  }
  return row[b.size()];
}

[[noreturn]] void unknownLoss(const std::string &spec) {
  std::string hint;
  size_t best = 3;
  for (const std::string &name : listLibraryLosses())
    if (const size_t distance = editDistance(spec, name); distance < best) {
      best = distance;
      hint = "; did you mean '" + name + "'?";
    }
  throw LoadError("unknown loss '" + spec +
                  "': expected a file x.so or x.loss, the name of a library loss, or "
                  "torch:cross_entropy" +
                  hint);
}

LossHandle compileLoss(const std::string &path) {
  Compiler compiler;
  std::shared_ptr<JitModule> jit = compiler.compileFile(path, KernelSelection::training());
  const LossModule *module = &jit->module();
  return LossHandle::adopt(std::shared_ptr<const LossModule>(std::move(jit), module), path);
}

} // namespace

TrainLoss TrainLoss::resolve(const std::string &spec, const ParamValues &params) {
  if (spec.rfind("torch:", 0) == 0) {
    if (!params.empty())
      throw ParamError("the loss '" + spec + "' has no parameter '" + params.front().first + "'");
    return builtin(spec.substr(6));
  }
  if (endsWith(spec, ".so"))
    return compiled(LossHandle::open(spec), params);
  if (endsWith(spec, ".loss"))
    return compiled(compileLoss(spec), params);
  const std::string path = findLibraryLoss(spec);
  if (path.empty())
    unknownLoss(spec);
  return compiled(compileLoss(path), params);
}

} // namespace loss::runtime
