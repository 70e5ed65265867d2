//===- Pipeline.cpp - the phases of a compilation -------------------------===//

#include "compiler/Pipeline/Pipeline.h"

#include "compiler/Pipeline/Describe.h"
#include "compiler/Pipeline/Programs.h"

#include "compiler/Conversion/Passes.h"
#include "compiler/Dialect/Loss/IR/Loss.h"
#include "compiler/Dialect/Loss/Transforms/Passes.h"
#include "compiler/MLIRGen/MLIRGen.h"
#include "compiler/Target/CPU/CodeGenerator.h"
#include "compiler/Target/SharedObject.h"
#include "lang/AstPrinter.h"
#include "lang/Imports.h"
#include "lang/Parser.h"

#include "mlir/Dialect/ControlFlow/IR/ControlFlow.h"
#include "mlir/IR/Verifier.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Export.h"
#include "mlir/Transforms/Passes.h"
#include "llvm/IR/LLVMContext.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Transforms/Utils/Cloning.h"

#include <thread>

using namespace mlir;
using namespace loss;

//===----------------------------------------------------------------------===//
// Context
//===----------------------------------------------------------------------===//

/// Pass pipelines are built once: making their rewrite patterns costs more than a run.
struct PipelineContext::Pipelines {
  Pipelines(MLIRContext *context, ArrayRef<std::string> disabledPatterns)
      : simplify(context), addOptions(context, ir::ProgramOp::getOperationName()),
        differentiate(context), expand(context), fuse(context) {
    // Stable forms come before differentiation: the gradient of log(softmax(x)) is better than what
    // the chain rule makes of its parts.
    ir::SimplifyOptions laws;
    laws.disabledPatterns.assign(disabledPatterns.begin(), disabledPatterns.end());
    simplify.addNestedPass<ir::ProgramOp>(ir::createSimplify(laws));
    addCleanUp(simplify);
    addOptions.addPass(ir::createAddOptions());
    addCleanUp(addOptions);
    // Gradients repeat what the value computes, and multiply by the seed 1.
    differentiate.addNestedPass<ir::ProgramOp>(ir::createSimplify(laws));
    addCleanUp(differentiate);
    // Once for all element types, before the variants part.
    expand.addNestedPass<ir::ProgramOp>(ir::createMarkUnitAngles());
    expand.addNestedPass<ir::ProgramOp>(ir::createExpand());
    addCleanUp(expand);
    fuse.addPass(ir::createFuse());
    addCleanUp(fuse);
    for (PassManager *manager : {&simplify, &addOptions, &differentiate, &expand, &fuse})
      manager->enableVerifier(verify);
  }

  /// loss-specialise for an element type and a kind of target.
  PassManager &specialise(MLIRContext *context, bool isDouble, bool isIndex) {
    std::unique_ptr<PassManager> &manager = specialised[isDouble][isIndex];
    if (!manager) {
      manager = std::make_unique<PassManager>(context, ir::ProgramOp::getOperationName());
      ir::SpecialiseOptions options;
      options.element = isDouble ? "f64" : "f32";
      options.target = isIndex ? "index" : "dense";
      manager->addPass(ir::createSpecialise(options));
      addCleanUp(*manager);
      manager->enableVerifier(verify);
    }
    return *manager;
  }

  struct Lowering {
    Lowering(MLIRContext *context, unsigned bits) : toVector(context), toLLVM(context) {
      toVector.addPass(ir::createConvertLossToVector({bits}));
      toVector.addPass(ir::createConvertMathToVecMath({bits}));
      // LLVM simplifies; nests of loops are what MLIR's canonicaliser is slow at.
      toVector.addPass(createCSEPass());
      toLLVM.addPass(ir::createConvertKernelToLLVM());
      // Three passes, checked by the caller once.
      toVector.enableVerifier(false);
      toLLVM.enableVerifier(verify);
    }
    PassManager toVector, toLLVM;
  };

  /// Kernels to the LLVM dialect, in two steps, for a vector width.
  Lowering &lower(MLIRContext *context, unsigned bits) {
    std::unique_ptr<Lowering> &lowering = lowered[bits];
    if (!lowering)
      lowering = std::make_unique<Lowering>(context, bits);
    return *lowering;
  }

  static void addCleanUp(OpPassManager &manager) {
    manager.addPass(createCanonicalizerPass());
    manager.addPass(createCSEPass());
  }

  static constexpr bool verify = true;
  PassManager simplify, addOptions, differentiate, expand, fuse;
  std::unique_ptr<PassManager> specialised[2][2];
  std::map<unsigned, std::unique_ptr<Lowering>> lowered;
};

PipelineContext::PipelineContext(ArrayRef<std::string> disabledPatterns)
    : context(MLIRContext::Threading::DISABLED) {
  // Messages are for people who wrote a formula.
  context.printOpOnDiagnostic(false);
  DialectRegistry registry;
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
  context.loadDialect<ir::LossDialect, arith::ArithDialect, math::MathDialect, func::FuncDialect,
                      scf::SCFDialect, cf::ControlFlowDialect, vector::VectorDialect,
                      LLVM::LLVMDialect>();
  pipelines = std::make_unique<Pipelines>(&context, disabledPatterns);
}

PipelineContext::~PipelineContext() = default;

//===----------------------------------------------------------------------===//
// One compilation
//===----------------------------------------------------------------------===//

namespace loss {

class Run {
public:
  Run(PipelineContext &shared, const PipelineOptions &options, Compilation &result)
      : context(&shared.context), pipelines(*shared.pipelines), options(options), result(result) {}

  void compile(std::string_view text, bool descriptorInLevel);

private:
  bool parse(std::string_view text);
  bool generateLoss();
  bool simplify() { return !options.simplify || succeeded(pipelines.simplify.run(*result.module)); }
  bool differentiate();
  bool specialise();
  bool fuse() { return succeeded(pipelines.fuse.run(*result.module)); }
  bool generateVectors();
  bool generateLLVM();
  bool generateObjects(bool descriptorInLevel);

  struct LevelWork;
  std::vector<unsigned> levels();
  /// The kernels of a level, `names`, as LLVM IR.
  bool translate(LevelWork &own, ArrayRef<std::string> names);
  void dump(Phase phase);
  void dumpText(Phase phase, StringRef suffix, StringRef text, StringRef extension);
  /// Runs one phase, timed; false when it failed or was the last wanted.
  template <typename Fn> bool step(Phase phase, Fn work);
  bool fail(llvm::Error error);

  MLIRContext *context;
  PipelineContext::Pipelines &pipelines;
  const PipelineOptions &options;
  Compilation &result;
  struct LevelWork {
    CodeGenerator generator;
    OwningOpRef<ModuleOp> vectors;
    std::unique_ptr<llvm::LLVMContext> llvm;
    std::unique_ptr<llvm::Module> module;
    std::string error;
  };
  std::vector<LevelWork> work;
};

} // namespace loss

/// The place in the .loss text that an MLIR location stands for.
static lang::SourceRange rangeOf(Location location, const std::vector<lang::SourceFile> &files) {
  lang::SourceRange range;
  location->walk([&](Location part) {
    auto file = dyn_cast<FileLineColLoc>(part);
    if (!file)
      return WalkResult::advance();
    range.begin = {file.getLine(), file.getColumn()};
    range.end = {file.getLine(), file.getColumn() + 1};
    for (size_t i = 0; i < files.size(); ++i)
      if (file.getFilename() == files[i].name)
        range.file = static_cast<uint32_t>(i);
    return WalkResult::interrupt();
  });
  return range;
}

void loss::addError(lang::DiagnosticEngine &diagnostics, Diagnostic &error) {
  auto place = [&](Location location) { return rangeOf(location, diagnostics.files()); };
  lang::Diagnostic &own = diagnostics.error(place(error.getLocation()), error.str());
  for (Diagnostic &note : error.getNotes())
    if (place(note.getLocation()).begin.isValid())
      own.notes.push_back({place(note.getLocation()), note.str()});
}

template <typename Fn> bool Run::step(Phase phase, Fn action) {
  if (phase > options.stopAfter)
    return false;
  auto start = std::chrono::steady_clock::now();
  bool done = action();
  std::chrono::duration<double> elapsed = std::chrono::steady_clock::now() - start;
  result.seconds.push_back({phase, elapsed.count()});
  if (!done && result.succeeded())
    result.failure = ("internal error: phase '" + phaseName(phase) + "' failed").str();
  if (!done)
    return false;
  if (!options.dumpDirectory.empty())
    dump(phase);
  return result.succeeded();
}

bool Run::fail(llvm::Error error) {
  result.failure = llvm::toString(std::move(error));
  return false;
}

void Run::compile(std::string_view text, bool descriptorInLevel) {
  ScopedDiagnosticHandler handler(context, [&](Diagnostic &diagnostic) {
    if (diagnostic.getSeverity() == DiagnosticSeverity::Error)
      addError(result.diagnostics, diagnostic);
    return success();
  });
  result.source = std::string(text);
  step(Phase::Parse, [&] { return parse(text); }) &&
      step(Phase::Loss, [&] { return generateLoss(); }) &&
      step(Phase::Simplify, [&] { return simplify(); }) &&
      step(Phase::Differentiate, [&] { return differentiate(); }) &&
      step(Phase::Specialise, [&] { return specialise(); }) &&
      step(Phase::Fuse, [&] { return fuse(); }) &&
      step(Phase::Vector, [&] { return generateVectors(); }) &&
      step(Phase::Llvm, [&] { return generateLLVM(); }) &&
      step(Phase::Object, [&] { return generateObjects(descriptorInLevel); });
}

bool Run::parse(std::string_view text) {
  lang::File file = lang::parse(text, result.diagnostics);
  lang::loadImports(file, result.diagnostics, {libraryFolders()});
  if (file.complete) {
    result.ast = lang::print(file);
    // What a module carries is read again without the files that it was made of.
    result.source = lang::selfContained(file, text, options.overrides);
  }
  result.program = lang::analyze(file, result.diagnostics, options.overrides);
  return result.program.has_value();
}

bool Run::generateLoss() {
  result.info = describe(*result.program, result.source);
  result.module = generate(*context, *result.program);
  return static_cast<bool>(result.module);
}

/// Beside the program of the loss: a second one with label smoothing and class weights and, of
/// both, those that yield gradients. Each carries the attributes `loss.mode` and `loss.options`.
bool Run::differentiate() {
  ModuleOp module = *result.module;
  ModuleInfo &info = result.info;
  const KernelSelection &selection = options.selection;
  auto plain = module.lookupSymbol<ir::ProgramOp>(info.name);
  describeRows(info, plain);
  result.whyNoRows = plain.whyNoRowAxis();
  OpBuilder builder(context);
  // For all programs that are made of this one.
  if (!result.whyNoRows.empty())
    plain->setAttr("loss.no_rows", builder.getStringAttr(result.whyNoRows));

  std::array<ir::ProgramOp, 2> bases = {plain, {}};
  if (info.classAxis >= 0) {
    builder.setInsertionPointAfter(plain);
    bases[1] = cast<ir::ProgramOp>(builder.clone(*plain));
    bases[1].setSymName(info.name + optionSuffix(LOSS_WITH_OPTIONS));
    if (failed(pipelines.addOptions.run(bases[1])))
      return false;
    StringRef weighting = bases[1]->getAttrOfType<StringAttr>("loss.class_weighting").getValue();
    info.classWeighting = weighting == "target"   ? LOSS_WEIGHTS_TARGET
                          : weighting == "result" ? LOSS_WEIGHTS_RESULT
                                                  : LOSS_WEIGHTS_NONE;
    bases[1]->removeAttr("loss.class_weighting");
    if (!wants(selection.options, LOSS_WITH_OPTIONS)) {
      bases[1].erase();
      bases[1] = {};
    }
  }

  for (unsigned option : {LOSS_PLAIN, LOSS_WITH_OPTIONS}) {
    ir::ProgramOp base = bases[option];
    if (base && failed(addGradientPrograms(base, option, info, selection)))
      return false;
  }
  return !options.simplify || succeeded(pipelines.differentiate.run(module));
}

/// In the names of kernels.
static StringRef targetInfix(unsigned target) {
  constexpr const char *names[] = {"", "_index", "_dense"};
  return abi::nameIn<LOSS_TARGET_COUNT>(names, target);
}

bool Run::specialise() {
  if (failed(pipelines.expand.run(*result.module)))
    return false;
  ModuleOp module = *result.module;
  const KernelSelection &selection = options.selection;
  SmallVector<ir::ProgramOp> programs(module.getOps<ir::ProgramOp>());
  OpBuilder builder = OpBuilder::atBlockEnd(module.getBody());
  for (unsigned element : {LOSS_F32, LOSS_F64}) {
    for (unsigned target : {LOSS_TARGET_NONE, LOSS_TARGET_INDEX, LOSS_TARGET_DENSE}) {
      if ((target != LOSS_TARGET_NONE) != (result.info.classAxis >= 0) ||
          !wants(selection.elements, element) || !wants(selection.targets, target))
        continue;
      for (ir::ProgramOp program : programs) {
        StringRef modeName = program->getAttrOfType<StringAttr>("loss.mode").getValue();
        unsigned mode = modeOfKey(modeName);
        unsigned option = program->getAttrOfType<BoolAttr>("loss.options").getValue();
        auto only = program->getAttrOfType<BoolAttr>("loss.by_index");
        if (!wants(selection.modes, mode) || !wants(selection.options, option) ||
            (only && only.getValue() != (target == LOSS_TARGET_INDEX)))
          continue;
        std::string name = (Twine(abi::elementName(element)) + targetInfix(target) + "_" +
                            modeName + optionSuffix(option))
                               .str();
        auto variant = cast<ir::ProgramOp>(builder.clone(*program));
        variant.setSymName(name);
        if (failed(pipelines.specialise(context, element == LOSS_F64, target == LOSS_TARGET_INDEX)
                       .run(variant)))
          return false;
        KernelInfo kernel;
        kernel.element = element;
        kernel.target = target;
        kernel.mode = mode;
        kernel.options = option;
        kernel.symbols[0] = name; // The levels' own symbols follow when code is generated.
        result.info.kernels.push_back(std::move(kernel));
      }
    }
  }
  for (ir::ProgramOp program : programs)
    program.erase();
  return true;
}

std::vector<unsigned> Run::levels() {
  std::vector<unsigned> wanted;
  for (unsigned level = 0; level < LOSS_LEVEL_COUNT; ++level)
    if (options.selection.levels >> level & 1)
      wanted.push_back(level);
  if (wanted.empty()) {
    llvm::Expected<unsigned> host = hostFeatureLevel();
    if (host)
      wanted.push_back(*host);
    else
      fail(host.takeError());
  }
  return wanted;
}

bool Run::generateVectors() {
  for (unsigned level : levels()) {
    LevelWork &own = work.emplace_back(LevelWork{CodeGenerator(level), {}, {}, {}, {}});
    own.vectors = result.module->clone();
    if (failed(pipelines.lower(context, own.generator.level().bits).toVector.run(*own.vectors)) ||
        failed(verify(*own.vectors)))
      return false;
    Compilation::Level &out = result.levels.emplace_back();
    out.level = level;
    if (!options.dumpDirectory.empty() || options.stopAfter == Phase::Vector) {
      llvm::raw_string_ostream stream(out.vectorIR);
      own.vectors->print(stream);
    }
  }
  return result.failure.empty();
}

bool Run::translate(LevelWork &own, ArrayRef<std::string> names) {
  const FeatureLevel &level = own.generator.level();
  if (failed(pipelines.lower(context, level.bits).toLLVM.run(*own.vectors)))
    return false;
  own.llvm = std::make_unique<llvm::LLVMContext>();
  own.module = translateModuleToLLVMIR(*own.vectors, *own.llvm, "loss");
  own.vectors = {};
  if (!own.module)
    return false;
  // The names carry the level from here on.
  std::string suffix = std::string("_") + level.suffix;
  for (auto [kernel, base] : llvm::zip_equal(result.info.kernels, names)) {
    own.module->getFunction(base)->setName(base + suffix);
    kernel.symbols[level.level] = base + suffix;
    // All levels need the same scratch: the first one's function serves them.
    llvm::Function *scratch = own.module->getFunction(base + "_scratch");
    if (!scratch)
      continue;
    scratch->setName(base + "_scratch" + suffix);
    if (kernel.scratch.empty())
      kernel.scratch = scratch->getName();
  }
  return true;
}

bool Run::generateLLVM() {
  SmallVector<std::string> names;
  for (KernelInfo &kernel : result.info.kernels)
    names.push_back(std::exchange(kernel.symbols[0], {}));
  auto optimise = [](LevelWork &own) {
    if (llvm::Error error = own.generator.prepare(*own.module))
      own.error = llvm::toString(std::move(error));
    else
      own.generator.optimise(*own.module);
  };
  // LLVM contexts are independent: the levels go side by side, each as soon as it is translated.
  bool isTranslated = true;
  std::vector<std::thread> threads;
  for (LevelWork &own : work) {
    isTranslated = isTranslated && translate(own, names);
    if (!isTranslated)
      break;
    if (&own == &work.back())
      optimise(own);
    else
      threads.emplace_back(optimise, std::ref(own));
  }
  for (std::thread &thread : threads)
    thread.join();
  if (!isTranslated)
    return false;
  for (auto [own, out] : llvm::zip_equal(work, result.levels)) {
    if (!own.error.empty()) {
      result.failure = own.error;
      return false;
    }
    if (!options.dumpDirectory.empty() || options.stopAfter == Phase::Llvm) {
      llvm::raw_string_ostream stream(out.llvmIR);
      own.module->print(stream, nullptr);
    }
  }
  return true;
}

bool Run::generateObjects(bool descriptorInLevel) {
  auto emit = [&](LevelWork &own, Compilation::Level &out) {
    if (options.wantAssembly || !options.dumpDirectory.empty()) {
      llvm::SmallVector<char, 0> text;
      std::unique_ptr<llvm::Module> copy = llvm::CloneModule(*own.module);
      if (llvm::Error error = own.generator.emitAssembly(*copy, text))
        own.error = llvm::toString(std::move(error));
      out.assembly.assign(text.begin(), text.end());
    }
    if (llvm::Error error = own.generator.emitObject(*own.module, out.object))
      own.error = llvm::toString(std::move(error));
  };
  if (descriptorInLevel)
    for (LevelWork &own : work)
      emitDescriptor(*own.module, result.info);
  std::vector<std::thread> threads;
  for (size_t i = 1; i < work.size(); ++i)
    threads.emplace_back(emit, std::ref(work[i]), std::ref(result.levels[i]));
  if (!work.empty())
    emit(work[0], result.levels[0]);
  for (std::thread &thread : threads)
    thread.join();
  for (LevelWork &own : work)
    if (!own.error.empty()) {
      result.failure = own.error;
      return false;
    }
  if (descriptorInLevel)
    return true;

  llvm::LLVMContext llvm;
  llvm::Module descriptor("descriptor", llvm);
  emitDescriptor(descriptor, result.info);
  CodeGenerator generator(LOSS_X86_64_V2);
  generator.setTarget(descriptor);
  Compilation::Level &out = result.levels.emplace_back();
  out.level = LOSS_LEVEL_COUNT;
  if (llvm::Error error = generator.emitObject(descriptor, out.object))
    return fail(std::move(error));
  return true;
}

//===----------------------------------------------------------------------===//
// Dumps
//===----------------------------------------------------------------------===//

std::string loss::dumpPath(StringRef directory, Phase phase, const Twine &suffix) {
  llvm::SmallString<128> path(directory);
  llvm::sys::path::append(path,
                          Twine(static_cast<int>(phase) + 1) + "-" + phaseName(phase) + suffix);
  return path.str().str();
}

void Run::dumpText(Phase phase, StringRef suffix, StringRef text, StringRef extension) {
  std::string path = dumpPath(options.dumpDirectory, phase, suffix + "." + extension);
  if (llvm::Error error = writeFileAtomically(path, text))
    fail(std::move(error));
}

void Run::dump(Phase phase) {
  switch (phase) {
  case Phase::Parse:
    return dumpText(phase, "", result.ast, "loss");
  case Phase::Loss:
  case Phase::Simplify:
  case Phase::Differentiate:
  case Phase::Specialise:
  case Phase::Fuse: {
    std::string text;
    llvm::raw_string_ostream stream(text);
    result.module->print(stream);
    return dumpText(phase, "", text, "mlir");
  }
  case Phase::Vector:
  case Phase::Llvm:
  case Phase::Object:
    for (Compilation::Level &level : result.levels) {
      if (level.level == LOSS_LEVEL_COUNT)
        continue;
      std::string suffix = std::string("-") + featureLevel(level.level).suffix;
      if (phase == Phase::Vector)
        dumpText(phase, suffix, level.vectorIR, "mlir");
      else if (phase == Phase::Llvm)
        dumpText(phase, suffix, level.llvmIR, "ll");
      else
        dumpText(phase, suffix, level.assembly, "s");
    }
  }
}

Compilation PipelineContext::compile(std::string_view text, const std::string &fileName,
                                     const PipelineOptions &options, bool descriptorInLevel) {
  Compilation result(fileName);
  Run(*this, options, result).compile(text, descriptorInLevel);
  return result;
}
