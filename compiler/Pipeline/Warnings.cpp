//===- Warnings.cpp - -Werror and -Wno-NAME -------------------------------===//

#include "compiler/Pipeline/Warnings.h"

#include "lang/Messages.h"
#include "lang/Suggest.h"

#include "llvm/ADT/STLExtras.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Format.h"

using namespace loss;

static std::vector<std::string_view> warningNames() {
  std::vector<std::string_view> names;
  for (const lang::Message &message : lang::messages())
    if (message.severity == lang::Severity::Warning &&
        (names.empty() || names.back() != message.name))
      names.push_back(message.name);
  return names;
}

std::string loss::addWarningOption(const std::string &text, WarningOptions &options) {
  if (text == "error") {
    options.areErrors = true;
    return {};
  }
  llvm::StringRef name = text;
  bool disables = name.consume_front("no-");
  std::vector<std::string_view> names = warningNames();
  if (!llvm::is_contained(names, std::string_view(name))) {
    std::string hint = lang::didYouMean(name.str(), {names.begin(), names.end()});
    return "unknown warning '" + name.str() +
           (hint.empty() ? "'; see lossc --list-warnings" : "'; " + hint);
  }
  if (disables)
    options.disabled.insert(name.str());
  else
    options.disabled.erase(name.str());
  return {};
}

std::vector<lang::Diagnostic> loss::applyWarningOptions(const lang::DiagnosticEngine &engine,
                                                        const WarningOptions &options) {
  std::vector<lang::Diagnostic> shown;
  for (lang::Diagnostic diagnostic : engine.diagnostics()) {
    if (diagnostic.severity == lang::Severity::Warning) {
      if (const lang::Message *message = lang::findMessage(diagnostic))
        diagnostic.name = message->name;
      if (options.disabled.contains(diagnostic.name))
        continue;
      if (options.areErrors)
        diagnostic.severity = lang::Severity::Error;
    }
    shown.push_back(std::move(diagnostic));
  }
  return shown;
}

std::string loss::renderNamed(std::vector<lang::Diagnostic> diagnostics,
                              const lang::DiagnosticEngine &engine) {
  for (lang::Diagnostic &diagnostic : diagnostics)
    if (!diagnostic.name.empty())
      diagnostic.message += (diagnostic.severity == lang::Severity::Error ? " [-Werror, " : " [") +
                            diagnostic.name + "]";
  return lang::render(diagnostics, engine.files());
}

bool loss::hasErrors(const std::vector<lang::Diagnostic> &diagnostics) {
  return llvm::any_of(diagnostics, [](const lang::Diagnostic &diagnostic) {
    return diagnostic.severity == lang::Severity::Error;
  });
}

void loss::listWarnings(llvm::raw_ostream &out) {
  std::vector<std::string_view> names = warningNames();
  size_t width = 0;
  for (std::string_view name : names)
    width = std::max(width, name.size());
  std::string_view last;
  for (const lang::Message &message : lang::messages()) {
    if (message.severity != lang::Severity::Warning)
      continue;
    // A name stands once before all its texts.
    std::string_view name = message.name == last ? std::string_view() : message.name;
    out << llvm::left_justify(name, width + 2) << message.pattern << "\n";
    last = message.name;
  }
}
