//===- Foreign.h - names of other languages, to look up ---------*- C++ -*-===//
//
// Foreign.def lists what users of other array languages write, and what to write here instead.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_FOREIGN_H
#define LOSSLANG_LANG_FOREIGN_H

#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace loss::lang {

/// One row of Foreign.def.
struct Foreign {
  std::string_view name;
  /// "x, y": what `form` calls that which the function is called with; empty for a value.
  std::string_view arguments;
  /// What to write, or empty where the language has nothing of the kind.
  std::string_view form;
  std::string_view note;

  size_t argumentCount() const;
};

/// The functions, and the names that are not called, in the order of the table.
std::span<const Foreign> foreignFunctions();
std::span<const Foreign> foreignValues();

/// The row of a function that was called with `count` arguments, or null. `anyCount`: a row of
/// another number of arguments will do when there is none of this.
const Foreign *findForeignFunction(std::string_view name, size_t count, bool anyCount);
const Foreign *findForeignValue(std::string_view name);

/// The names that a form is written with: `arguments` in the order of the row's, or none where they
/// are no plain names or numbers.
struct ForeignCall {
  std::vector<std::string> arguments;
  /// In place of `class` and `batch`.
  std::string axis = "class", rows = "batch";
  /// Names of axes, which nothing else in the form should have.
  std::vector<std::string> axes = {};
};

/// The form of a row for a call.
std::string foreignForm(const Foreign &row, const ForeignCall &call);
/// The hint of a row: "write 'max(x, y)'", or its note.
std::string foreignHint(const Foreign &row, const ForeignCall &call = {});

/// A hint with the axes of the loss: what `rename` makes of each word in quotes. Declarations of
/// axes, in brackets, stay.
std::string inQuotes(std::string_view hint,
                     const std::function<std::string(const std::string &)> &rename);

} // namespace loss::lang

#endif // LOSSLANG_LANG_FOREIGN_H
