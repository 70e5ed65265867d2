//===- Formula.cpp - formulas as trees ------------------------------------===//

#include "search/spaces/Formula.h"

#include <algorithm>
#include <cctype>
#include <set>
#include <stdexcept>

using namespace loss::search;

namespace {
using Kind = Formula::Kind;

/// Binding strength, as in the grammar of the language.
enum Precedence { Additive = 1, Multiplicative, Unary, Power, Atom };

Precedence precedenceOf(const Formula &f) {
  switch (f.kind) {
  case Kind::Number:
    return f.text[0] == '-' ? Unary : Atom;
  case Kind::Negate:
    return Unary;
  case Kind::Binary:
    return f.text == "^" ? Power : f.text == "*" || f.text == "/" ? Multiplicative : Additive;
  default:
    return Atom;
  }
}

bool isNonNegative(Kind kind, const std::string &text, const std::vector<FormulaPtr> &operands) {
  static const std::set<std::string> functions = {"exp",  "abs",  "sqrt",      "sigmoid",
                                                  "erfc", "relu", "bessel_i0", "bessel_i0e"};
  auto nonNegative = [&](size_t i) { return operands[i]->nonNegative; };
  switch (kind) {
  case Kind::Number:
    return text[0] != '-';
  case Kind::Call:
    if (text == "max")
      return nonNegative(0) || nonNegative(1);
    if (text == "min")
      return nonNegative(0) && nonNegative(1);
    return functions.count(text) != 0;
  case Kind::Binary:
    if (text == "^")
      return nonNegative(0) || operands[1]->text == "2";
    return text != "-" && nonNegative(0) && nonNegative(1);
  default:
    return false;
  }
}

FormulaPtr make(Kind kind, std::string text, std::vector<FormulaPtr> operands) {
  bool nonNegative = isNonNegative(kind, text, operands);
  return std::make_shared<Formula>(
      Formula{kind, std::move(text), std::move(operands), nonNegative});
}

FormulaPtr makeBinary(const char *op, FormulaPtr a, FormulaPtr b) {
  return make(Kind::Binary, op, {std::move(a), std::move(b)});
}

bool isNumber(const FormulaPtr &f, const char *text) {
  return f->kind == Kind::Number && f->text == text;
}

class FormulaReader {
public:
  explicit FormulaReader(std::string_view text) : text(text) {}

  FormulaPtr readAll() {
    FormulaPtr f = additive();
    if (peek() != '\0')
      fail();
    return f;
  }

private:
  char peek() {
    while (at < text.size() && text[at] == ' ')
      ++at;
    return at < text.size() ? text[at] : '\0';
  }
  bool accept(char c) {
    if (peek() != c)
      return false;
    ++at;
    return true;
  }
  void expect(char c) {
    if (!accept(c))
      fail();
  }
  [[noreturn]] void fail() const {
    throw std::logic_error("malformed formula '" + std::string(text) + "'");
  }

  FormulaPtr additive() {
    FormulaPtr f = multiplicative();
    while (peek() == '+' || peek() == '-') {
      std::string op(1, text[at++]);
      f = makeBinary(op.c_str(), f, multiplicative());
    }
    return f;
  }
  FormulaPtr multiplicative() {
    FormulaPtr f = unary();
    while (peek() == '*' || peek() == '/') {
      std::string op(1, text[at++]);
      f = makeBinary(op.c_str(), f, unary());
    }
    return f;
  }
  FormulaPtr unary() {
    if (accept('-'))
      return make(Kind::Negate, "-", {unary()});
    FormulaPtr f = atom();
    return accept('^') ? makeBinary("^", f, unary()) : f;
  }
  FormulaPtr atom() {
    char c = peek();
    if (accept('(')) {
      FormulaPtr f = additive();
      expect(')');
      return f;
    }
    size_t begin = at;
    if (std::isdigit(static_cast<unsigned char>(c))) {
      while (at < text.size() &&
             (std::isdigit(static_cast<unsigned char>(text[at])) || text[at] == '.' ||
              text[at] == 'e' || (text[at] == '-' && text[at - 1] == 'e')))
        ++at;
      return makeNumber(std::string(text.substr(begin, at - begin)));
    }
    while (at < text.size() &&
           (std::isalnum(static_cast<unsigned char>(text[at])) || text[at] == '_'))
      ++at;
    if (begin == at)
      fail();
    std::string name(text.substr(begin, at - begin));
    if (!accept('('))
      return makeName(name, false);
    std::vector<FormulaPtr> arguments;
    do
      arguments.push_back(additive());
    while (accept(','));
    expect(')');
    return make(Kind::Call, name, std::move(arguments));
  }

  std::string_view text;
  size_t at = 0;
};

FormulaPtr simplifyBinary(const FormulaPtr &f) {
  const FormulaPtr &a = f->operands[0], &b = f->operands[1];
  if (f->text == "+") {
    // a + -b = a - b,  -a + b = b - a
    if (FormulaPtr positive = withoutMinus(b))
      return makeBinary("-", a, positive);
    if (FormulaPtr positive = withoutMinus(a))
      return makeBinary("-", b, positive);
  } else if (f->text == "-") {
    // a - -b = a + b
    if (FormulaPtr positive = withoutMinus(b))
      return makeBinary("+", a, positive);
  } else if (f->text == "*") {
    // 1 x = x,  -1 x = -x
    for (int i : {0, 1}) {
      if (isNumber(f->operands[i], "1"))
        return f->operands[1 - i];
      if (isNumber(f->operands[i], "-1"))
        return negate(f->operands[1 - i]);
    }
    // -a -b = a b,  -a b = a -b = -(a b)
    FormulaPtr positiveA = withoutMinus(a), positiveB = withoutMinus(b);
    if (positiveA && positiveB)
      return makeBinary("*", positiveA, positiveB);
    if (positiveA || positiveB)
      return negate(makeBinary("*", positiveA ? positiveA : a, positiveB ? positiveB : b));
  } else if (f->text == "/") {
    // -a / b = -(a / b)
    if (FormulaPtr positive = withoutMinus(a))
      return negate(makeBinary("/", positive, b));
  } else if (f->text == "^" && isNumber(b, "2")) {
    // (-a)^2 = a^2
    if (FormulaPtr positive = withoutMinus(a))
      return isNumber(positive, "1") ? positive : makeBinary("^", positive, b);
    if (isNumber(a, "1"))
      return a;
  }
  return f;
}

FormulaPtr simplifyCall(const FormulaPtr &f) {
  const FormulaPtr &a = f->operands[0];
  // |x| = x for x >= 0,  |-x| = |x|
  if (f->text == "abs") {
    if (a->nonNegative)
      return a;
    if (FormulaPtr positive = withoutMinus(a))
      return simplifyCall(make(Kind::Call, "abs", {positive}));
    if (a->kind == Kind::Call && a->text == "abs")
      return a;
  }
  // max(x, 0) = x for x >= 0,  min(x, 0) = 0 for x >= 0
  if (f->text == "max" && a->nonNegative && isNumber(f->operands[1], "0"))
    return a;
  if (f->text == "min" && a->nonNegative && isNumber(f->operands[1], "0"))
    return f->operands[1];
  return f;
}

void printInto(std::string &out, const Formula &f, int least) {
  bool parentheses = precedenceOf(f) < least;
  if (parentheses)
    out += '(';
  switch (f.kind) {
  case Kind::Number:
  case Kind::Name:
    out += f.text;
    break;
  case Kind::Call:
    out += f.text;
    out += '(';
    for (size_t i = 0; i < f.operands.size(); ++i) {
      if (i)
        out += ", ";
      printInto(out, *f.operands[i], Additive);
    }
    out += ')';
    break;
  case Kind::Negate:
    out += '-';
    printInto(out, *f.operands[0], Unary);
    break;
  case Kind::Binary: {
    Precedence own = precedenceOf(f);
    // Left associative, but for the power.
    printInto(out, *f.operands[0], own == Power ? Atom : own);
    out += own == Power ? "^" : " " + f.text + " ";
    printInto(out, *f.operands[1], own == Power ? Unary : own + 1);
    break;
  }
  }
  if (parentheses)
    out += ')';
}
} // namespace

FormulaPtr loss::search::parseFormula(std::string_view text) {
  return FormulaReader(text).readAll();
}

FormulaPtr loss::search::makeName(std::string name, bool nonNegative) {
  return std::make_shared<Formula>(Formula{Kind::Name, std::move(name), {}, nonNegative});
}

FormulaPtr loss::search::makeNumber(std::string text) {
  return make(Kind::Number, std::move(text), {});
}

FormulaPtr loss::search::withoutMinus(const FormulaPtr &f) {
  if (f->kind == Kind::Negate)
    return f->operands[0];
  if (f->kind == Kind::Number && f->text[0] == '-')
    return makeNumber(f->text.substr(1));
  return nullptr;
}

FormulaPtr loss::search::negate(const FormulaPtr &f) {
  if (FormulaPtr positive = withoutMinus(f))
    return positive;
  if (f->kind == Kind::Number)
    return makeNumber("-" + f->text);
  if (f->kind == Kind::Binary && f->text == "-")
    return makeBinary("-", f->operands[1], f->operands[0]);
  return make(Kind::Negate, "-", {f});
}

FormulaPtr loss::search::substitute(const FormulaPtr &formula,
                                    const std::map<std::string, FormulaPtr> &values) {
  if (formula->kind == Kind::Name) {
    auto found = values.find(formula->text);
    return found == values.end() ? formula : found->second;
  }
  std::vector<FormulaPtr> operands;
  for (const FormulaPtr &operand : formula->operands)
    operands.push_back(substitute(operand, values));
  return make(formula->kind, formula->text, std::move(operands));
}

FormulaPtr loss::search::simplify(const FormulaPtr &formula) {
  if (formula->operands.empty())
    return formula;
  std::vector<FormulaPtr> operands;
  for (const FormulaPtr &operand : formula->operands)
    operands.push_back(simplify(operand));
  FormulaPtr rebuilt = make(formula->kind, formula->text, std::move(operands));
  switch (rebuilt->kind) {
  case Kind::Negate:
    return negate(rebuilt->operands[0]);
  case Kind::Call:
    return simplifyCall(rebuilt);
  default:
    return simplifyBinary(rebuilt);
  }
}

std::string loss::search::print(const FormulaPtr &formula) {
  std::string out;
  printInto(out, *formula, Additive);
  return out;
}
