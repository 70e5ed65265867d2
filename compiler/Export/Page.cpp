//===- Page.cpp - a loss as a page of documentation -----------------------===//

#include "compiler/Export/Page.h"

#include <algorithm>
#include <map>

using namespace loss;

/// Text in which Markdown sees nothing special.
static std::string plain(const std::string &text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\\`*_[]<>|#$").find(c) != std::string_view::npos)
      out += '\\';
    out += c;
  }
  return out;
}

static std::string formulaBlock(const std::string &formula) {
  return "$$\n\\begin{aligned}\n" + formula + "\n\\end{aligned}\n$$\n";
}

/// A table of what the loss takes.
static std::string argumentTable(const LossDescription &loss) {
  if (loss.arguments.empty())
    return {};
  std::string out = "| name | kind | default | meaning |\n|---|---|---|---|\n";
  for (const ArgumentDescription &argument : loss.arguments) {
    out += "| `" + argument.name + "` | " + argument.kind;
    if (!argument.axes.empty())
      out += " `" + argument.axes + "`";
    if (!argument.range.empty())
      out += ", " + argument.range;
    out += " | " + (argument.defaultValue.empty() ? "" : "`" + argument.defaultValue + "`") +
           " | " + plain(argument.doc) + " |\n";
  }
  return out;
}

static std::string tagLines(const LossDescription &loss) {
  std::string out;
  for (const auto &[tag, text] : loss.tags)
    if (tag == "Source" || tag == "Note" || tag == "Range")
      out += tag + ": " + plain(text) + "\n\n";
  return out;
}

std::string loss::markdownPage(const LossPage &page) {
  const LossDescription &loss = page.loss;
  std::string out = "# " + plain(loss.name) + "\n\n";
  for (const std::string &paragraph : loss.paragraphs)
    out += plain(paragraph) + "\n\n";
  out += formulaBlock(page.formula) + "\n";
  if (std::string formula = loss.tag("Formula"); !formula.empty())
    out += "In print: `" + formula + "`\n\n";
  out += argumentTable(loss) + "\n";
  if (!page.plot.empty())
    out += "![" + page.plotCaption + "](" + page.plot + ")\n\n" + page.plotCaption + "\n\n";
  out += tagLines(loss);
  if (std::string family = loss.tag("Family"); !family.empty())
    out += "Family: " + plain(family) + "\n\n";
  return out + "Program: [" + plain(page.sourceLink) + "](" + page.sourceLink + ")\n";
}

/// What a heading's anchor is called.
static std::string anchor(const std::string &heading) {
  std::string out;
  for (char c : heading) {
    if (c == ' ')
      out += '-';
    else if (std::isalnum(static_cast<unsigned char>(c)) || c == '-' || c == '_')
      out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

std::string loss::markdownGallery(const std::vector<LossPage> &pages) {
  std::map<std::string, std::vector<const LossPage *>> families;
  for (const LossPage &page : pages) {
    std::string family = page.loss.tag("Family");
    families[family.empty() ? "other" : family].push_back(&page);
  }
  std::string out = "# The library of losses\n\n" + std::to_string(pages.size()) +
                    " losses, each a program of a few lines. Name one where a tool asks for a loss "
                    "(`losstrain --loss\nfocal`), or compile its file. `lossc doc stdlib/ -o DIR` "
                    "writes a page about each, with a plot of its value\nand gradient.\n\n"
                    "| family | losses |\n|---|---|\n";
  for (auto &[family, members] : families) {
    std::sort(members.begin(), members.end(),
              [](const LossPage *a, const LossPage *b) { return a->loss.name < b->loss.name; });
    out += "| [" + family + "](#" + anchor(family) + ") |";
    for (size_t i = 0; i < members.size(); ++i)
      out +=
          (i ? ", [" : " [") + members[i]->loss.name + "](#" + anchor(members[i]->loss.name) + ")";
    out += " |\n";
  }
  for (const auto &[family, members] : families) {
    out += "\n## " + family + "\n";
    for (const LossPage *page : members) {
      out += "\n### " + plain(page->loss.name) + "\n\n";
      if (!page->loss.paragraphs.empty())
        out += plain(page->loss.paragraphs.front()) + "\n\n";
      out += formulaBlock(page->formula) + "\n";
      for (const auto &[tag, text] : page->loss.tags)
        if (tag == "Source")
          out += "Source: " + plain(text) + " · ";
      out += "[program](" + page->sourceLink + ")";
      bool first = true;
      for (const ArgumentDescription &argument : page->loss.arguments)
        if (!argument.defaultValue.empty()) {
          out += std::string(first ? " · parameters: " : ", ") + "`" + argument.name + " = " +
                 argument.defaultValue + "`";
          if (!argument.range.empty())
            out += " (" + argument.range + ")";
          first = false;
        }
      out += "\n";
    }
  }
  return out;
}
