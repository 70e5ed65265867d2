//===- Diagnostic.h - located errors, warnings and notes --------*- C++ -*-===//
//
// The one form of every message about a program's text. The parser and the semantic analysis emit
// it; the compiler driver turns MLIR's diagnostics into it and renders both alike.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_DIAGNOSTIC_H
#define LOSSLANG_LANG_DIAGNOSTIC_H

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace loss::lang {

/// A place in a source text. Lines and columns count from 1, columns in characters (code points).
/// Line 0 means "no place".
struct SourcePos {
  uint32_t line = 0;
  uint32_t column = 0;

  bool isValid() const { return line != 0; }
  auto operator<=>(const SourcePos &) const = default;
};

/// Half-open: `end` is the place just behind the last character.
struct SourceRange {
  SourcePos begin;
  SourcePos end;

  auto operator<=>(const SourceRange &) const = default;
};

enum class Severity : uint8_t { Error, Warning, Note };

/// "error", "warning" or "note".
std::string_view severityName(Severity severity);

/// Additional information at another place.
struct DiagnosticNote {
  SourceRange range;
  std::string message;
};

struct Diagnostic {
  Severity severity = Severity::Error;
  std::string file;
  SourceRange range;
  std::string message;
  /// What the user may do about it ("did you mean 'logits'?"), or empty.
  std::string hint;
  std::vector<DiagnosticNote> notes;
  /// Warnings: the name that -Wno-NAME switches off ("unused-input").
  std::string name = {};
};

/// `file:line:column: error: message`, the source line with a caret under the range, the hint, and
/// every note in the same form. Ends with a newline. `source` is the text of `diagnostic.file`;
/// where it does not have the line, the line and the caret are left out.
std::string render(const Diagnostic &diagnostic, std::string_view source);

/// All of them, in order.
std::string render(const std::vector<Diagnostic> &diagnostics, std::string_view source);

/// Collects the diagnostics about one source file.
class DiagnosticEngine {
public:
  explicit DiagnosticEngine(std::string fileName) : fileName(std::move(fileName)) {}

  /// Adds a diagnostic. The reference, for adding a hint or notes, is valid until the next one.
  Diagnostic &error(SourceRange range, std::string message);
  Diagnostic &warning(SourceRange range, std::string message);

  bool hasErrors() const { return errors != 0; }
  unsigned errorCount() const { return errors; }
  const std::vector<Diagnostic> &diagnostics() const { return list; }
  const std::string &file() const { return fileName; }

private:
  Diagnostic &add(Severity severity, SourceRange range, std::string message);

  std::string fileName;
  std::vector<Diagnostic> list;
  unsigned errors = 0;
};

} // namespace loss::lang

#endif // LOSSLANG_LANG_DIAGNOSTIC_H
