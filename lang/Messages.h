//===- Messages.h - the table of every message ------------------*- C++ -*-===//
//
// Messages.def lists what can be said about a program. The code that says it writes the text
// itself; here a text finds its row, for the name in `lossc check --format=json`, for -Wno-NAME,
// and for docs/messages.md. A test meets every place of the front end that emits a message with an
// example.
//
//===----------------------------------------------------------------------===//
#ifndef LOSSLANG_LANG_MESSAGES_H
#define LOSSLANG_LANG_MESSAGES_H

#include "lang/Diagnostic.h"

#include <span>

namespace loss::lang {

/// One row of Messages.def. A name may have several.
struct Message {
  Severity severity;
  /// "unknown-name".
  std::string_view name;
  /// The text; `{}` stands for any other text.
  std::string_view pattern;
  /// What to do about it.
  std::string_view fix;
};

/// The rows in the order of the table.
std::span<const Message> messages();

/// Whether `text` is an instance of `pattern`.
bool matchesPattern(std::string_view pattern, std::string_view text);

/// The row of a diagnostic: the one with its name, else the one that says most of its text; null
/// when no row does.
const Message *findMessage(const Diagnostic &diagnostic);

} // namespace loss::lang

#endif // LOSSLANG_LANG_MESSAGES_H
