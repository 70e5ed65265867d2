//===- Layout.cpp ---------------------------------------------------------===//
#include "lang/Layout.h"

namespace loss::lang {

Layout Layout::text(std::string text) {
  Layout layout;
  layout.content = std::move(text);
  layout.flatWidth = layout.content.size();
  return layout;
}

Layout Layout::line() {
  Layout layout;
  layout.kind = Kind::Line;
  layout.flatWidth = 1;
  return layout;
}

Layout Layout::softLine() {
  Layout layout;
  layout.kind = Kind::SoftLine;
  return layout;
}

Layout Layout::sequence(std::vector<Layout> pieces, size_t indent) {
  Layout layout;
  layout.kind = Kind::Sequence;
  for (const Layout &piece : pieces)
    layout.flatWidth += piece.flatWidth;
  layout.pieces = std::move(pieces);
  layout.indent = indent;
  return layout;
}

Layout Layout::group(std::vector<Layout> pieces, size_t indent) {
  Layout layout = sequence(std::move(pieces), indent);
  layout.kind = Kind::Group;
  return layout;
}

void Layout::write(std::string &out, size_t column, size_t from, size_t width) const {
  writeAt(out, column, from, width, false);
}

void Layout::writeAt(std::string &out, size_t &column, size_t from, size_t width,
                     bool broken) const {
  switch (kind) {
  case Kind::Text:
    out += content;
    column += flatWidth;
    return;
  case Kind::Line:
  case Kind::SoftLine:
    if (broken) {
      out += '\n';
      out.append(from, ' ');
      column = from;
    } else if (kind == Kind::Line) {
      out += ' ';
      ++column;
    }
    return;
  case Kind::Group:
    broken = column + flatWidth > width;
    [[fallthrough]];
  case Kind::Sequence:
    for (const Layout &piece : pieces)
      piece.writeAt(out, column, from + indent, width, broken);
  }
}

} // namespace loss::lang
