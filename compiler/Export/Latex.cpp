//===- Latex.cpp - a program as mathematics -------------------------------===//
//
// Works on the syntax tree, so that the names of the author stay. What the tree lacks is the axes
// of each value: they follow the rules of the semantic analysis, without its errors.
//
//===----------------------------------------------------------------------===//
#include "compiler/Export/Latex.h"

#include "compiler/Export/AxesOf.h"
#include "compiler/Export/Symbols.h"

#include "lang/AstPrinter.h"

#include <algorithm>
#include <span>

using namespace loss;
using namespace loss::latex;
using namespace loss::lang;

namespace {

/// How tightly a formula binds, loosest first. `Big` is a sum sign or maximum with its body, which
/// reaches as far to the right as a product does.
enum Level { Conditional, Or, And, Not, Compare, Add, Big, Mul, Pow, Primary };

struct Formula {
  std::string text;
  Level level = Primary;
  /// Ends with the body of a \sum, or of another operator, so that a factor behind it would join
  /// it.
  enum Tail { Closed, InSum, InOperator } tail = Closed;
  bool startsWithDigit = false;
};

struct Row {
  std::string_view name, text;
  Level level, operand;
};

constexpr Row functionRows[] = {
#define LATEX_FUNCTION(NAME, TEXT, LEVEL, OPERAND) {#NAME, TEXT, LEVEL, OPERAND},
#define LATEX_AXIS(NAME, TEXT, LEVEL, OPERAND)
#include "compiler/Export/LatexTable.def"
};

constexpr Row axisRows[] = {
#define LATEX_FUNCTION(NAME, TEXT, LEVEL, OPERAND)
#define LATEX_AXIS(NAME, TEXT, LEVEL, OPERAND) {#NAME, TEXT, LEVEL, OPERAND},
#include "compiler/Export/LatexTable.def"
};

const Row *findRow(std::string_view name, bool overAxis) {
  for (const Row &row :
       overAxis ? std::span<const Row>(axisRows) : std::span<const Row>(functionRows))
    if (row.name == name)
      return &row;
  return nullptr;
}

std::string parenthesised(const std::string &text) { return "\\left( " + text + " \\right)"; }

/// Where an expression stands: the names it sees, and the letter of each axis that is bound.
struct Place {
  const Names *names;
  std::map<std::string, std::string> index;
};

/// One line of the result, its right side in pieces between which it may be broken.
struct Equation {
  std::string left;
  std::vector<std::string> pieces;
};

class Printer {
public:
  explicit Printer(const File &file)
      : axesOf(file), letters(axesOf.axes(), axesOf.copies(), singleLetters(file)) {}

  std::vector<Equation> equations();

  const AxesOf axesOf;
  const IndexLetters letters;

private:
  static std::set<std::string> singleLetters(const File &file);

  Formula print(const Expr &expr, const Place &place);
  Formula printNumber(const Expr &expr);
  Formula printName(const Expr &expr, const Place &place);
  Formula printUnary(const Expr &expr, const Place &place);
  Formula printBinary(const Expr &expr, const Place &place);
  Formula printProduct(const Expr &expr, const Place &place);
  Formula printIf(const Expr &expr, const Place &place);
  Formula printRename(const Expr &expr, const Place &place);
  Formula printCall(const Expr &expr, const Place &place);
  Formula printOverAxes(const Expr &expr, const Place &place);
  Formula printCumulativeSum(const Expr &expr, const Place &place);
  Formula fill(const Row &row, const std::vector<Formula> &operands,
               const std::string &indices = {}, const std::string &count = {});
  std::string at(const Expr &expr, const Place &place, Level atLeast) {
    return wrap(print(expr, place), atLeast);
  }
  static std::string wrap(const Formula &formula, Level atLeast) {
    return formula.level < atLeast ? parenthesised(formula.text) : formula.text;
  }

  std::vector<std::string> addends(const Expr &expr, const Place &place);
  std::vector<std::string> indicesOf(const AxisNames &axes, const Place &place) const;
  Place placeOf(const AxisNames &axes, const Names &names) const;
  void define(std::vector<Equation> &out, const std::string &name, const Expr &value,
              const Names &names);
  void defineFunction(std::vector<Equation> &out, const FnDef &fn);

  /// Functions in the order of their first use.
  std::vector<const FnDef *> used;
};

std::set<std::string> Printer::singleLetters(const File &file) {
  std::set<std::string> names;
  auto add = [&](const std::string &name) {
    if (name.size() == 1)
      names.insert(name);
  };
  auto addBlock = [&](const Block &block) {
    for (const Let &let : block.lets)
      add(let.name.name);
  };
  auto addFunction = [&](const FnDef &fn) {
    for (const FnArg &arg : fn.args)
      add(arg.name.name);
    addBlock(fn.body);
  };
  for (const FnDef &fn : file.library)
    addFunction(fn);
  for (const Item &item : file.items) {
    if (const auto *fn = std::get_if<FnDef>(&item)) {
      addFunction(*fn);
    } else if (const auto *loss = std::get_if<LossDef>(&item)) {
      for (const LossArg &arg : loss->args)
        add(arg.name.name);
      addBlock(loss->body);
    }
  }
  return names;
}

//===----------------------------------------------------------------------===//
// Expressions
//===----------------------------------------------------------------------===//

std::vector<std::string> Printer::indicesOf(const AxisNames &axes, const Place &place) const {
  std::vector<std::string> indices;
  for (const std::string &axis : axesOf.axes())
    if (axes.contains(axis)) {
      auto bound = place.index.find(axis);
      indices.push_back(bound == place.index.end() ? letters.letter(axis) : bound->second);
    }
  return indices;
}

Place Printer::placeOf(const AxisNames &axes, const Names &names) const {
  Place place{&names, {}};
  for (const std::string &axis : axes)
    place.index[axis] = letters.letter(axis);
  return place;
}

/// Letters in use at a place.
std::set<std::string> usedLetters(const Place &place) {
  std::set<std::string> used;
  for (const auto &[axis, letter] : place.index)
    used.insert(letter);
  return used;
}

Formula Printer::print(const Expr &expr, const Place &place) {
  switch (expr.kind) {
  case ExprKind::Number:
    return printNumber(expr);
  case ExprKind::Name:
    return printName(expr, place);
  case ExprKind::Unary:
    return printUnary(expr, place);
  case ExprKind::Binary:
    return printBinary(expr, place);
  case ExprKind::If:
    return printIf(expr, place);
  case ExprKind::Call:
    return printCall(expr, place);
  case ExprKind::Rename:
    return printRename(expr, place);
  case ExprKind::Error:
    break;
  }
  return {};
}

/// x[batch -> other] is x at the position of the other axis.
Formula Printer::printRename(const Expr &expr, const Place &place) {
  Place inner = place;
  inner.index[expr.axes[0].name] = indicesOf({expr.axes[1].name}, place).front();
  inner.index.erase(expr.axes[1].name);
  return print(*expr.operands[0], inner);
}

Formula Printer::printNumber(const Expr &expr) {
  bool isProduct = false;
  std::string text = number(lang::print(expr), isProduct);
  return {text, isProduct ? Mul : Primary, Formula::Closed, true};
}

Formula Printer::printName(const Expr &expr, const Place &place) {
  auto known = place.names->find(expr.text);
  if (known == place.names->end())
    return {symbol(expr.text)};
  return {symbol(expr.text, indicesOf(known->second, place))};
}

Formula Printer::printUnary(const Expr &expr, const Place &place) {
  Formula operand = print(*expr.operands[0], place);
  if (expr.unary == UnaryOp::Not)
    return {"\\lnot " + wrap(operand, Pow), Not};
  return {"-" + wrap(operand, Big), Add, operand.level < Big ? Formula::Closed : operand.tail};
}

Formula Printer::printProduct(const Expr &expr, const Place &place) {
  const Expr &first = *expr.operands[0];
  Formula left = print(first, place), right = print(*expr.operands[1], place);
  // (-a) b is written -a b.
  bool negated = first.kind == ExprKind::Unary && first.unary == UnaryOp::Neg;
  bool opens = (left.level < Mul && !negated) || left.tail != Formula::Closed;
  std::string text = opens ? parenthesised(left.text) : left.text;
  bool rightOpens = right.level < Big;
  bool dot = right.startsWithDigit && !rightOpens;
  text += (dot ? " \\cdot " : " \\, ") + wrap(right, Big);
  return {text, negated && !opens ? Add : Mul, rightOpens ? Formula::Closed : right.tail,
          left.startsWithDigit && !opens};
}

Formula Printer::printBinary(const Expr &expr, const Place &place) {
  const Expr &x = *expr.operands[0], &y = *expr.operands[1];
  auto infix = [&](const char *op, Level level, Level left, Level right) {
    Formula last = print(y, place);
    Formula result = {at(x, place, left) + op + wrap(last, right), level};
    result.tail = last.level < right ? Formula::Closed : last.tail;
    return result;
  };
  switch (expr.binary) {
  case BinaryOp::Or:
    return infix(" \\lor ", Or, Or, And);
  case BinaryOp::And:
    return infix(" \\land ", And, And, Not);
  case BinaryOp::Less:
    return infix(" < ", Compare, Add, Add);
  case BinaryOp::LessEqual:
    return infix(" \\le ", Compare, Add, Add);
  case BinaryOp::Greater:
    return infix(" > ", Compare, Add, Add);
  case BinaryOp::GreaterEqual:
    return infix(" \\ge ", Compare, Add, Add);
  case BinaryOp::Equal:
    return infix(" = ", Compare, Add, Add);
  case BinaryOp::NotEqual:
    return infix(" \\ne ", Compare, Add, Add);
  case BinaryOp::Add:
  case BinaryOp::Sub: {
    Formula left = print(x, place), right = print(y, place);
    // What stands behind a maximum could be read as part of it.
    bool opens = left.level < Add || left.tail == Formula::InOperator;
    std::string text = opens ? parenthesised(left.text) : left.text;
    text += (expr.binary == BinaryOp::Add ? " + " : " - ") + wrap(right, Big);
    return {text, Add, right.level < Big ? Formula::Closed : right.tail,
            left.startsWithDigit && !opens};
  }
  case BinaryOp::Mul:
    return printProduct(expr, place);
  case BinaryOp::Div:
    return {"\\frac{" + print(x, place).text + "}{" + print(y, place).text + "}"};
  case BinaryOp::Pow: {
    // A fraction to a power needs parentheses, and so does a function; |x| brings its own.
    Formula base = print(x, place);
    bool isAtom = x.kind == ExprKind::Name ||
                  (x.kind == ExprKind::Number && base.level == Primary) ||
                  (x.kind == ExprKind::Call && base.text.starts_with("\\left"));
    return {(isAtom ? base.text : parenthesised(base.text)) + "^{" + print(y, place).text + "}",
            Pow, Formula::Closed, x.kind == ExprKind::Number};
  }
  }
  return {};
}

Formula Printer::printIf(const Expr &expr, const Place &place) {
  std::string text = "\\begin{cases} ";
  const Expr *branch = &expr;
  while (branch->kind == ExprKind::If) {
    text += print(*branch->operands[1], place).text + " & \\text{if } " +
            print(*branch->operands[0], place).text + " \\\\ ";
    branch = branch->operands[2].get();
  }
  return {text + print(*branch, place).text + " & \\text{otherwise} \\end{cases}", Conditional};
}

Formula Printer::fill(const Row &row, const std::vector<Formula> &operands,
                      const std::string &indices, const std::string &count) {
  Formula result;
  result.level = row.level;
  std::string_view text = row.text;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '$') {
      result.text += text[i];
      continue;
    }
    char hole = text[++i];
    if (hole == 'i') {
      result.text += indices;
    } else if (hole == 'n') {
      result.text += count;
    } else {
      const Formula &operand = operands[hole - 'x'];
      // A base of a power is an atom, or in parentheses.
      bool isBase = row.operand == Primary && operand.text.find('^') != std::string::npos;
      result.text += isBase ? parenthesised(operand.text) : wrap(operand, row.operand);
    }
  }
  if (row.level == Big)
    result.tail = text.starts_with("\\sum") || text.starts_with("\\frac") ? Formula::InSum
                                                                          : Formula::InOperator;
  return result;
}

Formula Printer::printCall(const Expr &expr, const Place &place) {
  if (overAxes(expr))
    return printOverAxes(expr, place);
  if (const FnDef *fn = axesOf.function(expr.text)) {
    if (std::find(used.begin(), used.end(), fn) == used.end())
      used.push_back(fn);
    std::string arguments;
    for (const ExprPtr &operand : expr.operands)
      arguments += (arguments.empty() ? "" : ", ") + print(*operand, place).text;
    return {functionName(expr.text) + parenthesised(arguments)};
  }
  if (const std::string *axis = queriedAxis(expr)) {
    if (expr.text == "size")
      return {letters.size(*axis)};
    return {indicesOf({*axis}, place).front()};
  }
  std::vector<Formula> operands;
  for (const ExprPtr &operand : expr.operands)
    operands.push_back(print(*operand, place));
  return fill(*findRow(expr.text, false), operands);
}

Formula Printer::printOverAxes(const Expr &expr, const Place &place) {
  if (expr.text == "cumsum" || expr.text == "logcumsumexp")
    return printCumulativeSum(expr, place);
  bool keepsAxis = !isReduction(expr.text);
  Place inner = place;
  std::string indices, count;
  for (const Identifier &over : *overAxes(expr)) {
    const std::string &axis = over.name;
    std::string letter =
        keepsAxis ? indicesOf({axis}, place).front() : letters.fresh(axis, usedLetters(inner));
    inner.index[axis] = letter;
    indices += (indices.empty() ? "" : ",") + letter;
    count += (count.empty() ? "" : " ") + letters.size(axis);
  }
  return fill(*findRow(expr.text, true), {print(*expr.operands[0], inner)}, indices, count);
}

Formula Printer::printCumulativeSum(const Expr &expr, const Place &place) {
  const std::string axis = overAxes(expr)->front().name;
  std::string here = indicesOf({axis}, place).front();
  std::set<std::string> used = usedLetters(place);
  used.insert(here);
  std::string other = letters.fresh(axis, used);
  Place inner = place;
  inner.index[axis] = other;
  std::string range = other + " \\le " + here;
  if (const Expr *key = sortKey(expr))
    range = other + " \\,:\\, " + at(*key, inner, Add) + " \\ge " + at(*key, place, Add);
  std::string sum = "\\sum_{" + range + "} ";
  if (expr.text == "logcumsumexp")
    return {"\\log " + sum + "\\exp" + parenthesised(print(*expr.operands[0], inner).text), Big,
            Formula::InOperator};
  return {sum + at(*expr.operands[0], inner, Big), Big, Formula::InSum};
}

//===----------------------------------------------------------------------===//
// Definitions
//===----------------------------------------------------------------------===//

std::vector<std::string> Printer::addends(const Expr &expr, const Place &place) {
  bool isSum = expr.kind == ExprKind::Binary &&
               (expr.binary == BinaryOp::Add || expr.binary == BinaryOp::Sub);
  if (!isSum)
    return {print(expr, place).text};
  std::vector<std::string> pieces = addends(*expr.operands[0], place);
  Formula left = print(*expr.operands[0], place);
  if (left.level < Add || left.tail == Formula::InOperator)
    pieces = {parenthesised(left.text)};
  pieces.push_back((expr.binary == BinaryOp::Add ? "+ " : "- ") +
                   at(*expr.operands[1], place, Big));
  return pieces;
}

void Printer::define(std::vector<Equation> &out, const std::string &name, const Expr &value,
                     const Names &names) {
  AxisNames axes = axesOf.infer(value, names);
  Place place = placeOf(axes, names);
  out.push_back({symbol(name, indicesOf(axes, place)), addends(value, place)});
}

void Printer::defineFunction(std::vector<Equation> &out, const FnDef &fn) {
  Names names = axesOf.namesOf(fn);
  std::string arguments;
  for (const FnArg &arg : fn.args)
    arguments += (arguments.empty() ? "" : ", ") +
                 symbol(arg.name.name, indicesOf(names.at(arg.name.name), {&names, {}}));
  Place place = placeOf(axesOf.infer(*fn.body.result, names), names);
  out.push_back(
      {functionName(fn.name.name) + parenthesised(arguments), addends(*fn.body.result, place)});
  for (const Let &let : fn.body.lets)
    define(out, let.name.name, *let.value, names);
  for (const Derivative &derivative : fn.derivatives) {
    Place at = placeOf(axesOf.infer(*derivative.value, names), names);
    out.push_back({"\\frac{\\partial " + functionName(fn.name.name) + "}{\\partial " +
                       symbol(derivative.name.name) + "}",
                   addends(*derivative.value, at)});
  }
}

std::vector<Equation> Printer::equations() {
  const LossDef &loss = axesOf.loss();
  Names names = axesOf.namesOf(loss);
  std::vector<Equation> out;
  AxisNames axes = axesOf.infer(*loss.body.result, names);
  Place place = placeOf(axes, names);
  std::string left = "\\mathcal{L}";
  std::string indices;
  for (const std::string &index : indicesOf(axes, place))
    indices += (indices.empty() ? "" : ",") + index;
  out.push_back(
      {indices.empty() ? left : left + "_{" + indices + "}", addends(*loss.body.result, place)});
  for (const Let &let : loss.body.lets)
    define(out, let.name.name, *let.value, names);
  // A function may use others, which come behind it.
  for (size_t i = 0; i < used.size(); ++i)
    defineFunction(out, *used[i]);
  return out;
}

/// About how many letters wide a formula is.
size_t widthOf(std::string_view text) {
  size_t width = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\') {
      size_t end = i + 1;
      while (end < text.size() && std::isalpha(static_cast<unsigned char>(text[end])))
        ++end;
      std::string_view command = text.substr(i + 1, end - i - 1);
      bool silent = command == "left" || command == "right" || command == "operatorname" ||
                    command == "mathit" || command == "mathrm" || command == "frac";
      width += silent ? 0 : std::min<size_t>(command.size(), 3);
      i = std::max(end, i + 2) - 1;
    } else if (std::string_view("{}_^ ").find(text[i]) == std::string_view::npos) {
      ++width;
    }
  }
  return width;
}

} // namespace

std::string loss::latexFormula(const File &file) {
  constexpr size_t widest = 80;
  std::string out;
  for (const Equation &equation : Printer(file).equations()) {
    out += (out.empty() ? "" : " \\\\\n") + equation.left + " &= ";
    size_t width = widthOf(equation.left);
    bool first = true;
    for (const std::string &piece : equation.pieces) {
      width += widthOf(piece);
      if (!first && width > widest) {
        out += " \\\\\n&\\quad ";
        width = widthOf(piece);
      } else if (!first) {
        out += " ";
      }
      out += piece;
      first = false;
    }
  }
  return out;
}

bool loss::hasLatex(std::string_view function, bool overAxis) {
  // Sums up to a place, sizes and positions are written by hand.
  return function == "cumsum" || function == "logcumsumexp" || function == "size" ||
         function == "index" || findRow(function, overAxis);
}
