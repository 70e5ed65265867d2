//===- CodeGenerator.cpp - LLVM IR to machine code ------------------------===//

#include "compiler/Target/CPU/CodeGenerator.h"

#include "compiler/Target/CPU/VecMath/VecMathBitcode.h"
#include "runtime/abi/LossAbi.h"

#include "llvm/Analysis/CGSCCPassManager.h"
#include "llvm/Analysis/LoopAnalysisManager.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/Linker/Linker.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Support/raw_ostream.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"
#include "llvm/Transforms/IPO/GlobalDCE.h"
#include "llvm/Transforms/IPO/Internalize.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/ADCE.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/LICM.h"
#include "llvm/Transforms/Scalar/LoopPassManager.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"

using namespace llvm;

static constexpr const char *tripleName = "x86_64-unknown-linux-gnu";

const loss::FeatureLevel &loss::featureLevel(unsigned level) {
  static const FeatureLevel levels[] = {{LOSS_X86_64_V2, "x86-64-v2", "v2", 128},
                                        {LOSS_X86_64_V3, "x86-64-v3", "v3", 256},
                                        {LOSS_X86_64_V4, "x86-64-v4", "v4", 512}};
  static_assert(std::size(levels) == LOSS_LEVEL_COUNT);
  assert(level < LOSS_LEVEL_COUNT);
  return levels[level];
}

Expected<unsigned> loss::hostFeatureLevel() {
  int level = loss_cpu_level();
  if (level < 0)
    return createStringError("expected a processor of x86-64-v2 (SSE 4.2) or above");
  return level;
}

loss::CodeGenerator::CodeGenerator(unsigned level) : features(featureLevel(level)) {
  static const bool initialised = [] {
    LLVMInitializeX86TargetInfo();
    LLVMInitializeX86Target();
    LLVMInitializeX86TargetMC();
    LLVMInitializeX86AsmPrinter();
    return true;
  }();
  (void)initialised;
  std::string error;
  Triple triple(tripleName);
  const Target *target = TargetRegistry::lookupTarget(triple, error);
  assert(target && "the X86 target is built in");
  machine.reset(target->createTargetMachine(triple, features.cpu, "", TargetOptions(), Reloc::PIC_,
                                            CodeModel::Small, CodeGenOptLevel::Less));
}

loss::CodeGenerator::CodeGenerator(CodeGenerator &&) = default;
loss::CodeGenerator::~CodeGenerator() = default;

void loss::CodeGenerator::setTarget(Module &module) {
  module.setTargetTriple(Triple(tripleName));
  module.setDataLayout(machine->createDataLayout());
}

Error loss::CodeGenerator::prepare(Module &module) {
  setTarget(module);

  StringSet<> exported;
  for (Function &function : module)
    if (!function.isDeclaration())
      exported.insert(function.getName());
  for (GlobalVariable &global : module.globals())
    if (global.hasExternalLinkage())
      exported.insert(global.getName());

  std::string_view bitcode = vecmath::vecMathBitcode(features.level);
  Expected<std::unique_ptr<Module>> library = getLazyBitcodeModule(
      MemoryBufferRef(StringRef(bitcode.data(), bitcode.size()), "vecmath"), module.getContext());
  if (!library)
    return library.takeError();
  (*library)->setTargetTriple(module.getTargetTriple());
  (*library)->setDataLayout(module.getDataLayout());
  if (Linker::linkModules(module, std::move(*library), Linker::LinkOnlyNeeded))
    return createStringError("cannot link the vector math library");

  for (Function &function : module) {
    if (function.isDeclaration()) {
      if (!function.isIntrinsic())
        return createStringError("no definition of '" + function.getName() + "'");
      continue;
    }
    // One set of features for all, so that inlining is not hindered.
    function.removeFnAttr("target-cpu");
    function.removeFnAttr("target-features");
    function.removeFnAttr("tune-cpu");
    std::string bits = std::to_string(features.bits);
    function.addFnAttr("target-cpu", features.cpu);
    function.addFnAttr("prefer-vector-width", bits);
    function.addFnAttr("min-legal-vector-width", bits);
    function.addFnAttr(Attribute::NoUnwind);
    if (exported.contains(function.getName()))
      function.setVisibility(GlobalValue::HiddenVisibility);
  }
  internalizeModule(module,
                    [&](const GlobalValue &value) { return exported.contains(value.getName()); });
  return Error::success();
}

/// The code generator takes more than linear time for a basic block. One of a usual loss calls up
/// to 10 functions that are inlined; of more than this many they stay calls.
static constexpr size_t mostInlined = 32;

/// Keeps the calls of a block that has too many of them.
static void keepCalls(BasicBlock &block) {
  SmallVector<CallBase *> calls;
  for (Instruction &instruction : block)
    if (auto *call = dyn_cast<CallBase>(&instruction))
      if (call->hasFnAttr(Attribute::AlwaysInline))
        calls.push_back(call);
  if (calls.size() > mostInlined)
    for (CallBase *call : calls)
      call->setIsNoInline();
}

void loss::CodeGenerator::optimise(Module &module) {
  for (Function &function : module)
    for (BasicBlock &block : function)
      keepCalls(block);

  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager components;
  ModuleAnalysisManager modules;
  PassBuilder builder(machine.get());
  builder.registerModuleAnalyses(modules);
  builder.registerCGSCCAnalyses(components);
  builder.registerFunctionAnalyses(functions);
  builder.registerLoopAnalyses(loops);
  builder.crossRegisterProxies(loops, functions, components, modules);

  // Kernels come vectorised, unrolled and free of memory traffic, and the math library optimised:
  // what is left is to inline, to share work between the functions inlined (the range reduction of
  // a sine and a cosine of one angle), and to move it out of loops. A standard pipeline takes ten
  // times as long and gains nothing.
  FunctionPassManager clean;
  clean.addPass(SimplifyCFGPass());
  clean.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  clean.addPass(createFunctionToLoopPassAdaptor(LICMPass(LICMOptions()), /*UseMemorySSA=*/true));
  clean.addPass(InstCombinePass());
  clean.addPass(EarlyCSEPass(/*UseMemorySSA=*/false));
  clean.addPass(ADCEPass());
  ModulePassManager pipeline;
  pipeline.addPass(AlwaysInlinerPass(/*InsertLifetimeIntrinsics=*/false));
  pipeline.addPass(GlobalDCEPass());
  pipeline.addPass(createModuleToFunctionPassAdaptor(std::move(clean)));
  pipeline.run(module, modules);
}

namespace {

/// The target's code generator without passes that do not pay here.
class CodeGeneratorPasses final : public legacy::PassManager {
public:
  void add(Pass *pass) override {
    if (isLeftOut(pass->getPassName()))
      delete pass;
    else
      legacy::PassManager::add(pass);
  }

private:
  /// Loops of kernels advance one index, which x86 addresses scale: strength reduction, the
  /// costliest of all passes in deep nests, has nothing to gain.
  static bool isLeftOut(StringRef name) {
    return name == "Loop Strength Reduction" || name == "Canonicalize Freeze Instructions in Loops";
  }
};

} // namespace

Error loss::CodeGenerator::emit(Module &module, CodeGenFileType type, SmallVectorImpl<char> &out) {
  raw_svector_ostream stream(out);
  CodeGeneratorPasses passes;
  if (machine->addPassesToEmitFile(passes, stream, nullptr, type))
    return createStringError("the target cannot emit this kind of file");
  passes.run(module);
  return Error::success();
}

Error loss::CodeGenerator::emitObject(Module &module, SmallVectorImpl<char> &object) {
  return emit(module, CodeGenFileType::ObjectFile, object);
}

Error loss::CodeGenerator::emitAssembly(Module &module, SmallVectorImpl<char> &text) {
  return emit(module, CodeGenFileType::AssemblyFile, text);
}
