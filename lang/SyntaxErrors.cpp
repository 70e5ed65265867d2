//===- SyntaxErrors.cpp ---------------------------------------------------===//
#include "lang/SyntaxErrors.h"

#include "lang/Suggest.h"

#include <algorithm>
#include <array>
#include <cctype>

namespace loss::lang {

namespace {

using Kinds = std::set<std::string>;

bool isKeyword(const std::string &kind) {
  return kind.size() > 2 && kind[0] == '\'' && std::isalpha(static_cast<unsigned char>(kind[1]));
}

bool startsOperand(const std::string &kind) {
  return kind == "NUMBER" || kind == "IDENT" || kind == "'('";
}

bool endsOperand(const std::string &kind) {
  return kind == "NUMBER" || kind == "IDENT" || kind == "')'" || kind == "']'";
}

/// What a name stands for at this place.
std::string nameHere(std::string_view rule, std::string_view before) {
  if (rule == "axisList" || rule == "over" || rule == "rename" || before == "'over'" ||
      (rule == "axisDef" && before == "'='"))
    return "the name of an axis";
  if (rule == "param" && before == "':'")
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

std::string found(const SyntaxToken &token) {
  if (token.kind == "EOF")
    return "the end of the file";
  if (token.kind == "DOC")
    return "a doc comment";
  if (token.kind == "STRING")
    return "text in quotes";
  constexpr size_t longest = 40;
  if (token.text.size() > longest)
    return "'" + token.text.substr(0, longest) + "...'";
  if (isKeyword(token.kind))
    return "the keyword '" + token.text + "'";
  return "'" + token.text + "'";
}

std::string hintFor(const Kinds &expected, std::string_view rule,
                    const std::vector<SyntaxToken> &tokens, size_t at) {
  const SyntaxToken &token = tokens[at];
  std::string before = at ? tokens[at - 1].kind : "";
  bool expression = expected.count("NUMBER") != 0;

  bool startsElement = token.kind == "IDENT" || token.kind == "DOC" || token.kind == "'param'" ||
                       token.kind == "'option'";
  bool inList = rule == "lossArgs" || rule == "fnArgs" || rule == "axisList";
  if (inList && expected.count("','") && startsElement)
    return "is a comma missing before it?";
  if (token.kind == "IDENT" && expected.count("'let'") && at + 1 < tokens.size() &&
      tokens[at + 1].kind == "'='")
    return "a definition starts with 'let'";
  if (token.kind == "DOC")
    return "'///' belongs before a loss, a function, an input or a parameter; use '//' here";
  if (expression && before == "','" && (token.kind == "')'" || token.kind == "'over'"))
    return "remove the comma";
  if (expected.count("'param'") && before == "','" && token.kind == "')'")
    return "remove the comma";
  if (expression && token.kind == "'if'")
    return "put the conditional in parentheses";
  if (expression && token.kind == "'not'")
    return "put the negation in parentheses";
  if (expression && token.kind == "'+'")
    return "there is no unary '+'";
  if (expected.count("IDENT") && !expression && isKeyword(token.kind))
    return "'" + token.text + "' is a keyword and cannot be a name";
  if (!expression && token.kind == "'='" && endsOperand(before) && !expected.count("'='"))
    return "equality is written '=='";
  if (token.kind == "IDENT") {
    std::vector<std::string> keywords;
    for (const std::string &kind : expected)
      if (isKeyword(kind))
        keywords.push_back(kind.substr(1, kind.size() - 2));
    std::string hint = didYouMean(token.text, {keywords.begin(), keywords.end()});
    if (!hint.empty())
      return hint;
  }
  if (!expression && startsOperand(token.kind) && endsOperand(before) &&
      tokens[at - 1].range.begin.line == token.range.begin.line)
    return "is an operator missing here?";
  if (expected.count("'['") && token.kind == "IDENT")
    return "axes are written in brackets: '[batch, class]'";
  if (token.kind == "'axis'")
    return "axes are declared at the start of a block, before 'let'";
  if (token.kind == "'derivative'")
    return "derivatives are written behind the body of a function";
  if (token.kind == "STRING")
    return "text in quotes is used for 'import \"file.loss\"' only";
  if (expected.count("'else'"))
    return "every 'if' needs an 'else'";
  if (token.kind == "'let'" && expected.count("'='"))
    return "statements go into a block: 'fn f(x) { let ... return ... }'";
  return {};
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

} // namespace

void reportUnexpectedToken(const Kinds &expected, std::string_view rule,
                           const std::vector<SyntaxToken> &tokens, size_t at,
                           DiagnosticEngine &diagnostics) {
  std::vector<std::string> words = inWords(expected, rule, at ? tokens[at - 1].kind : "");
  std::string message = words.empty()
                            ? "unexpected " + found(tokens[at])
                            : "expected " + join(words) + ", but found " + found(tokens[at]);
  Diagnostic &diagnostic = diagnostics.error(tokens[at].range, std::move(message));
  diagnostic.hint = hintFor(expected, rule, tokens, at);
  noteOpenBracket(expected, tokens, at, diagnostic);
}

std::string reportForeignToken(const SyntaxToken &token, DiagnosticEngine &diagnostics) {
  struct Row {
    const char *text, *hint, *meant;
  };
  static constexpr std::array<Row, 11> rows = {{
      {"&&", "conjunction is written 'and'", "'and'"},
      {"&", "conjunction is written 'and'", "'and'"},
      {"||", "disjunction is written 'or'", "'or'"},
      {"|", "the absolute value is abs(x), disjunction is written 'or'", ""},
      {"!", "negation is written 'not'", "'not'"},
      {"**", "powers are written x^y", "'^'"},
      {"/*", "comments start with '//' and end with the line", ""},
      {";", "statements need no semicolon", ""},
      {"#", "comments start with '//'", ""},
      {"%", "there is no remainder operator", ""},
      {"?", "conditionals are written 'if c then a else b'", ""},
  }};
  if (token.kind == "BAD_NUMBER") {
    Diagnostic &diagnostic =
        diagnostics.error(token.range, "expected a number, but found " + found(token));
    const std::string &text = token.text;
    if (text[0] == '.')
      diagnostic.hint = "write 0" + text.substr(0, 40);
    else if (text.back() == '.' && std::count(text.begin(), text.end(), '.') == 1)
      diagnostic.hint = "write " + text.substr(0, 40) + "0";
    else if (std::isdigit(static_cast<unsigned char>(text[0])) &&
             std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c); }))
      diagnostic.hint = "names do not start with a digit; a product needs '*'";
    return "NUMBER";
  }
  Diagnostic &diagnostic = diagnostics.error(token.range, "unexpected " + found(token));
  for (const Row &row : rows) {
    if (token.text != row.text)
      continue;
    diagnostic.hint = row.hint;
    return row.meant;
  }
  return {};
}

} // namespace loss::lang
