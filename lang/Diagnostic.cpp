//===- Diagnostic.cpp -----------------------------------------------------===//
#include "lang/Diagnostic.h"

#include <algorithm>
#include <numeric>
#include <tuple>

namespace loss::lang {

std::string_view severityName(Severity severity) {
  switch (severity) {
  case Severity::Error:
    return "error";
  case Severity::Warning:
    return "warning";
  case Severity::Note:
    return "note";
  }
  return "error";
}

namespace {

/// The line of that number (from 1) without its line break; false when there is none.
bool findLine(std::string_view source, uint32_t number, std::string_view &line) {
  size_t begin = 0;
  for (uint32_t i = 1; i < number; ++i) {
    size_t newline = source.find('\n', begin);
    if (newline == std::string_view::npos)
      return false;
    begin = newline + 1;
  }
  line = source.substr(begin, source.find('\n', begin) - begin);
  constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
  if (number == 1 && line.substr(0, byteOrderMark.size()) == byteOrderMark)
    line.remove_prefix(byteOrderMark.size());
  while (!line.empty() && line.back() == '\r')
    line.remove_suffix(1);
  return true;
}

/// Splits into characters: bytes that continue a UTF-8 sequence belong to the one before.
std::vector<std::string_view> characters(std::string_view text) {
  std::vector<std::string_view> result;
  for (size_t i = 0; i < text.size();) {
    size_t end = i + 1;
    while (end < text.size() && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80)
      ++end;
    result.push_back(text.substr(i, end - i));
    i = end;
  }
  return result;
}

/// What is shown for a character: one column wide, and harmless to a terminal.
std::string_view shown(std::string_view character) {
  unsigned char first = character[0];
  if (character == "\t")
    return " ";
  if (first < 0x20 || first == 0x7f || (character.size() == 1 && first >= 0x80))
    return "?";
  return character;
}

void renderLine(std::string &out, const SourceRange &range, std::string_view source) {
  std::string_view line;
  if (!range.begin.isValid() || range.begin.column == 0 ||
      !findLine(source, range.begin.line, line))
    return;
  // Only a window around the caret: a generated line may be very long.
  constexpr size_t windowWidth = 160, leadIn = 60;
  std::vector<std::string_view> chars = characters(line);
  size_t caret = range.begin.column - 1;
  if (caret > chars.size())
    return;
  size_t first = chars.size() > windowWidth && caret > leadIn ? caret - leadIn : 0;
  size_t last = std::min(chars.size(), first + windowWidth);
  std::string_view left = first ? "..." : "", right = last < chars.size() ? "..." : "";

  out += "  ";
  out += left;
  for (size_t i = first; i < last; ++i)
    out += shown(chars[i]);
  out += right;
  out += "\n  ";
  out.append(left.size() + caret - first, ' ');
  out += '^';
  size_t end = range.end.line == range.begin.line  ? range.end.column - 1
               : range.end.line > range.begin.line ? chars.size()
                                                   : caret;
  end = std::min(end, last);
  if (end > caret + 1)
    out.append(end - caret - 1, '~');
  out += '\n';
}

void renderOne(std::string &out, const std::string &file, Severity severity,
               const SourceRange &range, std::string_view message, std::string_view source) {
  out += file.empty() ? "<input>" : file;
  if (range.begin.isValid()) {
    out += ':' + std::to_string(range.begin.line);
    out += ':' + std::to_string(range.begin.column);
  }
  out += ": ";
  out += severityName(severity);
  out += ": ";
  out += message;
  out += '\n';
  renderLine(out, range, source);
}

} // namespace

/// `fileOf` gives the name and the text of the file that a range is in.
template <typename FileOf>
static std::string renderWith(const Diagnostic &diagnostic, FileOf fileOf) {
  std::string out;
  auto one = [&](Severity severity, const SourceRange &range, std::string_view message) {
    auto [name, text] = fileOf(range);
    renderOne(out, std::string(name), severity, range, message, text);
  };
  one(diagnostic.severity, diagnostic.range, diagnostic.message);
  if (!diagnostic.hint.empty())
    out += "  hint: " + diagnostic.hint + '\n';
  for (const DiagnosticNote &note : diagnostic.notes)
    one(Severity::Note, note.range, note.message);
  return out;
}

using NameAndText = std::pair<std::string_view, std::string_view>;

std::string render(const Diagnostic &diagnostic, std::string_view source) {
  return renderWith(diagnostic,
                    [&](const SourceRange &) { return NameAndText{diagnostic.file, source}; });
}

std::string render(const std::vector<Diagnostic> &diagnostics, std::string_view source) {
  std::string out;
  for (const Diagnostic &diagnostic : diagnostics)
    out += render(diagnostic, source);
  return out;
}

std::string render(const std::vector<Diagnostic> &diagnostics,
                   const std::vector<SourceFile> &files) {
  std::string out;
  for (const Diagnostic &diagnostic : diagnostics)
    out += renderWith(diagnostic, [&](const SourceRange &range) {
      const SourceFile &file = files[range.file];
      return NameAndText{file.name, file.text};
    });
  return out;
}

std::string render(const DiagnosticEngine &engine) {
  return render(engine.diagnostics(), engine.files());
}

uint32_t DiagnosticEngine::addFile(std::string name, std::string text) {
  sources.push_back({std::move(name), std::move(text)});
  return static_cast<uint32_t>(sources.size() - 1);
}

void DiagnosticEngine::sort() {
  // What comes last says that there may be more.
  size_t count = list.size();
  if (count && list.back().message.starts_with("too many errors"))
    --count;
  std::vector<size_t> order(count);
  std::iota(order.begin(), order.end(), 0);
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    auto place = [&](size_t i) { return std::tuple(list[i].range.file, list[i].range.begin, i); };
    return place(a) < place(b);
  });
  std::vector<Diagnostic> sorted;
  for (size_t i : order)
    sorted.push_back(std::move(list[i]));
  if (count < list.size())
    sorted.push_back(std::move(list.back()));
  list = std::move(sorted);
}

Diagnostic &DiagnosticEngine::add(Severity severity, SourceRange range, std::string message) {
  errors += severity == Severity::Error;
  list.push_back({severity, sources[range.file].name, range, std::move(message), {}, {}});
  return list.back();
}

Diagnostic &DiagnosticEngine::error(SourceRange range, std::string message) {
  return add(Severity::Error, range, std::move(message));
}

Diagnostic &DiagnosticEngine::warning(SourceRange range, std::string message, std::string name) {
  Diagnostic &diagnostic = add(Severity::Warning, range, std::move(message));
  diagnostic.name = std::move(name);
  return diagnostic;
}

} // namespace loss::lang
