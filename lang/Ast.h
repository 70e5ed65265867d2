//===- Ast.h - the syntax tree of a .loss file ------------------*- C++ -*-===//
//
// What the user wrote, before any meaning is attached. Parentheses and layout are not kept; doc
// comments and the spelling of numbers are, and plain comments stand in a list beside the tree.
//
// After a syntax error the tree has what could still be read: an expression that could not is an
// ExprKind::Error, and File says which names may have been lost. Everything that is there has all
// its parts.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_AST_H
#define LOSSLANG_LANG_AST_H

#include "lang/Diagnostic.h"

#include <memory>
#include <optional>
#include <set>
#include <string>
#include <variant>
#include <vector>

namespace loss::lang {

/// A name and the place where it is written.
struct Identifier {
  std::string name;
  SourceRange range;
};

enum class ExprKind : uint8_t {
  Number, ///< 2.5
  Name,   ///< logits
  Unary,  ///< -x, not c
  Binary, ///< x + y, a < b, c and d
  If,     ///< if c then x else y: operands are c, x, y
  Call,   ///< f(x, y), sum(x over class), cumsum(x over class by y)
  Rename, ///< x[batch -> other]
  Error,  ///< something with a syntax error, which was reported
};

enum class UnaryOp : uint8_t { Neg, Not };

enum class BinaryOp : uint8_t {
  Or,
  And,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Equal,
  NotEqual,
  Add,
  Sub,
  Mul,
  Div,
  Pow,
};

/// "+", "<=", "and".
std::string_view spelling(UnaryOp op);
std::string_view spelling(BinaryOp op);

struct Expr;
using ExprPtr = std::unique_ptr<Expr>;

/// One node. Which fields are in use is told by `kind`.
struct Expr {
  ExprKind kind = ExprKind::Number;
  /// The whole expression.
  SourceRange range;
  /// Name: the name; Call: the function; Number: the digits as written, or empty to print `number`.
  std::string text;
  /// Call: the function's name. Binary and Unary: the operator. Otherwise the same as `range`.
  SourceRange textRange;
  double number = 0;
  UnaryOp unary = UnaryOp::Neg;
  BinaryOp binary = BinaryOp::Add;
  std::vector<ExprPtr> operands;
  /// Call: the axes after `over`. Rename: from, to.
  std::vector<Identifier> axes;
  /// Call: the last operand is the key, written after `by`.
  bool hasKey = false;
};

/// Constructors for programs that are built rather than parsed.
ExprPtr makeNumber(double value);
ExprPtr makeName(std::string name);
ExprPtr makeUnary(UnaryOp op, ExprPtr operand);
ExprPtr makeBinary(BinaryOp op, ExprPtr lhs, ExprPtr rhs);
ExprPtr makeIf(ExprPtr condition, ExprPtr whenTrue, ExprPtr whenFalse);
ExprPtr makeCall(std::string function, std::vector<ExprPtr> operands,
                 const std::vector<std::string> &axes = {});
ExprPtr makeRename(ExprPtr operand, std::string from, std::string to);
ExprPtr makeError(SourceRange range);

/// let name = value
struct Let {
  Identifier name;
  ExprPtr value;
  SourceRange range;
};

/// axis name = original
struct AxisDef {
  Identifier name;
  Identifier original;
  SourceRange range;
};

/// Statements, then what is returned.
struct Block {
  std::vector<AxisDef> axes;
  std::vector<Let> lets;
  ExprPtr result;
  /// From `return` to the end of the result.
  SourceRange resultRange;
  /// With the braces.
  SourceRange range;
};

/// The lines of a doc comment without slashes and the blank after them, joined by newlines.
using DocText = std::string;

/// An input (value, target or fixed), a parameter or an option of a loss.
struct LossArg {
  enum class Kind : uint8_t { Value, Target, Fixed, Param, Option };
  Kind kind = Kind::Value;
  DocText doc;
  Identifier name;
  /// Inputs.
  std::vector<Identifier> axes;
  /// Target: the axis after `over`.
  std::optional<Identifier> classAxis;
  /// Param and Option: the words after the colon; a parameter has one at most.
  std::vector<Identifier> constraints;
  /// Option: the bounds of the range after the words, or null.
  ExprPtr least, greatest;
  /// Param and Option.
  ExprPtr defaultValue;
  /// With the doc comment.
  SourceRange range;

  bool isInput() const { return kind != Kind::Param && kind != Kind::Option; }
};

struct LossDef {
  DocText doc;
  Identifier name;
  std::vector<LossArg> args;
  Block body;
  /// With the doc comment.
  SourceRange range;
  /// False when a syntax error may have cost arguments or axes.
  bool headComplete = true;
};

struct FnArg {
  Identifier name;
  /// Axes that the argument must have; none are demanded without an annotation.
  std::optional<std::vector<Identifier>> axes;
};

/// derivative name = value
struct Derivative {
  Identifier name;
  ExprPtr value;
  SourceRange range;
};

struct FnDef {
  DocText doc;
  Identifier name;
  std::vector<FnArg> args;
  Block body;
  /// Written `= expr` rather than `{ ... return expr }`.
  bool isShort = false;
  std::vector<Derivative> derivatives;
  /// With the doc comment.
  SourceRange range;
  /// False when a syntax error may have cost arguments.
  bool headComplete = true;
};

/// import "path"
struct Import {
  /// Without the quotes.
  std::string path;
  /// Of the path with its quotes.
  SourceRange pathRange;
  SourceRange range;
};

/// A plain comment, with its slashes and without blanks at its end.
struct Comment {
  std::string text;
  SourceRange range;
  /// Only blanks stand before it in its line.
  bool ownLine = true;
};

using Item = std::variant<Import, LossDef, FnDef>;

/// A whole .loss file, in the order of the text.
struct File {
  std::vector<Item> items;
  std::vector<Comment> comments;
  /// The functions of the imported files, after loadImports().
  std::vector<FnDef> library;

  /// No syntax errors.
  bool complete = true;
  /// Not complete, and so little was read that nothing can be said about its meaning.
  bool abandoned = false;
  /// Not complete: an import could not be read, so that functions may be missing.
  bool lostFunctions = false;
  /// Not complete: names that may be defined in what could not be read.
  std::set<std::string, std::less<>> lostNames;
};

} // namespace loss::lang

#endif // LOSSLANG_LANG_AST_H
