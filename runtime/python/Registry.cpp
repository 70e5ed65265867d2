#include "runtime/python/Registry.h"

#include "compiler/Pipeline/Compiler.h"
#include "compiler/Target/ModuleInfo.h"
#include "runtime/python/Describe.h"

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <mutex>
#include <optional>
#include <pthread.h>
#include <unistd.h>

namespace loss::python {

using runtime::LoadError;
using runtime::LossHandle;

namespace {

/// All losses of the process and the compiler, behind one lock.
class Registry {
public:
  /// Never destroyed: tensors may hold losses until the very end.
  static Registry &get() {
    static Registry *const registry = new Registry;
    return *registry;
  }

  RegisteredLoss add(const LossSource &source) {
    const std::optional<std::string> program =
        selfContained(source.text, source.fileName, source.defines);
    std::lock_guard<std::mutex> lock(mutex);
    auto known = program ? programs.find(*program) : programs.end();
    // Warnings name the file.
    if (known != programs.end() &&
        (known->second.loss.warnings.empty() || known->second.fileName == source.fileName))
      return known->second.loss;
    // What training takes; the rest when a call needs it. The first time from the files, so that
    // warnings tell lines of theirs.
    std::shared_ptr<JitModule> jit =
        compile(source, KernelSelection::training(LOSS_F32, LOSS_TARGET_INDEX));
    // What was compiled, in case that a file has changed since it was read above.
    const LossSource whole{jit->module().source, source.fileName, {}};
    RegisteredLoss loss{keyOf(jit->module().name, whole.text), jit->warnings};
    if (!entries.count(loss.key))
      entries.emplace(loss.key, LossHandle::adopt(descriptorOf(std::move(jit)), source.fileName,
                                                  [this, whole](uint32_t element, uint32_t target,
                                                                uint32_t mode, uint32_t options) {
                                                    return compileKernel(whole, element, target,
                                                                         mode, options);
                                                  }));
    programs.insert_or_assign(whole.text, Program{loss, source.fileName});
    return loss;
  }

  std::string add(const std::string &contents, const std::string &origin) {
    const std::string hash = sourceHash(contents);
    std::lock_guard<std::mutex> lock(mutex);
    if (auto known = libraries.find(hash); known != libraries.end())
      return known->second;
    LossHandle handle = open(contents, origin);
    std::string key = keyOf(handle.name(), contents);
    entries.emplace(key, std::move(handle));
    libraries.emplace(hash, key);
    return key;
  }

  bool knows(const std::string &key) {
    std::lock_guard<std::mutex> lock(mutex);
    return entries.count(key);
  }

  LossHandle find(const std::string &key) {
    std::lock_guard<std::mutex> lock(mutex);
    auto found = entries.find(key);
    if (found == entries.end())
      throw LoadError("the loss '" + key +
                      "' is not known in this process: compile or load it first");
    return found->second;
  }

private:
  /// A program without imports, by its text.
  struct Program {
    RegisteredLoss loss;
    /// That the warnings name.
    std::string fileName;
  };

  static std::string keyOf(const std::string &name, const std::string &contents) {
    return name + ":" + sourceHash(contents).substr(0, 32);
  }

  Registry() {
    // A child of fork() must not inherit a lock that a thread of its parent holds.
    pthread_atfork([] { get().mutex.lock(); }, [] { get().mutex.unlock(); },
                   [] { get().mutex.unlock(); });
  }

  std::shared_ptr<JitModule> compile(const LossSource &source, const KernelSelection &selection) {
    if (!compiler)
      compiler = std::make_unique<Compiler>();
    return compiler->compile(source.text, source.fileName, selection, source.defines);
  }

  /// Keeps the code alive.
  static std::shared_ptr<const LossModule> descriptorOf(std::shared_ptr<JitModule> jit) {
    const LossModule *descriptor = &jit->module();
    return {std::move(jit), descriptor};
  }

  std::shared_ptr<const LossModule> compileKernel(const LossSource &source, uint32_t element,
                                                  uint32_t target, uint32_t mode,
                                                  uint32_t options) {
    KernelSelection selection;
    selection.elements = 1u << element;
    selection.targets = 1u << target;
    selection.modes = 1u << mode;
    selection.options = 1u << options;
    std::lock_guard<std::mutex> lock(mutex);
    return descriptorOf(compile(source, selection));
  }

  /// Through a file of its own: the contents may come from a pickle, far from the file that they
  /// were read from. The file can go once its code is mapped.
  static LossHandle open(const std::string &contents, const std::string &origin) {
    std::string path = std::filesystem::temp_directory_path() / "losslang-XXXXXX";
    const int file = mkstemp(path.data());
    if (file < 0)
      throw LoadError(origin + ": cannot make a temporary file: " + std::strerror(errno));
    close(file);
    struct Remove {
      const std::string &path;
      ~Remove() { unlink(path.c_str()); }
    } remove{path};
    std::ofstream out(path, std::ios::binary);
    out.write(contents.data(), static_cast<std::streamsize>(contents.size()));
    if (!out.flush())
      throw LoadError(origin + ": cannot write a temporary file");
    try {
      return LossHandle::open(path);
    } catch (const LoadError &error) {
      // Under the name that the caller knows.
      std::string what = error.what();
      if (what.starts_with(path))
        what.replace(0, path.size(), origin);
      throw LoadError(what);
    }
  }

  std::mutex mutex;
  std::unique_ptr<Compiler> compiler;
  std::map<std::string, Program> programs;
  /// Keys by the hash of the contents.
  std::map<std::string, std::string> libraries;
  std::map<std::string, LossHandle> entries;
};

} // namespace

RegisteredLoss registerSource(const LossSource &source) { return Registry::get().add(source); }

std::string registerLibrary(const std::string &contents, const std::string &origin) {
  return Registry::get().add(contents, origin);
}

LossHandle findLoss(const std::string &key, const std::string &program) {
  if (!program.empty() && !Registry::get().knows(key))
    registerSource({program, key.substr(0, key.find(':')) + ".loss", {}});
  return Registry::get().find(key);
}

std::string describeLoss(const std::string &key) { return describe(findLoss(key).module()); }

} // namespace loss::python
