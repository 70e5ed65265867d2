#include "runtime/load/LoadLoss.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <vector>

namespace losslang {

using loss::JitModule;
using loss::KernelSelection;
using loss::runtime::LoadError;
using loss::runtime::LossHandle;

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

[[noreturn]] void unknownLoss(const std::string &spec, const std::string &alsoKnown) {
  std::string hint;
  size_t best = 3;
  for (const std::string &name : loss::listLibraryLosses())
    if (const size_t distance = editDistance(spec, name); distance < best) {
      best = distance;
      hint = "; did you mean '" + name + "'?";
    }
  throw LoadError("unknown loss '" + spec + "': expected a file x.so or x.loss" +
                  (alsoKnown.empty() ? ", or the name of a library loss"
                                     : ", the name of a library loss, or " + alsoKnown) +
                  hint);
}

LossHandle adopt(std::shared_ptr<JitModule> jit, const std::string &origin) {
  const LossModule *module = &jit->module();
  return LossHandle::adopt(std::shared_ptr<const LossModule>(std::move(jit), module), origin);
}

} // namespace

LossHandle load(const std::string &spec, const KernelSelection &selection,
                const std::string &alsoKnown) {
  if (endsWith(spec, ".so"))
    return LossHandle::open(spec);
  const std::string path = endsWith(spec, ".loss") ? spec : loss::findLibraryLoss(spec);
  if (path.empty())
    unknownLoss(spec, alsoKnown);
  return adopt(loss::Compiler().compileFile(path, selection), path);
}

LossHandle compile(const std::string &text, const KernelSelection &selection,
                   const std::string &fileName) {
  return adopt(loss::Compiler().compile(text, fileName, selection), fileName);
}

} // namespace losslang
