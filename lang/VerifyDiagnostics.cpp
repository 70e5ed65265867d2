//===- VerifyDiagnostics.cpp ----------------------------------------------===//
#include "lang/VerifyDiagnostics.h"

#include <algorithm>
#include <charconv>

namespace loss::lang {

namespace {

struct Expectation {
  std::string kind; // "error", "warning", "note", "hint"
  uint32_t line = 0;
  std::string text;
  SourceRange range;
  bool met = false;
};

/// Something that was emitted.
struct Emitted {
  std::string kind;
  SourceRange range;
  std::string text;
  bool mustBeExpected = false;
};

class Verifier {
public:
  explicit Verifier(const DiagnosticEngine &engine) : engine(engine) {}

  void readExpectations(uint32_t inFile, std::string_view source) {
    file = inFile;
    uint32_t number = 1;
    for (size_t begin = 0; begin <= source.size(); ++number) {
      size_t end = std::min(source.find('\n', begin), source.size());
      readLine(source.substr(begin, end - begin), number);
      begin = end + 1;
    }
  }

  void match() {
    for (const Diagnostic &diagnostic : engine.diagnostics()) {
      matchOne({std::string(severityName(diagnostic.severity)), diagnostic.range,
                diagnostic.message, true});
      if (!diagnostic.hint.empty())
        matchOne({"hint", diagnostic.range, diagnostic.hint, false});
      for (const DiagnosticNote &note : diagnostic.notes)
        matchOne({"note", note.range, note.message, false});
    }
    for (const Expectation &expectation : expectations)
      if (!expectation.met)
        fail(expectation.range,
             "expected " + expectation.kind + " \"" + expectation.text + "\" was not produced");
  }

  std::vector<Diagnostic> failures;

private:
  void fail(SourceRange range, std::string message) {
    failures.push_back(
        {Severity::Error, engine.files()[range.file].name, range, std::move(message), {}, {}});
  }

  void readLine(std::string_view line, uint32_t number) {
    constexpr std::string_view prefix = "expected-";
    for (size_t at = line.find(prefix); at != std::string_view::npos;
         at = line.find(prefix, at + 1)) {
      std::string_view rest = line.substr(at + prefix.size());
      Expectation expectation;
      for (std::string_view kind : {"error", "warning", "note", "hint"})
        if (rest.substr(0, kind.size()) == kind)
          expectation.kind = kind;
      if (expectation.kind.empty())
        continue;
      rest.remove_prefix(expectation.kind.size());
      uint32_t column = static_cast<uint32_t>(at + 1);
      expectation.range = {{number, column}, {number, column}, file};
      expectation.line = number;
      size_t open = rest.find("{{"), close = rest.find("}}");
      if (open == std::string_view::npos || close == std::string_view::npos || close < open ||
          !readPlace(rest.substr(0, open), number, expectation.line)) {
        fail(expectation.range, "expected '" + std::string(prefix) + expectation.kind +
                                    "[@place] {{text}}', but found something else");
        continue;
      }
      expectation.text = rest.substr(open + 2, close - open - 2);
      expectations.push_back(std::move(expectation));
    }
  }

  /// What stands between the kind and the braces.
  static bool readPlace(std::string_view place, uint32_t number, uint32_t &line) {
    while (!place.empty() && place.back() == ' ')
      place.remove_suffix(1);
    if (place.empty())
      return true;
    if (place[0] != '@')
      return false;
    place.remove_prefix(1);
    if (place == "above" || place == "below" || place == "unknown") {
      line = place == "above" ? number - 1 : place == "below" ? number + 1 : 0;
      return true;
    }
    char sign = place.empty() ? '\0' : place[0];
    bool isRelative = sign == '+' || sign == '-';
    if (isRelative)
      place.remove_prefix(1);
    uint32_t value = 0;
    auto [end, status] = std::from_chars(place.data(), place.data() + place.size(), value);
    if (status != std::errc() || end != place.data() + place.size())
      return false;
    line = sign == '+' ? number + value : sign == '-' ? number - value : value;
    return true;
  }

  void matchOne(const Emitted &emitted) {
    for (Expectation &expectation : expectations) {
      if (expectation.met || expectation.kind != emitted.kind ||
          expectation.range.file != emitted.range.file ||
          expectation.line != emitted.range.begin.line ||
          emitted.text.find(expectation.text) == std::string::npos)
        continue;
      expectation.met = true;
      return;
    }
    if (emitted.mustBeExpected)
      fail(emitted.range, "unexpected " + emitted.kind + ": " + emitted.text);
  }

  const DiagnosticEngine &engine;
  /// The one that is being read.
  uint32_t file = 0;
  std::vector<Expectation> expectations;
};

} // namespace

std::vector<Diagnostic> verifyDiagnostics(std::string_view source, const DiagnosticEngine &engine) {
  Verifier verifier(engine);
  verifier.readExpectations(0, source);
  for (uint32_t i = 1; i < engine.files().size(); ++i)
    verifier.readExpectations(i, engine.files()[i].text);
  verifier.match();
  return std::move(verifier.failures);
}

} // namespace loss::lang
