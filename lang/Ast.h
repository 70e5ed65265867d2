//===- Ast.h - the syntax tree of a .loss file ------------------*- C++ -*-===//
//
// What the user wrote, before any meaning is attached. Parentheses, plain comments and layout are
// not kept; doc comments and the spelling of numbers are.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_AST_H
#define LOSSLANG_LANG_AST_H

#include "lang/Diagnostic.h"

#include <memory>
#include <optional>
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
  Call,   ///< f(x, y), sum(x over class)
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
  /// Call: the axis after `over`.
  std::optional<Identifier> axis;
};

/// Constructors for programs that are built rather than parsed.
ExprPtr makeNumber(double value);
ExprPtr makeName(std::string name);
ExprPtr makeUnary(UnaryOp op, ExprPtr operand);
ExprPtr makeBinary(BinaryOp op, ExprPtr lhs, ExprPtr rhs);
ExprPtr makeIf(ExprPtr condition, ExprPtr whenTrue, ExprPtr whenFalse);
ExprPtr makeCall(std::string function, std::vector<ExprPtr> operands,
                 std::optional<std::string> axis = std::nullopt);

/// let name = value
struct Let {
  Identifier name;
  ExprPtr value;
};

/// Statements, then what is returned.
struct Block {
  std::vector<Let> lets;
  ExprPtr result;
};

/// The lines of a doc comment without slashes and the blank after them, joined by newlines.
using DocText = std::string;

/// An input (value or target) or a parameter of a loss.
struct LossArg {
  enum class Kind : uint8_t { Value, Target, Param };
  Kind kind = Kind::Value;
  DocText doc;
  Identifier name;
  /// Value and Target.
  std::vector<Identifier> axes;
  /// Param.
  ExprPtr defaultValue;
};

struct LossDef {
  DocText doc;
  Identifier name;
  std::vector<LossArg> args;
  Block body;
};

struct FnArg {
  Identifier name;
  /// Axes that the argument must have; none are demanded without an annotation.
  std::optional<std::vector<Identifier>> axes;
};

struct FnDef {
  DocText doc;
  Identifier name;
  std::vector<FnArg> args;
  Block body;
  /// Written `= expr` rather than `{ ... return expr }`.
  bool isShort = false;
};

/// A whole .loss file, in the order of the text.
struct File {
  std::vector<std::variant<LossDef, FnDef>> items;
};

} // namespace loss::lang

#endif // LOSSLANG_LANG_AST_H
