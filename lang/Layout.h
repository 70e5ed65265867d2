//===- Layout.h - text that is broken where it is long ----------*- C++ -*-===//
#ifndef LOSSLANG_LANG_LAYOUT_H
#define LOSSLANG_LANG_LAYOUT_H

#include <cstdint>
#include <string>
#include <vector>

namespace loss::lang {

/// A text with places where it may be broken: all places of a group are, or none.
class Layout {
public:
  /// A piece that is never broken.
  static Layout text(std::string text);
  /// A blank, or the start of a line.
  static Layout line();
  /// Nothing, or the start of a line.
  static Layout softLine();
  /// The pieces one after another; new lines in it start `indent` further right.
  static Layout sequence(std::vector<Layout> pieces, size_t indent = 0);
  /// One that is on one line if it fits.
  static Layout group(std::vector<Layout> pieces, size_t indent = 0);

  /// Writes it behind what `out` has, at that column of a line that starts at `from`.
  void write(std::string &out, size_t column, size_t from, size_t width) const;

private:
  enum class Kind : uint8_t { Text, Line, SoftLine, Sequence, Group };

  void writeAt(std::string &out, size_t &column, size_t from, size_t width, bool broken) const;

  Kind kind = Kind::Text;
  std::string content;
  std::vector<Layout> pieces;
  size_t indent = 0;
  /// Columns when nothing of it is broken.
  size_t flatWidth = 0;
};

} // namespace loss::lang

#endif // LOSSLANG_LANG_LAYOUT_H
