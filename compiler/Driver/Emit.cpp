//===- Emit.cpp - what lossc --emit writes --------------------------------===//

#include "compiler/Driver/Driver.h"

#include "compiler/Export/Latex.h"
#include "compiler/Pipeline/Explain.h"
#include "compiler/Target/SharedObject.h"
#include "lang/Parser.h"

using namespace loss;

Phase loss::lastPhaseFor(EmitKind kind) {
  switch (kind) {
  case EmitKind::AST:
  case EmitKind::Latex:
    return Phase::Parse;
  case EmitKind::Loss:
  case EmitKind::Header:
    return Phase::Loss;
  case EmitKind::Grad:
    return Phase::Differentiate;
  case EmitKind::Fused:
  case EmitKind::Explain:
    return Phase::Fuse;
  case EmitKind::Vector:
    return Phase::Vector;
  case EmitKind::LLVM:
    return Phase::Llvm;
  case EmitKind::Assembly:
  case EmitKind::Object:
  case EmitKind::SharedObject:
    return Phase::Object;
  }
  llvm_unreachable("unknown kind of output");
}

/// The parts of each level, under a line that names it when there are several.
static std::string joinLevels(const Compilation &compilation,
                              std::string Compilation::Level::*member) {
  std::string text;
  for (const Compilation::Level &level : compilation.levels)
    text += level.*member;
  return text;
}

/// The text was found good before.
static std::string emitLatex(const std::string &source) {
  lang::DiagnosticEngine ignored{""};
  return latexDocument(lang::parse(source, ignored));
}

llvm::Expected<std::string> loss::emitOutput(EmitKind kind, const Compilation &compilation) {
  switch (kind) {
  case EmitKind::AST:
    return compilation.ast;
  case EmitKind::Latex:
    return emitLatex(compilation.source);
  case EmitKind::Loss:
  case EmitKind::Grad:
  case EmitKind::Fused: {
    std::string text;
    llvm::raw_string_ostream stream(text);
    compilation.module.get().print(stream);
    return text;
  }
  case EmitKind::Explain:
    return explainKernels(compilation);
  case EmitKind::Header:
    return emitHeader(compilation.info);
  case EmitKind::Vector:
    return joinLevels(compilation, &Compilation::Level::vectorIR);
  case EmitKind::LLVM:
    return joinLevels(compilation, &Compilation::Level::llvmIR);
  case EmitKind::Assembly:
    return joinLevels(compilation, &Compilation::Level::assembly);
  case EmitKind::Object: {
    const auto &object = compilation.levels.front().object;
    return std::string(object.begin(), object.end());
  }
  case EmitKind::SharedObject: {
    llvm::SmallVector<llvm::StringRef> objects;
    for (const Compilation::Level &level : compilation.levels)
      objects.push_back({level.object.data(), level.object.size()});
    llvm::SmallVector<char, 0> linked;
    if (llvm::Error error = linkSharedObject(objects, linked))
      return std::move(error);
    return std::string(linked.begin(), linked.end());
  }
  }
  llvm_unreachable("unknown kind of output");
}
