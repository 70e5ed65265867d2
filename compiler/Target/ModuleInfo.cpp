//===- ModuleInfo.cpp - the LossModule constant ---------------------------===//

#include "compiler/Target/ModuleInfo.h"

#include "compiler/Target/Version.h"

#include "llvm/ADT/StringExtras.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/DerivedTypes.h"
#include "llvm/IR/Function.h"
#include "llvm/IR/GlobalVariable.h"
#include "llvm/IR/Module.h"
#include "llvm/Support/SHA256.h"

using namespace llvm;

std::string loss::sourceHash(const std::string &text) {
  SHA256 hash;
  hash.update(text);
  return toHex(hash.final(), /*LowerCase=*/true);
}

namespace {

/// Builds constants whose layout is that of the structs in LossAbi.h: all fields have their natural
/// alignment there, as in a literal LLVM struct.
class DescriptorEmitter {
public:
  explicit DescriptorEmitter(Module &module)
      : module(module), context(module.getContext()), pointer(PointerType::getUnqual(context)) {}

  void emit(const loss::ModuleInfo &info) {
    Constant *fields[] = {
        u32(LOSSLANG_ABI_MAGIC),
        u32(LOSSLANG_ABI_VERSION),
        text(info.name),
        text(info.doc),
        text(info.source),
        text(loss::sourceHash(info.source)),
        text(loss::compilerVersion()),
        u32(info.axes.size()),
        u32(info.inputs.size()),
        u32(info.params.size()),
        u32(info.kernels.size()),
        u32(info.resultAxes.size()),
        u32(static_cast<uint32_t>(info.rowAxis)),
        u32(static_cast<uint32_t>(info.classAxis)),
        u32(info.classWeighting),
        array(info.axes, [&](auto &axis) { return text(axis); }),
        array(info.inputs, [&](auto &input) { return emitInput(input); }),
        array(info.params, [&](auto &param) { return emitParam(param); }),
        array(info.kernels, [&](auto &kernel) { return emitKernel(kernel); }),
        array(info.resultAxes, [&](uint32_t axis) { return u32(axis); }),
    };
    Constant *value = ConstantStruct::getAnon(fields);
    auto *global = new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                                      GlobalValue::ExternalLinkage, value, LOSSLANG_MODULE_SYMBOL);
    global->setVisibility(GlobalValue::DefaultVisibility);
  }

private:
  Constant *u32(uint64_t v) { return ConstantInt::get(Type::getInt32Ty(context), v); }

  Constant *global(Constant *value) {
    return new GlobalVariable(module, value->getType(), /*isConstant=*/true,
                              GlobalValue::PrivateLinkage, value);
  }

  Constant *text(const std::string &s) { return global(ConstantDataArray::getString(context, s)); }

  template <typename Range, typename Fn> Constant *array(const Range &range, Fn emitElement) {
    SmallVector<Constant *> elements;
    for (const auto &element : range)
      elements.push_back(emitElement(element));
    if (elements.empty())
      return ConstantPointerNull::get(pointer);
    return global(
        ConstantArray::get(ArrayType::get(elements[0]->getType(), elements.size()), elements));
  }

  Constant *emitInput(const loss::InputInfo &input) {
    return ConstantStruct::getAnon({text(input.name), text(input.doc), u32(input.kind),
                                    u32(input.axes.size()),
                                    array(input.axes, [&](uint32_t axis) { return u32(axis); }),
                                    u32(input.hasGradient), u32(0)});
  }

  Constant *emitParam(const loss::ParamInfo &param) {
    return ConstantStruct::getAnon({text(param.name), text(param.doc),
                                    ConstantFP::get(Type::getDoubleTy(context), param.defaultValue),
                                    u32(param.constraint), u32(0)});
  }

  Constant *emitKernel(const loss::KernelInfo &kernel) {
    Type *i64 = Type::getInt64Ty(context);
    auto *entryType = FunctionType::get(i64, {pointer, i64, i64, pointer}, false);
    auto *scratchType = FunctionType::get(i64, {pointer}, false);
    SmallVector<Constant *> entries;
    for (const std::string &symbol : kernel.symbols)
      entries.push_back(function(symbol, entryType));
    return ConstantStruct::getAnon(
        {u32(kernel.element), u32(kernel.target), u32(kernel.mode), u32(kernel.options),
         function(kernel.scratch, scratchType),
         ConstantArray::get(ArrayType::get(pointer, entries.size()), entries)});
  }

  /// Null for an empty name.
  Constant *function(const std::string &symbol, FunctionType *type) {
    if (symbol.empty())
      return ConstantPointerNull::get(pointer);
    if (Function *known = module.getFunction(symbol))
      return known;
    Function *declared = Function::Create(type, GlobalValue::ExternalLinkage, symbol, module);
    declared->setVisibility(GlobalValue::HiddenVisibility);
    return declared;
  }

  Module &module;
  LLVMContext &context;
  PointerType *pointer;
};

} // namespace

void loss::emitDescriptor(Module &module, const ModuleInfo &info) {
  DescriptorEmitter(module).emit(info);
}
