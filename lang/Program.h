//===- Program.h - a checked, typed loss ------------------------*- C++ -*-===//
//
// What semantic analysis makes of a file: one flat list of operations in which every operand stands
// before its use. Functions are inlined, names are resolved, every operation has a type, and
// nothing is there that the result does not need (inputs and parameters always are).
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_PROGRAM_H
#define LOSSLANG_LANG_PROGRAM_H

#include "lang/Diagnostic.h"

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace loss::lang {

/// Every operation of a typed program. The builtin functions carry their names in the language.
/// `cumsum` and `logcumsumexp` have a second operand, the key, in the form with `by`.
enum class Op : uint8_t {
  Input,
  Param,
  Constant,  ///< a number, or a truth value (type.isBool; value 0 or 1)
  Size,      ///< size(axis)
  Index,     ///< index(axis): 0, 1, ... along the axis
  Rename,    ///< x[axis -> axis2]: axis2 is a copy of axis or the other way round
  Broadcast, ///< operand 0, repeated along the axes of the type that it lacks
  /// Operand 0; its derivative by operand 1 is operand 2, elementwise: the incoming gradient
  /// times operand 2, summed over the axes that operand 1 lacks, flows to operand 1. Operand 0 is a
  /// StopGradient, or another CustomGradient for the next argument of the function.
  CustomGradient,
  Neg,
  Not,
  Add,
  Sub,
  Mul,
  Div,
  Less,
  LessEqual,
  Greater,
  GreaterEqual,
  Equal,
  NotEqual,
  And,
  Or,
  Select, ///< if operand 0 then operand 1 else operand 2
#define LOSS_UNARY(NAME, DOC, DOMAIN) NAME,
#define LOSS_BINARY(NAME, DOC, DOMAIN) NAME,
#define LOSS_TERNARY(NAME, DOC, DOMAIN) NAME,
#define LOSS_REDUCTION(NAME, DOC, DOMAIN) reduce_##NAME,
#define LOSS_AXISWISE(NAME, DOC, DOMAIN) NAME,
#include "lang/Builtins.def"
};

/// "add", "exp", "reduce_sum".
std::string_view opName(Op op);

/// A set of axes; bit i stands for Program::axes[i].
using AxisSet = uint32_t;

struct Type {
  bool isBool = false;
  AxisSet axes = 0;

  bool operator==(const Type &) const = default;
};

/// Index into Program::nodes.
using NodeId = uint32_t;

struct Node {
  Op op = Op::Constant;
  Type type;
  uint8_t operandCount = 0;
  /// Size, Index, Rename (from), reductions and functions over an axis: index into Program::axes.
  uint8_t axis = 0;
  /// Rename: the axis in place of `axis`.
  uint8_t axis2 = 0;
  /// Input, Param: index into Program::inputs or Program::params.
  uint32_t index = 0;
  std::array<NodeId, 3> operands = {};
  /// Constant.
  double value = 0;
  /// The expression it comes from.
  SourceRange range;
  /// The call that inlined it: index into Program::calls, or -1 in the body of the loss.
  int32_t call = -1;
};

/// One inlined call.
struct CallSite {
  std::string function;
  SourceRange range;
  /// The call around it, or -1.
  int32_t parent = -1;
};

enum class InputKind : uint8_t {
  Value,  ///< gradients flow to it
  Target, ///< a distribution over the class axis
  Fixed,  ///< no gradient flows to it unless the caller asks for it
};

struct ProgramInput {
  std::string name;
  std::string doc;
  InputKind kind = InputKind::Value;
  AxisSet axes = 0;
  /// Target: index into Program::axes.
  uint8_t classAxis = 0;
  SourceRange range;
  /// Node of this input.
  NodeId node = 0;
};

/// The values that a parameter may have; Unit is the interval [0, 1].
enum class Constraint : uint8_t { Any, Positive, Nonnegative, Unit, Integer };

struct ProgramParam {
  std::string name;
  std::string doc;
  double defaultValue = 0;
  Constraint constraint = Constraint::Any;
  SourceRange range;
  NodeId node = 0;
};

/// Fixed at compile time; the operations are those of this value.
struct ProgramOption {
  std::string name;
  std::string doc;
  /// 0 or 1 for a truth value.
  double value = 0;
  bool isBool = false;
  SourceRange range;
};

struct Program {
  std::string name;
  std::string doc;
  std::string file;
  /// Names of the files that ranges lie in, by SourceRange::file; the first is `file`.
  std::vector<std::string> files;
  /// Where the name of the loss is written.
  SourceRange range;
  /// The axes of the inputs, in an order that every input keeps; then the copies of axes.
  std::vector<std::string> axes;
  /// For each axis: the axis that it is a copy of, or -1.
  std::vector<int> copyOf;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramParam> params;
  std::vector<ProgramOption> options;
  std::vector<Node> nodes;
  /// Of type real, without copies of axes.
  NodeId result = 0;
  std::vector<CallSite> calls;
};

/// "[batch, class]".
std::string axesString(AxisSet axes, const std::vector<std::string> &names);
/// "real [batch]", "bool [batch, class]".
std::string typeString(Type type, const std::vector<std::string> &names);

/// The program as readable text, for tests and debugging:
/// `%3 = mul %1, %2 : real [batch, class]`.
std::string dump(const Program &program);

} // namespace loss::lang

#endif // LOSSLANG_LANG_PROGRAM_H
