//===- Imports.h - the files that a program imports -------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_IMPORTS_H
#define LOSSLANG_LANG_IMPORTS_H

#include "lang/Ast.h"
#include "lang/Sema.h"

#include <functional>

namespace loss::lang {

/// How many files a program may import, directly and through others.
inline constexpr size_t maxImports = 100;

/// The contents of a file, or nothing when it cannot be read.
std::optional<std::string> readTextFile(const std::string &path);

struct ImportOptions {
  /// Where a file is searched that is not in the folder of the file that imports it.
  std::vector<std::string> folders;
  std::function<std::optional<std::string>(const std::string &path)> read = readTextFile;
};

/// Reads what `file` imports, directly and through others, into `file.library`. The name of the
/// program in `diagnostics` says which folder it is in. Errors, in whichever file they are, go to
/// `diagnostics`; `file` is then not complete.
void loadImports(File &file, DiagnosticEngine &diagnostics, const ImportOptions &options = {});

/// `text` as one that needs no other file and no `-D`: without its imports, with the imported
/// functions that it uses at the end, and with the values of `overrides` in the place of the
/// defaults. Lines stay where they are, and columns but for those behind such a value. `file` is
/// complete, and is what `text` and its imports were read into.
std::string selfContained(const File &file, std::string_view text,
                          const std::vector<Override> &overrides = {});

} // namespace loss::lang

#endif // LOSSLANG_LANG_IMPORTS_H
