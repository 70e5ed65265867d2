//===- Library.cpp - where the library losses are -------------------------===//

#include "compiler/Pipeline/Compiler.h"

#include "llvm/ADT/SmallString.h"
#include "llvm/ADT/StringExtras.h"
#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <algorithm>
#include <dlfcn.h>

using namespace llvm;

std::vector<std::string> loss::libraryFolders() {
  std::vector<std::string> folders;
  if (auto own = sys::Process::GetEnv("LOSSLANG_STDLIB"))
    folders.push_back(*own);
  SmallString<128> installed(sys::path::parent_path(sys::fs::getMainExecutable(nullptr, nullptr)));
  sys::path::append(installed, "..", "share", "losslang");
  sys::path::append(installed, "stdlib");
  folders.push_back(installed.str().str());
  // The Python package: beside the library that this code is part of.
  Dl_info self;
  if (dladdr(reinterpret_cast<void *>(&loss::listLibraryLosses), &self) && self.dli_fname) {
    SmallString<128> beside(sys::path::parent_path(self.dli_fname));
    sys::path::append(beside, "stdlib");
    folders.push_back(beside.str().str());
  }
  folders.push_back(LOSSLANG_SOURCE_STDLIB);
  return folders;
}

std::string loss::findLibraryLoss(std::string_view name) {
  // A name, not a path.
  if (name.empty() || !all_of(name, [](char c) { return isAlnum(c) || c == '_'; }))
    return {};
  for (const std::string &folder : libraryFolders()) {
    SmallString<128> path(folder);
    sys::path::append(path, StringRef(name) + ".loss");
    if (sys::fs::exists(path))
      return path.str().str();
  }
  return {};
}

std::vector<std::string> loss::listLibraryLosses() {
  std::vector<std::string> names;
  for (const std::string &folder : libraryFolders()) {
    std::error_code code;
    for (sys::fs::directory_iterator file(folder, code), end; !code && file != end;
         file.increment(code))
      if (sys::path::extension(file->path()) == ".loss")
        names.push_back(sys::path::stem(file->path()).str());
  }
  std::sort(names.begin(), names.end());
  names.erase(std::unique(names.begin(), names.end()), names.end());
  return names;
}
