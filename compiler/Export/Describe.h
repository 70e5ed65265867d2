//===- Describe.h - what a loss says about itself ---------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_EXPORT_DESCRIBE_H
#define LOSSLANG_COMPILER_EXPORT_DESCRIBE_H

#include "lang/Ast.h"

#include <string>
#include <utility>
#include <vector>

namespace loss {

/// An input, a parameter or an option.
struct ArgumentDescription {
  std::string name;
  /// "input", "target", "fixed input", "parameter", "option".
  std::string kind;
  /// "[batch, class]", or empty.
  std::string axes;
  /// "positive", or empty.
  std::string range;
  /// As written, or empty.
  std::string defaultValue;
  /// All of that in words: "parameter, positive, 2 unless given".
  std::string role;
  /// On one line.
  std::string doc;
};

/// The documentation of a loss, taken apart.
struct LossDescription {
  std::string name;
  /// What is no tag, one string a paragraph.
  std::vector<std::string> paragraphs;
  /// `Formula: ...`, `Source: ...`, `Family: ...` and so on, in order; continued lines joined.
  std::vector<std::pair<std::string, std::string>> tags;
  std::vector<ArgumentDescription> arguments;

  /// The text of the first such tag, or empty.
  std::string tag(std::string_view name) const;
};

LossDescription describeLoss(const lang::File &file);

} // namespace loss

#endif // LOSSLANG_COMPILER_EXPORT_DESCRIBE_H
