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
    std::string hashed = source.text + '\0' + source.fileName;
    for (const std::string &define : source.defines)
      hashed += '\0' + define;
    const std::string hash = sourceHash(hashed);
    std::lock_guard<std::mutex> lock(mutex);
    if (auto known = sources.find(hash); known != sources.end())
      return known->second;
    // What training takes; the rest when a call needs it.
    std::shared_ptr<JitModule> jit =
        compile(source, KernelSelection::training(LOSS_F32, LOSS_TARGET_INDEX));
    RegisteredLoss loss{std::string(jit->module().name) + ":" + hash.substr(0, 32), jit->warnings};
    LossHandle handle = LossHandle::adopt(
        descriptorOf(std::move(jit)), source.fileName,
        [this, source](uint32_t element, uint32_t target, uint32_t mode, uint32_t options) {
          return compileKernel(source, element, target, mode, options);
        });
    entries.emplace(loss.key, std::move(handle));
    sources.emplace(hash, loss);
    return loss;
  }

  std::string add(const std::string &contents, const std::string &origin) {
    const std::string hash = sourceHash(contents);
    std::lock_guard<std::mutex> lock(mutex);
    if (auto known = libraries.find(hash); known != libraries.end())
      return known->second;
    LossHandle handle = open(contents, origin);
    std::string key = handle.name() + ":" + hash.substr(0, 32);
    entries.emplace(key, std::move(handle));
    libraries.emplace(hash, key);
    return key;
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
  /// By the hash of what they were made of.
  std::map<std::string, RegisteredLoss> sources;
  std::map<std::string, std::string> libraries;
  std::map<std::string, LossHandle> entries;
};

} // namespace

RegisteredLoss registerSource(const LossSource &source) { return Registry::get().add(source); }

std::string registerLibrary(const std::string &contents, const std::string &origin) {
  return Registry::get().add(contents, origin);
}

LossHandle findLoss(const std::string &key) { return Registry::get().find(key); }

std::string describeLoss(const std::string &key) { return describe(findLoss(key).module()); }

} // namespace loss::python
