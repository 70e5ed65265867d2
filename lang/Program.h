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
enum class Op : uint8_t {
  Input,
  Param,
  Constant,
  Size, ///< size(axis)
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
  /// Size, reductions, softmax and log_softmax: index into Program::axes.
  uint8_t axis = 0;
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

struct ProgramInput {
  std::string name;
  std::string doc;
  bool isTarget = false;
  AxisSet axes = 0;
  SourceRange range;
  /// Node of this input.
  NodeId node = 0;
};

struct ProgramParam {
  std::string name;
  std::string doc;
  double defaultValue = 0;
  SourceRange range;
  NodeId node = 0;
};

struct Program {
  std::string name;
  std::string doc;
  std::string file;
  /// Where the name of the loss is written.
  SourceRange range;
  /// In order: the first is the rows, the last the classes.
  std::vector<std::string> axes;
  std::vector<ProgramInput> inputs;
  std::vector<ProgramParam> params;
  std::vector<Node> nodes;
  /// Of type real [rows].
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
