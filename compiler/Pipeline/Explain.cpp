//===- Explain.cpp - what the kernels of a loss do to memory --------------===//

#include "compiler/Pipeline/Explain.h"

#include "compiler/Dialect/Loss/IR/Loss.h"
#include "runtime/abi/LossNames.h"

#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/StringExtras.h"

using namespace mlir;
using namespace loss;
using namespace loss::ir;

namespace {

/// "a, b and c".
std::string listWords(llvm::ArrayRef<std::string> parts) {
  std::string text;
  for (auto [i, part] : llvm::enumerate(parts))
    text += (i == 0 ? "" : i + 1 == parts.size() ? " and " : ", ") + part;
  return text;
}

std::string times(unsigned count) {
  return count == 1 ? "once" : count == 2 ? "twice" : std::to_string(count) + " times";
}

std::string listAxes(ArrayRef<StringAttr> axes) {
  return llvm::join(llvm::map_range(axes, [](StringAttr axis) { return axis.getValue(); }), ", ");
}

std::string articleAndName(ReduceKind kind) {
  switch (kind) {
  case ReduceKind::sum:
    return "a sum";
  case ReduceKind::max:
  case ReduceKind::maxnum:
    return "a maximum";
  case ReduceKind::min:
    return "a minimum";
  }
  llvm_unreachable("unknown reduction");
}

class KernelStory {
public:
  KernelStory(KernelOp kernel, const ModuleInfo &info) : kernel(kernel), info(info) {}

  std::string tell();

private:
  struct Traffic {
    llvm::SmallSetVector<unsigned, 8> reads, writes;
  };

  std::string nameOf(Value array);
  std::string nameOf(RoleAttr role);
  void tellPhase(PhaseOp phase);
  void tellScan(ScanOp scan);
  /// The passes that `value`, a number or an array, comes from.
  void addSources(Value value, llvm::SmallSetVector<unsigned, 8> &passes);
  void addWaits(const llvm::SmallSetVector<unsigned, 8> &passes);
  void writes(Value array) {
    traffic[array].writes.insert(pass);
    lastWriter[array] = pass;
  }

  KernelOp kernel;
  const ModuleInfo &info;
  std::string text;
  unsigned pass = 0, scratches = 0;
  llvm::DenseMap<Value, unsigned> scratchNumbers, lastWriter, passOf;
  llvm::MapVector<Value, Traffic> traffic;
};

std::string KernelStory::nameOf(RoleAttr role) {
  unsigned index = role.getIndex();
  auto argument = [&] {
    return index < info.inputs.size() ? info.inputs[index].name
                                      : info.params[index - info.inputs.size()].name;
  };
  switch (role.getKind()) {
  case RoleKind::input:
    return info.inputs[index].name;
  case RoleKind::tangent:
    return "the tangent of " + argument();
  case RoleKind::grad:
    return "the gradient for " + argument();
  case RoleKind::value:
    return "the result";
  case RoleKind::weights:
    return "the weights";
  case RoleKind::class_weights:
    return "the class weights";
  default:
    return "a number";
  }
}

std::string KernelStory::nameOf(Value array) {
  if (auto argument = dyn_cast<BlockArgument>(array))
    return nameOf(kernel.getRole(argument.getArgNumber()));
  unsigned &number = scratchNumbers[array];
  if (!number)
    number = ++scratches;
  auto axes = cast<ir::ArrayType>(array.getType()).getAxes().getNames();
  return "scratch " + std::to_string(number) + " [" + listAxes(axes) + "]";
}

void KernelStory::addSources(Value value, llvm::SmallSetVector<unsigned, 8> &passes) {
  if (auto writer = lastWriter.find(value); writer != lastWriter.end())
    passes.insert(writer->second);
  Operation *op = value.getDefiningOp();
  if (!op || isa<ScratchOp>(op))
    return;
  if (isa<PhaseOp>(op)) {
    passes.insert(passOf.lookup(value));
    return;
  }
  for (Value operand : op->getOperands())
    addSources(operand, passes);
}

void KernelStory::addWaits(const llvm::SmallSetVector<unsigned, 8> &passes) {
  SmallVector<unsigned> sorted(passes.begin(), passes.end());
  llvm::erase(sorted, pass);
  llvm::sort(sorted);
  if (sorted.empty())
    return;
  SmallVector<std::string> names;
  for (unsigned source : sorted)
    names.push_back(std::to_string(source));
  text += "; waits for " + std::string(names.size() > 1 ? "passes " : "pass ") + listWords(names);
}

void KernelStory::tellPhase(PhaseOp phase) {
  ++pass;
  text += "  pass " + std::to_string(pass) + " over " + listAxes(phase.getOver().getNames());
  llvm::SmallSetVector<unsigned, 8> sources;
  llvm::SmallSetVector<Value, 8> reads(phase.getReads().begin(), phase.getReads().end());
  SmallVector<std::string> parts;
  for (Value array : reads) {
    parts.push_back(nameOf(array));
    traffic[array].reads.insert(pass);
    addSources(array, sources);
  }
  if (!parts.empty())
    text += ": reads " + listWords(parts);
  phase.getBody().walk([&](Operation *op) {
    for (Value operand : op->getOperands())
      if (operand.getParentRegion() != &phase.getBody())
        addSources(operand, sources);
  });
  parts.clear();
  for (Attribute kind : phase.getReductions())
    parts.push_back(articleAndName(cast<ReduceKindAttr>(kind).getValue()));
  if (!parts.empty())
    text += "; reduces " + listWords(parts);
  parts.clear();
  for (ValueRange arrays : {ValueRange(phase.getWrites()), ValueRange(phase.getInto())})
    for (Value array : arrays)
      parts.push_back(nameOf(array));
  if (!parts.empty())
    text += "; writes " + listWords(parts);
  addWaits(sources);
  text += "\n";
  for (ValueRange arrays : {ValueRange(phase.getWrites()), ValueRange(phase.getInto())})
    for (Value array : arrays)
      writes(array);
  for (Value result : phase.getResults())
    passOf[result] = pass;
}

void KernelStory::tellScan(ScanOp scan) {
  ++pass;
  text += "  pass " + std::to_string(pass) + " over " + scan.getAxis().str() + ": " +
          (scan.getKey() ? "sorts by " + nameOf(scan.getKey()) + " and sums up "
                         : std::string("sums up ")) +
          (scan.getKind() == ScanKind::logsumexp ? "exp of " : "") + nameOf(scan.getInput()) +
          (scan.getLevel() ? " relative to " + nameOf(scan.getLevel()) : "") + "; writes " +
          nameOf(scan.getOutput());
  llvm::SmallSetVector<unsigned, 8> sources;
  for (Value array : {scan.getInput(), scan.getLevel(), scan.getKey()})
    if (array) {
      traffic[array].reads.insert(pass);
      addSources(array, sources);
    }
  addWaits(sources);
  text += "\n";
  writes(scan.getOutput());
}

std::string KernelStory::tell() {
  for (BlockArgument argument : kernel.getBody().getArguments())
    if (isa<ir::ArrayType>(argument.getType()))
      traffic[argument];
  for (Operation &op : kernel.getBody().front()) {
    if (auto phase = dyn_cast<PhaseOp>(op))
      tellPhase(phase);
    else if (auto scan = dyn_cast<ScanOp>(op))
      tellScan(scan);
    else if (auto load = dyn_cast<LoadOp>(op))
      traffic[load.getArray()];
  }
  for (auto &[array, counts] : traffic) {
    SmallVector<std::string> parts;
    if (!counts.reads.empty())
      parts.push_back("read " + times(counts.reads.size()));
    if (!counts.writes.empty())
      parts.push_back("written " + times(counts.writes.size()));
    for (Operation *user : array.getUsers())
      if (isa<LoadOp>(user) && user->getParentOp() == kernel.getOperation()) {
        parts.push_back("one element of it read at the class index");
        break;
      }
    text += "  " + nameOf(array) + ": " + (parts.empty() ? "not used" : listWords(parts)) + "\n";
  }
  return text;
}

} // namespace

std::string loss::explainKernels(const Compilation &compilation) {
  const ModuleInfo &info = compilation.info;
  std::string text = "loss " + info.name + "\n";
  if (info.rowAxis == 0 && info.axes.size() == 1)
    text +=
        "Each element of '" + info.axes[0] +
        "' is computed alone: threads divide the axis, and counts are those of a range of it.\n";
  else if (info.rowAxis == 0)
    text += "Each row of '" + info.axes[0] +
            "' is computed alone: threads divide the rows, and counts are those of one row. What a "
            "row reads again comes from the cache if it fits.\n";
  else
    text += "One call computes everything: " + compilation.whyNoRows + ".\n";
  auto targetOf = [](const KernelInfo &kernel) {
    return kernel.target == LOSS_TARGET_NONE ? std::string()
                                             : std::string(", ") + abi::targetName(kernel.target);
  };
  // Kernels that do the same are told of once, under all their names.
  llvm::MapVector<std::string, std::string, std::map<std::string, unsigned>> namesOf;
  auto module = *const_cast<Compilation &>(compilation).module;
  for (const KernelInfo &kernel : info.kernels)
    namesOf[KernelStory(module.lookupSymbol<KernelOp>(kernel.symbols[0]), info).tell()] +=
        abi::elementName(kernel.element) + targetOf(kernel) + ", " + abi::modeName(kernel.mode) +
        (kernel.options ? ", smoothing and class weights" : "") + "\n";
  for (auto &[story, names] : namesOf)
    text += "\n" + names + story;
  return text;
}
