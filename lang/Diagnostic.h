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
  /// Which text: index into DiagnosticEngine::files(). 0 is the program, the others are its
  /// imports.
  uint32_t file = 0;

  auto operator<=>(const SourceRange &) const = default;
};

/// A text that diagnostics are about.
struct SourceFile {
  std::string name;
  std::string text;
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
  /// Name of the file that `range` is in.
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

/// Errors after which a program is given up.
inline constexpr unsigned maxErrors = 20;

/// Collects the diagnostics about a program and the files that it imports.
class DiagnosticEngine {
public:
  explicit DiagnosticEngine(std::string fileName) { sources.push_back({std::move(fileName), {}}); }

  /// Another text that ranges can lie in; returns the value of SourceRange::file.
  uint32_t addFile(std::string name, std::string text);
  /// The text of the program itself, to show its lines.
  void setText(std::string_view text) { sources[0].text = text; }
  const std::vector<SourceFile> &files() const { return sources; }

  /// Adds a diagnostic. The reference, for adding a hint or notes, is valid until the next one.
  Diagnostic &error(SourceRange range, std::string message);
  /// `name` is what -Wno-NAME switches off.
  Diagnostic &warning(SourceRange range, std::string message, std::string name = {});

  /// Says that there may be more errors than those so far.
  void giveUp(SourceRange range);

  /// Puts them in the order of the text and gives up after maxErrors. That stays at the end.
  void sort();

  bool hasErrors() const { return errors != 0; }
  unsigned errorCount() const { return errors; }
  const std::vector<Diagnostic> &diagnostics() const { return list; }
  const std::string &file() const { return sources[0].name; }

private:
  Diagnostic &add(Severity severity, SourceRange range, std::string message);

  std::vector<SourceFile> sources;
  std::vector<Diagnostic> list;
  unsigned errors = 0;
  bool isGivenUp = false;
};

/// The same for diagnostics about several files: ranges tell which.
std::string render(const std::vector<Diagnostic> &diagnostics,
                   const std::vector<SourceFile> &files);

/// All of the engine.
std::string render(const DiagnosticEngine &engine);

} // namespace loss::lang

#endif // LOSSLANG_LANG_DIAGNOSTIC_H
