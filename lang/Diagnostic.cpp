//===- Diagnostic.cpp -----------------------------------------------------===//
#include "lang/Diagnostic.h"

#include <algorithm>
#include <iterator>
#include <list>
#include <tuple>
#include <unordered_map>

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

/// A text whose lines are found and split once, however many messages show them.
class Lines {
public:
  explicit Lines(std::string_view text) : text(text) {}

  /// The characters of the line of that number (from 1) without its line break, or null.
  const std::vector<std::string_view> *find(uint32_t number) {
    if (starts.empty())
      for (size_t begin = 0; begin <= text.size();) {
        starts.push_back(begin);
        begin = std::min(text.find('\n', begin), text.size()) + 1;
      }
    if (number == 0 || number > starts.size())
      return nullptr;
    auto [line, isNew] = split.try_emplace(number);
    if (isNew)
      line->second = characters(contentsOf(number));
    return &line->second;
  }

private:
  std::string_view contentsOf(uint32_t number) const {
    size_t begin = starts[number - 1];
    std::string_view line = text.substr(begin, text.find('\n', begin) - begin);
    constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
    if (number == 1 && line.starts_with(byteOrderMark))
      line.remove_prefix(byteOrderMark.size());
    while (line.ends_with('\r'))
      line.remove_suffix(1);
    return line;
  }

  std::string_view text;
  std::vector<size_t> starts;
  std::unordered_map<uint32_t, std::vector<std::string_view>> split;
};

/// What is shown for a character: one column wide, and harmless to a terminal.
std::string_view shown(std::string_view character) {
  unsigned char first = character[0];
  if (character == "\t")
    return " ";
  if (first < 0x20 || first == 0x7f || (character.size() == 1 && first >= 0x80))
    return "?";
  return character;
}

void renderLine(std::string &out, const SourceRange &range, Lines &lines) {
  const std::vector<std::string_view> *line = lines.find(range.begin.line);
  if (!line || range.begin.column == 0)
    return;
  // Only a window around the caret: a generated line may be very long.
  constexpr size_t windowWidth = 160, leadIn = 60;
  const std::vector<std::string_view> &chars = *line;
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
               const SourceRange &range, std::string_view message, Lines &lines) {
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
  renderLine(out, range, lines);
}

/// `fileOf` gives the name and the lines of the file that a range is in.
template <typename FileOf>
void renderAll(std::string &out, const Diagnostic &diagnostic, FileOf fileOf) {
  auto one = [&](Severity severity, const SourceRange &range, std::string_view message) {
    auto [name, lines] = fileOf(range);
    renderOne(out, *name, severity, range, message, *lines);
  };
  one(diagnostic.severity, diagnostic.range, diagnostic.message);
  if (!diagnostic.hint.empty())
    out += "  hint: " + diagnostic.hint + '\n';
  for (const DiagnosticNote &note : diagnostic.notes)
    one(Severity::Note, note.range, note.message);
}

} // namespace

std::string render(const Diagnostic &diagnostic, std::string_view source) {
  return render(std::vector{diagnostic}, source);
}

std::string render(const std::vector<Diagnostic> &diagnostics, std::string_view source) {
  std::string out;
  Lines lines(source);
  for (const Diagnostic &diagnostic : diagnostics)
    renderAll(out, diagnostic,
              [&](const SourceRange &) { return std::pair(&diagnostic.file, &lines); });
  return out;
}

std::string render(const std::vector<Diagnostic> &diagnostics,
                   const std::vector<SourceFile> &files) {
  std::string out;
  std::vector<Lines> lines;
  for (const SourceFile &file : files)
    lines.emplace_back(file.text);
  for (const Diagnostic &diagnostic : diagnostics)
    renderAll(out, diagnostic, [&](const SourceRange &range) {
      return std::pair(&files[range.file].name, &lines[range.file]);
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

void DiagnosticEngine::giveUp(SourceRange range) {
  error(range, "too many errors; giving up on this file");
  isGivenUp = true;
}

void DiagnosticEngine::sort() {
  auto isBefore = [](const Diagnostic &a, const Diagnostic &b) {
    return std::tie(a.range.file, a.range.begin) < std::tie(b.range.file, b.range.begin);
  };
  // std::list sorts stably, without the allocator that libstdc++ deprecates in std::stable_sort.
  auto end = list.end() - isGivenUp;
  std::list<Diagnostic> ordered(std::move_iterator(list.begin()), std::move_iterator(end));
  ordered.sort(isBefore);
  std::move(ordered.begin(), ordered.end(), list.begin());
  unsigned count = 0;
  auto beyond = std::find_if(list.begin(), list.end(), [&](const Diagnostic &diagnostic) {
    return diagnostic.severity == Severity::Error && ++count > maxErrors;
  });
  if (beyond == list.end() || isGivenUp)
    return;
  SourceRange range = beyond->range;
  list.erase(beyond, list.end());
  giveUp(range);
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
