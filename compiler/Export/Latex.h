//===- Latex.h - a program as mathematics -----------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_EXPORT_LATEX_H
#define LOSSLANG_COMPILER_EXPORT_LATEX_H

#include "lang/Ast.h"

#include <string>
#include <string_view>

namespace loss {

/// The formula of the loss, then the definitions of its lets and functions: the lines of an
/// `aligned` environment (amsmath). A value is written with an index for each of its axes, the
/// first letter of the axis: \ell_{b} = -\sum_{c} y_{b,c} \log p_{b,c}. `file` must have passed
/// semantic analysis.
std::string latexFormula(const lang::File &file);

/// A document about the loss that pdflatex accepts: what it says about itself, the formula, and
/// what the symbols mean.
std::string latexDocument(const lang::File &file);

/// Text with the characters that are special to LaTeX escaped.
std::string latexText(std::string_view text);

/// Whether a builtin function (over an axis or not) has a row in LatexTable.def.
bool hasLatex(std::string_view function, bool overAxis);

} // namespace loss

#endif // LOSSLANG_COMPILER_EXPORT_LATEX_H
