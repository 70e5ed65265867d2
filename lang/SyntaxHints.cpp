//===- SyntaxHints.cpp - what was probably meant --------------------------===//
//
// Slips of the keyboard, and habits from other languages.
//
//===----------------------------------------------------------------------===//
#include "lang/SyntaxHints.h"

#include "lang/Builtins.h"
#include "lang/Foreign.h"
#include "lang/Suggest.h"

#include <algorithm>
#include <cctype>

namespace loss::lang {

bool isKeyword(const std::string &kind) {
  return kind.size() > 2 && kind[0] == '\'' && std::isalpha(static_cast<unsigned char>(kind[1]));
}

bool isConditionWord(std::string_view word) {
  for (std::string_view known : {"where", "when", "given", "for", "if", "with", "such"})
    if (word == known)
      return true;
  return false;
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
  return (isKeyword(token.kind) ? "the keyword '" : "'") + token.text + "'";
}

/// The axes that the first loss declares, in the order of the text.
static std::vector<std::string> axesOf(const std::vector<SyntaxToken> &tokens) {
  std::vector<std::string> axes;
  size_t i = 0;
  while (i < tokens.size() && tokens[i].kind != "'loss'")
    ++i;
  for (bool isIn = false; i < tokens.size() && tokens[i].kind != "'{'"; ++i) {
    const SyntaxToken &token = tokens[i];
    if (token.kind == "'['" || token.kind == "']'")
      isIn = token.kind == "'['";
    else if (isIn && token.kind == "IDENT" &&
             std::find(axes.begin(), axes.end(), token.text) == axes.end())
      axes.push_back(token.text);
  }
  return axes;
}

/// A call of which the names are not known: with those of the table, but not with those of axes.
static ForeignCall callIn(const std::vector<SyntaxToken> &tokens) {
  return {{}, "class", "batch", axesOf(tokens)};
}

/// A hint with the axes of this text in the place of `batch` and `class`.
static std::string withAxesOf(const std::vector<SyntaxToken> &tokens, const std::string &hint) {
  std::vector<std::string> axes = axesOf(tokens);
  bool isNamed = std::find(axes.begin(), axes.end(), "class") != axes.end();
  if (axes.empty() || isNamed)
    return hint;
  std::string text = hint;
  if (size_t both = text.find("over batch, class"); both != std::string::npos && axes.size() == 1)
    text.replace(both, std::string("over batch, class").size(), "over class");
  return inQuotes(text, [&](const std::string &word) {
    return word == "class" ? axes.back() : word == "batch" ? axes.front() : word;
  });
}

//===----------------------------------------------------------------------===//
// Tokens that stand where others should
//===----------------------------------------------------------------------===//

namespace {

bool isOneOf(const std::string &kind, std::initializer_list<const char *> kinds) {
  return std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

/// A place in the text and what could stand there.
struct Place {
  const Kinds &expected;
  std::string_view rule;
  const std::vector<SyntaxToken> &tokens;
  size_t at;

  const SyntaxToken &token() const { return tokens[at]; }
  /// The kind of a token near this one, or empty.
  std::string kind(int distance) const {
    size_t i = at + static_cast<size_t>(distance);
    return i < tokens.size() ? tokens[i].kind : "";
  }
  std::string text(int distance) const {
    size_t i = at + static_cast<size_t>(distance);
    return i < tokens.size() ? tokens[i].text : "";
  }
  bool expects(const char *kind) const { return expected.count(kind) != 0; }
  bool expectsOperand() const { return expects("NUMBER"); }
  bool is(std::initializer_list<const char *> kinds) const { return isOneOf(token().kind, kinds); }
  bool follows(std::initializer_list<const char *> kinds) const { return isOneOf(kind(-1), kinds); }
  /// Behind a whole operand, where an operator or the end of the expression could stand.
  bool isBehindOperand() const {
    return follows({"NUMBER", "IDENT", "')'", "']'"}) && !expectsOperand() && continuesLine();
  }
  bool continuesLine() const {
    return at && tokens[at - 1].range.begin.line == token().range.begin.line;
  }
};

/// The bracket that is open here, or null.
const SyntaxToken *openBracket(const Place &place) {
  std::vector<const SyntaxToken *> open;
  for (size_t i = 0; i < place.at; ++i) {
    const std::string &kind = place.tokens[i].kind;
    if (isOneOf(kind, {"'('", "'['", "'{'"}))
      open.push_back(&place.tokens[i]);
    else if (isOneOf(kind, {"')'", "']'", "'}'"}) && !open.empty())
      open.pop_back();
  }
  return open.empty() ? nullptr : open.back();
}

/// The function in whose parentheses this place is, or empty.
std::string enclosingCall(const Place &place) {
  const SyntaxToken *open = openBracket(place);
  if (!open || open->text != "(" || open == place.tokens.data())
    return {};
  const SyntaxToken &name = *(open - 1);
  return name.kind == "IDENT" ? name.text : std::string();
}

/// `mean(x over c where x > 0)`: what to write for a reduction of some of the elements.
std::string hintForCondition(const Place &place) {
  bool isCondition =
      place.is({"'if'"}) || (place.is({"IDENT"}) && isConditionWord(place.token().text));
  bool isBehind = place.rule == "over" || place.rule == "call";
  if (!isCondition || !isBehind || place.follows({"','", "'('", "'over'"}))
    return {};
  std::string function = enclosingCall(place);
  if (!findBuiltin(function, true) || !worksOverAxis(findBuiltin(function, true)->kind))
    return {};
  std::string axis = place.rule == "over" ? place.text(-1) : "class";
  std::vector<std::string> axes = axesOf(place.tokens);
  bool isAxis = axis == "c" || std::find(axes.begin(), axes.end(), "c") != axes.end();
  std::string condition = isAxis ? "condition" : "c";
  auto over = [&](std::string name, std::string other) {
    return name + "(if " + condition + " then x else " + other + " over " + axis + ")";
  };
  std::string form = over(function, "0");
  if (function == "mean")
    form = over("sum", "0") + " / sum(if " + condition + " then 1 else 0 over " + axis + ")";
  else if (isOneOf(function, {"max", "argmax", "logsumexp", "softmax", "log_softmax", "rank"}))
    form = over(function, "-1 / 0");
  else if (isOneOf(function, {"min", "argmin"}))
    form = over(function, "1 / 0");
  return (isAxis ? "a condition" : "a condition c") +
         (" is part of the operand: write '" + form + "'");
}

/// "write 'mean(x over class)'": how a function is called that the language or another one has.
std::string formOfCall(const std::string &function, const std::vector<SyntaxToken> &tokens) {
  if (const Builtin *builtin = findBuiltin(function, true)) {
    bool isOverAxis = worksOverAxis(builtin->kind);
    size_t arity = isOverAxis ? 1 : arityOf(builtin->kind);
    std::string operands = builtin->kind == BuiltinKind::Query ? "class"
                           : arity == 1                        ? "x"
                           : arity == 2                        ? "x, y"
                                                               : "x, y, z";
    return "write '" + function + "(" + operands + (isOverAxis ? " over class" : "") + ")'";
  }
  const Foreign *row = findForeignFunction(function, 1, true);
  return row ? foreignHint(*row, callIn(tokens)) : std::string();
}

/// Where the name of an axis should stand, and where one stands that should not.
std::string hintForAxis(const Place &place) {
  const SyntaxToken &token = place.token();
  const SyntaxToken *open = openBracket(place);
  if (token.kind == "'over'" && place.isBehindOperand() && (!open || open->text == "{"))
    return "the axis stands inside of the parentheses: 'sum(x over class)'";
  bool isBehindOperand = place.rule == "call" && place.expects("'over'");
  if (isBehindOperand && token.text == "by")
    return place.kind(2) == "'over'" || enclosingCall(place) == "cumsum"
               ? "'by' stands behind the axis: 'cumsum(x over class by key)'"
               : "an axis is named by 'over', as in 'sum(x over class)'";
  if (isBehindOperand && place.kind(1) == "IDENT" &&
      isOneOf(token.text, {"along", "across", "on", "in", "dim", "axis", "of"}))
    return "an axis is named by 'over', as in 'sum(x over class)'";
  bool isFirst = place.follows({"'over'"}), isInList = place.rule == "axisList";
  if (isFirst && place.is({"'('", "'['"}))
    return "axes are listed without brackets, as in 'sum(x over batch, class)'";
  if (isFirst && token.kind == "STRING")
    return "names and axes are written without quotes";
  if ((isFirst && place.is({"NUMBER", "'-'"})) || (isInList && token.kind == "NUMBER"))
    return "axes have names and no numbers, as 'batch' and 'class' in '[batch, class]'";
  return {};
}

/// Whether a definition of that name comes before this place.
bool isDefined(const Place &place, const std::string &name) {
  for (size_t i = 0; i + 1 < place.at; ++i)
    if (place.tokens[i].kind == "'let'" && place.tokens[i + 1].text == name)
      return true;
  return false;
}

/// Between the statements of a block, and between the definitions of a file.
std::string hintForStatement(const Place &place) {
  if (place.is({"'}'"}) && place.expects("'return'"))
    return "a block ends with 'return'";
  if (place.is({"')'", "']'", "'}'"}) && !place.expects("'}'"))
    return "no bracket is open here; remove it";
  if (place.is({"'-'"}) && place.kind(1) == "'-'")
    return "comments start with '//'";
  if (place.is({"'return'"}) && !place.expects("'{'"))
    return "a block has one 'return', at its end";
  if (place.is({"'let'", "'axis'"}) && place.expects("'}'"))
    return "'return' ends a block; other statements go before it";
  if (place.is({"'fn'", "'loss'"}) && place.expects("'return'"))
    return "a block ends with 'return ... }'; functions are defined outside of it";
  if (place.is({"'if'"}) && place.continuesLine())
    return "conditionals are written 'if c then a else b'";
  if (place.is({"'param'", "'option'"}))
    return "parameters and options belong to the arguments of the loss";
  if (place.is({"'let'"}) && place.rule == "file")
    return "statements go into the block of a loss or of a function";
  if (place.token().kind != "IDENT")
    return {};
  bool isDeclaration =
      isOneOf(place.token().text, {"var", "const", "auto", "val", "float", "double"});
  if (isDeclaration && place.rule == "block")
    return "a definition starts with 'let'";
  if (isDeclaration || isOneOf(place.token().text, {"def", "function", "func", "fun"}))
    return "a function starts with 'fn', a loss with 'loss'";
  if (isOneOf(place.token().text, {"from", "include", "using"}))
    return "an import is written 'import \"file.loss\"'";
  if (isOneOf(place.token().text, {"for", "while"}))
    return "there are no loops: operations go over an axis, as in 'sum(x over class)'";
  bool startsLine = !place.continuesLine();
  if (place.expects("'let'") && place.kind(1) == "'='")
    return isDefined(place, place.token().text)
               ? "values do not change; define another one with 'let'"
               : "a definition starts with 'let'";
  if (place.rule == "file" && startsLine && place.kind(1) == "'('")
    return "a loss is written 'loss f(x: [batch, class]) { ... }', a function 'fn f(x) = ...'";
  if (place.expects("'let'") && startsLine && place.kind(2) == "'='" &&
      isOneOf(place.kind(1), {"'+'", "'-'", "'*'", "'/'", "'^'"}))
    return "values do not change; define another one with 'let'";
  return {};
}

/// What is unlike other languages.
std::string hintForHabit(const Place &place) {
  const SyntaxToken &token = place.token();
  if (std::string hint = hintForCondition(place); !hint.empty())
    return hint;
  if (place.expects("'over'") && token.kind == "'='" && place.follows({"IDENT"})) {
    std::string form = formOfCall(enclosingCall(place), place.tokens);
    return form.empty() ? "arguments have no names; an axis is named as in 'sum(x over class)'"
                        : "arguments have no names: " + form;
  }
  if (token.kind == "STRING" && place.expectsOperand())
    if (const Foreign *row = findForeignFunction(enclosingCall(place), 2, true))
      return foreignHint(*row, callIn(place.tokens));
  if (std::string hint = hintForAxis(place); !hint.empty())
    return hint;
  if (token.kind == "'='" && place.follows({"'+'", "'-'", "'*'", "'/'", "'^'"}))
    return "values do not change; define another one with 'let'";
  if (token.kind == "'^'" && place.follows({"'^'"}))
    return "powers are written x^y";
  if (place.isBehindOperand() && isOneOf(token.text, {"is", "equals"}))
    return "equality is written '=='";
  if (!place.expectsOperand() && place.is({"'then'", "'else'"}))
    return "conditionals are written 'if c then a else b'";
  if (place.isBehindOperand() && isOneOf(token.text, {"end", "endif", "fi"}))
    return "a conditional ends with what stands behind its 'else'";
  bool isIndex = place.follows({"'['"}) && token.kind != "STRING";
  if (place.rule == "rename" && (isIndex || place.kind(-2) == "'['"))
    return "brackets behind a value only rename an axis, as in 'x[a -> b]'; a call is written "
           "'sum(x over class)', the value at the class of a target 'sum(y * x over class)'";
  bool isLambda = place.rule == "block" && place.expects("'return'");
  if (isLambda && (token.kind == "'->'" || (token.kind == "'='" && place.kind(1) == "'>'")))
    return "functions are definitions of the file: 'fn f(x) = ...'";
  if (token.kind == "'->'" && place.rule != "rename")
    return "the type of a result is not written, it follows";
  bool hasNoBody = place.rule == "fnDef" && place.expects("'='") && !place.is({"'let'"});
  bool hasNoArguments = place.rule == "fnArgs" && place.expects("'('");
  if (hasNoBody || hasNoArguments || (token.kind == "'>'" && place.follows({"'='"})))
    return "a function is written 'fn f(x) = ...'";
  if (place.rule == "let" && place.expects("'='"))
    return "a definition is written 'let a = ...'";
  if (place.rule == "axisDef" && place.expects("'='"))
    return "a copy of an axis is written 'axis other = batch'";
  if (place.rule == "derivative" && place.expects("'='"))
    return "a derivative is written 'derivative x = ...'";
  if (token.kind == "'target'" && (place.expects("'param'") || place.rule == "lossArgs"))
    return "a target is written 'y: target [batch, class]'";
  if (token.kind == "','" && place.follows({"NUMBER"}) && place.kind(1) == "NUMBER")
    return "numbers have a decimal point: write " + place.text(-1) + "." + place.text(1);
  if (place.rule == "importItem")
    return "an import is written 'import \"file.loss\"'";
  if (token.kind == "':'" && place.expects("'else'"))
    return "conditionals are written 'if c then a else b'";
  if (token.kind == "':'" && place.text(-2) == "lambda")
    return "functions are definitions of the file: 'fn f(x) = ...'";
  if (token.kind == "IDENT" && place.text(-1) == "lambda")
    return "functions are definitions of the file: 'fn f(x) = ...'";
  if (place.rule == "param" && place.expects("':'") && place.is({"'>'", "'>='", "'<'", "'<='"}))
    return "a constraint is a word: 'param " + place.text(-1) + ": positive = 1'";
  if (place.rule == "param" && place.expects("'='") && place.expects("':'"))
    return "a parameter has a default: 'param " + place.text(-1) + " = 1'";
  if (place.rule == "option" && place.expects("'='") && place.expects("':'"))
    return "an option has a default: 'option " + place.text(-1) + " = 1'";
  if (place.rule == "param" && token.kind == "NUMBER" && place.follows({"':'"}))
    return "a default stands behind '=': 'param " + place.text(-2) + " = " + token.text + "'";
  if (place.rule == "limits" || place.rule == "range")
    return "a constraint is written 'positive', 'integer' or, of an option, '[1, 6]'";
  if (place.rule == "input" && place.expects("':'")) {
    std::string name = place.text(token.kind == "IDENT" ? 0 : -1);
    return "an input has axes: '" + name + ": [batch, class]'; a number is a parameter: 'param " +
           name + " = 1'";
  }
  if (place.expects("'['") && token.text == "fixed")
    return "the axes stand behind 'fixed': 'fixed [batch, class]'";
  if (place.rule == "input" && token.kind == "IDENT" && place.kind(1) == "'['")
    return "an input is a 'target', 'fixed' or neither, and has no other type: 'x: [batch, class]'";
  if (place.expects("'['") && place.is({"IDENT", "'('", "'{'", "'<'"}))
    return "axes are written in brackets: '[batch, class]'";
  bool startsBody = place.follows({"'='"}) && place.kind(-2) == "')'";
  if (place.is({"'let'", "'return'"}) && (place.expects("'='") || startsBody))
    return "statements go into a block: 'fn f(x) { let ... return ... }'";
  if (startsBody && place.is({"'{'"}))
    return "a function has either '= ...' or a block: 'fn f(x) { ... return ... }'";
  bool lacksThen = place.expects("'then'") && !place.is({"'='"});
  if (lacksThen || (place.expectsOperand() && place.is({"'then'", "'else'"})))
    return "conditionals are written 'if c then a else b'";
  if (place.expectsOperand() && place.is({"'['", "'{'"}))
    return "parts of an expression are put in parentheses: '(a + b) * c'";
  if (token.kind == "IDENT" && place.follows({"IDENT"}) && findBuiltin(place.text(-1), false))
    return "a call is written '" + place.text(-1) + "(...)'";
  bool isInName = isOneOf(std::string(place.rule), {"lossArgs", "fnArgs"}) &&
                  place.expects("'('") && place.follows({"IDENT", "NUMBER"});
  if (isInName && place.is({"'-'"}))
    return "names are made of ASCII letters, digits and underscores";
  if (place.expects("'{'") && place.rule == "block")
    return "a body is a block: '{ ... return ... }'";
  return {};
}

/// A token too many or too few.
std::string hintForSlip(const Place &place) {
  const SyntaxToken &token = place.token();
  bool inList = isOneOf(std::string(place.rule), {"lossArgs", "fnArgs", "axisList", "over"});
  bool startsElement = place.is({"IDENT", "DOC", "'param'", "'option'"});
  if (inList && place.expects("','") && startsElement)
    return "is a comma missing before it?";
  if (const SyntaxToken *open = openBracket(place); token.kind == "','" && open &&
                                                    open->text == "(" && place.expects("')'") &&
                                                    enclosingCall(place).empty())
    return "an expression has one value; parts of a loss are added up: 'a + b'";
  if (const SyntaxToken *open = openBracket(place);
      place.is({"')'"}) && place.isBehindOperand() && !(open && open->text == "("))
    return "no '(' is open here; remove it";
  if (place.follows({"','"}) && place.is({"')'", "']'", "'over'"}))
    return "remove the comma";
  if (token.kind == "DOC")
    return "'///' belongs before a loss, a function, an input or a parameter; use '//' here";
  if (place.expectsOperand() && place.is({"'fn'", "'loss'"}) && place.at == 0)
    return "'" + token.text + "' is a keyword and cannot be a name";
  if (place.expectsOperand() && token.kind == "'if'")
    return "put the conditional in parentheses";
  if (place.expectsOperand() && token.kind == "'not'")
    return "put the negation in parentheses";
  if (place.expectsOperand() && token.kind == "'+'")
    return "there is no unary '+'";
  if (place.expects("IDENT") && !place.expectsOperand() && isKeyword(token.kind))
    return "'" + token.text + "' is a keyword and cannot be a name";
  if (place.rule == "fnArgs" && token.kind == "'='")
    return "the arguments of a function have no defaults, and end with ')'";
  if (!place.expectsOperand() && token.kind == "'='" &&
      place.follows({"NUMBER", "IDENT", "')'", "']'"}) && !place.expects("'='"))
    return "equality is written '=='";
  if (const SyntaxToken *open = openBracket(place);
      open && place.is({"')'", "']'", "'}'"}) && !place.expectsOperand() &&
      open->range.begin.line == token.range.begin.line &&
      place.expects(open->text == "(" ? "')'" : "']'"))
    return "'" + open->text + "' is closed by '" + (open->text == "(" ? ")" : "]") + "'";
  return {};
}

} // namespace

static std::string hintAt(const Kinds &expected, std::string_view rule,
                          const std::vector<SyntaxToken> &tokens, size_t at) {
  Place place = {expected, rule, tokens, at};
  const SyntaxToken &token = place.token();
  for (auto hintFor : {hintForStatement, hintForHabit, hintForSlip}) {
    if (hintFor == hintForStatement && rule != "block" && rule != "file")
      continue;
    if (std::string hint = hintFor(place); !hint.empty())
      return hint;
  }
  if (token.kind == "IDENT") {
    std::vector<std::string> keywords;
    for (const std::string &kind : expected)
      if (isKeyword(kind))
        keywords.push_back(kind.substr(1, kind.size() - 2));
    std::string hint = didYouMean(token.text, {keywords.begin(), keywords.end()});
    if (!hint.empty())
      return hint;
  }
  // `retrun x`, read as an operand of the line before.
  bool startsLine = at > 1 && tokens[at - 1].range.begin.line != tokens[at - 2].range.begin.line;
  if (rule == "block" && startsLine && place.follows({"IDENT"}) && place.continuesLine())
    if (std::string hint = didYouMean(place.text(-1), {"let", "return"}); !hint.empty())
      return hint;
  bool isOperand = place.is({"NUMBER", "IDENT", "'('"});
  bool isBehindExpr =
      place.expects("'+'") || place.expects("')'") || rule == "block" || rule == "file";
  if (isBehindExpr && isOperand && place.continuesLine() &&
      place.follows({"NUMBER", "IDENT", "')'", "']'"}))
    return place.expects("'over'") ? "is an operator, a comma or 'over' missing here?"
                                   : "is an operator missing here?";
  if (place.expects("'return'") && isOperand)
    return "is 'return' missing before it?";
  if (token.kind == "'axis'")
    return "axes are declared at the start of a block, before 'let'";
  if (token.kind == "'derivative'")
    return "derivatives are written behind the body of a function";
  if (token.kind == "STRING")
    return "text in quotes is used for 'import \"file.loss\"' only";
  if (place.expects("'else'"))
    return "every 'if' needs an 'else'";
  if (at && tokens[at - 1].hidesCode)
    return "'//' starts a comment; a quotient without its fraction is 'floor(x / y)'";
  if (rule == "file" && token.kind != "EOF")
    return "a file defines one loss: 'loss f(x: [batch, class]) { return ... }'";
  return {};
}

std::string syntaxHint(const Kinds &expected, std::string_view rule,
                       const std::vector<SyntaxToken> &tokens, size_t at) {
  return withAxesOf(tokens, hintAt(expected, rule, tokens, at));
}

//===----------------------------------------------------------------------===//
// Tokens of no program
//===----------------------------------------------------------------------===//

ForeignToken foreignToken(const std::string &text) {
  struct Row {
    const char *text, *hint, *meant;
  };
  static constexpr Row rows[] = {
      {"&&", "conjunction is written 'and'", "'and'"},
      {"&", "conjunction is written 'and'", "'and'"},
      {"||", "disjunction is written 'or', a norm 'norm(x over class)'", "'or'"},
      {"|", "the absolute value is abs(x), disjunction is written 'or'", ""},
      {"!", "negation is written 'not'", "'not'"},
      {"**", "powers are written x^y", "'^'"},
      {"~=", "inequality is written '!='", "'!='"},
      {"<>", "inequality is written '!='", "'!='"},
      {"!==", "inequality is written '!='", "'!='"},
      {"===", "equality is written '=='", "'=='"},
      {"=<", "write '<='", "'<='"},
      {"/*", "comments start with '//' and end with the line", ""},
      {";", "statements need no semicolon", " "},
      {"#", "comments start with '//'", ""},
      {"%", "the remainder is written x - y * floor(x / y)", ""},
      {"?", "conditionals are written 'if c then a else b'", ""},
      {"~", "negation is written 'not'", "'not'"},
      {"\\", "lines need no mark at their end", " "},
      {"`", "names and axes are written without quotes", ""},
      {"'", "names and axes are written without quotes", ""},
      {"@", "a sum of products is written 'sum(x * w over class)'", ""},
      // What word processors and web pages make of a program.
      {"\u2212", "write the '-' of the keyboard", "'-'"},
      {"\u2013", "write the '-' of the keyboard", "'-'"},
      {"\u00d7", "products are written x * y", "'*'"},
      {"\u00b7", "products are written x * y", "'*'"},
      {"\u22c5", "products are written x * y", "'*'"},
      {"\u00f7", "quotients are written x / y", "'/'"},
      {"\u2264", "write '<='", "'<='"},
      {"\u2265", "write '>='", "'>='"},
      {"\u2260", "write '!='", "'!='"},
      {"\u2192", "write '->'", "'->'"},
      {"\u03c0", "write 'pi'", "NUMBER"},
      {"\u221a", "square roots are written sqrt(x)", ""},
      {"\u03a3", "sums are written 'sum(x over class)'", ""},
      {"\u2211", "sums are written 'sum(x over class)'", ""},
      {"\u2032", "names are made of ASCII letters, digits and underscores", ""},
      {"\u00b2", "powers are written x^2", ""},
      {"\u00b3", "powers are written x^3", ""},
      {"\u221e", "infinity is written 1 / 0", "NUMBER"},
      {"\u2016", "norms are written 'norm(x over class)'", ""},
      {"\u2225", "norms are written 'norm(x over class)'", ""},
      {"\u220f", "products are written 'exp(sum(log(x) over class))', for positive x", ""},
      {"\u2207", "the compiler differentiates: 'lossc grad' prints the gradient", ""},
      {"\u2202", "the compiler differentiates: 'lossc grad' prints the gradient", ""},
      {"\u2227", "conjunction is written 'and'", "'and'"},
      {"\u2228", "disjunction is written 'or'", "'or'"},
      {"\u00ac", "negation is written 'not'", "'not'"},
      {"\u2248", "write 'abs(x - y) <= 1e-8'", ""},
      {"\u2208", "the position along an axis is 'index(class)'", ""},
      {"\u2026",
       "there are no ellipses: operations go over a named axis, as in 'sum(x over class)'", ""},
      {"\u201c", "names and axes are written without quotes", ""},
      {"\u2018", "names and axes are written without quotes", ""},
      {"\u00a0", "a no-break space: write a blank", " "},
  };
  for (const Row &row : rows)
    if (text == row.text)
      return {row.hint, row.meant};
  bool isAscii = static_cast<unsigned char>(text[0]) < 0x80;
  return {isAscii ? "" : "names are made of ASCII letters, digits and underscores", ""};
}

/// The name of which a dot is part, `tf.math.log`, or the empty one.
static std::string dottedName(const std::vector<SyntaxToken> &tokens, size_t at) {
  auto isDot = [&](size_t i) { return i < tokens.size() && tokens[i].text == "."; };
  auto isName = [&](size_t i) { return i < tokens.size() && tokens[i].kind == "IDENT"; };
  std::string name;
  for (; isDot(at) && isName(at + 1); at += 2)
    name += "." + tokens[at + 1].text;
  return name;
}

/// `x.exp()`, `torch.var(x)`, `tf.math.log(x)`, `is.na(x)`: what it is called here.
static std::string hintForMember(const std::string &before, const std::string &members,
                                 const std::vector<SyntaxToken> &tokens) {
  if (const Foreign *row = findForeignFunction(before + members, 1, true))
    return foreignHint(*row, callIn(tokens));
  std::string member = members.substr(members.rfind('.') + 1);
  std::string hint = "there are no methods and modules: ";
  if (std::string form = formOfCall(member, tokens); !form.empty())
    return form.starts_with("write") ? hint + form : form;
  if (const Foreign *row = findForeignValue(member))
    return hint + foreignHint(*row, callIn(tokens));
  return hint + "write '" + (findBuiltinConstant(member) ? member + "'" : "exp(x)' for 'x.exp()'");
}

static bool isDotOfOperator(const std::vector<SyntaxToken> &tokens, size_t at) {
  return at + 1 < tokens.size() &&
         isOneOf(tokens[at + 1].kind, {"'*'", "'/'", "'^'", "'+'", "'-'", "'=='", "'!='", "'<'",
                                       "'<='", "'>'", "'>='", "'('"});
}

/// `x .* y`, `abs.(x)`, `x.exp()`.
static std::string hintForDot(const std::vector<SyntaxToken> &tokens, size_t at) {
  std::string before = at ? tokens[at - 1].text : "";
  if (isDotOfOperator(tokens, at)) {
    const std::string &next = tokens[at + 1].text;
    if (next == "(")
      return "functions work elementwise: write '" + before + "(x)'";
    return "operators work elementwise: write 'x" + (next == "^" ? "^2" : " " + next + " y") + "'";
  }
  return hintForMember(before, dottedName(tokens, at), tokens);
}

std::string meantBy(const std::vector<SyntaxToken> &tokens, size_t at) {
  bool isOfOperator = tokens[at].text == "." && isDotOfOperator(tokens, at);
  return isOfOperator ? " " : foreignToken(tokens[at].text).meant;
}

void reportForeignToken(const std::vector<SyntaxToken> &tokens, size_t at,
                        DiagnosticEngine &diagnostics) {
  const SyntaxToken &token = tokens[at];
  diagnostics.error(token.range, "unexpected " + found(token)).hint = withAxesOf(
      tokens, token.text == "." ? hintForDot(tokens, at) : foreignToken(token.text).hint);
}

void reportBadNumber(const SyntaxToken &token, DiagnosticEngine &diagnostics) {
  Diagnostic &diagnostic =
      diagnostics.error(token.range, "expected a number, but found " + found(token));
  const std::string &text = token.text;
  if (text[0] == '.')
    diagnostic.hint = "write 0" + text.substr(0, 40);
  else if (text.back() == '.' && std::count(text.begin(), text.end(), '.') == 1)
    diagnostic.hint = "write " + text.substr(0, 40) + "0";
  else if (text.starts_with("0x") || text.starts_with("0X"))
    diagnostic.hint = "numbers are decimal";
  else if (std::all_of(text.begin(), text.end(),
                       [](unsigned char c) { return std::isdigit(c) || c == '_'; }))
    diagnostic.hint = "the digits of a number are not grouped: 1000";
  else if (size_t point = text.find(".e");
           point != std::string::npos || (point = text.find(".E")) != std::string::npos)
    diagnostic.hint = "digits stand on both sides of the point: 1.0e-8";
  else if (std::isdigit(static_cast<unsigned char>(text[0])) &&
           std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c); }))
    diagnostic.hint = "names do not start with a digit; a product needs '*'";
}

} // namespace loss::lang
