#include "runtime/module/ElfCheck.h"

#include <cerrno>
#include <cstring>
#include <elf.h>
#include <fstream>
#include <sys/stat.h>
#include <vector>

namespace loss::runtime {

std::string explainUnloadable(const std::string &path) {
  struct stat info;
  if (stat(path.c_str(), &info) != 0)
    return std::strerror(errno);
  if (!S_ISREG(info.st_mode))
    return "expected a file, but found a " +
           std::string(S_ISDIR(info.st_mode) ? "directory" : "device or pipe");
  std::ifstream file(path, std::ios::binary);
  if (!file)
    return std::strerror(errno);

  const std::string notElf = "expected a shared library (ELF), but found another kind of file";
  const std::string truncated = "the shared library is truncated";
  Elf64_Ehdr header;
  char *bytes = reinterpret_cast<char *>(&header);
  file.read(bytes, sizeof header);
  if (file.gcount() < SELFMAG || std::memcmp(bytes, ELFMAG, SELFMAG) != 0)
    return notElf;
  if (file.gcount() < static_cast<std::streamsize>(sizeof header))
    return truncated;
  if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_machine != EM_X86_64)
    return "expected a shared library for x86-64, but found one for another processor";
  if (header.e_type != ET_DYN)
    return "expected a shared library, but found another kind of ELF file";
  if (header.e_phentsize != sizeof(Elf64_Phdr))
    return notElf;

  std::vector<Elf64_Phdr> segments(header.e_phnum);
  const auto wanted = static_cast<std::streamsize>(segments.size() * sizeof(Elf64_Phdr));
  file.seekg(static_cast<std::streamoff>(header.e_phoff));
  file.read(reinterpret_cast<char *>(segments.data()), wanted);
  if (!file || file.gcount() != wanted)
    return truncated;
  const auto size = static_cast<uint64_t>(info.st_size);
  for (const Elf64_Phdr &segment : segments)
    if (segment.p_filesz > size || segment.p_offset > size - segment.p_filesz)
      return truncated;
  return {};
}

} // namespace loss::runtime
