//===- SemaDetail.h - what the steps of semantic analysis share -*- C++ -*-===//
//
// Signature.cpp reads the heads of the definitions: names, axes, kinds of inputs. Resolve.cpp
// checks each body once: names, arities, axes, recursion. Inline.cpp then follows the body of the
// loss through its calls, gives every operation a type, and writes the flat program. A step after
// one that found errors goes on with what is sound, and is silent about the rest: an unknown name,
// for instance, has a value that fits everywhere.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_SEMADETAIL_H
#define LOSSLANG_LANG_SEMADETAIL_H

#include "lang/Ast.h"
#include "lang/Program.h"
#include "lang/Sema.h"

#include <array>
#include <unordered_map>
#include <unordered_set>

namespace loss::lang::detail {

/// The value of an option or of a constant expression.
struct ConstantValue {
  double value = 0;
  bool isBool = false;
};

/// The values that a parameter or an option may have: all of it holds.
struct Limits {
  std::vector<Constraint> words;
  /// The least value and the greatest.
  std::optional<std::array<double, 2>> range;

  bool allow(double value) const;
  /// "a positive number".
  std::string inWords() const;
};

/// A warning about a program that has no errors.
struct PendingWarning {
  SourceRange range;
  std::string name;
  std::string message;
};

/// The definitions of a file and its imports, by name.
struct Definitions {
  explicit Definitions(const File &file) : file(file) {}

  const File &file;
  const LossDef *loss = nullptr;
  std::unordered_map<std::string_view, const FnDef *> functions;
  /// Functions with an error of their own: what a call of them means is not known.
  std::unordered_set<std::string_view> brokenFunctions;
  /// Those of the inputs in order, then the copies; and of which axis each is a copy, or -1.
  std::vector<std::string> axes;
  std::vector<int> copyOf;
  /// Where each axis is written first.
  std::vector<SourceRange> axisRanges;
  /// False when an error hides what the axes are: then nothing can be said about types.
  bool axesKnown = true;
  std::unordered_map<std::string_view, ConstantValue> options;
  /// Those of the options.
  std::unordered_map<std::string_view, Limits> limits;
  std::vector<PendingWarning> warnings;

  /// Index of an axis, or -1.
  int axisIndex(std::string_view name) const {
    for (size_t i = 0; i < axes.size(); ++i)
      if (axes[i] == name)
        return static_cast<int>(i);
    return -1;
  }

  /// Whether a syntax error may hide a definition of that name.
  bool isLost(std::string_view name) const { return file.lostNames.count(name) != 0; }
  bool isLostFunction(std::string_view name) const { return file.lostFunctions || isLost(name); }

  /// All functions: those of the file in order, then the library's.
  std::vector<const FnDef *> allFunctions() const;
};

/// Step 1.
void readSignatures(Definitions &definitions, DiagnosticEngine &diagnostics);

/// Step 2.
void resolve(Definitions &definitions, DiagnosticEngine &diagnostics);

/// Step 3. Nothing when there are errors.
std::optional<Program> inlineAndType(const Definitions &definitions, DiagnosticEngine &diagnostics);

/// An axis by its name: its index, or -1 after an error.
int findAxis(const Definitions &definitions, const Identifier &axis, DiagnosticEngine &diagnostics,
             const std::string &hint = {});

/// False, with an error, when an axis is listed twice.
bool checkDistinct(const std::vector<Identifier> &axes, DiagnosticEngine &diagnostics);

/// The value of a constant expression (numbers, pi, true, false, arithmetic), or nothing.
std::optional<ConstantValue> evaluateConstant(const Expr &expr);

/// A constraint by the word in the language, or nothing.
std::optional<Constraint> findConstraint(std::string_view name);

/// "true", "2.5".
std::string spell(ConstantValue value);

/// "1 argument", "3 arguments".
std::string countOf(size_t count, std::string_view noun);

} // namespace loss::lang::detail

#endif // LOSSLANG_LANG_SEMADETAIL_H
