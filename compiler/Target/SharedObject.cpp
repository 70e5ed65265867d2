//===- SharedObject.cpp - linking in process ------------------------------===//

#include "compiler/Target/SharedObject.h"

#include "runtime/abi/LossAbi.h"

#include "lld/Common/Driver.h"
#include "llvm/ADT/ScopeExit.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/raw_ostream.h"

LLD_HAS_DRIVER(elf)

using namespace llvm;

static Error ioError(const Twine &what, StringRef path, std::error_code code) {
  return createStringError(code, what + " '" + path + "': " + code.message());
}

Error loss::linkSharedObject(ArrayRef<StringRef> objects, SmallVectorImpl<char> &out) {
  SmallString<128> directory;
  if (std::error_code code = sys::fs::createUniqueDirectory("losslang", directory))
    return ioError("cannot create a temporary directory", directory, code);
  auto cleanup = scope_exit([&] { sys::fs::remove_directories(directory); });

  std::vector<std::string> arguments = {
      "ld.lld",      "-shared",        "--hash-style=gnu", "--threads=1",   "-z",
      "noexecstack", "--no-undefined", "--discard-all",    "--strip-debug", "--build-id=none"};
  auto pathOf = [&](StringRef name) {
    SmallString<128> path(directory);
    sys::path::append(path, name);
    return path.str().str();
  };
  std::string exportList = pathOf("exports"), result = pathOf("out.so");
  if (Error error =
          writeFileAtomically(exportList, "{ global: " LOSSLANG_MODULE_SYMBOL "; local: *; };\n"))
    return error;
  arguments.insert(arguments.end(), {"--version-script", exportList, "-o", result});
  for (auto [i, object] : enumerate(objects)) {
    std::string path = pathOf(("k" + Twine(i) + ".o").str());
    if (Error error = writeFileAtomically(path, object))
      return error;
    arguments.push_back(path);
  }

  std::vector<const char *> argv;
  for (const std::string &argument : arguments)
    argv.push_back(argument.c_str());
  std::string messages;
  raw_string_ostream stream(messages);
  lld::Result linked = lld::lldMain(argv, stream, stream, {{lld::Gnu, &lld::elf::link}});
  if (linked.retCode != 0)
    return createStringError("the linker failed: " + messages);
  auto buffer = MemoryBuffer::getFile(result, /*IsText=*/false, /*RequiresNullTerminator=*/false);
  if (!buffer)
    return ioError("cannot read", result, buffer.getError());
  out.assign((*buffer)->getBufferStart(), (*buffer)->getBufferEnd());
  return Error::success();
}

Error loss::writeFileAtomically(StringRef path, StringRef contents, bool executable) {
  using namespace sys::fs;
  SmallString<128> temporary;
  int descriptor = -1;
  unsigned mode = all_read | owner_write | (executable ? all_exe : 0);
  if (std::error_code code =
          createUniqueFile(path + ".%%%%%%.tmp", descriptor, temporary, OF_None, mode))
    return ioError("cannot write", path, code);
  raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream << contents;
  stream.close();
  if (std::error_code code = stream.error()) {
    stream.clear_error();
    sys::fs::remove(temporary);
    return ioError("cannot write", path, code);
  }
  if (std::error_code code = sys::fs::rename(temporary, path)) {
    sys::fs::remove(temporary);
    return ioError("cannot write", path, code);
  }
  return Error::success();
}
