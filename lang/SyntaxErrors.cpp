//===- SyntaxErrors.cpp ---------------------------------------------------===//
#include "lang/SyntaxErrors.h"

#include "lang/SyntaxHints.h"

namespace loss::lang {

namespace {

/// What a name stands for at this place.
std::string nameHere(std::string_view rule, std::string_view before) {
  if (rule == "axisList" || rule == "over" || rule == "rename" || before == "'over'" ||
      (rule == "axisDef" && before == "'='"))
    return "the name of an axis";
  if (rule == "limits" || ((rule == "param" || rule == "option") && before == "':'"))
    return "a constraint";
  return "a name";
}

/// What could stand here, as a reader thinks of it.
/// `before` is the kind of the last token that was read.
std::vector<std::string> inWords(Kinds expected, std::string_view rule, std::string_view before) {
  std::vector<std::string> words;
  auto eraseAll = [&](std::initializer_list<const char *> kinds) {
    for (const char *kind : kinds)
      expected.erase(kind);
  };
  if (expected.count("NUMBER")) {
    words.push_back("an expression");
    eraseAll({"NUMBER", "IDENT", "'('", "'-'", "'not'", "'if'"});
  } else if (expected.count("'*'") || expected.count("'^'") || expected.count("'+'") ||
             expected.count("'and'") || expected.count("'or'")) {
    // Behind an operand every operator may follow: not what is missing.
    eraseAll({"'('", "'['", "'+'", "'-'", "'*'", "'/'", "'^'", "'<'", "'<='", "'>'", "'>='", "'=='",
              "'!='", "'and'", "'or'"});
  }
  if (expected.count("'param'")) {
    words.push_back("an input");
    words.push_back("a parameter");
    words.push_back("an option");
    eraseAll({"'param'", "'option'", "IDENT", "DOC"});
  }
  if (expected.count("IDENT")) {
    words.push_back(nameHere(rule, before));
    eraseAll({"IDENT"});
    // A range is a constraint.
    if (words.back() == "a constraint")
      eraseAll({"'['"});
  }
  if (expected.erase("STRING"))
    words.push_back("the name of a file in quotes");
  eraseAll({"DOC"});
  bool end = expected.erase("EOF") != 0;
  // Brackets and commas first, then keywords, in a fixed order.
  for (const std::string &kind : expected)
    if (!isKeyword(kind))
      words.push_back(kind);
  for (const std::string &kind : expected)
    if (isKeyword(kind))
      words.push_back(kind);
  if (end)
    words.push_back("the end of the file");
  return words;
}

std::string join(const std::vector<std::string> &words) {
  std::string result;
  for (size_t i = 0; i < words.size(); ++i) {
    result += i == 0 ? "" : i + 1 == words.size() ? " or " : ", ";
    result += words[i];
  }
  return result;
}

/// Points at the bracket that is still open, when its other half is what was expected.
void noteOpenBracket(const Kinds &expected, const std::vector<SyntaxToken> &tokens, size_t at,
                     Diagnostic &diagnostic) {
  std::vector<const SyntaxToken *> open;
  for (size_t i = 0; i < at; ++i) {
    const std::string &kind = tokens[i].kind;
    if (kind == "'('" || kind == "'['" || kind == "'{'")
      open.push_back(&tokens[i]);
    else if ((kind == "')'" || kind == "']'" || kind == "'}'") && !open.empty())
      open.pop_back();
  }
  if (open.empty() || open.back()->range.begin.line == tokens[at].range.begin.line)
    return;
  const SyntaxToken &bracket = *open.back();
  const char *closing = bracket.text == "(" ? "')'" : bracket.text == "[" ? "']'" : "'}'";
  if (expected.count(closing))
    diagnostic.notes.push_back({bracket.range, "to match this '" + bracket.text + "'"});
}

/// Points at the operator in a line before, when its right operand is what was expected.
void noteOperator(const Kinds &expected, const std::vector<SyntaxToken> &tokens, size_t at,
                  Diagnostic &diagnostic) {
  if (!at || !expected.count("NUMBER"))
    return;
  const SyntaxToken &before = tokens[at - 1];
  bool isNear = before.range.begin.line == tokens[at].range.begin.line;
  if (!isNear && before.kind != "'return'" && before.kind != "','")
    diagnostic.notes.push_back({before.range, "behind this '" + before.text + "'"});
}

} // namespace

void reportUnexpectedToken(const Kinds &expected, std::string_view rule,
                           const std::vector<SyntaxToken> &tokens, size_t at,
                           DiagnosticEngine &diagnostics) {
  std::vector<std::string> words = inWords(expected, rule, at ? tokens[at - 1].kind : "");
  std::string message = words.empty()
                            ? "unexpected " + found(tokens[at])
                            : "expected " + join(words) + ", but found " + found(tokens[at]);
  Diagnostic &diagnostic = diagnostics.error(tokens[at].range, std::move(message));
  diagnostic.hint = syntaxHint(expected, rule, tokens, at);
  noteOpenBracket(expected, tokens, at, diagnostic);
  noteOperator(expected, tokens, at, diagnostic);
}

void reportKeywordAsName(const SyntaxToken &token, DiagnosticEngine &diagnostics) {
  diagnostics.error(token.range, "expected a name, but found " + found(token)).hint =
      "'" + token.text + "' is a keyword and cannot be a name";
}

} // namespace loss::lang
