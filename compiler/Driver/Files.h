//===- Files.h - what the commands of lossc read and write ------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_DRIVER_FILES_H
#define LOSSLANG_COMPILER_DRIVER_FILES_H

#include "compiler/Driver/Driver.h"

#include "llvm/Support/ErrorOr.h"

#include <optional>
#include <string>
#include <vector>

namespace loss {

/// A .loss file that was read.
struct SourceFile {
  /// As messages show it: the path, or "<stdin>".
  std::string name;
  /// Empty for standard input.
  std::string path;
  std::string text;
};

/// The text of a file, "-" for standard input. Stops soon after what the language allows, so that a
/// device without end is refused like any other long file.
llvm::ErrorOr<std::string> readInput(const std::string &path);

/// Reads one file; nothing, after a message and with `exitCode` set, when that fails.
std::optional<SourceFile> readSource(const std::string &path, int &exitCode);

/// Reads files and all .loss files of folders, in the order of `paths` and sorted within a folder.
/// What cannot be read, and a folder without .loss files, gets a message and sets `exitCode`; the
/// rest is returned.
std::vector<SourceFile> readSources(const std::vector<std::string> &paths, int &exitCode);

/// Whether a text defines functions but no loss: others import it.
bool isFunctionFile(const SourceFile &source);

/// Why nothing can be written to `path`, or nothing: said before any work is done.
std::string whyNotWritable(llvm::StringRef path);

/// An output must be none of the files that were read: an exit code, after a message when it is
/// one, be it by another path.
int refuseInput(const std::string &output, llvm::ArrayRef<lang::SourceFile> read);

/// Makes a folder and those around it; an exit code, after a message when that fails.
int makeDirectory(const std::string &path);

/// Writes a file whole or not at all, "-" is standard output; an exit code, after a message when
/// that fails.
int writeOutput(const std::string &path, llvm::StringRef text, bool executable = false);

} // namespace loss

#endif // LOSSLANG_COMPILER_DRIVER_FILES_H
