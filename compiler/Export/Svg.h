//===- Svg.h - small line plots ---------------------------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_EXPORT_SVG_H
#define LOSSLANG_COMPILER_EXPORT_SVG_H

#include <string>
#include <vector>

namespace loss {

/// One line of a plot, at the x of its panel. A number that is not finite leaves a gap.
struct Curve {
  std::string name;
  std::vector<double> y;
};

/// A coordinate system.
struct Panel {
  std::string title;
  std::string xLabel;
  std::vector<double> x;
  std::vector<Curve> curves;

  /// Whether there is anything to see.
  bool hasPoints() const;
};

/// The panels side by side as an SVG document: no scripts, no fonts of its own, and the same bytes
/// for the same numbers.
std::string svgOf(const std::vector<Panel> &panels);

} // namespace loss

#endif // LOSSLANG_COMPILER_EXPORT_SVG_H
