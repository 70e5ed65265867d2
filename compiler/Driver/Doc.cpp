//===- Doc.cpp - lossc doc ------------------------------------------------===//

#include "compiler/Driver/CommandLine.h"
#include "compiler/Driver/Plot.h"

#include "compiler/Export/Latex.h"
#include "compiler/Export/Page.h"
#include "lang/Parser.h"

#include "llvm/Support/FileSystem.h"
#include "llvm/Support/Path.h"

#include <algorithm>
#include <map>

using namespace loss;

/// The way from a folder to a file, both as seen from here.
static std::string relativePath(llvm::StringRef file, llvm::StringRef folder) {
  llvm::SmallString<256> from(folder.empty() ? "." : folder), to(file);
  llvm::sys::fs::make_absolute(from);
  llvm::sys::fs::make_absolute(to);
  llvm::sys::path::remove_dots(from, /*remove_dot_dot=*/true);
  llvm::sys::path::remove_dots(to, /*remove_dot_dot=*/true);
  auto a = llvm::sys::path::begin(from), aEnd = llvm::sys::path::end(from);
  auto b = llvm::sys::path::begin(to), bEnd = llvm::sys::path::end(to);
  while (a != aEnd && b != bEnd && *a == *b)
    ++a, ++b;
  llvm::SmallString<256> path;
  for (; a != aEnd; ++a)
    llvm::sys::path::append(path, "..");
  for (; b != bEnd; ++b)
    llvm::sys::path::append(path, *b);
  return path.str().str();
}

namespace {

/// The pages of one run.
class Documentation {
public:
  explicit Documentation(const DriverOptions &options) : options(options) {}

  int run();

private:
  int add(const SourceFile &source);
  int writePage(const SourceFile &source, LossPage page);
  int write(const std::string &path, const std::string &text);

  const DriverOptions &options;
  PipelineContext context;
  std::vector<LossPage> gallery;
  std::vector<lang::SourceFile> read;
  /// The file of each page, by its name.
  std::map<std::string, std::string> written;
};

} // namespace

int Documentation::add(const SourceFile &source) {
  PipelineOptions pipeline;
  pipeline.stopAfter = Phase::Parse;
  Compilation compilation =
      context.compile(source.text, source.name, pipeline, /*descriptorInLevel=*/false);
  if (!compilation.succeeded()) {
    llvm::errs() << renderNamed(applyWarningOptions(compilation.diagnostics, {}),
                                compilation.diagnostics);
    return exitCompileError;
  }
  llvm::append_range(read, compilation.diagnostics.files());
  lang::DiagnosticEngine ignored{source.name};
  // With the functions that it imports.
  lang::File file = lang::parse(compilation.source, ignored);
  LossPage page;
  page.loss = describeLoss(file);
  page.formula = latexFormula(file);
  if (!options.gallery.empty()) {
    page.sourceLink = relativePath(source.name, llvm::sys::path::parent_path(options.gallery));
    gallery.push_back(page);
  }
  return options.output.empty() ? exitSuccess : writePage(source, std::move(page));
}

int Documentation::write(const std::string &path, const std::string &text) {
  int code = refuseInput(path, read);
  return code ? code : writeOutput(path, text);
}

int Documentation::writePage(const SourceFile &source, LossPage page) {
  std::string stem = llvm::sys::path::stem(source.name).str();
  if (auto [other, isNew] = written.emplace(stem, source.name); !isNew)
    return complain(exitIO, "'" + source.name + "' and '" + other->second +
                                "' would have the same page, '" + stem + ".md'");
  llvm::SmallString<256> base(options.output);
  llvm::sys::path::append(base, stem);
  page.sourceLink = relativePath(source.name, options.output);
  if (std::optional<LossPlot> plot = plotLoss(source, page.loss, context)) {
    page.plot = stem + ".svg";
    page.plotCaption = plot->caption;
    if (int code = write((base + ".svg").str(), plot->svg))
      return code;
  }
  return write((base + ".md").str(), markdownPage(page));
}

int Documentation::run() {
  if (!options.output.empty())
    if (int code = makeDirectory(options.output))
      return code;
  int exitCode = exitSuccess;
  for (const SourceFile &source : readSources(options.paths, exitCode))
    if (!isFunctionFile(source))
      exitCode = std::max(exitCode, add(source));
  if (!options.gallery.empty() && exitCode == exitSuccess)
    return write(options.gallery, markdownGallery(gallery));
  return exitCode;
}

int loss::writeDocumentation(const DriverOptions &options) { return Documentation(options).run(); }
