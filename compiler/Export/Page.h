//===- Page.h - a loss as a page of documentation ---------------*- C++ -*-===//
#ifndef LOSSLANG_COMPILER_EXPORT_PAGE_H
#define LOSSLANG_COMPILER_EXPORT_PAGE_H

#include "compiler/Export/Describe.h"

#include <string>
#include <vector>

namespace loss {

/// What a page needs to know about a loss.
struct LossPage {
  LossDescription loss;
  /// latexFormula().
  std::string formula;
  /// Where the .loss file is, as seen from the page.
  std::string sourceLink;
  /// Where the plot is, or empty.
  std::string plot;
  /// What the plot shows.
  std::string plotCaption;
};

/// The page in Markdown.
std::string markdownPage(const LossPage &page);

/// One page about all of them, by family.
std::string markdownGallery(const std::vector<LossPage> &pages);

} // namespace loss

#endif // LOSSLANG_COMPILER_EXPORT_PAGE_H
