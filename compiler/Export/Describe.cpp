//===- Describe.cpp - what a loss says about itself -----------------------===//

#include "compiler/Export/Describe.h"

#include "lang/AstPrinter.h"

#include <algorithm>
#include <cctype>

using namespace loss;
using namespace loss::lang;

static std::string trimmed(std::string_view text) {
  size_t begin = text.find_first_not_of(" \t\r"), end = text.find_last_not_of(" \t\r");
  return begin == std::string_view::npos ? "" : std::string(text.substr(begin, end - begin + 1));
}

static std::vector<std::string> linesOf(const std::string &text) {
  std::vector<std::string> lines;
  for (size_t begin = 0; begin <= text.size();) {
    size_t end = std::min(text.find('\n', begin), text.size());
    lines.push_back(text.substr(begin, end - begin));
    begin = end + 1;
  }
  return lines;
}

/// The tag that a line starts with ("Source"), or empty.
static std::string tagOf(const std::string &line) {
  static constexpr std::string_view tags[] = {"Formula", "Source", "Family",
                                              "Note",    "Plot",   "Range"};
  size_t colon = line.find(':');
  std::string word = colon == std::string::npos ? "" : line.substr(0, colon);
  return std::find(std::begin(tags), std::end(tags), word) == std::end(tags) ? "" : word;
}

static void describeText(const DocText &doc, LossDescription &out) {
  bool inTag = false, newParagraph = true;
  for (const std::string &line : linesOf(doc)) {
    std::string text = trimmed(line);
    if (std::string tag = tagOf(line); !tag.empty()) {
      out.tags.push_back({tag, trimmed(line.substr(tag.size() + 1))});
      inTag = newParagraph = true;
    } else if (text.empty()) {
      newParagraph = true;
      inTag = false;
    } else if (inTag) {
      out.tags.back().second += " " + text;
    } else if (newParagraph) {
      out.paragraphs.push_back(text);
      newParagraph = false;
    } else {
      out.paragraphs.back() += " " + text;
    }
  }
}

static ArgumentDescription describeArgument(const LossArg &arg) {
  ArgumentDescription out;
  out.name = arg.name.name;
  for (const std::string &line : linesOf(arg.doc))
    out.doc += (out.doc.empty() ? "" : " ") + trimmed(line);
  switch (arg.kind) {
  case LossArg::Kind::Value:
    out.kind = "input";
    break;
  case LossArg::Kind::Target:
    out.kind = "target";
    break;
  case LossArg::Kind::Fixed:
    out.kind = "fixed input";
    break;
  case LossArg::Kind::Param:
    out.kind = "parameter";
    break;
  case LossArg::Kind::Option:
    out.kind = "option";
    break;
  }
  out.range = printConstraint(arg);
  if (arg.classAxis)
    out.kind += " over " + arg.classAxis->name;
  if (arg.defaultValue)
    out.defaultValue = print(*arg.defaultValue);
  else
    for (const Identifier &axis : arg.axes)
      out.axes += (out.axes.empty() ? "[" : ", ") + axis.name;
  if (!arg.defaultValue)
    out.axes += out.axes.empty() ? "[]" : "]";
  out.role = out.kind;
  if (!out.axes.empty())
    out.role += " " + out.axes;
  if (!out.range.empty())
    out.role += ", " + out.range;
  if (!out.defaultValue.empty())
    out.role += ", " + out.defaultValue + " unless given";
  return out;
}

std::string LossDescription::tag(std::string_view name) const {
  for (const auto &[tag, text] : tags)
    if (tag == name)
      return text;
  return {};
}

LossDescription loss::describeLoss(const File &file) {
  LossDescription out;
  for (const auto &item : file.items) {
    const auto *loss = std::get_if<LossDef>(&item);
    if (!loss)
      continue;
    out.name = loss->name.name;
    describeText(loss->doc, out);
    for (const LossArg &arg : loss->args)
      out.arguments.push_back(describeArgument(arg));
  }
  return out;
}
