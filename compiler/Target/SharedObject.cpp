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
  if (std::error_code code = sys::fs::createUniqueDirectory("losslang", directory)) {
    sys::path::system_temp_directory(/*ErasedOnReboot=*/true, directory);
    return ioError("cannot make a temporary directory in", directory, code);
  }
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

/// Writes and closes; an error names `path`.
static Error writeAll(int descriptor, StringRef path, StringRef contents) {
  raw_fd_ostream stream(descriptor, /*shouldClose=*/true);
  stream << contents;
  stream.close();
  std::error_code code = stream.error();
  stream.clear_error();
  return code ? ioError("cannot write", path, code) : Error::success();
}

Error loss::writeFileAtomically(StringRef path, StringRef contents, bool executable) {
  using namespace sys::fs;
  int descriptor = -1;
  // A device or pipe is written to, not replaced by a file.
  file_status existing;
  if (!status(path, existing) && is_other(existing)) {
    if (std::error_code code = openFileForWrite(path, descriptor, CD_OpenExisting))
      return ioError("cannot write", path, code);
    return writeAll(descriptor, path, contents);
  }
  SmallString<128> temporary;
  unsigned mode = all_read | owner_write | (executable ? all_exe : 0);
  if (std::error_code code =
          createUniqueFile(path + ".%%%%%%.tmp", descriptor, temporary, OF_None, mode))
    return ioError("cannot write", path, code);
  if (Error error = writeAll(descriptor, path, contents)) {
    sys::fs::remove(temporary);
    return error;
  }
  if (std::error_code code = sys::fs::rename(temporary, path)) {
    sys::fs::remove(temporary);
    return ioError("cannot write", path, code);
  }
  return Error::success();
}
