//===- Files.cpp - what the commands of lossc read and write --------------===//

#include "compiler/Driver/Files.h"

#include "compiler/Driver/CommandLine.h"
#include "compiler/Target/SharedObject.h"
#include "lang/Parser.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"
#include "llvm/Support/Process.h"

#include <algorithm>

using namespace loss;

llvm::ErrorOr<std::string> loss::readInput(const std::string &path) {
  constexpr size_t enough = 2 << 20;
  int descriptor = 0;
  if (path != "-")
    if (std::error_code code = llvm::sys::fs::openFileForRead(path, descriptor))
      return code;
  std::string text;
  std::error_code failure;
  while (text.size() < enough) {
    char part[1 << 14];
    llvm::Expected<size_t> count = llvm::sys::fs::readNativeFile(
        llvm::sys::fs::convertFDToNativeFile(descriptor), {part, sizeof part});
    if (!count)
      failure = llvm::errorToErrorCode(count.takeError());
    if (failure || *count == 0)
      break;
    text.append(part, *count);
  }
  if (descriptor)
    llvm::sys::Process::SafelyCloseFileDescriptor(descriptor);
  if (failure)
    return failure;
  return text;
}

std::optional<SourceFile> loss::readSource(const std::string &path, int &exitCode) {
  llvm::ErrorOr<std::string> text = readInput(path);
  if (!text) {
    exitCode = complain(exitIO, "cannot read '" + path + "': " + text.getError().message());
    return std::nullopt;
  }
  return SourceFile{path == "-" ? "<stdin>" : path, path == "-" ? "" : path, std::move(*text)};
}

/// The .loss files below a folder, sorted.
static std::vector<std::string> listFolder(const std::string &folder, int &exitCode) {
  std::vector<std::string> files;
  std::error_code code;
  llvm::sys::fs::recursive_directory_iterator entry(folder, code), end;
  for (; !code && entry != end; entry.increment(code))
    if (llvm::StringRef(entry->path()).ends_with(".loss") &&
        !llvm::sys::fs::is_directory(entry->path()))
      files.push_back(entry->path());
  if (code)
    exitCode = complain(exitIO, "cannot read '" + folder + "': " + code.message());
  else if (files.empty())
    exitCode = complain(exitIO, "expected .loss files in '" + folder + "', but found none");
  std::sort(files.begin(), files.end());
  return files;
}

std::vector<SourceFile> loss::readSources(const std::vector<std::string> &paths, int &exitCode) {
  std::vector<SourceFile> sources;
  for (const std::string &path : paths) {
    std::vector<std::string> files = {path};
    if (llvm::sys::fs::is_directory(path))
      files = listFolder(path, exitCode);
    for (const std::string &file : files)
      if (std::optional<SourceFile> source = readSource(file, exitCode))
        sources.push_back(std::move(*source));
  }
  return sources;
}

bool loss::isFunctionFile(const SourceFile &source) {
  lang::DiagnosticEngine ignored{source.name};
  lang::File file = lang::parse(source.text, ignored);
  auto isLoss = [](const lang::Item &item) { return std::holds_alternative<lang::LossDef>(item); };
  auto isFunction = [](const lang::Item &item) {
    return std::holds_alternative<lang::FnDef>(item);
  };
  return file.complete && std::none_of(file.items.begin(), file.items.end(), isLoss) &&
         std::any_of(file.items.begin(), file.items.end(), isFunction);
}

std::string loss::whyNotWritable(llvm::StringRef path) {
  llvm::StringRef folder = llvm::sys::path::parent_path(path);
  if (llvm::sys::fs::is_directory(path))
    return "it is a directory";
  if (!folder.empty() && !llvm::sys::fs::is_directory(folder))
    return ("there is no directory '" + folder + "'").str();
  return {};
}

int loss::refuseInput(const std::string &output, llvm::ArrayRef<lang::SourceFile> read) {
  if (output != "-")
    for (const lang::SourceFile &file : read)
      if (llvm::sys::fs::equivalent(output, file.name))
        return complain(exitUsage, "'" + output +
                                       "' would be overwritten: expected an output that " +
                                       "is none of the files read, but '" + file.name + "' is");
  return exitSuccess;
}

int loss::makeDirectory(const std::string &path) {
  std::error_code code = llvm::sys::fs::create_directories(path);
  if (!code && !llvm::sys::fs::is_directory(path))
    code = std::make_error_code(std::errc::not_a_directory);
  if (code)
    return complain(exitIO, "cannot make the directory '" + path + "': " + code.message());
  return exitSuccess;
}

int loss::writeOutput(const std::string &path, llvm::StringRef text, bool executable) {
  if (path == "-") {
    llvm::outs() << text;
    llvm::outs().flush();
    if (!llvm::outs().has_error())
      return exitSuccess;
    std::string message = llvm::outs().error().message();
    llvm::outs().clear_error();
    return complain(exitIO, "cannot write to standard output: " + message);
  }
  if (std::string why = whyNotWritable(path); !why.empty())
    return complain(exitIO, "cannot write '" + path + "': " + why);
  if (llvm::Error error = writeFileAtomically(path, text, executable))
    return complain(exitIO, llvm::toString(std::move(error)));
  return exitSuccess;
}
