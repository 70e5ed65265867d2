//===- VecMathBitcodeTest.cpp - the embedded bitcode -------------------------------===//
//
// Every function is there, nothing is missing, and what the compiler makes of the bitcode computes
// the same bits as the host's loops.
//
//===----------------------------------------------------------------------===//
#include "compiler/Target/CPU/VecMath/VecMathBitcode.h"
#include "compiler/Target/CPU/VecMath/VecMathHost.h"

#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/ExecutionEngine/Orc/LLJIT.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/LegacyPassManager.h"
#include "llvm/IR/Module.h"
#include "llvm/IR/Verifier.h"
#include "llvm/MC/TargetRegistry.h"
#include "llvm/Object/ObjectFile.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/TargetSelect.h"
#include "llvm/Target/TargetMachine.h"
#include "llvm/Transforms/IPO/AlwaysInliner.h"

#include <gtest/gtest.h>

#include <bit>
#include <cmath>

using namespace llvm;
using namespace loss::vecmath;

namespace {

const char *levelName(int level) {
  static const char *const names[] = {"x86-64-v2", "x86-64-v3", "x86-64-v4"};
  return names[level];
}

std::string symbolOf(const VecMathFunction &f, bool isF32, int level) {
  int lanes = isF32 ? f32Lanes(level) : f32Lanes(level) / 2;
  return "loss_vm_" + std::string(f.name) + (isF32 ? "_f32x" : "_f64x") + std::to_string(lanes);
}

class VecMathBitcodeTest : public testing::TestWithParam<int> {
protected:
  static void SetUpTestSuite() {
    InitializeNativeTarget();
    InitializeNativeTargetAsmPrinter();
  }

  static std::unique_ptr<Module> load(LLVMContext &context, int level) {
    std::string_view bitcode = vecMathBitcode(level);
    auto module = parseBitcodeFile(
        MemoryBufferRef(StringRef(bitcode.data(), bitcode.size()), "vecmath"), context);
    return cantFail(std::move(module));
  }

  static std::unique_ptr<TargetMachine> machine(const Module &module, int level) {
    std::string error;
    const Target *target = TargetRegistry::lookupTarget(module.getTargetTriple(), error);
    EXPECT_TRUE(target) << error;
    return std::unique_ptr<TargetMachine>(
        target->createTargetMachine(module.getTargetTriple(), levelName(level), "", TargetOptions(),
                                    Reloc::PIC_, std::nullopt, CodeGenOptLevel::Default));
  }
};

TEST_P(VecMathBitcodeTest, DefinesEveryFunction) {
  int level = GetParam();
  LLVMContext context;
  auto module = load(context, level);
  EXPECT_FALSE(verifyModule(*module, &errs()));
  for (const VecMathFunction &f : vecMathFunctions)
    for (bool isF32 : {true, false}) {
      Function *function = module->getFunction(symbolOf(f, isF32, level));
      ASSERT_TRUE(function) << symbolOf(f, isF32, level);
      EXPECT_FALSE(function->isDeclaration());
      Type *element = isF32 ? Type::getFloatTy(context) : Type::getDoubleTy(context);
      Type *vector = FixedVectorType::get(element, isF32 ? f32Lanes(level) : f32Lanes(level) / 2);
      EXPECT_EQ(function->getReturnType(), vector);
      EXPECT_EQ(function->arg_size(), size_t(f.arity));
      for (Argument &argument : function->args())
        EXPECT_EQ(argument.getType(), vector);
      EXPECT_EQ(function->hasFnAttribute(Attribute::AlwaysInline), f.alwaysInline);
    }
}

TEST_P(VecMathBitcodeTest, HasNoExternalSymbol) {
  int level = GetParam();
  LLVMContext context;
  auto module = load(context, level);
  for (const Function &function : *module)
    EXPECT_TRUE(!function.isDeclaration() || function.isIntrinsic()) << function.getName().str();
  for (const GlobalVariable &variable : module->globals())
    EXPECT_FALSE(variable.isDeclaration()) << variable.getName().str();

  // Intrinsics that the level lacks would become calls of a math library: look at the object.
  auto target = machine(*module, level);
  SmallVector<char, 0> object;
  raw_svector_ostream stream(object);
  legacy::PassManager passes;
  ASSERT_FALSE(target->addPassesToEmitFile(passes, stream, nullptr, CodeGenFileType::ObjectFile));
  passes.run(*module);
  auto file = cantFail(object::ObjectFile::createObjectFile(
      MemoryBufferRef(StringRef(object.data(), object.size()), "vecmath.o")));
  for (const object::SymbolRef &symbol : file->symbols()) {
    StringRef name = cantFail(symbol.getName());
    bool undefined = cantFail(symbol.getFlags()) & object::SymbolRef::SF_Undefined;
    EXPECT_TRUE(!undefined || name.empty() || name == "_GLOBAL_OFFSET_TABLE_") << name.str();
  }
}

/// Adds void apply_<name>(const T *x, const T *y, T *z): one vector, the function inlined.
void addWrapper(Module &module, const VecMathFunction &f, bool isF32, int level) {
  LLVMContext &context = module.getContext();
  Function *function = module.getFunction(symbolOf(f, isF32, level));
  Type *pointer = PointerType::getUnqual(context);
  Function *wrapper = Function::Create(
      FunctionType::get(Type::getVoidTy(context), {pointer, pointer, pointer}, false),
      GlobalValue::ExternalLinkage, "apply_" + function->getName(), module);
  // What a generated kernel has; without it, nothing is inlined and 512-bit values are split.
  wrapper->addFnAttr("target-cpu", levelName(level));
  wrapper->addFnAttr("min-legal-vector-width", "512");
  wrapper->addFnAttr("prefer-vector-width", "512");
  IRBuilder<> builder(BasicBlock::Create(context, "", wrapper));
  SmallVector<Value *, 2> operands;
  for (int i = 0; i < f.arity; ++i)
    operands.push_back(
        builder.CreateAlignedLoad(function->getReturnType(), wrapper->getArg(i), Align(1)));
  builder.CreateAlignedStore(builder.CreateCall(function, operands), wrapper->getArg(2), Align(1));
  builder.CreateRetVoid();
}

template <typename T> void checkAgainstHost(orc::LLJIT &jit, const VecMathFunction &f, int level) {
  constexpr bool isF32 = sizeof(T) == 4;
  int lanes = isF32 ? f32Lanes(level) : f32Lanes(level) / 2;
  auto address = cantFail(jit.lookup("apply_" + symbolOf(f, isF32, level)));
  auto *kernel = address.toPtr<void (*)(const T *, const T *, T *)>();
  Fn fn = *findFunction(f.name);
  const HostFunctions &host = hostFunctions(fn, level);
  bool unit = fn == Fn::sin_unit || fn == Fn::cos_unit;
  for (int round = 0; round < 200; ++round) {
    T x[16], y[16], expected[16], found[16];
    for (int i = 0; i < lanes; ++i) {
      x[i] = T(std::sin(round * 16 + i) * (unit ? 1 : std::pow(1.3, round % 40)));
      y[i] = T(std::cos(round + i) * 5);
      // Each function's slow path once in a while.
      if (!unit && round % 16 == 5 && i == round % lanes)
        x[i] = T(std::pow(10.0, round % 38)) * (i % 2 ? 1 : -1);
    }
    kernel(x, y, found);
    if constexpr (isF32)
      f.arity == 1 ? host.unaryF32(x, expected, lanes) : host.binaryF32(x, y, expected, lanes);
    else
      f.arity == 1 ? host.unaryF64(x, expected, lanes) : host.binaryF64(x, y, expected, lanes);
    for (int i = 0; i < lanes; ++i)
      EXPECT_TRUE(found[i] == expected[i] || (std::isnan(found[i]) && std::isnan(expected[i])))
          << symbolOf(f, isF32, level) << "(" << x[i] << "): " << found[i] << ", but the host has "
          << expected[i];
  }
}

TEST_P(VecMathBitcodeTest, ComputesWhatTheHostComputes) {
  int level = GetParam();
  if (level > hostLevel())
    GTEST_SKIP() << "this processor lacks " << levelName(level);
  auto context = std::make_unique<LLVMContext>();
  auto module = load(*context, level);
  for (const VecMathFunction &f : vecMathFunctions)
    for (bool isF32 : {true, false})
      addWrapper(*module, f, isF32, level);
  ASSERT_FALSE(verifyModule(*module, &errs()));

  ModuleAnalysisManager analyses;
  PassBuilder passBuilder;
  LoopAnalysisManager loops;
  FunctionAnalysisManager functions;
  CGSCCAnalysisManager callGraph;
  passBuilder.registerModuleAnalyses(analyses);
  passBuilder.registerCGSCCAnalyses(callGraph);
  passBuilder.registerFunctionAnalyses(functions);
  passBuilder.registerLoopAnalyses(loops);
  passBuilder.crossRegisterProxies(loops, functions, callGraph, analyses);
  ModulePassManager passes;
  passes.addPass(AlwaysInlinerPass());
  passes.run(*module, analyses);
  // The attributes that clang gave the functions do not stand in the way.
  for (const VecMathFunction &f : vecMathFunctions)
    if (f.alwaysInline)
      for (Instruction &instruction :
           module->getFunction("apply_" + symbolOf(f, true, level))->front())
        if (auto *call = dyn_cast<CallInst>(&instruction))
          EXPECT_NE(call->getCalledFunction()->getName().str(), symbolOf(f, true, level));

  auto target = orc::JITTargetMachineBuilder(module->getTargetTriple());
  target.setCPU(levelName(level));
  auto jit = cantFail(orc::LLJITBuilder().setJITTargetMachineBuilder(std::move(target)).create());
  cantFail(jit->addIRModule(orc::ThreadSafeModule(std::move(module), std::move(context))));
  for (const VecMathFunction &f : vecMathFunctions) {
    checkAgainstHost<float>(*jit, f, level);
    checkAgainstHost<double>(*jit, f, level);
  }
}

INSTANTIATE_TEST_SUITE_P(Levels, VecMathBitcodeTest, testing::Range(0, 3),
                         [](const testing::TestParamInfo<int> &test) {
                           return "v" + std::to_string(test.param + 2);
                         });

} // namespace
