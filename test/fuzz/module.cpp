//===- module.cpp - fuzzing: damaged modules are refused ------------------===//
//
// What the loader promises. A file is looked at before the dynamic loader maps it: whatever its
// bytes, the look does no harm, and a file that passes is an ELF library whose segments all lie
// inside of it. (What machine code does cannot be promised: damaged code is not told from other
// code.) A descriptor that comes from such a file, or from another version, is checked before it is
// used: with any numbers and missing arrays in it, it is refused or can be used.
//
//===----------------------------------------------------------------------===//

#include "test/fuzz/Fuzz.h"

#include "runtime/module/AxisBinding.h"
#include "runtime/module/ElfCheck.h"
#include "runtime/module/LossHandle.h"

#include <cstring>
#include <elf.h>
#include <sys/mman.h>
#include <unistd.h>
#include <vector>

using namespace loss::runtime;
using loss::fuzz::require;

namespace {

/// Takes numbers from the input; zeros when it ends.
class Source {
public:
  Source(const uint8_t *data, size_t size) : data(data), size(size) {}
  uint8_t byte() { return position < size ? data[position++] : 0; }
  uint32_t below(uint32_t n) { return byte() % n; }
  /// Mostly small, now and then any number.
  uint32_t number(uint32_t usual) {
    uint8_t first = byte();
    if (first < 230)
      return first % (usual + 1);
    uint32_t any = 0;
    for (int i = 0; i < 4; ++i)
      any = any << 8 | byte();
    return any;
  }
  bool often() { return byte() < 240; }
  bool empty() const { return position >= size; }

private:
  const uint8_t *data;
  size_t size, position = 0;
};

/// The headers of a library of two segments, and some bytes for them.
std::vector<uint8_t> library() {
  std::vector<uint8_t> bytes(1024, 0);
  Elf64_Ehdr header{};
  std::memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS64;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_ident[EI_VERSION] = EV_CURRENT;
  header.e_type = ET_DYN;
  header.e_machine = EM_X86_64;
  header.e_version = EV_CURRENT;
  header.e_phoff = sizeof header;
  header.e_ehsize = sizeof header;
  header.e_phentsize = sizeof(Elf64_Phdr);
  header.e_phnum = 2;
  Elf64_Phdr segments[2] = {};
  segments[0] = {PT_LOAD, PF_R | PF_X, 0, 0, 0, 1024, 1024, 4096};
  segments[1] = {PT_DYNAMIC, PF_R, 512, 512, 512, 128, 128, 8};
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + sizeof header, segments, sizeof segments);
  return bytes;
}

/// A library with some bytes changed and the end cut off, or any bytes at all.
void lookAtFile(Source &source, const uint8_t *data, size_t size, bool raw) {
  std::vector<uint8_t> bytes(data, data + size);
  if (!raw) {
    bytes = library();
    while (!source.empty()) {
      size_t at = source.byte() | size_t(source.byte() & 3) << 8;
      uint8_t value = source.byte();
      if (value == 0xee)
        bytes.resize(at);
      else if (at < bytes.size())
        bytes[at] = value;
    }
  }
  static int file = memfd_create("module", 0);
  require(ftruncate(file, 0) == 0 && ftruncate(file, off_t(bytes.size())) == 0 &&
              pwrite(file, bytes.data(), bytes.size(), 0) == ssize_t(bytes.size()),
          "memory for a file");
  std::string why = explainUnloadable("/proc/self/fd/" + std::to_string(file));
  if (!why.empty())
    return;
  Elf64_Ehdr header;
  require(bytes.size() >= sizeof header, "a whole header");
  std::memcpy(&header, bytes.data(), sizeof header);
  require(header.e_type == ET_DYN && header.e_machine == EM_X86_64, "a library for x86-64");
  for (unsigned i = 0; i < header.e_phnum; ++i) {
    Elf64_Phdr segment;
    size_t at = header.e_phoff + i * sizeof segment;
    require(at + sizeof segment <= bytes.size(), "segment headers inside of the file");
    std::memcpy(&segment, bytes.data() + at, sizeof segment);
    require(segment.p_offset <= bytes.size() && segment.p_filesz <= bytes.size() - segment.p_offset,
            "segments inside of the file");
  }
}

int64_t kernelThatIsNotCalled(const LossArgs *, int64_t, int64_t, void *) { std::abort(); }

void useDescriptor(Source &source) {
  constexpr uint32_t most = 4;
  static const char *const axes[most] = {"batch", "class", "position", "other"};
  auto name = [&](const char *usual) { return source.often() ? usual : nullptr; };
  // Lists as long as the counts may say, so that only what is in them is wrong.
  uint32_t counts[5];
  for (uint32_t &count : counts)
    count = source.below(most + 1);
  std::vector<const char *> axisNames;
  for (uint32_t i = 0; i < counts[0]; ++i)
    axisNames.push_back(name(axes[i]));
  auto indices = [&](uint32_t count) {
    std::vector<uint32_t> list;
    for (uint32_t i = 0; i < count; ++i)
      list.push_back(source.number(most));
    return list;
  };
  std::vector<std::vector<uint32_t>> inputAxes;
  std::vector<LossInput> inputs;
  for (uint32_t i = 0; i < counts[1]; ++i) {
    inputAxes.push_back(indices(source.below(most + 1)));
    inputs.push_back({name("x"), "", source.number(2), uint32_t(inputAxes.back().size()), nullptr,
                      source.number(1), 0});
    if (source.often())
      inputs.back().axes = inputAxes.back().data();
  }
  std::vector<LossParam> params;
  for (uint32_t i = 0; i < counts[2]; ++i)
    params.push_back({name("alpha"), "", 1.0, source.number(4), 0});
  std::vector<LossKernel> kernels;
  for (uint32_t i = 0; i < counts[3]; ++i) {
    LossKernel kernel{source.number(1), source.number(2), source.number(3),
                      source.number(1), nullptr,          {}};
    if (source.often())
      kernel.entry[source.below(LOSS_LEVEL_COUNT)] = kernelThatIsNotCalled;
    kernels.push_back(kernel);
  }
  std::vector<uint32_t> resultAxes = indices(counts[4]);

  LossModule module{};
  module.magic = source.often() ? LOSSLANG_ABI_MAGIC : source.number(1);
  module.abi_version = source.often() ? LOSSLANG_ABI_VERSION : source.number(9);
  module.name = name("f");
  module.doc = module.source = module.source_hash = module.compiler_version = "";
  module.axis_count = counts[0];
  module.input_count = counts[1];
  module.param_count = counts[2];
  module.kernel_count = counts[3];
  module.result_axis_count = counts[4];
  module.row_axis = int32_t(source.number(1) - source.below(2));
  module.class_axis = int32_t(source.number(most) - 1);
  module.class_weighting = source.number(2);
  module.axes = source.often() ? axisNames.data() : nullptr;
  module.inputs = source.often() ? inputs.data() : nullptr;
  module.params = source.often() ? params.data() : nullptr;
  module.kernels = source.often() ? kernels.data() : nullptr;
  module.result_axes = source.often() ? resultAxes.data() : nullptr;
  try {
    LossHandle handle =
        LossHandle::adopt(std::shared_ptr<const LossModule>(&module, [](auto *) {}), "fuzz");
    handle.bindParams({});
    handle.findInput("x");
    for (uint32_t element : {LOSS_F32, LOSS_F64})
      for (uint32_t target : {LOSS_TARGET_NONE, LOSS_TARGET_INDEX, LOSS_TARGET_DENSE})
        for (uint32_t mode = LOSS_VALUE; mode <= LOSS_TANGENT_ALL; ++mode)
          for (uint32_t options : {LOSS_PLAIN, LOSS_WITH_OPTIONS})
            handle.kernel(element, target, mode, options);
    // The shapes of a call.
    AxisBinding binding(module);
    for (uint32_t i = 0; i < module.input_count; ++i) {
      bool asIndices = module.inputs[i].kind == LOSS_INPUT_TARGET && source.below(2);
      AxisList list = axesOfInput(module, i, asIndices);
      Shape shape;
      for (uint32_t k = 0, e = source.below(6); k < e; ++k)
        shape.push_back(source.below(5));
      if (list.empty() || !binding.bind(list, shape))
        return;
      binding.shapeOf(list);
      binding.orderOf(list);
      binding.describe(list);
    }
    if (AxisList result = axesOfResult(module); binding.areBound(result)) {
      binding.shapeOf(result);
      binding.elements(result);
    }
  } catch (const LoadError &) {
  }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  Source source(data, size);
  switch (source.below(4)) {
  case 0:
    lookAtFile(source, data + (size > 0), size > 0 ? size - 1 : 0, /*raw=*/true);
    break;
  case 1:
    lookAtFile(source, data, size, /*raw=*/false);
    break;
  default:
    useDescriptor(source);
  }
  return 0;
}
