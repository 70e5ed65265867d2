//===- Imports.cpp --------------------------------------------------------===//
#include "lang/Imports.h"

#include "lang/AstPrinter.h"
#include "lang/Parser.h"
#include "lang/SemaDetail.h"

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <unordered_map>

namespace loss::lang {

namespace fs = std::filesystem;

std::optional<std::string> readTextFile(const std::string &path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error))
    return std::nullopt;
  std::ifstream stream(path, std::ios::binary);
  if (!stream)
    return std::nullopt;
  return std::string{std::istreambuf_iterator<char>(stream), {}};
}

namespace {

class Importer {
public:
  Importer(File &program, DiagnosticEngine &diagnostics, const ImportOptions &options)
      : program(program), diagnostics(diagnostics), options(options) {}

  void run() {
    states[keyOf(diagnostics.file())] = Active;
    loadAll(program, fs::path(diagnostics.file()).parent_path());
  }

private:
  enum State : uint8_t { New, Active, Done };

  /// The same for every way to write the path of a file.
  static std::string keyOf(const fs::path &path) {
    std::error_code error;
    fs::path canonical = fs::weakly_canonical(path, error);
    return (error ? path.lexically_normal() : canonical).string();
  }

  void loadAll(const File &file, const fs::path &folder) {
    for (const Item &item : file.items)
      if (const auto *import = std::get_if<Import>(&item))
        load(*import, folder);
  }

  Diagnostic &fail(const Import &import, std::string message) {
    program.complete = false;
    program.lostFunctions = true;
    return diagnostics.error(import.pathRange, std::move(message));
  }

  void load(const Import &import, const fs::path &folder) {
    if (diagnostics.errorCount() >= maxErrors)
      return;
    fs::path path;
    std::optional<std::string> text = find(import, folder, path);
    if (!text)
      return;
    State &state = states[keyOf(path)];
    if (state == Done)
      return;
    if (state == Active) {
      Diagnostic &diagnostic = fail(import, "the file '" + import.path + "' imports itself");
      diagnostic.hint = "put what both files need into a third";
      for (const Import *outer : stack)
        diagnostic.notes.push_back({outer->pathRange, "by way of '" + outer->path + "' here"});
      return;
    }
    if (states.size() > maxImports + 1) {
      fail(import,
           "expected at most " + std::to_string(maxImports) + " imported files, but found more");
      return;
    }
    state = Active;
    uint32_t number = diagnostics.addFile(path.string(), *text);
    // The statements must outlive the functions taken from the file.
    auto file = std::make_unique<File>(parse(*text, diagnostics, number));
    stack.push_back(&import);
    loadAll(*file, path.parent_path());
    stack.pop_back();
    take(*file, import);
    states[keyOf(path)] = Done;
  }

  /// In the folder of the importing file, then in the others.
  std::optional<std::string> find(const Import &import, const fs::path &folder, fs::path &path) {
    std::vector<fs::path> folders = {folder};
    folders.insert(folders.end(), options.folders.begin(), options.folders.end());
    for (const fs::path &candidate : folders) {
      path = (candidate / import.path).lexically_normal();
      if (std::optional<std::string> text = options.read(path.string()))
        return text;
    }
    std::string searched;
    for (const fs::path &candidate : folders)
      searched += (searched.empty() ? "searched in '" : ", '") +
                  (candidate.empty() ? "." : candidate.string()) + "'";
    fail(import, "cannot read the file '" + import.path + "'").hint = searched;
    return std::nullopt;
  }

  void take(File &file, const Import &import) {
    program.complete &= file.complete;
    program.lostFunctions |= file.abandoned || file.lostFunctions;
    program.lostNames.merge(file.lostNames);
    for (Item &item : file.items) {
      if (auto *fn = std::get_if<FnDef>(&item)) {
        program.library.push_back(std::move(*fn));
      } else if (const auto *loss = std::get_if<LossDef>(&item)) {
        Diagnostic &diagnostic = diagnostics.error(
            loss->name.range, "expected only functions in an imported file, but found the loss '" +
                                  loss->name.name + "'");
        diagnostic.notes.push_back({import.pathRange, "the file is imported here"});
        program.complete = false;
      }
    }
  }

  File &program;
  DiagnosticEngine &diagnostics;
  const ImportOptions &options;
  std::unordered_map<std::string, State> states;
  /// The imports that led to the file that is being read.
  std::vector<const Import *> stack;
};

/// The functions of the library that a program needs.
class Needed {
public:
  explicit Needed(const File &file) {
    for (const FnDef &fn : file.library)
      library.emplace(fn.name.name, &fn);
    for (const Item &item : file.items) {
      if (const auto *loss = std::get_if<LossDef>(&item))
        visit(loss->body);
      else if (const auto *fn = std::get_if<FnDef>(&item))
        visit(*fn);
    }
  }

  std::set<const FnDef *> functions;

private:
  void visit(const FnDef &fn) {
    visit(fn.body);
    for (const Derivative &derivative : fn.derivatives)
      visit(*derivative.value);
  }
  void visit(const Block &block) {
    for (const Let &let : block.lets)
      visit(*let.value);
    visit(*block.result);
  }
  void visit(const Expr &expr) {
    auto fn = library.find(expr.text);
    if (expr.kind == ExprKind::Call && fn != library.end() && functions.insert(fn->second).second)
      visit(*fn->second);
    for (const ExprPtr &operand : expr.operands)
      visit(*operand);
  }

  std::unordered_map<std::string_view, const FnDef *> library;
};

/// Where a place is in the text, in bytes.
size_t offsetOf(std::string_view text, SourcePos pos) {
  size_t at = 0;
  for (uint32_t line = 1; line < pos.line; ++line)
    at = text.find('\n', at) + 1;
  for (uint32_t column = 1; column < pos.column; ++column)
    do
      ++at;
    while (at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80);
  return at;
}

/// The value that an argument is given; the last one counts, as in analyze().
const Override *lastOverride(const std::vector<Override> &overrides, const LossArg &arg) {
  auto found = std::find_if(overrides.rbegin(), overrides.rend(), [&](const Override &override) {
    return override.name == arg.name.name;
  });
  return arg.isInput() || found == overrides.rend() ? nullptr : &*found;
}

} // namespace

void loadImports(File &file, DiagnosticEngine &diagnostics, const ImportOptions &options) {
  Importer(file, diagnostics, options).run();
}

std::string selfContained(const File &file, std::string_view text,
                          const std::vector<Override> &overrides) {
  constexpr std::string_view byteOrderMark = "\xef\xbb\xbf";
  if (text.substr(0, byteOrderMark.size()) == byteOrderMark)
    text.remove_prefix(byteOrderMark.size());
  std::string result;
  size_t copied = 0;
  auto replace = [&](const SourceRange &range, auto makeText) {
    size_t begin = offsetOf(text, range.begin);
    result += text.substr(copied, begin - copied);
    copied = offsetOf(text, range.end);
    result += makeText(copied - begin);
  };
  for (const Item &item : file.items) {
    if (const auto *import = std::get_if<Import>(&item))
      // Blanks, so that what follows in the line stays in its column.
      replace(import->range, [](size_t length) { return std::string(length, ' '); });
    if (const auto *loss = std::get_if<LossDef>(&item))
      for (const LossArg &arg : loss->args)
        if (const Override *value = lastOverride(overrides, arg))
          replace(arg.defaultValue->range,
                  [&](size_t) { return detail::spell({value->value, value->isBool}); });
  }
  result += text.substr(copied);
  Needed needed(file);
  for (const FnDef &fn : file.library)
    if (needed.functions.count(&fn)) {
      result += result.ends_with('\n') ? "\n" : "\n\n";
      result += print(fn);
    }
  return result;
}

} // namespace loss::lang
