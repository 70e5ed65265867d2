//===- Jit.cpp - machine code in this process -----------------------------===//

#include "compiler/Target/Jit.h"

#include "llvm/ExecutionEngine/Orc/Core.h"
#include "llvm/ExecutionEngine/Orc/ObjectLinkingLayer.h"
#include "llvm/ExecutionEngine/Orc/SelfExecutorProcessControl.h"
#include "llvm/ExecutionEngine/Orc/TaskDispatch.h"
#include "llvm/Support/MemoryBuffer.h"

using namespace llvm;
using namespace llvm::orc;

struct loss::Jit::Impl {
  explicit Impl(std::unique_ptr<ExecutorProcessControl> control)
      : session(std::move(control)),
        layer(session, session.getExecutorProcessControl().getMemMgr()) {}
  ~Impl() { cantFail(session.endSession()); }

  ExecutionSession session;
  ObjectLinkingLayer layer;
  uint64_t loaded = 0;
};

namespace {

class LoadedModule final : public loss::JitModule {
public:
  LoadedModule(std::shared_ptr<loss::Jit> jit, ExecutionSession &session, JITDylib &library)
      : jit(std::move(jit)), session(session), library(library) {}
  ~LoadedModule() override { cantFail(session.removeJITDylib(library)); }
  const LossModule &module() const override { return *descriptor; }

  const LossModule *descriptor = nullptr;

private:
  std::shared_ptr<loss::Jit> jit; // Keeps the session.
  ExecutionSession &session;
  JITDylib &library;
};

} // namespace

loss::Jit::Jit() = default;
loss::Jit::~Jit() = default;

Expected<std::shared_ptr<loss::Jit>> loss::Jit::create() {
  auto control =
      SelfExecutorProcessControl::Create(nullptr, std::make_unique<InPlaceTaskDispatcher>());
  if (!control)
    return control.takeError();
  std::shared_ptr<Jit> jit(new Jit());
  jit->impl = std::make_unique<Impl>(std::move(*control));
  return jit;
}

Expected<std::unique_ptr<loss::JitModule>> loss::Jit::load(StringRef object) {
  ExecutionSession &session = impl->session;
  JITDylib &library = session.createBareJITDylib("loss" + std::to_string(impl->loaded++));
  auto module = std::make_unique<LoadedModule>(shared_from_this(), session, library);
  if (Error error = impl->layer.add(library, MemoryBuffer::getMemBufferCopy(object, "loss.o")))
    return error;
  auto symbol = session.lookup({&library}, LOSSLANG_MODULE_SYMBOL);
  if (!symbol)
    return symbol.takeError();
  module->descriptor = symbol->getAddress().toPtr<const LossModule *>();
  return module;
}
