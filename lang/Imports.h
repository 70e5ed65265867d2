//===- Imports.h - the files that a program imports -------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_IMPORTS_H
#define LOSSLANG_LANG_IMPORTS_H

#include "lang/Ast.h"

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

/// `text` as one that needs no other file: without its imports, and with the imported functions
/// that it uses at the end. Places in it stay where they are. `file` is complete, and is what
/// `text` and its imports were read into.
std::string selfContained(const File &file, std::string_view text);

} // namespace loss::lang

#endif // LOSSLANG_LANG_IMPORTS_H
