//===- Formatter.h - a program in one layout, comments kept -----*- C++ -*-===//
#ifndef LOSSLANG_LANG_FORMATTER_H
#define LOSSLANG_LANG_FORMATTER_H

#include "lang/Diagnostic.h"

#include <optional>

namespace loss::lang {

/// The longest line that the formatter writes where it can break one.
inline constexpr size_t formatWidth = 100;

/// The program in one layout: every comment stays, in order; formatting again changes nothing; the
/// meaning is the same. Nothing when the text has syntax errors, which go to `diagnostics`.
std::optional<std::string> format(std::string_view text, DiagnosticEngine &diagnostics);

} // namespace loss::lang

#endif // LOSSLANG_LANG_FORMATTER_H
