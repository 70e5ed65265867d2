//===- Svg.cpp - small line plots -----------------------------------------===//

#include "compiler/Export/Svg.h"

#include <algorithm>
#include <cmath>
#include <cstdio>

using namespace loss;

namespace {

constexpr double panelWidth = 300, height = 220, left = 48, right = 10, top = 26, bottom = 36;

/// Readable on white and on black, and apart for most who do not see all colours.
constexpr const char *colours[] = {"#0a7ac4", "#d9700a", "#3c9a3c", "#a04fb0"};

std::string number(const char *format, double value) {
  char buffer[48];
  std::snprintf(buffer, sizeof buffer, format, value);
  // "-0.0" and "0.0" are the same place.
  std::string text = buffer;
  return text.find_first_not_of("-0.") == std::string::npos ? "0" : text;
}

std::string place(double value) { return number("%.1f", value); }

/// The numbers that an axis is marked with: about four, with one significant digit between them.
std::vector<double> ticks(double low, double high) {
  double step = std::pow(10.0, std::floor(std::log10((high - low) / 2)));
  for (double factor : {2.0, 2.5, 2.0})
    if ((high - low) / step > 5)
      step *= factor;
  std::vector<double> result;
  for (double at = std::ceil(low / step - 1e-9) * step; at <= high + step * 1e-9; at += step)
    result.push_back(std::abs(at) < step * 1e-9 ? 0 : at);
  return result;
}

std::string escaped(const std::string &text) {
  std::string out;
  for (char c : text)
    out += c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : std::string(1, c);
  return out;
}

class Drawing {
public:
  std::string out;

  void panel(const Panel &panel, double offset);

private:
  double toX(double x) const { return offset + left + (x - x0) / (x1 - x0) * width; }
  double toY(double y) const { return top + (y1 - y) / (y1 - y0) * tall; }
  void range(const Panel &panel);
  void frame(const Panel &panel);
  void curve(const Panel &panel, const Curve &curve, const char *colour);
  void text(double x, double y, const char *anchor, const std::string &text) {
    out += "<text x=\"" + place(x) + "\" y=\"" + place(y) + "\" text-anchor=\"" + anchor + "\">" +
           escaped(text) + "</text>\n";
  }

  static constexpr double width = panelWidth - left - right, tall = height - top - bottom;
  double offset = 0, x0 = 0, x1 = 1, y0 = 0, y1 = 1;
};

} // namespace

void Drawing::range(const Panel &panel) {
  x0 = panel.x.front();
  x1 = panel.x.back();
  std::vector<double> values;
  for (const Curve &curve : panel.curves)
    for (double y : curve.y)
      if (std::isfinite(y))
        values.push_back(y);
  std::sort(values.begin(), values.end());
  y0 = values.front();
  y1 = values.back();
  // A pole would press everything else flat: what lies far outside the middle is cut off.
  double low = values[values.size() / 20], high = values[values.size() - 1 - values.size() / 20];
  double spread = std::max(high - low, 1e-12);
  y0 = std::max(y0, low - 2 * spread);
  y1 = std::min(y1, high + 2 * spread);
  if (y1 - y0 < 1e-9 * std::max(1.0, std::abs(y0))) {
    double around = std::max(1.0, std::abs(y0)) / 2;
    y0 -= around;
    y1 += around;
  }
  double margin = (y1 - y0) / 20;
  y0 -= margin;
  y1 += margin;
}

void Drawing::frame(const Panel &panel) {
  for (double x : ticks(x0, x1)) {
    out +=
        "<path class=\"g\" d=\"M" + place(toX(x)) + " " + place(top) + "v" + place(tall) + "\"/>\n";
    text(toX(x), height - bottom + 14, "middle", number("%.4g", x));
  }
  for (double y : ticks(y0, y1)) {
    out += "<path class=\"g\" d=\"M" + place(offset + left) + " " + place(toY(y)) + "h" +
           place(width) + "\"/>\n";
    text(offset + left - 5, toY(y) + 4, "end", number("%.4g", y));
  }
  text(offset + left + width / 2, height - 6, "middle", panel.xLabel);
  text(offset + left, 16, "start", panel.title);
}

void Drawing::curve(const Panel &panel, const Curve &curve, const char *colour) {
  std::string path;
  bool down = false;
  for (size_t i = 0; i < panel.x.size(); ++i) {
    double y = curve.y[i];
    if (!std::isfinite(y)) {
      down = false;
      continue;
    }
    // Far outside the frame only the direction matters.
    double at = std::clamp(toY(y), -height, 2 * height);
    path += (down ? "L" : "M") + place(toX(panel.x[i])) + " " + place(at);
    down = true;
  }
  out += "<path clip-path=\"url(#p" + place(offset) + ")\" stroke=\"" + colour + "\" d=\"" + path +
         "\"/>\n";
}

void Drawing::panel(const Panel &panel, double at) {
  offset = at;
  range(panel);
  frame(panel);
  out += "<clipPath id=\"p" + place(offset) + "\"><rect x=\"" + place(offset + left) + "\" y=\"" +
         place(top) + "\" width=\"" + place(width) + "\" height=\"" + place(tall) +
         "\"/></clipPath>\n";
  double x = offset + left + width;
  for (size_t i = panel.curves.size(); i-- > 0;) {
    const char *colour = colours[i % std::size(colours)];
    curve(panel, panel.curves[i], colour);
    if (panel.curves[i].name.empty())
      continue;
    out += std::string("<g fill=\"") + colour + "\">";
    text(x, 16, "end", panel.curves[i].name);
    out += "</g>\n";
    x -= 8.0 * static_cast<double>(panel.curves[i].name.size());
  }
}

bool Panel::hasPoints() const {
  return std::any_of(curves.begin(), curves.end(), [](const Curve &curve) {
    return std::count_if(curve.y.begin(), curve.y.end(),
                         [](double y) { return std::isfinite(y); }) > 2;
  });
}

std::string loss::svgOf(const std::vector<Panel> &panels) {
  Drawing drawing;
  double width = panelWidth * static_cast<double>(panels.size());
  drawing.out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + place(width) + " " +
                place(height) + "\" width=\"" + place(width) + "\">\n" +
                "<style>text{font:11px sans-serif;fill:#777}g text{fill:inherit}"
                "path{fill:none;stroke-width:2}.g{stroke:#8885;stroke-width:1}</style>\n";
  for (size_t i = 0; i < panels.size(); ++i)
    if (panels[i].hasPoints())
      drawing.panel(panels[i], panelWidth * static_cast<double>(i));
  return drawing.out + "</svg>\n";
}
