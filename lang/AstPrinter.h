//===- AstPrinter.h - syntax tree to text -----------------------*- C++ -*-===//
#ifndef LOSSLANG_LANG_ASTPRINTER_H
#define LOSSLANG_LANG_ASTPRINTER_H

#include "lang/Ast.h"

namespace loss::lang {

/// The program in canonical layout, with the fewest parentheses. Parsing the result and printing it
/// again gives the same text.
std::string print(const File &file);

/// One function in the same layout.
std::string print(const FnDef &fn);

/// One expression, on one line.
std::string print(const Expr &expr);

/// What constrains a parameter or an option, "positive integer" or "[1, 6]"; empty: nothing.
std::string printConstraint(const LossArg &arg);

} // namespace loss::lang

#endif // LOSSLANG_LANG_ASTPRINTER_H
