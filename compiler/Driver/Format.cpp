//===- Format.cpp - lossc fmt ---------------------------------------------===//

#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Files.h"

#include "lang/AstPrinter.h"
#include "lang/Formatter.h"
#include "lang/Parser.h"

#include "llvm/Support/FileSystem.h"

using namespace loss;

/// Whether two texts are the same program with the same comments.
static bool sameProgram(const lang::File &a, const lang::File &b) {
  auto sameText = [](const lang::Comment &x, const lang::Comment &y) { return x.text == y.text; };
  return b.complete && lang::print(a) == lang::print(b) &&
         std::equal(a.comments.begin(), a.comments.end(), b.comments.begin(), b.comments.end(),
                    sameText);
}

/// The text in the one layout; nothing, after a message and with `exitCode` set, when it has syntax
/// errors, or when anything of it would be lost.
static std::optional<std::string> formatSource(const SourceFile &source, int &exitCode) {
  lang::DiagnosticEngine diagnostics{source.name};
  std::optional<std::string> formatted = lang::format(source.text, diagnostics);
  if (!formatted) {
    llvm::errs() << lang::render(diagnostics);
    exitCode = std::max<int>(exitCode, exitCompileError);
    return std::nullopt;
  }
  lang::DiagnosticEngine ignored{source.name};
  lang::File before = lang::parse(source.text, ignored), after = lang::parse(*formatted, ignored);
  if (sameProgram(before, after) && lang::format(*formatted, ignored) == formatted)
    return formatted;
  exitCode = complain(exitInternal, source.name + ": the formatted text would not be the same "
                                                  "program; nothing was written");
  return std::nullopt;
}

/// Replaces a file, what a link points to and not the link, and keeps its permissions.
static int replaceFile(const std::string &path, const std::string &text) {
  llvm::SmallString<256> real;
  if (llvm::sys::fs::real_path(path, real))
    real = path;
  llvm::ErrorOr<llvm::sys::fs::perms> permissions = llvm::sys::fs::getPermissions(real);
  if (int code = writeOutput(real.str().str(), text))
    return code;
  if (permissions)
    if (std::error_code code = llvm::sys::fs::setPermissions(real, *permissions))
      return complain(exitIO, "cannot set the permissions of '" + path + "': " + code.message());
  return exitSuccess;
}

int loss::formatFiles(const DriverOptions &options) {
  int exitCode = exitSuccess;
  for (const SourceFile &source : readSources(options.paths, exitCode)) {
    std::optional<std::string> formatted = formatSource(source, exitCode);
    if (!formatted)
      continue;
    if (options.onlyCheck) {
      if (*formatted == source.text)
        continue;
      llvm::errs() << source.name << ": has another layout\n";
      exitCode = std::max<int>(exitCode, exitCompileError);
    } else if (options.toStandardOutput || source.path.empty()) {
      if (int code = writeOutput("-", *formatted))
        return code;
    } else if (*formatted != source.text) {
      exitCode = std::max(exitCode, replaceFile(source.path, *formatted));
    }
  }
  return exitCode;
}
