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

/// Number of single-character edits between two words; two neighbours that change places are one.
size_t editDistance(const std::string &a, const std::string &b) {
  std::vector<std::vector<size_t>> d(a.size() + 1, std::vector<size_t>(b.size() + 1));
  for (size_t i = 0; i <= a.size(); ++i)
    for (size_t j = 0; j <= b.size(); ++j) {
      if (i == 0 || j == 0) {
        d[i][j] = i + j;
        continue;
      }
      d[i][j] =
          std::min({d[i - 1][j] + 1, d[i][j - 1] + 1, d[i - 1][j - 1] + (a[i - 1] != b[j - 1])});
      if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
        d[i][j] = std::min(d[i][j], d[i - 2][j - 2] + 1);
    }
  return d[a.size()][b.size()];
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

LossHandle adopt(std::shared_ptr<JitModule> jit, const std::string &origin,
                 std::vector<std::string> *warnings) {
  if (warnings)
    *warnings = jit->warnings;
  const LossModule *module = &jit->module();
  return LossHandle::adopt(std::shared_ptr<const LossModule>(std::move(jit), module), origin);
}

} // namespace

LossHandle load(const std::string &spec, const KernelSelection &selection,
                const std::string &alsoKnown, std::vector<std::string> *warnings) {
  if (warnings)
    warnings->clear();
  if (endsWith(spec, ".so"))
    return LossHandle::open(spec);
  const std::string path = endsWith(spec, ".loss") ? spec : loss::findLibraryLoss(spec);
  if (path.empty())
    unknownLoss(spec, alsoKnown);
  return adopt(loss::Compiler().compileFile(path, selection), path, warnings);
}

LossHandle compile(const std::string &text, const KernelSelection &selection,
                   const std::string &fileName, std::vector<std::string> *warnings) {
  return adopt(loss::Compiler().compile(text, fileName, selection), fileName, warnings);
}

} // namespace losslang
