#include "runtime/load/LoadLoss.h"
#include "lang/Suggest.h"

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

[[noreturn]] void unknownLoss(const std::string &spec, const std::string &alsoKnown) {
  const std::vector<std::string> names = loss::listLibraryLosses();
  std::string hint = loss::lang::didYouMean(spec, {names.begin(), names.end()});
  if (!hint.empty())
    hint = "; " + hint;
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
