//===- SyntaxHints.h - what was probably meant ------------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_SYNTAXHINTS_H
#define LOSSLANG_LANG_SYNTAXHINTS_H

#include "lang/SyntaxErrors.h"

namespace loss::lang {

using Kinds = std::set<std::string>;

bool isKeyword(const std::string &kind);
/// A token in a message: "'x'", "the keyword 'let'", "the end of the file".
std::string found(const SyntaxToken &token);

/// What to do about `tokens[at]`, where one of `expected` should stand; empty where nothing is
/// more likely than the rest.
std::string syntaxHint(const Kinds &expected, std::string_view rule,
                       const std::vector<SyntaxToken> &tokens, size_t at);

} // namespace loss::lang

#endif // LOSSLANG_LANG_SYNTAXHINTS_H
