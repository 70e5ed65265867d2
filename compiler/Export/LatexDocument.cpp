//===- LatexDocument.cpp - lossc --emit=latex -----------------------------===//

#include "compiler/Export/Latex.h"

#include "compiler/Export/Describe.h"
#include "compiler/Export/Symbols.h"

#include <cstdint>

using namespace loss;
using namespace loss::lang;

/// The code point that starts at `i`, which moves to its last byte.
static uint32_t codePoint(std::string_view text, size_t &i) {
  auto byte = [&](size_t at) { return static_cast<unsigned char>(text[at]); };
  unsigned char first = byte(i);
  unsigned more = first >= 0xf0 ? 3 : first >= 0xe0 ? 2 : first >= 0xc0 ? 1 : 0;
  uint32_t code = more ? first & (0x3f >> more) : first;
  while (more-- && i + 1 < text.size())
    code = code << 6 | (byte(++i) & 0x3f);
  return code;
}

std::string loss::latexText(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (std::string_view("#$%&_{}").find(c) != std::string_view::npos) {
      out += '\\';
      out += c;
    } else if (c == '\\') {
      out += "\\textbackslash{}";
    } else if (c == '^' || c == '~') {
      out += std::string("\\") + c + "{}";
    } else if (c == '<' || c == '>' || c == '|') {
      out += std::string("$") + c + "$";
    } else if (static_cast<unsigned char>(c) < 0x80) {
      out += c == '\t' || static_cast<unsigned char>(c) >= 0x20 || c == '\n' ? c : ' ';
    } else {
      // Accented Latin letters are in every font; what is beyond them gets its number.
      size_t begin = i;
      uint32_t code = codePoint(text, i);
      static constexpr char digits[] = "0123456789ABCDEF";
      bool isAccented = code >= 0xc0 && code <= 0xff && code != 0xd0 && code != 0xd7 &&
                        code != 0xde && code != 0xf0 && code != 0xf7 && code != 0xfe;
      if (isAccented) {
        out += text.substr(begin, i - begin + 1);
        continue;
      }
      std::string hex;
      for (uint32_t rest = code; rest; rest >>= 4)
        hex.insert(hex.begin(), digits[rest & 15]);
      out += "\\texttt{U+" + std::string(hex.size() < 4 ? 4 - hex.size() : 0, '0') + hex + "}";
    }
  }
  return out;
}

std::string loss::latexDocument(const File &file) {
  LossDescription loss = describeLoss(file);
  std::string out = "% Written by lossc --emit=latex.\n"
                    "\\documentclass{article}\n"
                    "\\usepackage[a4paper,landscape,margin=20mm]{geometry}\n"
                    "\\usepackage{amsmath}\n"
                    "\\setlength{\\parindent}{0pt}\n"
                    "\\begin{document}\n";
  out += "\\section*{" + latexText(loss.name) + "}\n\n";
  for (const std::string &paragraph : loss.paragraphs)
    out += latexText(paragraph) + "\n\n";
  out += "\\begin{align*}\n" + latexFormula(file) + "\n\\end{align*}\n\n";
  if (!loss.arguments.empty()) {
    out += "\\begin{description}\n";
    for (const ArgumentDescription &argument : loss.arguments) {
      out += "\\item[$" + latex::symbol(argument.name) + "$] " + latexText(argument.role);
      if (!argument.doc.empty())
        out += ": " + latexText(argument.doc);
      out += "\n";
    }
    out += "\\end{description}\n\n";
  }
  for (const auto &[tag, text] : loss.tags)
    if (tag == "Source" || tag == "Note")
      out += latexText(tag + ": " + text) + "\n\n";
  return out + "\\end{document}\n";
}
